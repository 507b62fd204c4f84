//! Assignments: what an agent is to do, which agents may do it, and how they go about it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::schema::Schema;
use crate::core::span::Span;
use crate::core::tree::{self, Tree};

/// What a job asks of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who does it: the first, or the next of them when that one cannot. Never empty.
    pub chain: Vec<Candidate>,
    /// What it is to do.
    pub prompt: Prompt,
    /// How hard the model is to think.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effort: Option<String>,
    /// The permission profile.
    pub permissions: String,
    /// In which conversation each run is.
    pub session: Session,
    /// Directories beside the working directory.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub directories: Vec<String>,
    /// Tools that it may use without asking, beside what the profile allows.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tools: Vec<String>,
    /// What the result of each run is to fit, when that is to be structured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schema: Option<Schema>,
    /// What happens when an account has used up what it may.
    pub on_quota: OnQuota,
    /// The longest wait for a quota, from the moment it was used up.
    pub quota_wait: Span,
    /// The working trees that a run may change; none when it only reads. One run at a time does.
    #[serde(
        alias = "tree",
        deserialize_with = "tree::one_or_several",
        skip_serializing_if = "Vec::is_empty",
        default
    )]
    pub trees: Vec<Tree>,
}

/// One agent that may do the work.
///
/// As text it is `claude`, `claude:opus` with a model, `claude@work` with an account, `claude:opus@work` with both.
/// The agent ends before the first `:` or `@`, and the model before the first `@`; so a model has neither `@` nor
/// `,`, while an account may be `me@example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    pub agent: String,
    /// The model it asks; its own choice when none is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The account it uses; its usual one when none is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
}

impl Candidate {
    /// What its quota is counted by: the agent, with the account when one is named.
    pub fn purse(&self) -> String {
        match &self.account {
            Some(account) => format!("{}@{account}", self.agent),
            None => self.agent.clone(),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.agent)?;
        if let Some(model) = &self.model {
            write!(f, ":{model}")?;
        }
        self.account.as_ref().map_or(Ok(()), |account| write!(f, "@{account}"))
    }
}

/// A text that names no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no agent, such as `claude`, `claude:opus` or `claude:opus@work`")]
pub struct NotACandidate;

impl FromStr for Candidate {
    type Err = NotACandidate;

    fn from_str(text: &str) -> Result<Self, NotACandidate> {
        let (rest, account) = match text.split_once('@') {
            Some((rest, account)) => (rest, Some(account)),
            None => (text, None),
        };
        let (agent, model) = match rest.split_once(':') {
            Some((agent, model)) => (agent, Some(model)),
            None => (rest, None),
        };
        let is_account = |account: &str| is_word(&account.replace('@', "."));
        if [Some(agent), model].into_iter().flatten().all(is_word) && account.is_none_or(is_account) {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Ok(Self { agent: agent.to_owned(), model: owned(model), account: owned(account) })
        } else {
            Err(NotACandidate)
        }
    }
}

/// Whether this can be the name of an agent, or of a model: a candidate with it reads back as it was.
pub fn is_word(word: &str) -> bool {
    let fits =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '@' && letter != ',';
    !word.is_empty() && !word.starts_with('-') && word.chars().all(fits)
}

/// Where a prompt is from; it may have `{{…}}` for what differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// This text.
    Text(String),
    /// A file that is read at each start; an absolute path.
    File(String),
}

/// In which conversation each run of a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Session {
    /// In a new one.
    Fresh,
    /// In that of the run before.
    Resume,
    /// In a copy of that of the run before, which stays as it is.
    Fork,
    /// In that of the run before until it is nearly full, then in a new one.
    Auto,
    /// At first in a copy of this one, which is that of the agent who made the job; then as with `Resume`.
    Mine {
        /// With which agent it is.
        agent: String,
        /// Its name.
        id: String,
    },
}

impl Session {
    /// The word on every surface.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Resume => "resume",
            Self::Fork => "fork",
            Self::Auto => "auto",
            Self::Mine { .. } => "mine",
        }
    }
}

/// What happens when an account has used up what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnQuota {
    /// The run waits until it is there again.
    Wait,
    /// The run fails.
    Fail,
    /// The next of the chain takes over; the last one waits.
    Fallback,
}

impl OnQuota {
    /// Every word of the set.
    pub const ALL: [Self; 3] = [Self::Wait, Self::Fail, Self::Fallback];

    /// The word on every surface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Fail => "fail",
            Self::Fallback => "fallback",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let read = text.parse::<Candidate>().ok();
        let told =
            read.as_ref().map(|read| (read.agent.as_str(), read.model.as_deref(), read.account.as_deref()));
        assert_eq!(told, expected, "{text}");
        assert!(read.is_none_or(|read| read.to_string() == text), "{text}");
    }

    #[test]
    fn a_candidate_is_an_agent_with_perhaps_a_model_and_an_account() {
        check("claude", Some(("claude", None, None)));
        check("opencode:openrouter/qwen:free", Some(("opencode", Some("openrouter/qwen:free"), None)));
        check("claude:opus@work", Some(("claude", Some("opus"), Some("work"))));
        check("claude@work", Some(("claude", None, Some("work"))));
        check("claude@me@example.com", Some(("claude", None, Some("me@example.com"))));
        check("claude:opus@me@example.com", Some(("claude", Some("opus"), Some("me@example.com"))));
        check("claude:models/a,b", None);
        for text in ["", ":opus", "claude:", "claude@", "-p", "claude: opus", "claude@a,b", "a,b", "@work"] {
            check(text, None);
        }
    }
}
