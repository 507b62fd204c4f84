//! What a job answers to each input.

use jiff::Timestamp;

use crate::core::actor::Voice;
use crate::core::definition::Definition;
use crate::core::goal::Goal;
use crate::core::id::TaskId;
use crate::core::job::{Brief, Close, Event, Job, Pause, State, verdict};
use crate::core::reason::{Skip, VerdictReason};
use crate::core::refusal::{Code, Refusal};
use crate::core::schedule::Due;
use crate::core::span::Span;
use crate::core::task::{End, Origin};

/// What can be said to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Time has passed; `fresh` is the id of the run it may make.
    Tick {
        /// The id of a run that is made.
        fresh: TaskId,
    },
    /// The clock was put back, so what was near may be far away.
    ClockBack,
    /// Somebody wants a run now.
    RunNow {
        /// The id of the run that is made.
        fresh: TaskId,
    },
    /// Its run is over.
    RunEnded {
        /// What is to be remembered of it.
        last: Box<Brief>,
        /// Why there was this run.
        origin: Origin,
        /// The goal it was judged by, which an update may have replaced.
        goal: Option<Goal>,
        /// How it ended.
        end: End,
    },
    /// Start no more runs.
    Pause {
        /// What the one who pauses has to say.
        note: Option<String>,
        /// When to resume.
        until: Option<Timestamp>,
    },
    /// Start runs again.
    Resume {
        /// Whose word it is.
        by: Voice,
    },
    /// Wait for a person's leave.
    Park {
        /// What the person should know.
        note: String,
    },
    /// Never start a run again; the one under way is ended beside this.
    Cancel,
    /// Out of sight.
    Archive,
    /// In sight again.
    Unarchive,
    /// Another definition, which is the one that `decide` is given.
    Update {
        /// Its new name.
        name: String,
        /// Whether the schedule is another.
        reschedule: bool,
    },
}

impl Job {
    /// The events that follow from `input`, or why it is refused.
    pub fn decide(
        &self,
        input: &Input,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        match input {
            Input::Tick { fresh } => Ok(self.tick(*fresh, definition, now)),
            Input::ClockBack => Ok(self.clock_back(definition, now)),
            Input::RunNow { fresh } => self.run_now(*fresh, definition, now),
            Input::RunEnded { last, origin, goal, end } => {
                if self.active != Some(last.run) {
                    let message = format!("{} is not the run of {}", last.run, self.id);
                    return Err(Refusal::new(Code::Conflict, message));
                }
                // What was found of another goal says nothing about the one in force.
                let end = &End {
                    findings: end.findings.clone().filter(|_| *goal == definition.goal),
                    ..end.clone()
                };
                Ok(self.run_ended(last, *origin, end, definition, now))
            }
            Input::Pause { note, until } => self.pause(note.clone(), *until, now),
            Input::Park { note } => Ok(vec![Self::parked(note.clone(), now)]),
            Input::Resume { by } => self.resume(*by, definition, now),
            Input::Cancel => self.cancel(now),
            Input::Archive => self.archive(),
            Input::Unarchive => Ok(self.archived_at.map(|_| Event::Unarchived).into_iter().collect()),
            Input::Update { name, reschedule } => self.update(name, *reschedule, definition, now),
        }
    }

    fn tick(&self, fresh: TaskId, definition: &Definition, now: Timestamp) -> Vec<Event> {
        match &self.state {
            State::Paused(Pause { until: Some(until), .. }) if *until <= now => {
                vec![self.resumed(definition, now)]
            }
            State::Paused(_)
            | State::Completed(_)
            | State::Failed(_)
            | State::Cancelled(_)
            | State::Expired(_) => Vec::new(),
            State::Active if self.active.is_some() => self.skip_under_way(definition, now),
            State::Active if self.zero_due => {
                vec![Event::Fired { task: fresh, origin: Origin::Zero, slot: None, next_at: self.next_at }]
            }
            State::Active => match verdict::by_time(self, definition, now) {
                Some(state) => vec![Event::Closed { last: None, state }],
                None => self.fire(fresh, definition, now),
            },
        }
    }

    /// A loop that was to go on after its pause does not wait for the clock to catch up.
    ///
    /// A kept rate does: each instant has one run, also when it comes twice.
    fn clock_back(&self, definition: &Definition, now: Timestamp) -> Vec<Event> {
        let has_begun = definition.starts_at.is_none_or(|starts_at| starts_at <= now);
        let pause_end = definition.schedule.after_end(now).filter(|_| has_begun);
        match (&self.state, self.next_at, pause_end) {
            (State::Active, Some(next_at), Some(pause_end)) if next_at > pause_end => {
                vec![Event::Rescheduled { next_at: pause_end }]
            }
            _ => Vec::new(),
        }
    }

