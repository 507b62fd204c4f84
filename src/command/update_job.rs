//! `update_job`: gives a job a new revision.

use serde::{Deserialize, Serialize};

use crate::command::define;
use crate::command::page::{Page, Tone};
use crate::command::reader::Reader;
use crate::command::terms::Terms;
use crate::command::view::JobView;
use crate::command::{Access, Cli, Command, Context, Render, select, show_job};
use crate::core::refusal::{Code, Refusal};
use crate::engine::input::{Answer, Update, Write};
use crate::store::jobs;

/// Changes a job; what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateJob {
    /// The job's id, unique prefix or name
    pub job: String,
    /// A new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The rest
    #[command(flatten)]
    #[serde(flatten)]
    pub terms: Terms,
}

/// The job as it is from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Whether anything is different.
    pub changed: bool,
    /// Whether its run has not started yet, and so follows the new revision.
    pub run_waits: bool,
}

impl Command for UpdateJob {
    const NAME: &'static str = "update_job";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[Cli::named("update")];
    type Reply = Updated;

    fn run(self, cx: &Context<'_>) -> Result<Updated, Refusal> {
        if let Some(answer) = cx.answered()? {
            return updated(cx, answer);
        }
        let id = select::job(cx, &self.job)?;
        let gone = || Refusal::new(Code::NotFound, format!("{id} was removed meanwhile"));
        let stored = cx.read(|tx| jobs::get(tx, id))?.ok_or_else(gone)?;
        let tz = self.terms.tz.clone().unwrap_or_else(|| stored.definition.zone.clone());
        let mut reader = Reader::new(cx.caller, Some(&tz), cx.now());
        let name = self.name.as_deref().and_then(|name| define::name(&mut reader, name));
        let definition = self.terms.amend(&stored.definition, &mut reader);
        reader.finish()?;
        let definition = definition.expect("whatever keeps a definition from being made is a problem");
        let name = name.unwrap_or_else(|| stored.job.name.clone());
        let update = Update { job: id, from: stored.job.revision, name, definition };
        let answer = cx.write(Write::Update(Box::new(update)))?;
        updated(cx, answer)
    }
}

fn updated(cx: &Context<'_>, answer: Answer) -> Result<Updated, Refusal> {
    let (id, changed) = match answer {
        Answer::Updated(id) => (id, true),
        Answer::Exists(id) => (id, false),
        other @ (Answer::Added(_) | Answer::Changed(_) | Answer::Removed(_) | Answer::Started { .. }) => {
            unreachable!("updating was answered with {other:?}")
        }
    };
    let job = show_job::job(cx, id)?;
    let run = job.active_run.as_deref().and_then(|run| run.parse().ok());
    let run_waits = match run {
        Some(run) => show_job::run(cx, run)?.run.state == "pending",
        None => false,
    };
    Ok(Updated { job, changed, run_waits })
}

impl Render for Updated {
    fn render(&self, page: &mut Page) {
        let JobView { name, revision, .. } = &self.job;
        if !self.changed {
            page.line(format!("{name} is like that already."));
            return;
        }
        page.line(format!("Updated {} to revision {revision}", page.tone(name, Tone::Strong)));
        page.fields(&[
            ("runs", self.job.command.clone()),
            ("when", self.job.schedule.clone()),
            ("until", self.job.until.join("\n")),
            ("at most", self.job.limits.join(", ")),
            ("next", self.job.next_at.map(|at| page.instant(at)).unwrap_or_default()),
        ]);
        match (&self.job.active_run, self.run_waits) {
            (Some(run), true) => {
                page.line(format!("Run {run} has not started and follows the new revision."));
            }
            (Some(run), false) => page.line(format!("Run {run} goes on under the revision before.")),
            (None, _) => {}
        }
    }
}
