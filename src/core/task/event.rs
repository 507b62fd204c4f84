//! What happens to a task, and how that changes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::process::CheckTry;
use crate::core::reading::Reading;
use crate::core::reason::EndReason;
use crate::core::task::course::{Course, Wait};
use crate::core::task::exit::Exit;
use crate::core::task::{End, Evaluating, Known, Phase, State, Task};

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It has a lane, under this claim.
    Claimed {
        /// The claim.
        attempt: u32,
        /// When the time of its job is over, where a task of agents has to know that.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        until: Option<Timestamp>,
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
    /// What an agent's output said is known.
    Read {
        /// What it said.
        reading: Box<Reading>,
    },
    /// It failed and will be tried again.
    Retrying {
        /// When.
        due_at: Timestamp,
        /// How it goes on with agents, when that is another way.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        course: Option<Box<Course>>,
        /// Whether the attempt before is charged to it.
        #[serde(skip_serializing_if = "Charge::is_full", default)]
        charge: Charge,
    },
    /// Something that passes keeps it from starting, or from going on.
    Waiting {
        /// Not before this; none when something else has to end first.
        due_at: Option<Timestamp>,
        /// What keeps it.
        why: Wait,
        /// How it goes on with agents, when that is another way.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        course: Option<Box<Course>>,
        /// Whether the attempt before is charged to it.
        #[serde(skip_serializing_if = "Charge::is_full", default)]
        charge: Charge,
    },
    /// Another of the chain takes over before it was claimed.
    Passed {
        /// Which.
        place: u16,
    },
    /// It is being ended.
    Stopping {
        /// Why.
        reason: EndReason,
        /// The check that is being ended, when it is one and not the attempt.
        check: Option<CheckTry>,
    },
    /// It ends as soon as it is known what its agent's output said, whatever that is.
    Recalled {
        /// What its end will be put down to.
        reason: EndReason,
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
        /// How it goes on with agents, when that is another way.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        course: Option<Box<Course>>,
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
            Event::Claimed { attempt, until } => {
                self.claims = *attempt;
                self.course.until = *until;
                self.state = State::Claimed { attempt: *attempt, at };
            }
            Event::Started { attempt, at: started_at } => {
                let phase = match &self.state {
                    State::Running { phase, .. } => phase.clone(),
                    State::Pending { .. }
                    | State::Waiting { .. }
                    | State::Claimed { .. }
                    | State::Ended(_)
                    | State::Skipped(_) => Phase::Executing,
                };
                self.state = State::Running { attempt: *attempt, started_at: *started_at, phase };
            }
            Event::Exited { attempt, exit } => {
                self.tries += 1;
                let phase = Phase::Evaluating(Evaluating {
                    exit: exit.clone(),
                    known: Vec::new(),
                    tries: 1,
                    reading: None,
                    recalled: None,
                });
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
            Event::Read { reading } => {
                self.course.read(reading);
                if let Some(evaluating) = self.evaluating_mut() {
                    evaluating.exit = evaluating.exit.after(reading);
                    evaluating.reading = Some(reading.clone());
                }
            }
            Event::Retrying { due_at, course, charge } => {
                self.go_on(course.as_deref(), *charge);
                self.state = State::Pending { due_at: *due_at };
            }
            Event::Waiting { due_at, why, course, charge } => {
                self.go_on(course.as_deref(), *charge);
                self.state = State::Waiting { due_at: *due_at, why: why.clone() };
            }
            Event::Passed { place } => self.course.place = *place,
            Event::Revoked { due_at, .. } | Event::Hastened { due_at } => {
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
            Event::Recalled { reason } => {
                if let Some(evaluating) = self.evaluating_mut() {
                    evaluating.recalled = Some(*reason);
                }
            }
            Event::Rebound { revision, course } => {
                self.revision = *revision;
                if let Some(course) = course {
                    self.course = (**course).clone();
                }
            }
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
            | State::Waiting { .. }
            | State::Claimed { .. }
            | State::Ended(_)
            | State::Skipped(_) => None,
        }
    }

    fn go_on(&mut self, course: Option<&Course>, charge: Charge) {
        if let Some(course) = course {
            self.course = course.clone();
        }
        if charge == Charge::None {
            self.tries -= 1;
            self.uncharged += 1;
        }
    }
}

/// Whether an attempt counts as one of those that a task may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// It does.
    #[default]
    Full,
    /// It does not: something else than the work ended it.
    None,
}

impl Charge {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_full(&self) -> bool {
        *self == Self::Full
    }
}
