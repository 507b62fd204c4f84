//! `update_job`: gives a job a new revision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::JobBrief;
use crate::command::define;
use crate::command::leave;
use crate::command::page::{Page, Tone};
use crate::command::reader::Reader;
use crate::command::schema::Fields;
use crate::command::tell::{Tell, step};
use crate::command::terms::Terms;
use crate::command::view::JobView;
use crate::command::{Access, Change, Cli, Command, Context, Render, describe, preflight, select, show_job};
use crate::core::id::JobId;
use crate::core::refusal::{Code, Refusal};
use crate::core::task::{Phase, State};
use crate::engine::input::{Answer, Update, Write};
use crate::store::{jobs, tasks};

/// Changes a job; what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateJob {
    /// The job's id, unique prefix or name
    #[arg(default_value = "", hide_default_value = true)]
    pub job: String,
    /// Every live job
    #[arg(long)]
    pub all: bool,
    /// A new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The rest
    #[command(flatten)]
    #[serde(flatten)]
    pub terms: Terms,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// The job that was named.
    One(Box<Updated>),
    /// Of all jobs, those that are different now.
    All {
        /// The jobs.
        updated: Vec<JobView>,
    },
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
    /// What ends the run under way from now on, when that is not what it began with.
    pub run_bounds: Option<Vec<String>>,
}

impl Command for UpdateJob {
    const NAME: &'static str = "update_job";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[Cli::named("update")];
    const FIELDS: Fields = Fields::ByName;
    type Reply = Reply;

    fn run(self, cx: &Context<'_>) -> Result<Reply, Refusal> {
        cx.change(self)
    }
}

impl Change for UpdateJob {
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        if self.all {
            return self.write_all(cx);
        }
        if self.job.is_empty() {
            let refusal = Refusal::new(Code::Invalid, "no job is named");
            return Err(refusal.hint("name one, or say `--all`"));
        }
        let id = select::job(cx, &self.job)?;
        let gone = || Refusal::new(Code::NotFound, format!("{id} was removed meanwhile"));
        let stored = cx.read(|tx| jobs::get(tx, id))?.ok_or_else(gone)?;
        let tz = self.terms.tz.clone().unwrap_or_else(|| stored.definition.zone.clone());
        let mut reader = Reader::new(cx, Some(&tz));
        let name = self.name.as_deref().and_then(|name| define::name(&mut reader, name));
        let definition = self.terms.amend(&stored.definition, &mut reader);
        reader.finish()?;
        let definition = definition.expect("whatever keeps a definition from being made is a problem");
        leave::to_change(cx, &stored.definition, &definition)?;
        let name = name.unwrap_or_else(|| stored.job.name.clone());
        let update = Update { job: id, from: stored.job.revision, name, definition };
        Ok(Write::Update(Box::new(update)))
    }

    fn reply(self, cx: &Context<'_>, answer: Answer) -> Result<Reply, Refusal> {
        let (id, changed) = match answer {
            Answer::Updated(id) => (id, true),
            Answer::Exists(id) => (id, false),
            Answer::Changed(ids) => return Ok(Reply::All { updated: show_job::those_left(cx, &ids)? }),
            other @ (Answer::Added(_)
            | Answer::Ended { .. }
            | Answer::Removed(_)
            | Answer::Started { .. }) => {
                unreachable!("updating was answered with {other:?}")
            }
        };
        let mut job = show_job::job(cx, id)?;
        if let Some(stored) = cx.read(|tx| jobs::get(tx, id))? {
            job.warnings.extend(preflight::warnings(cx, &stored.definition));
        }
        let run = job.active_run.as_deref().and_then(|run| run.parse().ok());
        let run_waits = match run {
            Some(run) => show_job::run(cx, run)?.run.state == "pending",
            None => false,
        };
        let run_bounds = if run_waits { None } else { run_bounds(cx, id)? };
        Ok(Reply::One(Box::new(Updated { job, changed, run_waits, run_bounds })))
    }
}

impl UpdateJob {
    /// Changes every live job by the same terms.
    fn write_all(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        if !self.job.is_empty() || self.name.is_some() {
            let refusal = Refusal::new(Code::Invalid, "`--all` is every live job, under the name it has");
            return Err(refusal.hint("leave the job and its new name out, or leave `--all` out"));
        }
        let all = cx.read(|tx| jobs::list(tx, jobs::Which::All, None, None, u32::MAX))?;
        let mut updates = Vec::new();
        for jobs::Stored { job, definition: before, .. } in
            all.into_iter().filter(|stored| stored.job.is_live())
        {
            let tz = self.terms.tz.as_deref().unwrap_or(&before.zone);
            let mut reader = Reader::new(cx, Some(tz));
            let amended = self.terms.amend(&before, &mut reader);
            reader.finish().map_err(|refusal| {
                let fix = refusal.hint.as_ref().map_or_else(String::new, |fix| format!("{fix}; "));
                let hint = format!("{fix}this is said of `{}`, and none was changed", job.name);
                refusal.hint(hint)
            })?;
            let definition = amended.expect("whatever keeps a definition from being made is a problem");
            leave::to_change(cx, &before, &definition)?;
            updates.push(Update { job: job.id, from: job.revision, name: job.name, definition });
        }
        Ok(Write::UpdateEach(updates))
    }
}

