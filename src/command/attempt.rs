//! Attempts as they are shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::stamp;
use crate::core::reading::{Cost, Tokens};
use crate::store::attempts;

/// One attempt of a run as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Its number.
    pub number: u32,
    /// `first` or `retry`.
    pub kind: String,
    /// When its process started.
    #[serde(serialize_with = "stamp::maybe")]
    pub started_at: Option<Timestamp>,
    /// When its tree was empty.
    #[serde(serialize_with = "stamp::at")]
    pub finished_at: Timestamp,
    /// Why it ended.
    pub reason: String,
    /// Its exit code.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i64>,
    /// User and system time of its tree.
    pub cpu_ms: u64,
    /// The largest resident size of one of its processes.
    pub peak_kb: u64,
    /// Bytes written to standard output.
    pub stdout_bytes: u64,
    /// Bytes written to standard error.
    pub stderr_bytes: u64,
    /// Which agent it was.
    pub agent: Option<String>,
    /// The version of its program; null when that cannot be seen.
    #[serde(default)]
    pub version: Option<String>,
    /// The version that its manifest was seen to be right for, where that is another.
    #[serde(default)]
    pub seen: Option<String>,
    /// What it came to, by what the agent wrote.
    pub class: Option<String>,
    /// What was said about that.
    pub message: Option<String>,
    /// What the agent was not allowed.
    pub denials: Vec<String>,
    /// What it used; null when nobody told.
    pub tokens: Option<Tokens>,
    /// What it cost; null when nobody knows.
    pub cost: Option<Cost>,
    /// The conversation it was in.
    pub conversation: Option<String>,
    /// Whether it wrote otherwise than its agent's manifest says, so that no more than its text was understood.
    #[serde(default)]
    pub is_strange: bool,
}

impl From<&attempts::Attempt> for AttemptView {
    fn from(attempt: &attempts::Attempt) -> Self {
        let reading = attempt.reading.as_ref();
        Self {
            number: attempt.number,
            kind: attempt.kind.word().to_owned(),
            started_at: attempt.started_at,
            finished_at: attempt.ended_at,
            reason: attempt.reason.clone(),
            exit_code: attempt.exit_code,
            signal: attempt.signal,
            cpu_ms: attempt.cpu_ms,
            peak_kb: attempt.peak_kb,
            stdout_bytes: attempt.stdout_bytes,
            stderr_bytes: attempt.stderr_bytes,
            agent: reading.map(|reading| reading.agent.clone()),
            version: reading.and_then(|reading| reading.version.clone()),
            seen: reading.and_then(|reading| reading.seen.clone()),
            class: reading.map(|reading| reading.class.word().to_owned()),
            message: reading.and_then(|reading| reading.message.clone()),
            denials: reading.map(|reading| reading.denials.clone()).unwrap_or_default(),
            tokens: reading.and_then(|reading| reading.tokens),
            cost: reading.and_then(|reading| reading.cost),
            conversation: reading.and_then(|reading| Some(reading.conversation.as_ref()?.id.clone())),
            is_strange: reading.is_some_and(|reading| reading.is_strange),
        }
    }
}
