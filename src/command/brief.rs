//! Briefs: jobs and runs as models read them.
//!
//! A brief has the names of the whole view and less of it: what is not said is as usual, long texts are
//! shortened, and what others wrote is fenced. All of it is in the resource of the job or the run. The schema
//! that agents are shown names the fields that they act on; that there are more is no surprise to a reader.

use schemars::JsonSchema;
use serde::Serialize;

use crate::command::attempt::AttemptView;
use crate::command::view::{JobView, LastView, PhaseView, RunView};
use crate::command::{Context, assign, fence, room, spent};
use crate::core::condition::evaluate::Truth;

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobBrief {
    id: String,
    name: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[schemars(skip)]
    command: String,
    #[schemars(skip)]
    cwd: String,
    #[schemars(skip)]
    schedule: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    until: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    limits: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    resumes_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    waiting: Option<String>,
    #[schemars(skip)]
    runs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    used: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastBrief>,
    #[serde(skip_serializing_if = "is_not")]
    #[schemars(skip)]
    archived: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The newest run of a job that is over.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LastBrief {
    id: String,
    state: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmet: Option<String>,
    finished_at: String,
}

/// A job as a row of a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobRow {
    /// Its id; what a cursor names.
    pub id: String,
    name: String,
    state: String,
    /// Told only where the agent may do anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    schedule: String,
    runs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumes_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    waiting: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunBrief {
    id: String,
    job: String,
    number: u32,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    phase: Option<PhaseView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[schemars(skip)]
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "is_few")]
    #[schemars(skip)]
    attempts: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    criteria: Vec<FindingBrief>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    used: Option<String>,
}

/// What was found of a criterion.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FindingBrief {
    name: String,
    #[schemars(with = "String")]
    truth: Truth,
    evidence: String,
}

/// A run as a row of a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunRow {
    /// Its id; what a cursor names.
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmet: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<u64>,
}

/// What an attempt used.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AttemptBrief {
    number: u32,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i64>,
    cpu_ms: u64,
    peak_kb: u64,
    stdout_bytes: u64,
    stderr_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<String>,
}

/// The most that is shown of a command.
const COMMAND_MOST: usize = 300;

/// The most that is shown of a path, or of one condition.
const LINE_MOST: usize = 200;

/// The most that is shown of a warning, with the evidence that is quoted in it.
const WARNING_MOST: usize = 500;

/// How many conditions or findings are shown.
const CRITERIA_MOST: usize = 8;

impl JobBrief {
    /// What matters of a job.
    pub fn of(job: JobView, cx: &Context<'_>) -> Self {
        let rest = format!("converge://jobs/{}", job.id);
        Self {
            command: room::head(&fence::data(&job.command), COMMAND_MOST, Some(&rest)),
            cwd: room::head(&job.cwd, LINE_MOST, Some(&rest)),
            schedule: cx.say(&job.schedule),
            until: room::few(&fenced(&job.until), CRITERIA_MOST, LINE_MOST),
            evidence: job.evidence.map(|evidence| cx.quote(&evidence)),
            next_at: job.next_at.map(|at| cx.clock(at)),
            resumes_at: job.resumes_at.map(|at| cx.clock(at)),
            waiting: job.waiting.map(|waiting| cx.say(&waiting.why)),
            last: job.last.map(|last| LastBrief::of(last, cx)),
            warnings: room::few(&job.warnings, CRITERIA_MOST, WARNING_MOST)
                .iter()
                .map(|text| cx.say(text))
                .collect(),
            id: job.id,
            name: job.name,
            state: job.state,
            reason: job.reason,
            limits: job.limits,
            active_run: job.active_run,
            runs: job.runs,
            used: job.spent.as_ref().and_then(spent::together),
            archived: job.archived,
        }
    }
}

impl LastBrief {
    fn of(last: LastView, cx: &Context<'_>) -> Self {
        let LastView { id, number: _, state, reason, exit_code, unmet, finished_at } = last;
        let unmet = unmet.map(|unmet| cx.quote(&unmet));
        Self { id, state, reason, exit_code, unmet, finished_at: cx.clock(finished_at) }
    }
}

impl JobRow {
    /// A job in a line.
    pub fn of(job: &JobView, cx: &Context<'_>) -> Self {
        Self {
            id: job.id.clone(),
            name: job.name.clone(),
            state: job.state.clone(),
            permissions: job.permissions.clone().filter(|profile| profile == assign::FULL),
            reason: job.reason.clone(),
            schedule: cx.say(&job.schedule),
            runs: job.runs,
            last: job.last.as_ref().map(|last| last.state.clone()),
            next_at: job.next_at.map(|at| cx.clock(at)),
            resumes_at: job.resumes_at.map(|at| cx.clock(at)),
            active_run: job.active_run.clone(),
            waiting: job.waiting.as_ref().map(|waiting| cx.say(&waiting.why)),
        }
    }
}

impl RunBrief {
    /// What matters of a run.
    pub fn of(run: RunView, cx: &Context<'_>) -> Self {
        let criteria = run.criteria.into_iter().take(CRITERIA_MOST);
        Self {
            id: run.id,
            job: run.job,
            number: run.number,
            state: run.state,
            phase: run.phase,
            reason: run.reason,
            exit_code: run.exit_code,
            origin: run.origin,
            started_at: run.started_at.map(|at| cx.clock(at)),
            finished_at: run.finished_at.map(|at| cx.clock(at)),
            attempts: run.attempts,
            criteria: criteria
                .map(|finding| FindingBrief {
                    name: finding.name,
                    truth: finding.truth,
                    evidence: cx.quote(&finding.evidence),
                })
                .collect(),
            note: run.note.map(|note| cx.quote(&note)),
            used: run.spent.as_ref().and_then(spent::together),
        }
    }
}

impl RunRow {
    /// A run in a line.
    pub fn of(run: &RunView, cx: &Context<'_>) -> Self {
        let unmet = run.criteria.iter().find(|finding| finding.truth != Truth::Met);
        Self {
            id: run.id.clone(),
            number: (run.slots.is_none() && run.number > 0).then_some(run.number),
            state: run.state.clone(),
            reason: run.reason.clone(),
            exit_code: run.exit_code,
            unmet: unmet.map(|finding| cx.quote(&room::head(&finding.evidence, LINE_MOST, None))),
            started_at: run.started_at.map(|at| cx.clock(at)),
            finished_at: run.finished_at.map(|at| cx.clock(at)),
            slots: run.slots,
        }
    }
}

impl From<AttemptView> for AttemptBrief {
    fn from(attempt: AttemptView) -> Self {
        Self {
            number: attempt.number,
            reason: attempt.reason,
            exit_code: attempt.exit_code,
            signal: attempt.signal,
            cpu_ms: attempt.cpu_ms,
            peak_kb: attempt.peak_kb,
            stdout_bytes: attempt.stdout_bytes,
            stderr_bytes: attempt.stderr_bytes,
            used: attempt.agent.as_ref().map(|_| spent::once(attempt.tokens, attempt.cost)),
            agent: attempt.agent,
            class: attempt.class,
            message: attempt.message.map(|message| room::head(&fence::data(&message), LINE_MOST, None)),
        }
    }
}

fn fenced(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| fence::data(text)).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_not(flag: &bool) -> bool {
    !*flag
}

/// Whether there was no more than the one attempt that every run has.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_few(attempts: &u32) -> bool {
    *attempts <= 1
}
