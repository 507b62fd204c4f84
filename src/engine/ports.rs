//! The ports: what the engine asks of the world, and what the world reports.
//!
//! Every call returns at once and answers, if at all, with a [report](crate::core::task::report). The daemon's
//! ports start real processes; the simulator's are scripted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agent::account::{self, Choice};
use crate::agent::catalogue::Catalogue;
use crate::agent::manifest::Manifest;
use crate::agent::price::Prices;
use crate::core::account::{Accounts, Login};
use crate::core::assignment::{self, Candidate};
use crate::core::condition::fact::Need;
use crate::core::id::TaskId;
use crate::core::login::LoginCheck;
use crate::core::overlay::Overlay;
use crate::core::process::{Command, Control, Cut, Ending, PrivateFile, ProcessKey};
use crate::core::reading::Conversation;
use crate::core::refusal::Problem;
use crate::core::schema::Schema;
use crate::core::span::Span;
use crate::core::task::evidence::Evidence;

/// Starts, stops and finds processes.
pub trait Processes: Send {
    /// Starts a process under a shim, in a run directory of its own.
    ///
    /// Answers `Report::Started` and then `Report::Ended`. A shim that cannot be started is an
    /// end by `SpawnFailed`.
    fn launch(&self, launch: Launch);

    /// Ends the process tree of `key`; harmless when there is none.
    fn stop(&self, key: ProcessKey);

    /// Puts the process of `key` under other bounds, whether it has started or is about to.
    ///
    /// Harmless when there is none, and when it is asked twice; the newest word holds.
    fn control(&self, key: ProcessKey, control: Control);

    /// Finds out what became of `key` after a restart, and watches it on when it is alive.
    ///
    /// Answers `Started` (alive), `Ended`, `Report::Revoked` (never started, and now never will
    /// be) or `Report::Lost`. Asking about what is watched already answers nothing new.
    fn look(&self, key: ProcessKey);
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The instant it is.
    fn now(&self) -> Timestamp;
}

/// Looks at what processes left behind, off the engine's thread.
pub trait Work: Send {
    /// Finds out facts that need no process; answers `Report::Found`.
    fn inspect(&self, inspect: Inspect);

    /// Finds out what the output of an agent says; answers `Report::Read`.
    fn read(&self, read: Read);

    /// Puts the files of an attempt in their final form.
    fn tidy(&self, tidy: Tidy);

    /// Removes everything that runs left on disk.
    fn discard(&self, runs: Vec<TaskId>);

    /// Removes the output of the runs that ended first, until that of all takes at most so many bytes.
    fn shrink(&self, most_bytes: u64);
}

/// Knows the agents that there are.
pub trait Agents: Send {
    /// How the agent of this name is driven and understood.
    fn find(&self, name: &str) -> Option<Arc<Manifest>>;

    /// What the account of this name means for an agent; `home` is Converge's own.
    fn account(&self, name: &str, manifest: &Manifest, home: &str) -> Result<Choice, Problem> {
        account::choose(name, manifest, &Accounts::new(), home)
    }

    /// What models cost.
    fn prices(&self) -> Arc<Prices> {
        Arc::new(Prices::of(None).unwrap_or_default())
    }
}

impl Agents for Catalogue {
    fn find(&self, name: &str) -> Option<Arc<Manifest>> {
        self.find(name).map(|known| Arc::clone(&known.manifest))
    }
}

/// What is wanted of the output of an agent's attempt.
#[derive(Debug, Clone)]
pub struct Read {
    /// The attempt.
    pub key: ProcessKey,
    /// Who made it.
    pub candidate: Candidate,
    /// How its output is understood; none when nobody knows any more.
    pub manifest: Option<Arc<Manifest>>,
    /// What its tokens may have cost.
    pub prices: Arc<Prices>,
    /// The conversation it went on with.
    pub from: Option<Conversation>,
    /// What its result is to fit.
    pub schema: Option<Schema>,
    /// How its process ended.
    pub ending: Ending,
    /// Why its shim ended it, when it did.
    pub cut: Option<Cut>,
    /// When, so that a time which it states can be understood.
    pub ended_at: Timestamp,
}

/// Facts wanted of an attempt that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspect {
    /// The attempt.
    pub key: ProcessKey,
    /// What its output is.
    pub evidence: Evidence,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// What is to be found out.
    pub needs: Vec<Need>,
}

/// What to do with the files of an attempt that nobody will evaluate again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidy {
    /// The attempt.
    pub key: ProcessKey,
    /// The contents of `result.json`, when the run is over.
    pub result: Option<String>,
}

/// All that is needed to start one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Its name.
    pub key: ProcessKey,
    /// What to execute.
    pub execute: Execute,
    /// Where.
    pub cwd: PathBuf,
    /// The variables it sees, beside those read by `pass`.
    pub env: BTreeMap<String, String>,
    /// Names of variables whose values are read at the start, from `env_file` or else the daemon's own.
    pub pass: Vec<String>,
    /// Lines of `NAME=value`, read at the start.
    pub env_file: Option<PathBuf>,
    /// Names of variables that it does not see, wherever they are from, unless `login` says them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub strip: Vec<String>,
    /// Under which login it works; its usual one when none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<Login>,
    /// What bounds it, until something else is said.
    pub control: Control,
    /// A document about the runs before, given to the process as the file `CONVERGE_LAST_FILE`.
    pub last: Option<String>,
    /// What it is asked to do. Never in a document that a shim reads: it is written into a file of its own.
    #[serde(skip)]
    pub prompt: Option<Prompt>,
    /// Files that it is given beside that, in a folder of its run directory. Not in the document either.
    #[serde(skip)]
    pub files: Vec<PrivateFile>,
    /// What is asked of the program before it is started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login_check: Option<LoginCheck>,
    /// What is laid over its home.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overlay: Option<Overlay>,
    /// What it reads.
    #[serde(default)]
    pub stdin: Stdin,
    /// What counts as progress, when not every byte does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub progress: Option<Progress>,
}

/// What a launch executes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execute {
    /// A command, as a job has it.
    Command(Command),
    /// The first of these programs that is found, on the path of the process or beside it.
    Program {
        /// The names it may have.
        names: Vec<String>,
        /// The words behind it.
        arguments: Vec<String>,
    },
    /// Nothing: what was to be executed cannot be.
    Nothing {
        /// Why.
        cause: String,
    },
    /// Nothing: what was to be executed is not there, so that another may do it.
    Missing {
        /// Why.
        cause: String,
    },
}

/// What a process finds on its standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// Nothing.
    #[default]
    Nothing,
    /// The prompt.
    Prompt,
}

/// What an agent is asked to do, before it is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Where it is from.
    pub source: assignment::Prompt,
    /// What its names stand for, but for `last.result`.
    pub values: BTreeMap<String, String>,
    /// The attempt whose last words are `last.result`.
    pub result_of: Option<ProcessKey>,
    /// What goes behind it where it has no place for feedback.
    pub feedback: Option<String>,
}

/// What counts as progress of an agent: lines of its standard output that have one of these texts in them.
///
/// The idle limit of a launch that says so is counted from the last of these lines, and from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// In each line that is progress.
    pub lines: Vec<String>,
    /// In a line by which a call of a tool begins; as often in it as calls begin.
    pub tool_starts: Vec<String>,
    /// In a line by which one ends; as often in it as calls end.
    pub tool_ends: Vec<String>,
    /// How long there may be no progress while a call of a tool is under way, when not as long as else.
    pub tool_idle: Option<Span>,
}
