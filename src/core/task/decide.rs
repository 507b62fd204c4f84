//! What a task answers to each input.

use jiff::Timestamp;

use crate::core::condition::fact::{Fact, Need};
use crate::core::definition::Definition;
use crate::core::process::CheckTry;
use crate::core::reason::EndReason;
use crate::core::refusal::{Code, Refusal};
use crate::core::retry;
use crate::core::span::Span;
use crate::core::task::conclude::Wanted;
use crate::core::task::course::Around;
use crate::core::task::event::Event;
use crate::core::task::exit::Exit;
use crate::core::task::input::Input;
use crate::core::task::report::Report;
use crate::core::task::{End, Evaluating, How, Known, Origin, Phase, State, Task};

/// A check whose process was lost this often is unknown.
const CHECK_TRIES: u16 = 3;

/// So is one whose process was given up this often before it started.
const CHECK_REVOKED_MOST: u16 = 20;

/// A task that was claimed in vain this often could not be started.
const REVOKED_MOST: u32 = 20;

/// The pause after the second claim in vain; it doubles with each, up to a minute or so.
const REVOKED_PAUSE: Span = Span::from_secs(1);

/// What a task is being ended for.
#[derive(Clone, Copy)]
struct Stop<'a> {
    reason: EndReason,
    check: Option<CheckTry>,
    exit: Option<&'a Exit>,
}

impl Task {
    /// The events that follow from `input`, or why it changes nothing.
    pub fn decide(
        &self,
        input: &Input,
        contract: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if let Some(attempt) = input.attempt()
            && attempt != self.claims
        {
            return Err(self.late(input));
        }
        match &self.state {
            State::Pending { due_at } => self.pending(Some(*due_at), input, contract, now),
            State::Waiting { due_at, .. } => self.pending(*due_at, input, contract, now),
            State::Claimed { .. } => self.claimed(input, contract, now),
            State::Running { phase: Phase::Executing, .. } => self.executing(input, contract, now),
            State::Running { phase: Phase::Evaluating(evaluating), .. } => {
                self.evaluating(evaluating, input, contract, now)
            }
            State::Running { phase: Phase::Stopping { reason, check, exit }, .. } => {
                let stop = Stop { reason: *reason, check: *check, exit: exit.as_ref() };
                self.stopping(stop, input, contract, now)
            }
            State::Ended(_) | State::Skipped(_) => Err(self.late(input)),
        }
    }

    fn pending(
        &self,
        due_at: Option<Timestamp>,
        input: &Input,
        contract: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let is_due = due_at.is_some_and(|due_at| due_at <= now);
        match input {
            Input::Claim { until: Some(until), .. }
                if is_due && *until <= now && self.origin != Origin::Zero =>
            {
                // It waited for a lane or a retry until there was no time left for it.
                Ok(vec![ended(How::TimedOut, Exit::without_process(EndReason::Timeout), now)])
            }
            Input::Claim { .. } if is_due && self.is_spent(contract) => {
                // The budget was lowered while it waited to be tried again.
                let cause = contract.limits.used_up(&self.course.spent_in_all());
                let exit = Exit { cause, ..Exit::without_process(EndReason::Cancelled) };
                Ok(vec![ended(How::Cancelled, exit, now)])
            }
            Input::Claim { until, around } if is_due => Ok(self.claim(*until, around, contract, now)),
            Input::Release if due_at.is_none() => Ok(vec![Event::Hastened { due_at: now }]),
            Input::Cancel => {
                Ok(vec![ended(How::Cancelled, Exit::without_process(EndReason::Cancelled), now)])
            }
            Input::Hasten if due_at.is_some() && !is_due => Ok(vec![Event::Hastened { due_at: now }]),
            // The longest that it can have been put off by itself.
            Input::ClockBack
                if due_at.is_some_and(|due_at| due_at > self.put_off_most(contract).after(now)) =>
            {
                Ok(vec![Event::Hastened { due_at: now }])
            }
            Input::ClockBack => Ok(Vec::new()),
            Input::Rebind { revision, definition } => Ok(self.rebound(*revision, contract, definition, now)),
            Input::Claim { .. } | Input::Release | Input::Report(_) | Input::Hasten => Err(self.late(input)),
        }
    }

    fn claimed(&self, input: &Input, contract: &Definition, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match input {
            Input::Report(Report::Started { key, at }) if key.check.is_none() => {
                Ok(vec![Event::Started { attempt: key.attempt, at: *at }])
            }
            Input::Report(Report::Revoked { key }) if key.check.is_none() => {
                Ok(self.revoked(key.attempt, contract, now))
            }
            Input::Claim { .. }
            | Input::Release
            | Input::Report(_)
            | Input::Cancel
            | Input::Hasten
            | Input::ClockBack
            | Input::Rebind { .. } => self.executing(input, contract, now),
        }
    }

