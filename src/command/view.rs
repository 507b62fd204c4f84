//! Views: jobs and runs as every surface shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::attempt::AttemptView;
use crate::command::page::{Page, words};
use crate::command::waiting::WaitView;
use crate::command::{agent_terms, describe, job_warnings, spent, stamp};
use crate::core::goal::Finding;
use crate::core::job::State;
use crate::core::job::verdict::NOT_YET;
use crate::core::reading::{Conversation, Spent};
use crate::core::reason::EndReason;
use crate::core::task::{self, End, How, Origin, Phase, Task};
use crate::store::jobs;

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Why it is paused or over.
    pub reason: Option<String>,
    /// What says so: the evidence of a verdict, or the note of a pause.
    pub evidence: Option<String>,
    /// When the next run starts.
    #[serde(serialize_with = "stamp::maybe")]
    pub next_at: Option<Timestamp>,
    /// Whether nothing but a condition or a person ends it.
    pub unbounded: bool,
    /// What somebody should know about it.
    pub warnings: Vec<String>,
    /// The revision of its definition.
    pub revision: u32,
    /// What it runs.
    pub command: String,
    /// The agents that do it, the first or the next of them when it cannot.
    pub agent: Option<String>,
    /// What they may do.
    pub permissions: Option<String>,
    /// Where.
    pub cwd: String,
    /// When, in words.
    pub schedule: String,
    /// When it is done: each criterion, in its text form.
    pub until: Vec<String>,
    /// When it is given up, in words.
    pub limits: Vec<String>,
    /// After how many runs in a row that could not do their work it pauses; 0 is never.
    pub max_failures: u32,
    /// The zone of its instants.
    pub zone: String,
    /// How many runs there were.
    pub runs: u32,
    /// What its agents used in all; null when it has none.
    pub spent: Option<Spent>,
    /// The run under way.
    pub active_run: Option<String>,
    /// What that waits for, where it does and where that was looked at.
    pub waiting: Option<WaitView>,
    /// The newest run that is over, in words.
    pub last: Option<LastView>,
    /// When it was added.
    #[serde(serialize_with = "stamp::at")]
    pub created_at: Timestamp,
    /// Whether it is paused until a person gives leave.
    #[serde(default)]
    pub needs_leave: bool,
    /// When it resumes by itself.
    #[serde(serialize_with = "stamp::maybe")]
    pub resumes_at: Option<Timestamp>,
    /// Whether it is archived.
    pub archived: bool,
}

/// The newest run of a job, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastView {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u32,
    /// Its state.
    pub state: String,
    /// Why.
    pub reason: String,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// What was not met.
    pub unmet: Option<String>,
    /// When it ended.
    #[serde(serialize_with = "stamp::at")]
    pub finished_at: Timestamp,
}

/// A run as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Its id.
    pub id: String,
    /// Its job.
    pub job: String,
    /// Its number within the job.
    pub number: u32,
    /// Why there was this run.
    pub origin: String,
    /// When it was made.
    #[serde(serialize_with = "stamp::at")]
    pub created_at: Timestamp,
    /// The instant it stands for.
    #[serde(serialize_with = "stamp::maybe")]
    pub slot_at: Option<Timestamp>,
    /// Its state.
    pub state: String,
    /// What it is doing while it runs.
    pub phase: Option<PhaseView>,
    /// Why; while it is being ended, what that will be put down to.
    pub reason: Option<String>,
    /// The exit code of its last attempt.
    pub exit_code: Option<i32>,
    /// When its first attempt started.
    #[serde(serialize_with = "stamp::maybe")]
    pub started_at: Option<Timestamp>,
    /// When it was over.
    #[serde(serialize_with = "stamp::maybe")]
    pub finished_at: Option<Timestamp>,
    /// How many attempts there were.
    pub attempts: u32,
    /// The newest attempt, which names the output.
    pub attempt: u32,
    /// What was found of the goal.
    pub criteria: Vec<Finding>,
    /// More to say: what the system said of a failed start, the signal, the span of skipped slots.
    pub note: Option<String>,
    /// How many slots a skipped row stands for.
    pub slots: Option<u64>,
    /// What its agents used; null when none did anything.
    pub spent: Option<Spent>,
    /// The conversation that its newest attempt was in.
    pub conversation: Option<Conversation>,
}

