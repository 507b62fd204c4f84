//! Onward: what follows an attempt of an agent that could not do its work, by the class of its failure.
//!
//! A quota is waited for, a service that is overloaded is tried again, a conversation that is gone is begun anew, and
//! where an agent itself is of no use the next of the chain takes over. None of that is charged to the task.

use jiff::Timestamp;

use crate::core::assignment::{Assignment, OnQuota};
use crate::core::reading::{Reading, Tokens};
use crate::core::reason::{EndReason, Nature};
use crate::core::retry::Retry;
use crate::core::span::Span;
use crate::core::task::course::{Around, Course, Gate, Wait};
use crate::core::task::event::{Charge, Event};
use crate::core::task::exit::Exit;
use crate::core::task::{End, Evaluating, How, Task};

/// How often in a row a service may not serve a task before the next of the chain takes over.
const SETBACKS_MOST: u16 = 5;

/// How long a service that could not serve is left alone, at first; it doubles with each setback.
const SETBACK: Span = Span::from_secs(30);

/// How long a quota is waited for that nobody said the end of, at first; it doubles.
const QUOTA_GUESS: Span = Span::from_secs(15 * 60);

/// The longest of these guesses.
const QUOTA_GUESS_MAX: Span = Span::from_secs(6 * 3600);

/// Up to so long after a quota is there again the waiting runs start, not all in the same instant.
const QUOTA_SPREAD: Span = Span::from_secs(60);

/// So many attempts of a task may be charged to nobody; whatever goes on longer is no passing trouble.
const UNCHARGED_MOST: u32 = 100;

/// When a quota that `reading` tells of is there again: as it was stated, or a guess that doubles.
///
/// A stated end that has passed is none: whoever went by it would be back at once, again and again.
pub fn gate(course: &Course, reading: &Reading, now: Timestamp) -> Gate {
    if let Some(until) = reading.reset_at.filter(|until| *until > now) {
        return Gate { until, is_stated: true };
    }
    let guess = QUOTA_GUESS.as_ms().saturating_mul(1 << setbacks(course, reading).min(10));
    let guess = Span::from_ms(guess.min(QUOTA_GUESS_MAX.as_ms()));
    Gate { until: guess.after(now), is_stated: false }
}

/// How often in a row a quota was used up: whatever got some work done has come to the end of another one.
fn setbacks(course: &Course, reading: &Reading) -> u16 {
    if is_fresh(reading) { 0 } else { course.setbacks }
}

fn is_fresh(reading: &Reading) -> bool {
    reading.tokens.is_some_and(Tokens::any)
}

impl Task {
    /// What follows an attempt that could not do its work; none when that is for retries to say, or the end.
    pub(super) fn onward(
        &self,
        evaluating: &Evaluating,
        assignment: &Assignment,
        now: Timestamp,
    ) -> Option<Event> {
        if self.uncharged >= UNCHARGED_MOST {
            return None;
        }
        let candidate = self.course.candidate(assignment);
        let went_on = self.course.continued(candidate).is_some();
        let reason = evaluating.exit.reason;
        match reason.nature() {
            Nature::Hindered if reason == EndReason::Quota => {
                self.after_quota(assignment, evaluating.reading.as_ref()?, now)
            }
            Nature::Hindered if reason == EndReason::SessionMissing => went_on.then(|| {
                let note = "the conversation it was to go on with was not there, so that it began a new one";
                retrying(now, self.course.anew(note))
            }),
            Nature::Hindered => self.after_setback(assignment, now),
            Nature::Unfinished if reason == EndReason::ContextFull && went_on => {
                let note = "the conversation it was to go on with was full, so that it began a new one";
                Some(retrying(now, self.course.anew(note)))
            }
            // What cannot even be started may be wrong for every agent.
            Nature::Broken if reason != EndReason::SpawnFailed => self.pass_on(assignment, now),
            Nature::Done
            | Nature::Checks
            | Nature::Exit
            | Nature::Crash
            | Nature::Cut(_)
            | Nature::Unfinished
            | Nature::Broken
            | Nature::Lost => None,
        }
    }

    /// Tries a service again that could not serve, longer after each time, and in the end the next of the chain.
    fn after_setback(&self, assignment: &Assignment, now: Timestamp) -> Option<Event> {
        if self.course.setbacks >= SETBACKS_MOST {
            return self.pass_on(assignment, now);
        }
        let pause = Retry { most: 0, delay: SETBACK };
        let setbacks = self.course.setbacks + 1;
        let due_at = pause.pause(self.id, u32::from(setbacks)).after(now);
        let course = Course { setbacks, ..self.course.next(assignment) };
        Some(retrying(due_at, course))
    }

