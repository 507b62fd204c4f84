//! Inputs: everything that can be said to the engine, as one closed set.

use std::sync::mpsc::SyncSender;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::actor::{Actor, Voice};
use crate::core::definition::Definition;
use crate::core::id::{JobId, TaskId};
use crate::core::refusal::Refusal;
use crate::core::task::report::Report;
use crate::engine::twins::Twin;

/// What arrives in the engine's queue.
#[derive(Debug)]
pub enum Envelope {
    /// The world reports.
    Report(Report),
    /// Somebody asks for a change.
    Ask(Box<Asked>),
    /// Look at the clock again.
    Wake,
}

/// What is answered.
pub type Reply = Result<Answer, Refusal>;

/// A change that somebody asks for.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub write: Write,
    /// Who.
    pub by: Actor,
    /// The name of this request, so that asking twice is asking once.
    pub key: Option<Key>,
    /// Where the answer goes; who asked may be gone.
    pub reply: SyncSender<Reply>,
}

/// The name of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub name: String,
    /// A hash of what was asked, so that a name is not used for two things.
    pub request: String,
}

/// A change that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new job.
    Add(Box<Add>),
    /// A new revision of a job.
    Update(Box<Update>),
    /// New revisions of several jobs, or of none.
    UpdateEach(Vec<Update>),
    /// Start no more runs.
    Pause {
        /// Of which jobs.
        jobs: Jobs,
        /// What there is to say about it.
        note: Option<String>,
        /// When to go on.
        until: Option<Timestamp>,
    },
    /// Start runs again.
    Resume {
        /// Of which jobs.
        jobs: Jobs,
        /// Whose word it is.
        by: Voice,
    },
    /// Never start a run again, and end the one under way.
    Cancel(Jobs),
    /// End these runs, and let their jobs go on.
    CancelRuns(Vec<TaskId>),
    /// Out of sight.
    Archive(Jobs),
    /// In sight again.
    Unarchive(Jobs),
    /// Away, with everything that is kept about it.
    Remove {
        /// Which jobs.
        jobs: Jobs,
        /// What to do about history.
        history: History,
    },
    /// A run now.
    RunNow(JobId),
}

/// A new job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// How it is to be called.
    pub name: Name,
    /// What it is.
    pub definition: Definition,
    /// What to do when there is such a job under another name.
    pub twin: Twin,
    /// What a person should know whose leave it waits for; none when it needs none.
    pub parked: Option<String>,
}

/// How a new job is to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// So, and not otherwise.
    Given(String),
    /// Like this, with a number behind it when that is taken.
    Derived(String),
}

/// A new revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Of which job.
    pub job: JobId,
    /// The revision it was made from.
    pub from: u32,
    /// The job's name from now on.
    pub name: String,
    /// The new definition.
    pub definition: Definition,
}

/// Which jobs a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jobs {
    /// These.
    These(Vec<JobId>),
    /// Every one that the change makes sense for.
    All,
}

/// What removing a job does about its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// A job that has any is not removed.
    Keep,
    /// It goes too.
    Remove,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A job was added.
    Added(JobId),
    /// There is such a job already.
    Exists(JobId),
    /// A job has a new revision.
    Updated(JobId),
    /// These jobs were changed.
    Changed(Vec<JobId>),
    /// These runs are being ended, and nothing else.
    Ended {
        /// The runs.
        runs: Vec<TaskId>,
        /// The jobs they are of, which go on.
        jobs: Vec<JobId>,
    },
    /// These jobs are gone.
    Removed(Vec<Gone>),
    /// A run was made, or one that waited was moved to now.
    Started {
        /// The run.
        run: TaskId,
        /// What it is.
        source: Source,
    },
}

/// A job that is gone, and all that is left to say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
}

/// What a run now turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A run beside the schedule.
    AdHoc,
    /// The run of a due slot, which waited for a lane.
    DueSlot,
    /// A retry, which waited for its time.
    RetrySlot,
}

impl Asked {
    /// Answers; nobody may be listening any more.
    pub fn answer(self, reply: Reply) {
        let _ = self.reply.send(reply);
    }
}