    /// Its process has started, or may have.
    fn executing(&self, input: &Input, contract: &Definition, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match input {
            Input::Cancel => Ok(vec![Event::Stopping { reason: EndReason::Cancelled, check: None }]),
            Input::Report(Report::Ended { key, outcome }) if key.check.is_none() => {
                Ok(self.exited(Exit::of(outcome), contract, now))
            }
            // What is known to have started and left no trace had its run directory taken away.
            Input::Report(Report::Lost { key } | Report::Revoked { key }) if key.check.is_none() => {
                Ok(self.exited(Exit::without_process(EndReason::Lost), contract, now))
            }
            Input::Claim { .. }
            | Input::Release
            | Input::Report(_)
            | Input::Hasten
            | Input::ClockBack
            | Input::Rebind { .. } => Err(self.late(input)),
        }
    }

    fn stopping(
        &self,
        stop: Stop<'_>,
        input: &Input,
        contract: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let Stop { reason, check, exit } = stop;
        let over = |exit: Exit| Ok(vec![ended(How::Cancelled, Exit { reason, ..exit }, now)]);
        match input {
            Input::Report(Report::Started { key, at }) if key.check.is_none() && check.is_none() => {
                Ok(vec![Event::Started { attempt: key.attempt, at: *at }])
            }
            Input::Report(Report::Started { key, .. }) if key.check == check => Ok(Vec::new()),
            // What an agent used until then is worth knowing.
            Input::Report(Report::Ended { key, outcome })
                if key.check == check && exit.is_none() && contract.target.assignment().is_some() =>
            {
                Ok(self.exited(Exit { reason, ..Exit::of(outcome) }, contract, now))
            }
            Input::Report(Report::Ended { key, outcome }) if key.check == check => {
                over(exit.cloned().unwrap_or_else(|| Exit::of(outcome)))
            }
            Input::Report(Report::Revoked { key } | Report::Lost { key }) if key.check == check => {
                over(exit.cloned().unwrap_or_else(|| Exit::without_process(reason)))
            }
            Input::Cancel => Ok(Vec::new()),
            Input::Claim { .. }
            | Input::Release
            | Input::Report(_)
            | Input::Hasten
            | Input::ClockBack
            | Input::Rebind { .. } => Err(self.late(input)),
        }
    }

    /// A claim is given up: the next waits longer each time, and in the end there is none.
    fn revoked(&self, attempt: u32, contract: &Definition, now: Timestamp) -> Vec<Event> {
        let before = self.claims - self.tries - self.uncharged;
        if before < REVOKED_MOST {
            let pause = Span::from_ms(REVOKED_PAUSE.as_ms() << (before - 1).min(6));
            // A restart gives up what it finds unstarted; the first time is nobody's fault.
            let pause = if before == 1 { Span::ZERO } else { pause };
            return vec![Event::Revoked { attempt, due_at: pause.after(now) }];
        }
        let cause = format!("its shim ended before it started anything, {before} times");
        let exit = Exit { cause: Some(cause), ..Exit::without_process(EndReason::SpawnFailed) };
        self.exited(exit, contract, now)
    }

    fn evaluating(
        &self,
        evaluating: &Evaluating,
        input: &Input,
        contract: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let check = self.process(contract);
        match input {
            Input::Report(Report::Found { facts, .. }) => {
                let fresh: Vec<Known> = facts
                    .iter()
                    .filter(|fact| !evaluating.known.iter().any(|known| known.need == fact.need))
                    .cloned()
                    .collect();
                if fresh.is_empty() { Err(self.late(input)) } else { Ok(self.found(fresh, contract, now)) }
            }
            Input::Report(Report::Ended { key, outcome }) if check == Some(*key) => {
                let need = self.need_at(key, contract)?;
                let line = if let Need::Check(line) = &need { line.as_str() } else { "" };
                let known = Known { fact: Fact::of_check(line, outcome), need };
                Ok(self.found(vec![known], contract, now))
            }
            Input::Report(Report::Revoked { key } | Report::Lost { key }) if check == Some(*key) => {
                let check = key.check.expect("while evaluating, every process is a check");
                let most = if matches!(input, Input::Report(Report::Lost { .. })) {
                    CHECK_TRIES
                } else {
                    CHECK_REVOKED_MOST
                };
                if check.number >= most {
                    let why = format!("the process of this check was lost {} times", check.number);
                    let known = Known { need: self.need_at(key, contract)?, fact: Fact::Unknown { why } };
                    return Ok(self.found(vec![known], contract, now));
                }
                Ok(vec![Event::CheckLost { check }])
            }
            Input::Report(Report::Started { key, .. }) if check == Some(*key) => Ok(Vec::new()),
            Input::Report(Report::Read { reading, .. }) if self.wanted(contract) == Wanted::Reading => {
                Ok(self.known(Event::Read { reading: reading.clone() }, contract, now))
            }
            Input::Cancel if check.is_some() => {
                let check = check.and_then(|key| key.check);
                Ok(vec![Event::Stopping { reason: EndReason::Cancelled, check }])
            }
            // What an agent used until then is worth knowing.
            Input::Cancel if self.wanted(contract) == Wanted::Reading => {
                let recalled = Event::Recalled { reason: EndReason::Cancelled };
                Ok(evaluating.recalled.is_none().then_some(recalled).into_iter().collect())
            }
            Input::Cancel => {
                let exit = Exit { reason: EndReason::Cancelled, ..evaluating.exit.clone() };
                Ok(vec![ended(How::Cancelled, exit, now)])
            }
            Input::Claim { .. }
            | Input::Release
            | Input::Report(_)
            | Input::Hasten
            | Input::ClockBack
            | Input::Rebind { .. } => Err(self.late(input)),
        }
    }