/// What a run that is under way is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseView {
    /// Its process runs.
    Executing,
    /// Its process has ended, and its goal is being looked at.
    Evaluating,
    /// Its process is being ended.
    Stopping,
}

impl JobView {
    /// The view of a stored job.
    pub fn of(stored: &jobs::Stored) -> Self {
        let jobs::Stored { job, definition, .. } = stored;
        let pause = if let State::Paused(pause) = &job.state { Some(pause) } else { None };
        let close = job.state.close();
        let assignment = definition.target.assignment();
        let reason = close.map(|close| close.reason).or_else(|| pause.and_then(|pause| pause.reason));
        let evidence =
            close.map(|close| close.evidence.clone()).or_else(|| pause.and_then(|pause| pause.note.clone()));
        Self {
            id: job.id.to_string(),
            name: job.name.clone(),
            state: job.state.word().to_owned(),
            reason: reason.map(|reason| reason.to_string()),
            evidence,
            next_at: job.next_at.filter(|_| matches!(job.state, State::Active)),
            unbounded: definition.is_unbounded(),
            warnings: job_warnings::of(job, definition),
            revision: job.revision,
            command: describe::target(&definition.target),
            agent: assignment.map(|assignment| agent_terms::chain(&assignment.chain)),
            permissions: assignment.map(|assignment| assignment.permissions.clone()),
            cwd: definition.cwd.clone(),
            schedule: describe::schedule(&definition.schedule, &definition.zone),
            until: definition.goal.as_ref().map(describe::goal).unwrap_or_default(),
            limits: describe::limits(definition)
                .into_iter()
                .map(|limit| limit.item(&definition.zone))
                .collect(),
            max_failures: definition.limits.breaker,
            zone: definition.zone.clone(),
            runs: job.runs,
            spent: assignment.map(|_| job.spent),
            active_run: job.active.map(|run| run.to_string()),
            waiting: None,
            last: job.last.as_ref().map(|last| LastView {
                id: last.run.to_string(),
                number: last.number,
                state: last.state_word().to_owned(),
                reason: last.reason.to_string(),
                exit_code: last.code,
                unmet: last.unmet.clone(),
                finished_at: last.ended_at,
            }),
            created_at: job.created_at,
            needs_leave: pause.is_some_and(|pause| pause.needs_leave),
            resumes_at: pause.and_then(|pause| pause.until),
            archived: job.archived_at.is_some(),
        }
    }

    /// Whether nothing of it is scheduled or under way, though it is not over.
    pub fn is_idle(&self) -> bool {
        self.state == State::Active.word() && self.next_at.is_none() && self.active_run.is_none()
    }
}

/// The newest finished run in one phrase: `not yet (exit_nonzero)`.
pub fn last_phrase(page: &Page, last: &LastView) -> String {
    let code = last
        .exit_code
        .filter(|code| *code != 0)
        .map_or_else(String::new, |code| format!(", exit code {code}"));
    format!("{}{code}", page.state(&last.state))
}

impl RunView {
    /// The view of a task.
    pub fn of(task: &Task) -> Self {
        let mut view = Self {
            id: task.id.to_string(),
            job: task.job.to_string(),
            number: task.number,
            origin: origin_word(task.origin).to_owned(),
            created_at: task.created_at,
            slot_at: task.slot,
            state: String::new(),
            phase: None,
            reason: None,
            exit_code: None,
            started_at: task.started_at(),
            finished_at: None,
            attempts: task.attempts(),
            attempt: task.claims,
            criteria: Vec::new(),
            note: None,
            slots: None,
            spent: Some(task.course.spent).filter(|spent| !spent.is_nothing()),
            conversation: task.course.latest.clone(),
        };
        match &task.state {
            task::State::Pending { due_at } => {
                view.state = word("pending");
                view.note = (task.attempts() > 0).then(|| format!("retry at {due_at}"));
            }
            task::State::Waiting { due_at, why } => {
                view.state = word("waiting");
                view.note = Some(describe::wait(why, *due_at));
            }
            task::State::Claimed { .. } => view.state = word("claimed"),
            task::State::Running { phase, .. } => {
                view.state = word("running");
                view.phase = Some(match phase {
                    Phase::Executing => PhaseView::Executing,
                    Phase::Evaluating(evaluating) => {
                        view.exit_code = evaluating.exit.code;
                        PhaseView::Evaluating
                    }
                    Phase::Stopping { reason, .. } => {
                        view.reason = Some(reason.to_string());
                        PhaseView::Stopping
                    }
                });
            }
            task::State::Ended(end) => view.ended(end),
            task::State::Skipped(skipped) => {
                view.state = word("skipped");
                view.reason = Some(skipped.reason.to_string());
                view.finished_at = Some(skipped.last);
                view.slots = Some(skipped.count);
            }
        }
        // Why it went on otherwise than was asked for.
        view.note = view.note.or_else(|| task.course.note.clone());
        view
    }

