//! Tasks: one unit of work from its creation to its end.
//!
//! A run is a task without a parent, and so far every task is a run. The fence is in here: a report names
//! its attempt, and one that is late or foreign changes nothing.
//! Nothing in here knows of lanes, schedules or verdicts; see `core::job`.

pub mod conclude;
pub mod course;
pub mod decide;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod input;
pub mod onward;
pub mod report;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::condition::fact::{Fact, Need};
use crate::core::goal::Findings;
use crate::core::id::{JobId, TaskId};
use crate::core::process::{CheckTry, ProcessKey};
use crate::core::reading::Reading;
use crate::core::reason::{EndReason, Skip};
use crate::core::task::course::{Course, Wait};
use crate::core::task::exit::Exit;

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The job it is a run of.
    pub job: JobId,
    /// The revision of the job whose definition it follows.
    pub revision: u32,
    /// The how-manieth run of the job it is; run zero only checks.
    pub number: u32,
    /// Why there is this run.
    pub origin: Origin,
    /// The instant it stands for, when the schedule made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slot: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// How often it was claimed; the newest claim is the only one that may report.
    pub claims: u32,
    /// How many attempts were charged to it.
    pub tries: u32,
    /// How many attempts were not, since something else than the work ended them.
    #[serde(skip_serializing_if = "is_none", default)]
    pub uncharged: u32,
    /// How it goes on with agents.
    #[serde(skip_serializing_if = "Course::is_new", default)]
    pub course: Course,
    /// Where it stands.
    pub state: State,
}

/// Why there is a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Its slot was due.
    Schedule,
    /// Somebody asked for it.
    AdHoc,
    /// The checks are run before the first run.
    Zero,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its time and for a lane.
    Pending {
        /// Not before this.
        due_at: Timestamp,
    },
    /// Was kept from starting, or from going on, by something that passes.
    Waiting {
        /// Not before this; none when something else has to end first.
        due_at: Option<Timestamp>,
        /// What keeps it.
        why: Wait,
    },
    /// Has a lane; its process may or may not have started.
    Claimed {
        /// The claim.
        attempt: u32,
        /// When it was claimed.
        at: Timestamp,
    },
    /// Has started.
    Running {
        /// The claim.
        attempt: u32,
        /// When its process started.
        started_at: Timestamp,
        /// What it is doing.
        phase: Phase,
    },
    /// Is over.
    Ended(End),
    /// Was never meant to run: one row for adjacent slots that were skipped for the same reason.
    Skipped(Skipped),
}

/// What a running task is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its process runs.
    Executing,
    /// Its process has ended; the criteria are being looked at.
    Evaluating(Evaluating),
    /// Its process is being ended; stored before the first signal.
    Stopping {
        /// What its end will be put down to.
        reason: EndReason,
        /// The check that is being ended, when it is one and not the attempt.
        check: Option<CheckTry>,
        /// How the attempt ended, when it did before.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        exit: Option<Exit>,
    },
}

/// How far the evaluation of an attempt is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluating {
    /// How the attempt ended.
    pub exit: Exit,
    /// The facts that are in.
    pub known: Vec<Known>,
    /// How often the check at hand was tried.
    pub tries: u16,
    /// What an agent's output said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reading: Option<Box<Reading>>,
    /// What the end is put down to, when somebody ended the task before its output was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recalled: Option<EndReason>,
}

/// A fact and the need it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What was asked.
    pub need: Need,
    /// What was found.
    pub fact: Fact,
}

/// The end of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// The last attempt's end, whose reason is the task's.
    pub exit: Exit,
    /// What was found of the goal, when it was looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub findings: Option<Findings>,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It did its work; whether that was enough is for the goal to say.
    Succeeded,
    /// It did not.
    Failed,
    /// It was ended by a limit of time.
    TimedOut,
    /// How it ended is not known.
    Lost,
    /// Somebody cancelled it.
    Cancelled,
}

impl How {
    /// The word in tables, JSON and prose.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Adjacent slots that were not run, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Why.
    pub reason: Skip,
    /// The newest of them; the oldest is the task's own slot.
    pub last: Timestamp,
    /// How many.
    pub count: u64,
}

impl Task {
    /// When the process of the newest claim started.
    pub fn started_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Running { started_at, .. } => Some(*started_at),
            State::Pending { .. }
            | State::Waiting { .. }
            | State::Claimed { .. }
            | State::Ended(_)
            | State::Skipped(_) => None,
        }
    }

    /// How many attempts came to an end, charged to it or not.
    pub fn attempts(&self) -> u32 {
        self.tries + self.uncharged
    }

    /// Whether it is under way.
    pub fn has_lane(&self) -> bool {
        matches!(self.state, State::Claimed { .. } | State::Running { .. })
    }

    /// Whether it can still change.
    pub fn is_open(&self) -> bool {
        match self.state {
            State::Pending { .. } | State::Waiting { .. } | State::Claimed { .. } | State::Running { .. } => {
                true
            }
            State::Ended(_) | State::Skipped(_) => false,
        }
    }

    /// The key of the attempt that its newest claim stands for.
    pub fn attempt_key(&self) -> ProcessKey {
        ProcessKey::attempt(self.id, self.claims)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}
