//! `wait`: until a run or a job is over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::{JobBrief, RunBrief};
use crate::command::page::{Page, Tone, words};
use crate::command::select::Selected;
use crate::command::show_job::{self, Shown};
use crate::command::tell::{Tell, step};
use crate::command::view::{JobView, RunView};
use crate::command::{Access, Cli, Command, Context, Render, SLICE_MOST, leave, lenient, select};
use crate::core::job::verdict::NOT_YET;
use crate::core::refusal::{Problem, Refusal};
use crate::core::span::Span;
use crate::core::task::How;

/// Waits until a run is over, or until a job starts no more runs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// A job's id, unique prefix or name, or a run's id
    pub job: String,
    /// At most this long [45s for agents, 4m at most; without end on the command line]
    #[arg(long, value_name = "SPAN")]
    #[serde(deserialize_with = "lenient::text")]
    pub timeout: Option<String>,
}

/// What was waited for, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waited {
    /// Whether it is over.
    pub over: bool,
    /// What it came to: `ok`, `failed`, `needs_person` or `waiting`.
    pub result: Outcome,
    /// The job or the run.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What waiting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is over and went well.
    Ok,
    /// It is over and did not.
    Failed,
    /// It goes on only when a person acts.
    NeedsPerson,
    /// It is not over.
    Waiting,
}

impl Command for Wait {
    const NAME: &'static str = "wait";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("wait")];
    type Reply = Waited;

    fn run(self, cx: &Context<'_>) -> Result<Waited, Refusal> {
        let span = match &self.timeout {
            None => SLICE_MOST,
            Some(text) => text.parse::<Span>().map_err(|error| {
                Refusal::invalid(vec![Problem::new("timeout", error.message).fix(error.fix)])
            })?,
        };
        let until = span.min(SLICE_MOST).after(cx.now());
        let what = select::either(cx, &self.job)?;
        loop {
            let seen = cx.house.engine.generation();
            let waited = look(cx, what)?;
            // A person may start it meanwhile in another terminal; a model would only wait.
            let is_vain = cx.is_model() && waited.is_idle();
            if waited.over || waited.result == Outcome::NeedsPerson || is_vain || cx.now() >= until {
                return Ok(waited);
            }
            cx.patience(seen, until);
        }
    }
}

impl Waited {
    /// Whether it is a job of which nothing is scheduled or under way.
    fn is_idle(&self) -> bool {
        matches!(&self.shown, Shown::Job(shown) if shown.job.is_idle())
    }
}

fn look(cx: &Context<'_>, what: Selected) -> Result<Waited, Refusal> {
    match what {
        Selected::Job(id) => {
            let shown = show_job::shown(cx, id)?;
            let job = &shown.job;
            let active = job.active_run.as_deref().and_then(|run| run.parse().ok());
            let is_held = active.map(|run| show_job::is_held(cx, run)).transpose()?.unwrap_or(false);
            let (over, result) = match job.state.as_str() {
                _ if job.active_run.is_some() && !is_held => (false, Outcome::Waiting),
                "active" => (false, Outcome::Waiting),
                "paused" => (false, of_pause(job)),
                // Without a condition, how its last run ended is all there is to go by.
                "completed" if job.until.is_empty() && last_failed(job) => (true, Outcome::Failed),
                "completed" => (true, Outcome::Ok),
                _ => (true, Outcome::Failed),
            };
            Ok(Waited { over, result, shown: Shown::Job(Box::new(shown)) })
        }
        Selected::Run(id) => {
            let shown = show_job::run(cx, id)?;
            let run = &shown.run;
            let result = match (run.is_over(), run.went_well()) {
                (false, _) if show_job::is_held(cx, id)? => {
                    of_pause(&show_job::job(cx, select::job(cx, &run.job)?)?)
                }
                (false, _) => Outcome::Waiting,
                (true, _) if run.is_not_yet() => Outcome::Ok,
                (true, true) => Outcome::Ok,
                (true, false) => Outcome::Failed,
            };
            Ok(Waited { over: run.is_over(), result, shown: Shown::Run(Box::new(shown)) })
        }
    }
}