    fn after_quota(&self, assignment: &Assignment, reading: &Reading, now: Timestamp) -> Option<Event> {
        let quota_since = self.course.quota_since.filter(|_| !is_fresh(reading)).unwrap_or(now);
        let gate = gate(&self.course, reading, now);
        let most = assignment.quota_wait.after(quota_since);
        let is_in_time = gate.until <= self.course.until.map_or(most, |until| until.min(most));
        match assignment.on_quota {
            OnQuota::Fail => None,
            OnQuota::Fallback if self.has_next(assignment) => self.pass_on(assignment, now),
            OnQuota::Wait | OnQuota::Fallback if is_in_time => {
                let course = Course {
                    quota_since: Some(quota_since),
                    setbacks: setbacks(&self.course, reading).saturating_add(1),
                    ..self.course.next(assignment)
                };
                let purse = self.course.candidate(assignment).purse();
                Some(Event::Waiting {
                    due_at: Some(self.spread(gate)),
                    why: Wait::Quota { purse, is_stated: gate.is_stated },
                    course: Some(Box::new(course)),
                    charge: Charge::None,
                })
            }
            OnQuota::Wait | OnQuota::Fallback => self.pass_on(assignment, now),
        }
    }

    /// The instant at which this task goes on once a quota is there again.
    fn spread(&self, gate: Gate) -> Timestamp {
        let hash = blake3::hash(format!("{}.{}", self.id, self.claims).as_bytes());
        let part = u64::from(hash.as_bytes()[0]);
        Span::from_ms(QUOTA_SPREAD.as_ms() * part / 256).after(gate.until)
    }

    fn has_next(&self, assignment: &Assignment) -> bool {
        usize::from(self.course.place) + 1 < assignment.chain.len()
    }

    /// Has the next of the chain take over, when there is one.
    fn pass_on(&self, assignment: &Assignment, now: Timestamp) -> Option<Event> {
        self.has_next(assignment).then(|| {
            let course = Course { place: self.course.place + 1, ..self.course.next(assignment) };
            retrying(now, course)
        })
    }

    /// What keeps a task of agents from starting that is due, and who takes over before that.
    ///
    /// None at the end when nothing keeps it.
    pub(super) fn held(
        &self,
        assignment: &Assignment,
        until: Option<Timestamp>,
        around: &Around,
        now: Timestamp,
    ) -> Held {
        let is_open = |place: &u16| {
            let candidate = &assignment.chain[usize::from(*place)];
            around.quotas.get(&candidate.purse()).is_none_or(|gate| gate.until <= now)
        };
        let places = u16::try_from(assignment.chain.len()).unwrap_or(u16::MAX);
        let place = self.course.place.min(places - 1);
        let open = match assignment.on_quota {
            OnQuota::Fallback => (place..places).find(is_open),
            OnQuota::Wait | OnQuota::Fail => Some(place).filter(is_open),
        };
        let Some(open) = open else {
            let last = if assignment.on_quota == OnQuota::Fallback { places } else { place + 1 };
            let purses = (place..last).map(|place| assignment.chain[usize::from(place)].purse());
            let closed = purses.map(|purse| (around.quotas[&purse], purse));
            let (gate, purse) = closed.min_by_key(|(gate, _)| gate.until).expect("none of them is open");
            return self.kept_by_quota(assignment, (purse, gate), until, now);
        };
        let mut events: Vec<Event> =
            (open != self.course.place).then_some(Event::Passed { place: open }).into_iter().collect();
        let purse = assignment.chain[usize::from(open)].purse();
        let why = match around.tree {
            Some(holder) => Some(Wait::Tree { holder }),
            None => around.busy.contains(&purse).then_some(Wait::Account { purse }),
        };
        let is_held = why.is_some();
        events.extend(why.map(|why| Event::Waiting {
            due_at: None,
            why,
            course: None,
            charge: Charge::Full,
        }));
        Held { events, is_held }
    }

    fn kept_by_quota(
        &self,
        assignment: &Assignment,
        (purse, gate): (String, Gate),
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Held {
        let quota_since = self.course.quota_since.unwrap_or(now);
        let most = assignment.quota_wait.after(quota_since);
        let is_in_time = gate.until <= until.map_or(most, |until| until.min(most));
        if assignment.on_quota == OnQuota::Fail || !is_in_time {
            let cause = format!("the quota of {purse} is used up until {:.0}", gate.until);
            let exit = Exit { cause: Some(cause), ..Exit::without_process(EndReason::Quota) };
            let end = End { at: now, how: How::Failed, exit, findings: None };
            return Held { events: vec![Event::Ended { end }], is_held: true };
        }
        let course = Course { quota_since: Some(quota_since), ..self.course.clone() };
        let waiting = Event::Waiting {
            due_at: Some(self.spread(gate)),
            why: Wait::Quota { purse, is_stated: gate.is_stated },
            course: Some(Box::new(course)),
            charge: Charge::Full,
        };
        Held { events: vec![waiting], is_held: true }
    }
}

/// What came of looking whether something keeps a task from starting.
pub(super) struct Held {
    /// What happens to it.
    pub(super) events: Vec<Event>,
    /// Whether it does not start.
    pub(super) is_held: bool,
}

impl Course {
    /// The next attempt in a new conversation.
    fn anew(&self, note: &str) -> Self {
        Self { from: None, latest: None, forks: false, note: Some(note.to_owned()), ..self.clone() }
    }
}

fn retrying(due_at: Timestamp, course: Course) -> Event {
    Event::Retrying { due_at, course: Some(Box::new(course)), charge: Charge::None }
}

#[cfg(test)]
mod tests;
