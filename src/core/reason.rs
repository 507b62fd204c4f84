//! Reasons: three closed sets of words for why a slot was skipped, a task ended, a loop ended.
//!
//! None has a word for "unknown": who cannot name a reason has not decided yet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::process::Cut;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// Every word of the set.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in tables, JSON and prose.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// Why a slot was not run.
    Skip {
        /// The run before it was still active.
        Overlap = "overlap",
        /// The daemon was not there, or the machine slept.
        Missed = "missed",
    }
}

words! {
    /// Why a task ended.
    EndReason {
        /// The program exited with 0.
        ExitZero = "exit_zero",
        /// The program exited with another code.
        ExitNonzero = "exit_nonzero",
        /// A signal from elsewhere ended the program.
        Signalled = "signalled",
        /// The wall limit passed.
        Timeout = "timeout",
        /// No output for the idle limit.
        IdleTimeout = "idle_timeout",
        /// A stream wrote too much.
        OutputLimit = "output_limit",
        /// The tree held too much memory.
        ResourceLimit = "resource_limit",
        /// The program could not be started.
        SpawnFailed = "spawn_failed",
        /// Somebody cancelled it, or lowered what its job may use below what it has used.
        Cancelled = "cancelled",
        /// Its shim was killed, so how it ended is not known.
        Lost = "lost",
        /// Only the checks were run, before the first run.
        ChecksOnly = "checks_only",
        /// None of the agent's programs was found.
        AgentMissing = "agent_missing",
        /// The agent reported an error that has no word of its own.
        AgentFailed = "agent_failed",
        /// The agent would have had to ask for a permission.
        PermissionDenied = "permission_denied",
        /// The agent is not logged in, or its key is not accepted.
        Auth = "auth",
        /// The account has used up what it may.
        Quota = "quota",
        /// Too many requests at once.
        RateLimit = "rate_limit",
        /// The agent's service has too much to do.
        Overloaded = "overloaded",
        /// The agent's service was not reached.
        Network = "network",
        /// The conversation is longer than the model can read.
        ContextFull = "context_full",
        /// There is no such model, or not for this account.
        ModelMissing = "model_missing",
        /// The conversation that was to go on is not there.
        SessionMissing = "session_missing",
        /// What the agent said does not fit the schema.
        SchemaError = "schema_error",
    }
}

words! {
    /// Why a loop ended or was stopped.
    VerdictReason {
        /// Every named check is met.
        Converged = "converged",
        /// The condition is met.
        ConditionMet = "condition_met",
        /// As many tokens or as much money as allowed.
        Budget = "budget",
        /// The span or the deadline passed.
        TimeLimit = "time_limit",
        /// As many runs as allowed.
        RunLimit = "run_limit",
        /// Too many runs in a row could not do their work.
        CircuitBreaker = "circuit_breaker",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// The end bound passed.
        Expired = "expired",
    }
}

/// What kind of end a task had: all that follows from its word, said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It ended well.
    Done,
    /// Nothing was to run but the checks.
    Checks,
    /// The program says by its exit code that it did not.
    Exit,
    /// A signal from elsewhere ended it.
    Crash,
    /// Its shim ended it.
    Cut(Cut),
    /// The agent worked, and did not get through.
    Unfinished,
    /// Something that passes kept the agent from its work, which is nobody's failure.
    Hindered,
    /// It could not do its work at all, whatever its goal says.
    Broken,
    /// How it ended is not known.
    Lost,
}

impl EndReason {
    /// What kind of end this is.
    pub fn nature(self) -> Nature {
        match self {
            Self::ExitZero => Nature::Done,
            Self::ChecksOnly => Nature::Checks,
            Self::ExitNonzero => Nature::Exit,
            Self::Signalled => Nature::Crash,
            Self::Timeout => Nature::Cut(Cut::Wall),
            Self::IdleTimeout => Nature::Cut(Cut::Idle),
            Self::OutputLimit => Nature::Cut(Cut::Output),
            Self::ResourceLimit => Nature::Cut(Cut::Memory),
            Self::Cancelled => Nature::Cut(Cut::Told),
            Self::AgentFailed | Self::PermissionDenied | Self::ContextFull | Self::SchemaError => {
                Nature::Unfinished
            }
            Self::Quota | Self::RateLimit | Self::Overloaded | Self::Network | Self::SessionMissing => {
                Nature::Hindered
            }
            Self::SpawnFailed | Self::AgentMissing | Self::Auth | Self::ModelMissing => Nature::Broken,
            Self::Lost => Nature::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_prose_and_in_json() {
        for reason in EndReason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a word"), reason.word());
        }
        for reason in VerdictReason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a word"), reason.word());
        }
        for reason in Skip::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a word"), reason.word());
        }
    }
}
