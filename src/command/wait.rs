//! `wait`: until a run or a job is over.

use serde::{Deserialize, Serialize};

use crate::command::page::{Page, Tone, words};
use crate::command::select::Selected;
use crate::command::show_job::{self, Shown};
use crate::command::view::{JobView, RunView};
use crate::command::{Access, Cli, Command, Context, Render, WAIT_MOST, lenient, select};
use crate::core::job::verdict::NOT_YET;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::core::task::How;

/// Waits until a run is over, or until a job starts no more runs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// A job's id, unique prefix or name, or a run's id
    pub job: String,
    /// At most this long [10s at a time for agents; without end on the command line]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
            None => WAIT_MOST,
            Some(text) => text.parse::<Span>().map_err(|error| {
                Refusal::new(Code::Invalid, format!("timeout: {}", error.message)).hint(error.fix)
            })?,
        };
        let until = span.min(WAIT_MOST).after(cx.now());
        let what = select::either(cx, &self.job)?;
        loop {
            let seen = cx.house.engine.generation();
            let waited = look(cx, what)?;
            if waited.over || waited.result == Outcome::NeedsPerson || cx.now() >= until {
                return Ok(waited);
            }
            cx.patience(seen, until);
        }
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
        if self.result == Outcome::Waiting {
            page.line("It is not over; `converge wait` goes on waiting.");
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
