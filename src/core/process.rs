//! What the core knows of processes: their names, the bounds they run under and how they ended.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::id::TaskId;
use crate::core::span::Span;

/// Names one process execution: an attempt of a task, or one try of a check after it.
///
/// As text it is `r0abc1234.2` for an attempt and `r0abc1234.2.c0.1` for the first try of check 0. The
/// text is the value of `CONVERGE_ATTEMPT` and, with `/` for `.`, the run directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessKey {
    /// The task it works for.
    pub task: TaskId,
    /// The claim it belongs to; a fence, so never used twice within a task.
    pub attempt: u32,
    /// Which check this is, or none for the attempt itself.
    pub check: Option<CheckTry>,
}

/// One try of one check of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckTry {
    /// The place of the check among the needs of the goal.
    pub need: u16,
    /// Counts from 1; a check whose process was lost is tried again.
    pub number: u16,
}

impl ProcessKey {
    /// The key of the attempt itself.
    pub fn attempt(task: TaskId, attempt: u32) -> Self {
        Self { task, attempt, check: None }
    }

    /// Where its run directory lies below the folder of run directories.
    pub fn directory(&self) -> PathBuf {
        PathBuf::from(self.to_string().replace('.', "/"))
    }
}

impl fmt::Display for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.attempt)?;
        match self.check {
            Some(check) => write!(f, ".c{}.{}", check.need, check.number),
            None => Ok(()),
        }
    }
}

/// A text that names no process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a process, such as `r0abc1234.2`")]
pub struct NotAKey;

impl FromStr for ProcessKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let parts: Vec<&str> = text.split('.').collect();
        let (task, attempt, check) = match parts.as_slice() {
            [task, attempt] => (task, attempt, None),
            [task, attempt, need, number] => {
                let need = need.strip_prefix('c').and_then(|need| need.parse().ok()).ok_or(NotAKey)?;
                let number = number.parse().map_err(|_| NotAKey)?;
                (task, attempt, Some(CheckTry { need, number }))
            }
            _ => return Err(NotAKey),
        };
        Ok(Self {
            task: task.parse().map_err(|_| NotAKey)?,
            attempt: attempt.parse().map_err(|_| NotAKey)?,
            check,
        })
    }
}

impl Serialize for ProcessKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProcessKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The files of a run directory, as the daemon, the shim and whoever reads the output know them.
pub mod files {
    /// What to start; the shim holds its lock for life.
    ///
    /// A lock on a file that is there anyway: a new file can be what takes the longest in a short run.
    pub const SPEC: &str = "spec";
    /// Who the shim is; written before its child is there.
    pub const STARTED: &str = "started";
    /// Says that this process must never start.
    pub const REVOKED: &str = "revoked";
    /// What the process wrote to its standard output; absent when nothing.
    pub const STDOUT: &str = "stdout";
    /// What the process wrote to its standard error; absent when nothing.
    pub const STDERR: &str = "stderr";
    /// What bounds the process from now on, in place of what the spec says.
    pub const CONTROL: &str = "control";
    /// How the process ended: `started` again, with a second line.
    pub const OUTCOME: &str = "outcome";
    /// The document that the process finds by `CONVERGE_LAST_FILE`.
    pub const LAST: &str = "last.json";
    /// What an agent is asked to do.
    pub const PROMPT: &str = "prompt";
    /// What an agent said in the end.
    pub const SAID: &str = "said";
    /// Of which version the program of an agent is; absent where that cannot be seen.
    pub const VERSION: &str = "version";
    /// The folder of the private files that an agent is given beside its prompt.
    pub const AGENT: &str = "agent";
    /// A home for an agent, in that folder; no private file can be called so.
    pub const AGENT_HOME: &str = ".home";
    /// A shell line too long to be an argument.
    pub const LINE: &str = "line";
    /// What a run came to; beside the directories of its attempts.
    pub const RESULT: &str = "result.json";
    /// Says that the output of a run was removed for room; beside its result.
    pub const OUTPUT_GONE: &str = "output.gone";
    /// What becomes [`RESULT`].
    pub const RESULT_DRAFT: &str = "result.json.new";
}

