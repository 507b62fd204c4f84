//! `run_now`: starts a run beside the schedule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::RunBrief;
use crate::command::page::{Page, Tone};
use crate::command::tell::{Tell, step};
use crate::command::view::RunView;
use crate::command::{Access, Change, Cli, Command, Context, Render, SLICE_MOST, select};
use crate::core::id::JobId;
use crate::core::refusal::{Code, Refusal};
use crate::core::task::Origin;
use crate::engine::input::{Answer, Source, Write};
use crate::store::{jobs, tasks};

/// Starts a run of a job now; the schedule goes on as it was.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNow {
    /// The job's id, unique prefix or name
    pub job: String,
}

/// The run that was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// The run.
    #[serde(flatten)]
    pub run: RunView,
    /// What it is: `ad_hoc`, `due_slot` or `retry_slot`.
    pub source: Source,
}

impl Command for RunNow {
    const NAME: &'static str = "run_now";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[Cli::named("run-now")];
    type Reply = Running;

    fn run(self, cx: &Context<'_>) -> Result<Running, Refusal> {
        if cx.kept.is_none() {
            let_checks_end(cx, select::job(cx, &self.job)?)?;
        }
        cx.change(self)
    }
}

/// Waits until the checks are over that are run before the first run, or as long as one request waits.
fn let_checks_end(cx: &Context<'_>, job: JobId) -> Result<(), Refusal> {
    let until = SLICE_MOST.after(cx.now());
    loop {
        let seen = cx.house.engine.generation();
        let active = cx.read(|tx| jobs::get(tx, job))?.and_then(|stored| stored.job.active);
        let Some(run) = active else { return Ok(()) };
        let task = cx.read(|tx| tasks::get(tx, run))?.map(|stored| stored.task);
        if !task.is_some_and(|task| task.origin == Origin::Zero) || cx.now() >= until {
            return Ok(());
        }
        cx.patience(seen, until);
    }
}

impl Change for RunNow {
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        Ok(Write::RunNow(select::job(cx, &self.job)?))
    }

    fn reply(self, cx: &Context<'_>, answer: Answer) -> Result<Running, Refusal> {
        let Answer::Started { run, source } = answer else {
            unreachable!("a run now is answered with a run")
        };
        let stored = cx.read(|tx| tasks::get(tx, run))?;
        let stored =
            stored.ok_or_else(|| Refusal::new(Code::NotFound, format!("{run} was removed meanwhile")))?;
        Ok(Running { run: RunView::of(&stored.task), source })
    }
}

/// The run that was started, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldRunning {
    #[serde(flatten)]
    run: RunBrief,
    #[schemars(with = "String")]
    source: Source,
    next_step: String,
}

impl Tell for Running {
    type Told = ToldRunning;

    fn tell(self, cx: &Context<'_>) -> ToldRunning {
        let wait = step("wait", &json!({ "job": self.run.id }));
        ToldRunning {
            run: RunBrief::of(self.run, cx),
            source: self.source,
            next_step: format!("Started, not finished: {wait} tells when it is over"),
        }
    }
}

impl Render for Running {
    fn render(&self, page: &mut Page) {
        let id = page.tone(&self.run.id, Tone::Strong);
        let what = match self.source {
            Source::AdHoc => "Started run",
            Source::DueSlot => "Its due run comes now:",
            Source::RetrySlot => "Its retry comes now:",
        };
        page.line(format!("{what} {id}, not finished. `converge wait {}` waits for it.", self.run.id));
    }
}
