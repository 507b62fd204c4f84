//! Attempts as they are shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::stamp;
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
}

impl From<&attempts::Attempt> for AttemptView {
    fn from(attempt: &attempts::Attempt) -> Self {
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
        }
    }
}