    /// Starts the newest due slot; older ones that are due with it were missed.
    fn fire(&self, fresh: TaskId, definition: &Definition, now: Timestamp) -> Vec<Event> {
        let Some(next_at) = self.next_at.filter(|next_at| *next_at <= now) else {
            return Vec::new();
        };
        let Some(span) = definition.schedule.rate() else {
            // A clock that was put back, or an update, can come upon an instant that had its run.
            let free = self.slot_at.map(|slot_at| Span::from_ms(1).after(slot_at));
            let slot = Some(next_at).max(free);
            return vec![Event::Fired { task: fresh, origin: Origin::Schedule, slot, next_at: None }];
        };
        let due = Due::up_to(next_at, span, now);
        let fired = Event::Fired {
            task: fresh,
            origin: Origin::Schedule,
            slot: Some(due.last),
            next_at: Some(span.after(due.last)),
        };
        if due.count == 1 {
            return vec![fired];
        }
        let before = span.before(due.last);
        let missed = Event::Skipped {
            reason: Skip::Missed,
            first: next_at,
            last: before,
            count: due.count - 1,
            next_at: Some(due.last),
        };
        vec![missed, fired]
    }

    /// Skips the slots that come due while a run is under way.
    fn skip_under_way(&self, definition: &Definition, now: Timestamp) -> Vec<Event> {
        let (Some(span), Some(next_at)) = (definition.schedule.rate(), self.next_at) else {
            return Vec::new();
        };
        if next_at > now {
            return Vec::new();
        }
        let due = Due::up_to(next_at, span, now);
        let next_at_after = Some(span.after(due.last));
        vec![Event::Skipped {
            reason: Skip::Overlap,
            first: next_at,
            last: due.last,
            count: due.count,
            next_at: next_at_after,
        }]
    }

    fn run_now(&self, fresh: TaskId, definition: &Definition, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let end = self.cut_at(definition).into_iter().chain(definition.ends_at).min();
        match (&self.state, self.active) {
            // The next tick says so in the job's state.
            (State::Active, None) if end.is_some_and(|end| end <= now) => {
                Err(Refusal::new(Code::Conflict, format!("the time of {} is over", self.name)))
            }
            (State::Active, None) => Ok(vec![Event::Fired {
                task: fresh,
                origin: Origin::AdHoc,
                slot: None,
                next_at: self.next_at,
            }]),
            (State::Active, Some(active)) => {
                let refusal =
                    Refusal::new(Code::Conflict, format!("{} has an active run, {active}", self.name));
                Err(refusal.hint(format!("`converge wait {active}` waits for it to finish")))
            }
            (State::Paused(pause), _) if pause.needs_leave => Err(self.needs_leave(Code::Conflict)),
            (State::Paused(_), _) => {
                let refusal = Refusal::new(Code::Conflict, format!("{} is paused", self.name));
                Err(refusal.hint(format!("`converge resume {}` first", self.name)))
            }
            (State::Completed(_) | State::Failed(_) | State::Cancelled(_) | State::Expired(_), _) => {
                Err(self.over("run"))
            }
        }
    }

    fn run_ended(
        &self,
        last: &Brief,
        origin: Origin,
        end: &End,
        definition: &Definition,
        now: Timestamp,
    ) -> Vec<Event> {
        let streak = verdict::streak(self.streak, end, definition);
        let next_at = self.next_after(origin, definition, now);
        let mut after = self.clone();
        after.evolve(&Event::Continued { last: last.clone(), streak, next_at }, now);
        match verdict::after_run(&after, end, definition, now) {
            verdict::Next::Continue => vec![Event::Continued { last: last.clone(), streak, next_at }],
            verdict::Next::Close(state) => vec![Event::Closed { last: Some(last.clone()), state }],
            verdict::Next::Pause(pause) => {
                vec![Event::Continued { last: last.clone(), streak, next_at }, Event::Paused { pause }]
            }
        }
    }

    /// The next slot once a run is over: run zero and runs by hand leave a slot that is known as it is.
    fn next_after(&self, origin: Origin, definition: &Definition, now: Timestamp) -> Option<Timestamp> {
        let kept = match origin {
            Origin::Schedule if super::waits_for_end(&definition.schedule) => None,
            Origin::Schedule | Origin::Zero | Origin::AdHoc => self.next_at,
        };
        kept.or_else(|| definition.schedule.after_end(now))
    }

    fn pause(
        &self,
        note: Option<String>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if !self.is_live() {
            return Err(self.over("pause"));
        }
        if until.is_some_and(|until| until <= now) {
            return Err(Refusal::new(Code::Invalid, "until: that instant has passed"));
        }
        if matches!(&self.state, State::Paused(pause) if pause.needs_leave) {
            return Err(self.needs_leave(Code::Conflict));
        }
        Ok(vec![Event::Paused { pause: Pause { at: now, reason: None, note, until, needs_leave: false } }])
    }