/// The bounds of the run under way, when an update gave it others than it began with.
fn run_bounds(cx: &Context<'_>, id: JobId) -> Result<Option<Vec<String>>, Refusal> {
    let read = cx.read(|tx| {
        let stored = jobs::get(tx, id)?;
        let active = stored.as_ref().and_then(|stored| stored.job.active);
        let run = active.map(|active| tasks::get(tx, active)).transpose()?.flatten();
        let began =
            run.as_ref().map(|run| jobs::definition(tx, id, run.task.revision)).transpose()?.flatten();
        Ok((stored, run, began))
    })?;
    let (Some(jobs::Stored { job, definition, .. }), Some(run), Some(began)) = read else { return Ok(None) };
    let is_executing = match run.task.state {
        State::Claimed { .. } | State::Running { phase: Phase::Executing, .. } => true,
        State::Running { phase: Phase::Evaluating(_) | Phase::Stopping { .. }, .. }
        | State::Pending { .. }
        | State::Waiting { .. }
        | State::Ended(_)
        | State::Skipped(_) => false,
    };
    let cut_at = job.cut_at(&definition);
    if !is_executing || (&began.bounds, job.cut_at(&began)) == (&definition.bounds, cut_at) {
        return Ok(None);
    }
    let terms = Terms::of(&definition);
    let some = |text: Option<String>| text.filter(|text| text != "none");
    let bounds = [
        some(terms.timeout).map(|wall| format!("after {wall}")),
        some(terms.idle_timeout).map(|idle| format!("after {idle} of silence")),
        some(terms.memory).map(|memory| format!("over {memory} of memory")),
        cut_at.map(|cut_at| format!("at {}", describe::instant(cut_at, &definition.zone))),
    ];
    Ok(Some(bounds.into_iter().flatten().collect()))
}

impl Render for Reply {
    fn render(&self, page: &mut Page) {
        match self {
            Self::One(updated) => updated.render(page),
            Self::All { updated } if updated.is_empty() => page.line("There is no job to change."),
            Self::All { updated } => {
                for JobView { name, revision, .. } in updated {
                    page.line(format!("Updated {} to revision {revision}", page.tone(name, Tone::Strong)));
                }
            }
        }
    }
}

/// What was changed, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ToldReply {
    /// The job that was named.
    One(Box<ToldUpdated>),
    /// The names of those that are different now.
    All {
        /// The names.
        updated: Vec<String>,
        /// What to call next.
        next_step: String,
    },
}

/// The job as it is from now on, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldUpdated {
    #[serde(flatten)]
    job: JobBrief,
    changed: bool,
    next_step: String,
}

impl Tell for Reply {
    type Told = ToldReply;

    fn tell(self, cx: &Context<'_>) -> ToldReply {
        match self {
            Self::One(updated) => ToldReply::One(Box::new(updated.tell(cx))),
            Self::All { updated } => {
                let next_step = format!("{} shows them", step("list_jobs", &json!({})));
                let names = updated.into_iter().map(|job| job.name).collect();
                ToldReply::All { updated: names, next_step }
            }
        }
    }
}

impl Updated {
    fn tell(self, cx: &Context<'_>) -> ToldUpdated {
        let now = step("run_now", &json!({ "job": self.job.name }));
        let next_step = match (self.changed, &self.job.active_run, self.run_waits) {
            (false, ..) => "It is like that already, nothing was changed".to_owned(),
            (true, Some(run), true) => format!("Run {run} has not started and follows the new revision"),
            (true, Some(run), false) => match self.run_bounds.as_deref() {
                Some(bounds) => format!("Run {run} goes on; its limits are now {}", bounds.join(", ")),
                None => format!("Run {run} goes on under the revision before"),
            },
            (true, None, _) => format!("{now} tries it at once"),
        };
        ToldUpdated { changed: self.changed, next_step, job: JobBrief::of(self.job, cx) }
    }
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
        for warning in &self.job.warnings {
            page.wrapped(&format!("{} {warning}", page.tone("warning:", Tone::Busy)), "  ");
        }
        match (&self.job.active_run, self.run_waits) {
            (Some(run), true) => {
                page.line(format!("Run {run} has not started and follows the new revision."));
            }
            (Some(run), false) => page.line(match self.run_bounds.as_deref() {
                None => format!("Run {run} goes on under the revision before."),
                Some([]) => format!("Run {run} goes on as it began, without a limit from now on."),
                Some(bounds) => {
                    format!("Run {run} goes on as it began, and now ends {}.", bounds.join(" or "))
                }
            }),
            (None, _) => {}
        }
    }
}
