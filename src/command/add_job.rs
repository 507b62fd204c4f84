//! `add_job`: makes a loop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::JobBrief;
use crate::command::define;
use crate::command::leave;
use crate::command::page::{Page, Tone};
use crate::command::preflight;
use crate::command::reader::Reader;
use crate::command::tell::{Tell, step};
use crate::command::terms::Terms;
use crate::command::view::JobView;
use crate::command::{Access, Change, Cli, Command, Context, Render};
use crate::core::refusal::{Code, Refusal};
use crate::engine::input::{Add, Answer, Name, Write};
use crate::engine::twins::Twin;
use crate::store::jobs;

/// Makes a loop.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct AddJob {
    /// What to call it; unique among live jobs
    pub name: Option<String>,
    /// A second job where the same is live under another name
    #[arg(long)]
    #[schemars(extend("rare" = true))]
    pub again: bool,
    /// The rest
    #[command(flatten)]
    #[serde(flatten)]
    pub terms: Terms,
}

/// The job that was made, or that was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Added {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Whether the same job was there already, so that nothing was added.
    pub existed: bool,
    /// What was chosen because nothing was said.
    pub defaults: Vec<String>,
}

impl Command for AddJob {
    const NAME: &'static str = "add_job";
    const ACCESS: Access = Access::Create;
    const CLI: &'static [Cli] = &[Cli::named("add")];
    type Reply = Added;

    fn run(self, cx: &Context<'_>) -> Result<Added, Refusal> {
        cx.change(self)
    }
}

impl Change for AddJob {
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        let mut reader = Reader::new(cx, self.terms.tz.as_deref());
        let given = self.name.as_deref().and_then(|name| define::name(&mut reader, name));
        let definition = self.terms.define(&mut reader);
        reader.finish()?;
        let definition = definition.expect("whatever keeps a definition from being made is a problem");
        let name = given.map_or_else(|| Name::Derived(define::derived_name(&definition.target)), Name::Given);
        let twin = if self.again { Twin::Wanted } else { Twin::Avoided };
        let parked = leave::to_add(cx)?;
        Ok(Write::Add(Box::new(Add { name, definition, twin, parked })))
    }

    fn reply(self, cx: &Context<'_>, answer: Answer) -> Result<Added, Refusal> {
        let (id, existed) = match answer {
            Answer::Added(id) => (id, false),
            Answer::Exists(id) => (id, true),
            other @ (Answer::Updated(_)
            | Answer::Changed(_)
            | Answer::Ended { .. }
            | Answer::Removed(_)
            | Answer::Started { .. }) => {
                unreachable!("adding was answered with {other:?}")
            }
        };
        let stored = cx.read(|tx| jobs::get(tx, id))?;
        let stored = stored
            .ok_or_else(|| Refusal::new(Code::NotFound, format!("{id} was added and removed again")))?;
        let defaults = self.terms.defaults(&stored.definition);
        let mut job = JobView::of(&stored);
        job.warnings.extend(preflight::warnings(cx, &stored.definition));
        if let Some(wanted) = self.name.filter(|wanted| existed && *wanted != job.name) {
            job.warnings.push(format!(
                "`{wanted}` was not added: `{}` is live and the same; `--again` (`again`) makes a second",
                job.name
            ));
        }
        if existed && self.again {
            job.warnings.push(format!(
                "nothing was added: `{}` has this very name; give the second another",
                job.name
            ));
        }
        Ok(Added { job, existed, defaults })
    }
}

/// The job that was made, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldAdded {
    #[serde(flatten)]
    job: JobBrief,
    existed: bool,
    defaults: Vec<String>,
    next_step: String,
}

impl Tell for Added {
    type Told = ToldAdded;

    fn tell(self, cx: &Context<'_>) -> ToldAdded {
        let job = json!({ "job": self.job.name });
        let next_step = if self.job.needs_leave {
            leave::wanted(&self.job.name)
        } else if self.existed {
            format!("It was there already, nothing was added; {} changes it", step("update_job", &job))
        } else if self.job.is_idle() {
            format!("Nothing is scheduled: {} starts it", step("run_now", &job))
        } else {
            format!("{} tells when it is over, {} what it wrote", step("wait", &job), step("run_logs", &job))
        };
        ToldAdded {
            existed: self.existed,
            defaults: self.defaults.iter().map(|default| cx.say(default)).collect(),
            next_step,
            job: JobBrief::of(self.job, cx),
        }
    }
}

impl Render for Added {
    fn render(&self, page: &mut Page) {
        let JobView { id, name, .. } = &self.job;
        let verb = if self.existed { "Already there:" } else { "Added" };
        page.line(format!(
            "{verb} {} {}",
            page.tone(name, Tone::Strong),
            page.tone(&format!("({id})"), Tone::Faint)
        ));
        let next = match (self.job.next_at, &self.job.active_run) {
            (_, Some(run)) => format!("run {run} is under way"),
            (Some(at), None) => page.instant(at),
            (None, None) => "nothing is scheduled".to_owned(),
        };
        page.fields(&[
            ("runs", self.job.command.clone()),
            ("in", self.job.cwd.clone()),
            ("when", self.job.schedule.clone()),
            ("until", self.job.until.join("\n")),
            ("at most", self.job.limits.join(", ")),
            ("next", next),
            ("by default", self.defaults.join(" ")),
        ]);
        for warning in &self.job.warnings {
            page.wrapped(&format!("{} {warning}", page.tone("warning:", Tone::Busy)), "  ");
        }
        if self.existed {
            page.line(format!("Nothing was added. Change it with `converge update {name} …`."));
        } else if self.job.is_idle() {
            page.line(format!(
                "Start it with `converge run-now {name}`, watch it with `converge logs {name} --follow`."
            ));
        } else {
            page.line(format!(
                "Watch it with `converge logs {name} --follow`, ask why with `converge explain {name}`."
            ));
        }
    }
}