/// What waiting for a paused job comes to when nothing of it is under way.
fn of_pause(job: &JobView) -> Outcome {
    if job.resumes_at.is_some() { Outcome::Waiting } else { Outcome::NeedsPerson }
}

fn last_failed(job: &JobView) -> bool {
    job.last.as_ref().is_some_and(|last| last.state != How::Succeeded.word())
}

/// What was waited for, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldWaited {
    over: bool,
    result: Outcome,
    #[serde(flatten)]
    job: Option<JobBrief>,
    #[serde(flatten)]
    run: Option<RunBrief>,
    next_step: String,
}

impl Tell for Waited {
    type Told = ToldWaited;

    fn tell(self, cx: &Context<'_>) -> ToldWaited {
        let (id, job_id) = match &self.shown {
            Shown::Job(shown) => (&shown.job.id, &shown.job.id),
            Shown::Run(shown) => (&shown.run.id, &shown.run.job),
        };
        let logs = step("run_logs", &json!({ "job": id }));
        let next_step = match (self.result, &self.shown) {
            (Outcome::NeedsPerson, Shown::Job(shown)) if shown.job.needs_leave => {
                leave::wanted(&shown.job.name)
            }
            (Outcome::Waiting, Shown::Job(shown)) if shown.job.is_idle() => {
                let start = step("run_now", &json!({ "job": id }));
                format!(
                    "Nothing is scheduled or under way, so that there is nothing to wait for: {start} starts it"
                )
            }
            (Outcome::Waiting, _) => {
                format!("Not over: {} waits on, or come back later", step("wait", &json!({ "job": id })))
            }
            (Outcome::NeedsPerson, _) => {
                let resume = json!({ "action": "resume", "jobs": [job_id] });
                format!("It is paused: ask the person, then {}", step("control_job", &resume))
            }
            (Outcome::Ok, _) => format!("Over; {logs} shows what it wrote"),
            (Outcome::Failed, _) => {
                format!(
                    "Over; {} says why, {logs} what it wrote",
                    step("explain_job", &json!({ "job": job_id }))
                )
            }
        };
        let (job, run) = match self.shown {
            Shown::Job(shown) => (Some(JobBrief::of(shown.job, cx)), None),
            Shown::Run(shown) => (None, Some(RunBrief::of(shown.run, cx))),
        };
        ToldWaited { over: self.over, result: self.result, job, run, next_step }
    }
}

impl Render for Waited {
    fn render(&self, page: &mut Page) {
        let (what, state, why) = match &self.shown {
            Shown::Job(shown) => {
                let job = &shown.job;
                let reason = job.reason.as_deref().map(words).unwrap_or_default();
                let evidence = job.evidence.clone().unwrap_or_default();
                (job.name.clone(), format!("is {}", page.state(&job.state)), [reason, evidence].join(": "))
            }
            Shown::Run(run) => (format!("run {}", run.run.id), run_phrase(page, &run.run), run.run.detail()),
        };
        let why = why.trim_matches([':', ' ']);
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        page.line(format!("{} {state}{why}", page.tone(&what, Tone::Strong)));
        if let (Outcome::NeedsPerson, Shown::Run(run)) = (self.result, &self.shown) {
            page.line(format!("Its job is paused: `converge resume {}` lets it start.", run.run.job));
        }
        match &self.shown {
            Shown::Job(shown) if shown.job.is_idle() => page.line(format!(
                "Nothing is scheduled or under way: `converge run-now {}` starts it.",
                shown.job.name
            )),
            _ if self.result == Outcome::Waiting => {
                page.line("It is not over; `converge wait` goes on waiting.");
            }
            Shown::Job(_) | Shown::Run(_) => {}
        }
    }
}

/// How a run stands, as the end of a sentence.
fn run_phrase(page: &Page, run: &RunView) -> String {
    let state = page.state(&run.state);
    match run.state.as_str() {
        "succeeded" | "failed" | "timed_out" => state,
        "cancelled" | "skipped" => format!("was {state}"),
        NOT_YET => format!("did its work, {state}"),
        _ => format!("is {state}"),
    }
}
