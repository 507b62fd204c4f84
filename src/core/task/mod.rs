//! Tasks: one unit of work from its creation to its end.
//!
//! A run is a task without a parent, and so far every task is a run. The fence is in here: a report names
//! its attempt, and one that is late or foreign changes nothing.
//! Nothing in here knows of lanes, schedules or verdicts; see `core::job`.

pub mod conclude;
pub mod decide;
pub mod exit;
pub mod report;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::condition::fact::{Fact, Need};
use crate::core::goal::Findings;
use crate::core::id::{JobId, TaskId};
use crate::core::process::{CheckTry, ProcessKey};
use crate::core::reason::{EndReason, Skip};
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

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It has a lane, under this claim.
    Claimed {
        /// The claim.
        attempt: u32,
    },
    /// The claim was given up before anything started, and is not charged.
    Revoked {
        /// The claim.
        attempt: u32,
        /// When it may be claimed again.
        due_at: Timestamp,
    },
    /// Its process started.
    Started {
        /// The claim.
        attempt: u32,
        /// When.
        at: Timestamp,
    },
    /// Its process ended.
    Exited {
        /// The claim.
        attempt: u32,
        /// How.
        exit: Exit,
    },
    /// Facts about it came in.
    Found {
        /// The facts.
        facts: Vec<Known>,
    },
    /// A check's process was lost and is tried again.
    CheckLost {
        /// Which try it was.
        check: CheckTry,
    },
    /// It failed and will be tried again.
    Retrying {
        /// When.
        due_at: Timestamp,
    },
    /// It is being ended.
    Stopping {
        /// Why.
        reason: EndReason,
        /// The check that is being ended, when it is one and not the attempt.
        check: Option<CheckTry>,
    },
    /// It waits no longer for its retry.
    Hastened {
        /// The new due time.
        due_at: Timestamp,
    },
    /// It follows another revision of its job.
    Rebound {
        /// The revision.
        revision: u32,
    },
    /// More adjacent slots were skipped.
    Extended {
        /// The newest.
        last: Timestamp,
        /// How many in all.
        count: u64,
    },
    /// It is over.
    Ended {
        /// How.
        end: End,
    },
}

impl Task {
    /// Changes the task as `event` says; cannot fail, because only `decide` makes events.
    pub fn evolve(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Claimed { attempt } => {
                self.claims = *attempt;
                self.state = State::Claimed { attempt: *attempt, at };
            }
            Event::Started { attempt, at: started_at } => {
                let phase = match &self.state {
                    State::Running { phase, .. } => phase.clone(),
                    State::Pending { .. } | State::Claimed { .. } | State::Ended(_) | State::Skipped(_) => {
                        Phase::Executing
                    }
                };
                self.state = State::Running { attempt: *attempt, started_at: *started_at, phase };
            }
            Event::Exited { attempt, exit } => {
                self.tries += 1;
                let phase = Phase::Evaluating(Evaluating { exit: exit.clone(), known: Vec::new(), tries: 1 });
                self.state =
                    State::Running { attempt: *attempt, started_at: self.started_at().unwrap_or(at), phase };
            }
            Event::Found { facts } => {
                if let Some(evaluating) = self.evaluating_mut() {
                    evaluating.known.extend(facts.iter().cloned());
                    evaluating.tries = 1;
                }
            }
            Event::CheckLost { check } => {
                if let Some(evaluating) = self.evaluating_mut() {
                    evaluating.tries = check.number + 1;
                }
            }
            Event::Revoked { due_at, .. } | Event::Retrying { due_at } | Event::Hastened { due_at } => {
                self.state = State::Pending { due_at: *due_at }
            }
            Event::Stopping { reason, check } => {
                let exit = self.evaluating_mut().map(|evaluating| evaluating.exit.clone());
                let phase = Phase::Stopping { reason: *reason, check: *check, exit };
                self.state = State::Running {
                    attempt: self.claims,
                    started_at: self.started_at().unwrap_or(at),
                    phase,
                };
            }
            Event::Rebound { revision } => self.revision = *revision,
            Event::Extended { last, count } => {
                if let State::Skipped(skipped) = &mut self.state {
                    skipped.last = *last;
                    skipped.count = *count;
                }
            }
            Event::Ended { end } => self.state = State::Ended(end.clone()),
        }
    }

    fn evaluating_mut(&mut self) -> Option<&mut Evaluating> {
        match &mut self.state {
            State::Running { phase: Phase::Evaluating(evaluating), .. } => Some(evaluating),
            State::Running { .. }
            | State::Pending { .. }
            | State::Claimed { .. }
            | State::Ended(_)
            | State::Skipped(_) => None,
        }
    }

    /// When the process of the newest claim started.
    pub fn started_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Running { started_at, .. } => Some(*started_at),
            State::Pending { .. } | State::Claimed { .. } | State::Ended(_) | State::Skipped(_) => None,
        }
    }

    /// Whether it can still change.
    pub fn is_open(&self) -> bool {
        match self.state {
            State::Pending { .. } | State::Claimed { .. } | State::Running { .. } => true,
            State::Ended(_) | State::Skipped(_) => false,
        }
    }

    /// The key of the attempt that its newest claim stands for.
    pub fn attempt_key(&self) -> ProcessKey {
        ProcessKey::attempt(self.id, self.claims)
    }
}
