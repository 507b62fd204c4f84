//! From an attempt's exit to the task's end: which facts are wanted, and what they add up to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::core::condition::fact::{Fact, Facts, Need};
use crate::core::definition::Definition;
use crate::core::process::{CheckTry, Cut, ProcessKey};
use crate::core::reason::{EndReason, Nature};
use crate::core::refusal::{Code, Refusal};
use crate::core::task::event::{Charge, Event};
use crate::core::task::evidence::Evidence;
use crate::core::task::exit::Exit;
use crate::core::task::{End, Evaluating, How, Phase, State, Task};

/// What an evaluation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// What the output of an agent says.
    Reading,
    /// These facts, which need no process.
    Facts(Vec<Need>),
    /// This check.
    Check {
        /// Which try of which need.
        check: CheckTry,
        /// The shell line.
        line: String,
    },
    /// No more.
    Nothing,
}

impl Task {
    /// What its evaluation waits for; nothing when it is not evaluating.
    ///
    /// Facts that need no process come first, then the checks one after the other, in the goal's order.
    pub fn wanted(&self, contract: &Definition) -> Wanted {
        let State::Running { phase: Phase::Evaluating(evaluating), .. } = &self.state else {
            return Wanted::Nothing;
        };
        let is_read = contract.target.assignment().is_none() || evaluating.reading.is_some();
        if !is_read && has_output(evaluating.exit.reason) {
            return Wanted::Reading;
        }
        let is_evaluated = evaluating.recalled.is_none() && is_evaluated(evaluating.exit.reason);
        let Some(goal) = contract.goal.as_ref().filter(|_| is_evaluated) else {
            return Wanted::Nothing;
        };
        let missing = goal.missing(&evaluating.facts());
        let plain: Vec<Need> =
            missing.iter().filter(|need| !matches!(need, Need::Check(_))).cloned().collect();
        if !plain.is_empty() {
            return Wanted::Facts(plain);
        }
        match missing.into_iter().next() {
            Some(Need::Check(line)) => {
                let place = goal.needs().iter().position(|need| *need == Need::Check(line.clone()));
                let need =
                    place.and_then(|place| u16::try_from(place).ok()).expect("what is missing is needed");
                Wanted::Check { check: CheckTry { need, number: evaluating.tries }, line }
            }
            Some(Need::Matches(_) | Need::Contains(_) | Need::File(_)) | None => Wanted::Nothing,
        }
    }

    /// The process that may be alive for this task; recovery asks for it.
    pub fn process(&self, contract: &Definition) -> Option<ProcessKey> {
        let check = match &self.state {
            State::Claimed { .. } | State::Running { phase: Phase::Executing, .. } => None,
            State::Running { phase: Phase::Stopping { check, .. }, .. } => *check,
            State::Running { phase: Phase::Evaluating(_), .. } => match self.wanted(contract) {
                Wanted::Check { check, .. } => Some(check),
                Wanted::Reading | Wanted::Facts(_) | Wanted::Nothing => return None,
            },
            State::Pending { .. } | State::Waiting { .. } | State::Ended(_) | State::Skipped(_) => {
                return None;
            }
        };
        Some(ProcessKey { check, ..self.attempt_key() })
    }

    /// What `key` was to find out.
    pub(super) fn need_at(&self, key: &ProcessKey, contract: &Definition) -> Result<Need, Refusal> {
        let needs = contract.goal.as_ref().map(super::super::goal::Goal::needs).unwrap_or_default();
        let place = key.check.map(|check| usize::from(check.need));
        let need = place.and_then(|place| needs.into_iter().nth(place));
        need.ok_or_else(|| Refusal::new(Code::Conflict, format!("{key} is no check of {}", self.id)))
    }

    /// The end of the task, or its retry, from all that is known.
    pub(super) fn conclude(&self, contract: &Definition, now: Timestamp) -> Event {
        let State::Running { phase: Phase::Evaluating(evaluating), .. } = &self.state else {
            unreachable!("only an evaluation is concluded")
        };
        let exit = evaluating.exit.clone();
        if let Some(reason) = evaluating.recalled {
            let exit = Exit { reason, ..exit };
            return Event::Ended { end: End { at: now, how: How::Cancelled, exit, findings: None } };
        }
        let goal = contract.goal.as_ref().filter(|_| is_evaluated(exit.reason));
        let findings = goal.map(|goal| goal.evaluate(&evaluating.facts()));
        let met = findings.as_ref().is_some_and(super::super::goal::Findings::all_met);
        let how = how(&exit, goal.is_some());
        let is_spent = self.is_spent(contract);
        if let Some(assignment) = contract.target.assignment().filter(|_| !met && !is_spent)
            && let Some(onward) = self.onward(evaluating, assignment, now)
        {
            return onward;
        }
        if self.tries <= contract.retry.most
            && is_retried(how)
            && !is_hopeless(exit.reason)
            && !met
            && !is_spent
        {
            let due_at = contract.retry.pause(self.id, self.tries).after(now);
            let course =
                contract.target.assignment().map(|assignment| Box::new(self.course.next(assignment)));
            return Event::Retrying { due_at, course, charge: Charge::Full };
        }
        Event::Ended { end: End { at: now, how, exit, findings } }
    }
}

impl Evaluating {
    /// What output conditions and checks look at.
    pub fn evidence(&self, contract: &Definition) -> Evidence {
        Evidence::of(contract, self.exit.reason, self.reading.as_deref())
    }

    fn facts(&self) -> Facts {
        let known: BTreeMap<Need, Fact> =
            self.known.iter().map(|known| (known.need.clone(), known.fact.clone())).collect();
        Facts { exit: self.exit.judged_code(), known }
    }
}

/// Whether the same attempt would end in the same way until a person does something.
fn is_hopeless(reason: EndReason) -> bool {
    matches!(reason, EndReason::Auth | EndReason::ModelMissing | EndReason::PermissionDenied)
}

/// Whether a process that ended so may have written something; before its output is read, one without a login
/// was never started.
fn has_output(reason: EndReason) -> bool {
    !matches!(
        reason,
        EndReason::SpawnFailed | EndReason::AgentMissing | EndReason::Auth | EndReason::ChecksOnly
    )
}

/// Whether the goal is looked at after an attempt that ended so: only when something ran, or nothing was to.
fn is_evaluated(reason: EndReason) -> bool {
    match reason.nature() {
        Nature::Done | Nature::Checks | Nature::Exit | Nature::Crash | Nature::Unfinished => true,
        Nature::Cut(cut) => cut != Cut::Told,
        Nature::Hindered | Nature::Broken | Nature::Lost => false,
    }
}

/// How a task ends whose last attempt ended so. With a goal, an exit code is evidence, not failure.
fn how(exit: &Exit, has_goal: bool) -> How {
    match exit.reason.nature() {
        Nature::Done | Nature::Checks => How::Succeeded,
        Nature::Exit if has_goal => How::Succeeded,
        Nature::Cut(Cut::Wall | Cut::Idle) => How::TimedOut,
        Nature::Cut(Cut::Told) => How::Cancelled,
        Nature::Lost => How::Lost,
        Nature::Exit
        | Nature::Crash
        | Nature::Cut(Cut::Memory | Cut::Output)
        | Nature::Unfinished
        | Nature::Hindered
        | Nature::Broken => How::Failed,
    }
}

fn is_retried(how: How) -> bool {
    match how {
        How::Failed | How::TimedOut | How::Lost => true,
        How::Succeeded | How::Cancelled => false,
    }
}