    fn claim(
        &self,
        until: Option<Timestamp>,
        around: &Around,
        contract: &Definition,
        now: Timestamp,
    ) -> Vec<Event> {
        let attempt = self.claims + 1;
        let mut events = Vec::new();
        let assignment = contract.target.assignment().filter(|_| self.origin != Origin::Zero);
        let until = until.filter(|_| assignment.is_some());
        if let Some(assignment) = assignment {
            let held = self.held(assignment, until, around, now);
            events = held.events;
            if held.is_held {
                return events;
            }
        }
        let claimed_event = Event::Claimed { attempt, until };
        events.push(claimed_event.clone());
        if self.origin == Origin::Zero {
            let mut claimed = self.clone();
            claimed.evolve(&claimed_event, now);
            events.extend(claimed.exited(Exit::without_process(EndReason::ChecksOnly), contract, now));
        }
        events
    }

    /// The attempt is over: looks at the goal at once when nothing of the world is needed for that.
    fn exited(&self, exit: Exit, contract: &Definition, now: Timestamp) -> Vec<Event> {
        let mut after = self.clone();
        let exited = Event::Exited { attempt: self.claims, exit };
        after.evolve(&exited, now);
        let mut events = vec![exited];
        events.extend(after.conclude_if_known(contract, now));
        events
    }

    fn found(&self, facts: Vec<Known>, contract: &Definition, now: Timestamp) -> Vec<Event> {
        self.known(Event::Found { facts }, contract, now)
    }

    /// More is known, and perhaps all that is wanted.
    fn known(&self, event: Event, contract: &Definition, now: Timestamp) -> Vec<Event> {
        let mut after = self.clone();
        after.evolve(&event, now);
        let mut events = vec![event];
        events.extend(after.conclude_if_known(contract, now));
        events
    }

    /// Follows another revision: what it waits for, and who is at it, are as that one says.
    fn rebound(&self, revision: u32, before: &Definition, after: &Definition, now: Timestamp) -> Vec<Event> {
        let is_other = before.target != after.target && self.origin != Origin::Zero;
        let course = is_other.then(|| Box::new(self.course.rebound(after.target.assignment())));
        let woken = matches!(self.state, State::Waiting { .. }).then_some(Event::Hastened { due_at: now });
        std::iter::once(Event::Rebound { revision, course }).chain(woken).collect()
    }

    /// Whether it waits for something else to end.
    pub fn waits_for_others(&self) -> bool {
        matches!(&self.state, State::Waiting { why, .. } if why.is_for_others())
    }

    /// Whether its job may use no more.
    pub(super) fn is_spent(&self, contract: &Definition) -> bool {
        self.origin != Origin::Zero && contract.limits.used_up(&self.course.spent_in_all()).is_some()
    }

    /// The longest that it can have been put off.
    fn put_off_most(&self, contract: &Definition) -> Span {
        match (&self.state, contract.target.assignment()) {
            (State::Waiting { .. }, Some(assignment)) => assignment.quota_wait.max(retry::PAUSE_MAX),
            _ => retry::PAUSE_MAX,
        }
    }

    fn conclude_if_known(&self, contract: &Definition, now: Timestamp) -> Option<Event> {
        match self.wanted(contract) {
            Wanted::Nothing => Some(self.conclude(contract, now)),
            Wanted::Reading | Wanted::Facts(_) | Wanted::Check { .. } => None,
        }
    }

    fn late(&self, input: &Input) -> Refusal {
        let attempt = input.attempt().map_or_else(String::new, |attempt| format!(" about attempt {attempt}"));
        Refusal::new(
            Code::Conflict,
            format!("`{}`{attempt} changes nothing in {} now", input.word(), self.id),
        )
    }
}

/// The end of a task by somebody's word, told with this exit.
fn ended(how: How, exit: Exit, now: Timestamp) -> Event {
    Event::Ended { end: End { at: now, how, exit, findings: None } }
}