    fn ended(&mut self, end: &End) {
        let unmet = end.findings.as_ref().is_some_and(|findings| !findings.all_met());
        let state = if end.how == How::Succeeded && unmet { NOT_YET } else { end.how.word() };
        self.state = word(state);
        self.reason = Some(end.exit.reason.to_string());
        self.exit_code = end.exit.code;
        self.finished_at = Some(end.at);
        self.criteria = end.findings.as_ref().map(|findings| findings.criteria.clone()).unwrap_or_default();
        let lost = (end.exit.reason == EndReason::Lost).then(|| "its shim was killed".to_owned());
        let signal = end.exit.signal.map(|signal| format!("signal {signal}"));
        self.note = end.exit.cause.clone().or(signal).or(lost);
    }

    /// Takes the start from its attempts.
    #[must_use]
    pub fn with_attempts(mut self, attempts: &[AttemptView]) -> Self {
        self.started_at = attempts.iter().filter_map(|attempt| attempt.started_at).min().or(self.started_at);
        self
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Whether it is over and did what it was for: it succeeded, or left its goal for the next run.
    pub fn went_well(&self) -> bool {
        self.state == How::Succeeded.word()
    }

    /// Whether it did its work and left its goal unmet.
    pub fn is_not_yet(&self) -> bool {
        self.state == NOT_YET
    }

    /// The cells of its row in a table.
    pub fn cells(&self, page: &Page) -> Vec<String> {
        let when = self.started_at.or(self.slot_at).map(|at| page.clock(at)).unwrap_or_default();
        let took = match (self.started_at, self.finished_at) {
            (Some(from), Some(to)) => Page::took(from, to),
            _ => String::new(),
        };
        let number = if self.origin == ZERO { "checks".to_owned() } else { self.number.to_string() };
        let number = if self.slots.is_some() { String::new() } else { number };
        vec![number, self.id.clone(), page.state(&self.state), self.detail(), when, took]
    }

    /// Why it is in its state, in a phrase.
    pub fn detail(&self) -> String {
        if let Some(slots) = self.slots {
            let slots = if slots == 1 { "1 slot".to_owned() } else { format!("{slots} slots") };
            return format!("{slots}, {}", words(self.reason.as_deref().unwrap_or_default()));
        }
        let unmet: Vec<String> = self
            .criteria
            .iter()
            .filter(|finding| finding.truth != crate::core::condition::evaluate::Truth::Met)
            .map(|finding| finding.evidence.clone())
            .collect();
        let reason = match (self.reason.as_deref(), self.exit_code) {
            (Some("exit_zero"), _) => "exit code 0".to_owned(),
            (Some("exit_nonzero"), Some(code)) => format!("exit code {code}"),
            (Some(reason), _) => words(reason),
            (None, _) => String::new(),
        };
        let reason = match self.phase {
            Some(PhaseView::Evaluating) => "evaluating".to_owned(),
            Some(PhaseView::Stopping) => format!("stopping: {reason}"),
            Some(PhaseView::Executing) | None => reason,
        };
        let mut parts = vec![reason];
        parts.extend(self.note.clone());
        if !unmet.is_empty() && !unmet.iter().all(|text| parts[0].is_empty() || text.starts_with(&parts[0])) {
            parts.push(unmet.join("; "));
        }
        if self.attempts > 1 {
            parts.push(format!("{} attempts", self.attempts));
        }
        parts.extend(self.spent.as_ref().and_then(spent::brief));
        parts.retain(|part| !part.is_empty());
        parts.join(", ")
    }
}

fn word(word: &str) -> String {
    word.to_owned()
}

/// The head of a table of runs.
pub const RUN_HEAD: [&str; 6] = ["RUN", "ID", "STATE", "WHY", "STARTED", "TOOK"];

/// The word for a run that only checked.
pub const ZERO: &str = "zero";

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Schedule => "schedule",
        Origin::AdHoc => "ad_hoc",
        Origin::Zero => ZERO,
    }
}
