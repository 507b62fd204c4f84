//! Jobs: a loop from its creation to its end.
//!
//! A job decides which of its due slots run, and after each run whether there is another. What a run is
//! and how it ends is `core::task`'s. A job has at most one run at a time: `active` names it.

pub mod decide;
#[cfg(test)]
mod tests;
pub mod verdict;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::definition::Definition;
use crate::core::id::{JobId, TaskId};
use crate::core::reading::{Conversation, Spent};
use crate::core::reason::{EndReason, Skip, VerdictReason};
use crate::core::schedule::{Anchor, Schedule};
use crate::core::task::{How, Origin};

/// A loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its name, unique among live jobs.
    pub name: String,
    /// The revision of its definition that is in force.
    pub revision: u32,
    /// Where it stands.
    pub state: State,
    /// When it was added.
    pub created_at: Timestamp,
    /// The origin of the grid of its slots.
    pub origin_at: Timestamp,
    /// The next slot.
    pub next_at: Option<Timestamp>,
    /// The newest slot that was run or skipped; those to come are after it.
    pub slot_at: Option<Timestamp>,
    /// Whether the checks are still to be run before the first run.
    pub zero_due: bool,
    /// The run that is under way.
    pub active: Option<TaskId>,
    /// How many runs there were.
    pub runs: u32,
    /// When the first of them was due.
    pub first_started_at: Option<Timestamp>,
    /// How many runs in a row could not do their work.
    pub streak: u32,
    /// The newest run.
    pub last: Option<Brief>,
    /// The newest run that failed or left the goal unmet.
    pub last_failure: Option<Brief>,
    /// What the agents of all its runs used.
    #[serde(skip_serializing_if = "Spent::is_nothing", default)]
    pub spent: Spent,
    /// The conversation that the next run may go on with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<Conversation>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Starts runs.
    Active,
    /// Starts none until it is resumed.
    Paused(Pause),
    /// Is done.
    Completed(Close),
    /// Was given up.
    Failed(Close),
    /// Was cancelled.
    Cancelled(Close),
    /// Its end bound passed.
    Expired(Close),
}

/// Why a job is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// The word for it, when it was not a person.
    pub reason: Option<VerdictReason>,
    /// What the one who paused it had to say.
    pub note: Option<String>,
    /// When it resumes by itself.
    pub until: Option<Timestamp>,
    /// Whether an agent made the job and waits for a person's leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_leave: bool,
}

/// Why a job is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Since when.
    pub at: Timestamp,
    /// The word for it.
    pub reason: VerdictReason,
    /// What says so.
    pub evidence: String,
    /// The run that decided it.
    pub run: Option<TaskId>,
}

/// What a job remembers of a run, and hands to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// Which.
    pub run: TaskId,
    /// Its last claim, which names its output.
    pub attempt: u32,
    /// Its number.
    pub number: u32,
    /// How it ended.
    pub how: How,
    /// Why.
    pub reason: EndReason,
    /// The exit code.
    pub code: Option<i32>,
    /// What was found of the goal, when it was not met.
    pub unmet: Option<String>,
    /// When.
    pub ended_at: Timestamp,
    /// What its agents used.
    #[serde(skip_serializing_if = "Spent::is_nothing", default)]
    pub spent: Spent,
    /// The conversation that its newest attempt was in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<Conversation>,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was added.
    Added {
        /// Its name.
        name: String,
    },
    /// A run was made.
    Fired {
        /// The run.
        task: TaskId,
        /// Why.
        origin: Origin,
        /// The instant it stands for.
        slot: Option<Timestamp>,
        /// The slot after it, when that is known.
        next_at: Option<Timestamp>,
    },
    /// Slots were not run.
    Skipped {
        /// Why.
        reason: Skip,
        /// The oldest.
        first: Timestamp,
        /// The newest.
        last: Timestamp,
        /// How many.
        count: u64,
        /// The slot after them.
        next_at: Option<Timestamp>,
    },
    /// Its run ended; the loop goes on.
    Continued {
        /// The run.
        last: Brief,
        /// Whether it counts as a run that could not do its work.
        streak: u32,
        /// The next slot.
        next_at: Option<Timestamp>,
    },
    /// Its run ended, and it is over.
    Closed {
        /// The run, unless time alone closed it.
        last: Option<Brief>,
        /// What it is from now on.
        state: State,
    },
    /// It starts no more runs until it is resumed.
    Paused {
        /// Why.
        pause: Pause,
    },
    /// Its next slot is another, because the clock was put back.
    Rescheduled {
        /// The next slot.
        next_at: Timestamp,
    },
    /// It starts runs again.
    Resumed {
        /// The next slot.
        next_at: Option<Timestamp>,
    },
    /// It has another definition.
    Updated {
        /// The revision.
        revision: u32,
        /// Its name, which an update may change.
        name: String,
        /// The origin of the grid of its slots.
        origin_at: Timestamp,
        /// The next slot.
        next_at: Option<Timestamp>,
    },
    /// It is out of sight.
    Archived,
    /// It is shown again.
    Unarchived,
    /// It is gone with its history; this is all that is left of it.
    Removed,
}

