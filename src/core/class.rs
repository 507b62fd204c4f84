//! Classes: what an attempt of an agent came to, as its output and its end say together.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! classes {
    ($($(#[$about:meta])* $variant:ident = $word:literal,)*) => {
        /// What a run came to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Class { $($(#[$about])* $variant,)* }

        impl Class {
            /// Every class.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

classes! {
    /// The agent says that it is done; whether it is, checks decide.
    Done = "done",
    /// Something went wrong that has no class of its own.
    Failed = "failed",
    /// It would have had to ask for a permission.
    PermissionDenied = "permission_denied",
    /// It is not logged in, or its key is not accepted.
    Auth = "auth",
    /// The account has used up what it may.
    Quota = "quota",
    /// Too many requests at once.
    RateLimit = "rate_limit",
    /// The service has too much to do.
    Overloaded = "overloaded",
    /// The service was not reached.
    Network = "network",
    /// The conversation is longer than the model can read.
    ContextFull = "context_full",
    /// There is no such model, or not for this account.
    ModelMissing = "model_missing",
    /// The conversation that was to go on is not there.
    SessionMissing = "session_missing",
    /// What it said does not fit the schema.
    SchemaError = "schema_error",
    /// The wall limit passed.
    Timeout = "timeout",
    /// There was no progress for the idle limit.
    Idle = "idle",
    /// It was ended from outside.
    Killed = "killed",
    /// A signal ended it that nobody of ours sent.
    Crashed = "crashed",
    /// It could not be started.
    SpawnFailed = "spawn_failed",
    /// There is no such program.
    AgentMissing = "agent_missing",
}

impl Class {
    /// Those that a manifest can have a signal for.
    pub const SIGNALLED: [Self; 11] = [
        Self::Failed,
        Self::PermissionDenied,
        Self::Auth,
        Self::Quota,
        Self::RateLimit,
        Self::Overloaded,
        Self::Network,
        Self::ContextFull,
        Self::ModelMissing,
        Self::SessionMissing,
        Self::SchemaError,
    ];

    /// Whether it is a service that does not serve for a time, and not the agent that failed.
    pub fn is_of_service(self) -> bool {
        match self {
            Self::Quota | Self::RateLimit | Self::Overloaded | Self::Network => true,
            Self::Done
            | Self::Failed
            | Self::PermissionDenied
            | Self::Auth
            | Self::ContextFull
            | Self::ModelMissing
            | Self::SessionMissing
            | Self::SchemaError
            | Self::Timeout
            | Self::Idle
            | Self::Killed
            | Self::Crashed
            | Self::SpawnFailed
            | Self::AgentMissing => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<&str> = Class::ALL.iter().map(|class| class.word()).collect();
        assert_eq!(words.len(), Class::ALL.len());
        assert!(Class::SIGNALLED.iter().all(|class| Class::ALL.contains(class)));
    }

    #[test]
    fn a_word_is_the_same_in_prose_and_in_json() {
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).expect("a word"), class.word());
        }
    }
}