/// A file that a process is given, for its owner's eyes alone; it lies in [`files::AGENT`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Where people's programs lie in their homes, besides their path, which a service may not have whole.
pub const BESIDE: [&str; 3] = [".local/bin", ".bun/bin", ".cargo/bin"];

/// What to execute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A program and its arguments, without a shell.
    Argv(Vec<String>),
    /// A line for `/bin/sh -c`.
    Shell(String),
}

/// What a process may use before it is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Ends the process after this long.
    pub wall: Option<Span>,
    /// Ends the process after this long without output, or without progress where a launch says what that is.
    pub idle: Option<Span>,
    /// Ends the process when its tree holds more resident memory than this.
    pub memory_bytes: Option<u64>,
    /// Ends the process when one of its streams has written more than this.
    pub output_bytes: u64,
    /// How long the tree may take to obey TERM before KILL.
    pub grace: Span,
}

/// What bounds a process: said when it is launched, and again whenever that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The bounds, counted from the start of the process.
    pub bounds: Bounds,
    /// Ends the process at this instant.
    pub cut_at: Option<Timestamp>,
}

impl Control {
    /// The wall limit of a process that has run for `elapsed` when it is `now`.
    pub fn wall(&self, elapsed: Span, now: Timestamp) -> Option<Span> {
        let left = self.cut_at.map(|cut_at| Span::between(now, cut_at));
        let until_cut = left.map(|left| Span::from_ms(elapsed.as_ms().saturating_add(left.as_ms())));
        [self.bounds.wall, until_cut].into_iter().flatten().min()
    }
}

/// How a process ended, as its shim saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// When the process was started.
    pub started_at: Timestamp,
    /// When its tree was empty.
    pub ended_at: Timestamp,
    /// What the main process did.
    pub ending: Ending,
    /// Why the shim ended it, when it did.
    pub cut: Option<Cut>,
    /// User and system time of the whole tree.
    pub cpu_ms: u64,
    /// The largest resident size of one process of the tree.
    pub peak_kb: u64,
    /// Bytes written to standard output.
    pub stdout_bytes: u64,
    /// Bytes written to standard error.
    pub stderr_bytes: u64,
    /// Why the bounds before stayed in force, when new ones came that could not be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unread: Option<String>,
}

impl Outcome {
    /// That of a process that ended so before it began.
    pub fn never_ran(started_at: Timestamp, ended_at: Timestamp, ending: Ending) -> Self {
        Self {
            started_at,
            ended_at,
            ending,
            cut: None,
            cpu_ms: 0,
            peak_kb: 0,
            stdout_bytes: 0,
            stderr_bytes: 0,
            unread: None,
        }
    }
}

/// What the main process did in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It exited by itself with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It could not be started at all.
    SpawnFailed {
        /// The system's word on it, with the program's name.
        cause: String,
    },
    /// None of the programs that it may be was found.
    Missing {
        /// Their names, and where they were looked for.
        cause: String,
    },
    /// There is no login for the account that it was to use.
    NoLogin {
        /// What is missing, and how to log in where that is known.
        cause: String,
    },
}

impl Ending {
    /// Why nothing ran, when nothing did.
    pub fn hindrance(&self) -> Option<&str> {
        match self {
            Self::SpawnFailed { cause } | Self::Missing { cause } | Self::NoLogin { cause } => Some(cause),
            Self::Exited(_) | Self::Signalled(_) => None,
        }
    }
}

/// Why a shim ended its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The wall limit passed.
    Wall,
    /// No output, or no progress, for the idle limit.
    Idle,
    /// The tree held too much memory.
    Memory,
    /// A stream wrote too much.
    Output,
    /// The daemon said so.
    Told,
}