    fn parked(note: String, now: Timestamp) -> Event {
        let pause = Pause { at: now, reason: None, note: Some(note), until: None, needs_leave: true };
        Event::Paused { pause }
    }

    fn resume(&self, by: Voice, definition: &Definition, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match &self.state {
            State::Paused(pause) if pause.needs_leave && by == Voice::Agent => {
                Err(self.needs_leave(Code::Denied))
            }
            State::Paused(_) => Ok(vec![self.resumed(definition, now)]),
            State::Active => Err(Refusal::new(Code::Conflict, format!("{} is not paused", self.name))),
            State::Completed(_) | State::Failed(_) | State::Cancelled(_) | State::Expired(_) => {
                Err(self.over("resume"))
            }
        }
    }

    /// Paused time is not missed time: the schedule goes on from now.
    fn resumed(&self, definition: &Definition, now: Timestamp) -> Event {
        if matches!(&self.state, State::Paused(pause) if pause.needs_leave) {
            // It has not begun yet: it does so now, as it would have when it was made.
            return Event::Resumed { next_at: definition.first_start(now) };
        }
        let once_done = !definition.schedule.repeats() && self.next_at.is_none();
        let ahead = self.next_at.filter(|next_at| *next_at > now);
        let next_at = match ahead {
            Some(next_at) => Some(next_at),
            None if once_done => None,
            None if self.active.is_some() && super::waits_for_end(&definition.schedule) => None,
            None => definition.schedule.resumed(self.origin_at, now),
        };
        Event::Resumed { next_at }
    }

    fn cancel(&self, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        if !self.is_live() {
            return Err(self.over("cancel"));
        }
        let close = Close {
            at: now,
            reason: VerdictReason::Cancelled,
            evidence: "cancelled by hand".to_owned(),
            run: self.active,
        };
        Ok(vec![Event::Closed { last: None, state: State::Cancelled(close) }])
    }

    fn archive(&self) -> Result<Vec<Event>, Refusal> {
        if self.is_live() {
            let refusal = Refusal::new(Code::Conflict, format!("{} is {}", self.name, self.state.word()));
            return Err(refusal.hint(format!("`converge cancel {}` first", self.name)));
        }
        Ok(if self.archived_at.is_some() { Vec::new() } else { vec![Event::Archived] })
    }

    fn update(
        &self,
        name: &str,
        reschedule: bool,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if !self.is_live() {
            return Err(self.over("update"));
        }
        let begin = definition.starts_at.map_or(now, |starts_at| starts_at.max(now));
        let (origin_at, next_at) = if !reschedule {
            (self.origin_at, self.next_at)
        } else if self.active.is_some() && super::waits_for_end(&definition.schedule) {
            (begin, None)
        } else {
            (begin, self.unused(definition.first_start(now), definition))
        };
        let updated =
            Event::Updated { revision: self.revision + 1, name: name.to_owned(), origin_at, next_at };
        let mut after = self.clone();
        after.evolve(&updated, now);
        let unmet = self.last.as_ref().and_then(|last| last.unmet.clone());
        // There may have been as many runs already as the new definition allows.
        let spent = verdict::by_count(&after, unmet, definition, now)
            .or_else(|| verdict::by_budget(&after, definition, now))
            .filter(|_| self.active.is_none());
        Ok([Some(updated), spent.map(|state| Event::Closed { last: None, state })]
            .into_iter()
            .flatten()
            .collect())
    }

    /// The first slot of a kept rate, from `first` on, that was neither run nor skipped.
    fn unused(&self, first: Option<Timestamp>, definition: &Definition) -> Option<Timestamp> {
        let (Some(first_at), Some(slot_at), Some(span)) = (first, self.slot_at, definition.schedule.rate())
        else {
            return first;
        };
        let used = Due::up_to(first_at, span, slot_at);
        Some(if slot_at < first_at { first_at } else { span.after(used.last) })
    }

    fn needs_leave(&self, code: Code) -> Refusal {
        Refusal::new(code, format!("{} waits for a person's leave", self.name)).hint(leave(&self.name))
    }

    fn over(&self, verb: &str) -> Refusal {
        let refusal = Refusal::new(
            Code::Conflict,
            format!("{} is {}, too late to {verb} it", self.name, self.state.word()),
        );
        refusal.hint("`converge add` makes a new one".to_owned())
    }
}

/// How a person gives leave to a job of an agent.
pub fn leave(name: &str) -> String {
    format!("only a person can give it, in a terminal: converge resume {name}")
}
