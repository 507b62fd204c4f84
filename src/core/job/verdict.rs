//! Verdicts: after each run, whether there is another.
//!
//! Success is looked at before limits: succeeding on the last permitted run is success.

use jiff::Timestamp;

use crate::core::definition::Definition;
use crate::core::goal::UNTIL;
use crate::core::job::{Brief, Close, Job, Pause, State};
use crate::core::process::Cut;
use crate::core::reason::{Nature, VerdictReason};
use crate::core::task::{End, How, Task};

/// The word for a run that worked and left its goal unmet.
pub const NOT_YET: &str = "not_yet";

/// What follows a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The loop goes on.
    Continue,
    /// The loop is over.
    Close(State),
    /// The loop waits for a person.
    Pause(Pause),
}

/// What follows the run that `job` has just remembered as its last.
pub fn after_run(job: &Job, end: &End, definition: &Definition, now: Timestamp) -> Next {
    let run = job.last.as_ref().map(|last| last.run);
    if !job.is_live() {
        // Cancelled while the run was being ended: that stands.
        return Next::Close(job.state.clone());
    }
    if let Some(findings) = end.findings.as_ref().filter(|findings| findings.all_met()) {
        let only_until = findings.criteria.iter().all(|finding| finding.name == UNTIL);
        let reason = if only_until { VerdictReason::ConditionMet } else { VerdictReason::Converged };
        return Next::Close(State::Completed(Close { at: now, reason, evidence: findings.evidence(), run }));
    }
    let unmet = end.findings.as_ref().map(super::super::goal::Findings::evidence);
    let state = by_count(job, unmet, definition, now)
        .or_else(|| by_budget(job, definition, now))
        .or_else(|| by_time(job, definition, now));
    if let Some(state) = state {
        return Next::Close(state);
    }
    if job.state == State::Active && definition.limits.breaker > 0 && job.streak >= definition.limits.breaker
    {
        let runs = if job.streak == 1 { "1 run".to_owned() } else { format!("{} runs in a row", job.streak) };
        let last = end.exit.reason.word().replace('_', " ");
        let note = format!("{runs} could not do their work, the last by {last}");
        return Next::Pause(Pause {
            needs_leave: false,
            at: now,
            reason: Some(VerdictReason::CircuitBreaker),
            note: Some(note),
            until: None,
        });
    }
    Next::Continue
}

/// The end by number of runs, when that is reached; `unmet` is what the goal still lacks.
pub fn by_count(job: &Job, unmet: Option<String>, definition: &Definition, now: Timestamp) -> Option<State> {
    let over = definition.schedule.is_once() && job.next_at.is_none();
    let most = definition.limits.runs.filter(|most| job.runs >= *most).or_else(|| over.then_some(1))?;
    let run = job.last.as_ref().map(|last| last.run);
    let runs = if most == 1 { "1 run".to_owned() } else { format!("{most} runs") };
    let evidence = match unmet {
        Some(unmet) => format!("{runs}, as many as allowed; {unmet}"),
        None => format!("{runs}, as many as asked for"),
    };
    let close = Close { at: now, reason: VerdictReason::RunLimit, evidence, run };
    Some(if definition.goal.is_some() { State::Failed(close) } else { State::Completed(close) })
}

/// The end by what its agents used.
pub fn by_budget(job: &Job, definition: &Definition, now: Timestamp) -> Option<State> {
    let evidence = definition.limits.used_up(&job.spent)?;
    let run = job.last.as_ref().map(|last| last.run);
    Some(State::Failed(Close { at: now, reason: VerdictReason::Budget, evidence, run }))
}

/// The end by time, when no further run can start before a limit.
pub fn by_time(job: &Job, definition: &Definition, now: Timestamp) -> Option<State> {
    let run = job.last.as_ref().map(|last| last.run);
    let close = |reason, evidence: &str| Close { at: now, reason, evidence: evidence.to_owned(), run };
    let passes = |limit: &Timestamp| *limit <= now || job.next_at.is_some_and(|next_at| next_at >= *limit);
    if definition.limits.time_limit(job.first_started_at).as_ref().is_some_and(passes) {
        let told = match (definition.limits.span, definition.limits.deadline) {
            (Some(span), _) if job.first_started_at.is_some_and(|first| passes(&span.after(first))) => {
                format!("{span} since the first run, as long as allowed")
            }
            _ => "the deadline leaves no time for another run".to_owned(),
        };
        return Some(State::Failed(close(VerdictReason::TimeLimit, &told)));
    }
    if definition.ends_at.as_ref().is_some_and(passes) {
        return Some(State::Expired(close(
            VerdictReason::Expired,
            "its end bound leaves no time for another run",
        )));
    }
    None
}

/// How many runs in a row could not do their work, this one included.
///
/// With criteria an exit status is evidence; without any, it is all there is to go by.
pub fn streak(before: u32, end: &End, definition: &Definition) -> u32 {
    let counts = match end.exit.reason.nature() {
        Nature::Broken | Nature::Lost => true,
        Nature::Exit | Nature::Cut(Cut::Wall) | Nature::Unfinished => definition.goal.is_none(),
        Nature::Checks | Nature::Cut(Cut::Told) | Nature::Hindered => return before,
        Nature::Done | Nature::Crash | Nature::Cut(Cut::Idle | Cut::Memory | Cut::Output) => false,
    };
    if counts { before + 1 } else { 0 }
}

impl Brief {
    /// What a job remembers of a run that ended so.
    pub fn of(task: &Task, end: &End) -> Self {
        let unmet = end
            .findings
            .as_ref()
            .filter(|findings| !findings.all_met())
            .map(super::super::goal::Findings::evidence);
        Self {
            run: task.id,
            attempt: task.claims,
            number: task.number,
            how: end.how,
            reason: end.exit.reason,
            code: end.exit.code,
            unmet,
            ended_at: end.at,
            spent: task.course.spent,
            conversation: task.course.latest.clone(),
        }
    }

    /// The word for how the run ended; see [`How::word`].
    pub fn state_word(&self) -> &'static str {
        if self.is_not_yet() { NOT_YET } else { self.how.word() }
    }

    /// Whether the run worked and left its goal unmet.
    pub fn is_not_yet(&self) -> bool {
        self.how == How::Succeeded && self.unmet.is_some()
    }
}