impl Job {
    /// A new job, from what was asked for.
    pub fn create(id: JobId, name: String, definition: &Definition, now: Timestamp) -> Self {
        let begin = definition.starts_at.map_or(now, |starts_at| starts_at.max(now));
        Self {
            id,
            name,
            revision: 1,
            state: State::Active,
            created_at: now,
            origin_at: begin,
            next_at: definition.first_start(now),
            slot_at: None,
            zero_due: definition.goal.as_ref().is_some_and(super::goal::Goal::can_be_checked_first),
            active: None,
            runs: 0,
            first_started_at: None,
            streak: 0,
            last: None,
            last_failure: None,
            spent: Spent::default(),
            conversation: None,
            archived_at: None,
        }
    }

    /// Changes the job as `event` says; cannot fail, because only `decide` makes events.
    pub fn evolve(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Added { name } => self.name.clone_from(name),
            Event::Fired { task, origin, slot, next_at } => {
                self.active = Some(*task);
                self.next_at = *next_at;
                self.slot_at = self.slot_at.max(*slot);
                self.zero_due = false;
                if *origin != Origin::Zero {
                    self.runs += 1;
                    self.first_started_at.get_or_insert(at);
                }
            }
            Event::Skipped { last, next_at, .. } => {
                self.next_at = *next_at;
                self.slot_at = self.slot_at.max(Some(*last));
            }
            Event::Continued { last, streak, next_at } => {
                self.remember(last);
                self.streak = *streak;
                self.next_at = *next_at;
            }
            Event::Closed { last, state } => {
                if let Some(last) = last {
                    self.remember(last);
                }
                self.state = state.clone();
                self.next_at = None;
                self.zero_due = false;
            }
            Event::Paused { pause } => self.state = State::Paused(pause.clone()),
            Event::Rescheduled { next_at } => self.next_at = Some(*next_at),
            Event::Resumed { next_at } => {
                self.state = State::Active;
                self.streak = 0;
                self.next_at = *next_at;
            }
            Event::Updated { revision, name, origin_at, next_at } => {
                self.origin_at = *origin_at;
                self.revision = *revision;
                self.name.clone_from(name);
                self.next_at = *next_at;
            }
            Event::Archived => self.archived_at = Some(at),
            Event::Unarchived => self.archived_at = None,
            // There is no row any more that could change.
            Event::Removed => {}
        }
    }

    fn remember(&mut self, brief: &Brief) {
        self.active = None;
        self.spent = self.spent.plus(brief.spent);
        if brief.conversation.is_some() {
            self.conversation.clone_from(&brief.conversation);
        }
        if brief.how != How::Succeeded || brief.unmet.is_some() {
            self.last_failure = Some(brief.clone());
        }
        self.last = Some(brief.clone());
    }

    /// Whether it can still start runs.
    pub fn is_live(&self) -> bool {
        match self.state {
            State::Active | State::Paused(_) => true,
            State::Completed(_) | State::Failed(_) | State::Cancelled(_) | State::Expired(_) => false,
        }
    }

    /// When it wants to be asked again; none when only a report or a person can change it.
    pub fn due_at(&self, definition: &Definition) -> Option<Timestamp> {
        match &self.state {
            State::Paused(pause) => pause.until,
            State::Completed(_) | State::Failed(_) | State::Cancelled(_) | State::Expired(_) => None,
            // A kept rate goes on skipping while a run is under way; everything else waits for its end.
            State::Active if self.active.is_some() => definition.schedule.rate().and(self.next_at),
            State::Active if self.zero_due => Some(Timestamp::UNIX_EPOCH),
            State::Active => {
                let limit = definition.limits.time_limit(self.first_started_at);
                [self.next_at, limit, definition.ends_at].into_iter().flatten().min()
            }
        }
    }

    /// The instant at which a run under way is cut.
    pub fn cut_at(&self, definition: &Definition) -> Option<Timestamp> {
        definition.limits.time_limit(self.first_started_at)
    }
}

impl State {
    /// The word in tables, JSON and prose.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused(_) => "paused",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled(_) => "cancelled",
            Self::Expired(_) => "expired",
        }
    }

    /// Why it is over, when it is.
    pub fn close(&self) -> Option<&Close> {
        match self {
            Self::Completed(close) | Self::Failed(close) | Self::Cancelled(close) | Self::Expired(close) => {
                Some(close)
            }
            Self::Active | Self::Paused(_) => None,
        }
    }
}

/// Whether the schedule waits for the end of a run before its next slot.
pub fn waits_for_end(schedule: &Schedule) -> bool {
    match schedule {
        Schedule::Loop { .. } | Schedule::Every { anchor: Anchor::Delay, .. } => true,
        Schedule::Every { anchor: Anchor::Rate, .. } | Schedule::At(_) | Schedule::Manual => false,
    }
}
