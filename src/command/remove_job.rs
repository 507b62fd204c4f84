//! `remove_job`: takes jobs away, with force also their history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::page::Page;
use crate::command::tell::Tell;
use crate::command::{Access, Change, Cli, Command, Context, Render, lenient, room, select};
use crate::core::refusal::Refusal;
use crate::engine::input::{Answer, Gone, History, Write};

/// Removes jobs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoveJob {
    /// Each job's id, unique prefix or name
    #[arg(value_name = "JOB")]
    #[serde(deserialize_with = "lenient::texts")]
    pub jobs: Vec<String>,
    /// Every job that is over
    #[arg(long)]
    pub all: bool,
    /// With their history and output
    #[arg(long, short)]
    pub force: bool,
}

/// The jobs that are gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// Their ids.
    pub removed: Vec<String>,
    /// Their names.
    pub names: Vec<String>,
}

impl Command for RemoveJob {
    const NAME: &'static str = "remove_job";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[Cli::named("rm")];
    type Reply = Removed;

    fn run(self, cx: &Context<'_>) -> Result<Removed, Refusal> {
        cx.change(self)
    }
}

impl Change for RemoveJob {
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        let jobs = select::jobs(cx, &self.jobs, self.all)?;
        let history = if self.force { History::Remove } else { History::Keep };
        Ok(Write::Remove { jobs, history })
    }

    fn reply(self, _: &Context<'_>, answer: Answer) -> Result<Removed, Refusal> {
        let Answer::Removed(gone) = answer else {
            unreachable!("removing is answered with the jobs that are gone")
        };
        let removed = gone.iter().map(|gone| gone.id.to_string()).collect();
        // Who named none wants to know how many there were.
        let names = gone.into_iter().map(|Gone { name, .. }| name).filter(|_| !self.all).collect();
        Ok(Removed { removed, names })
    }
}

/// The jobs that are gone, as a model reads them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldRemoved {
    count: usize,
    removed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

impl Tell for Removed {
    type Told = ToldRemoved;

    fn tell(self, _: &Context<'_>) -> ToldRemoved {
        let count = self.removed.len();
        ToldRemoved {
            count,
            removed: room::few(&self.removed, 50, 80),
            names: room::few(&self.names, 50, 80),
        }
    }
}

impl Render for Removed {
    fn render(&self, page: &mut Page) {
        match (self.removed.len(), self.names.as_slice()) {
            (0, _) => page.line("There is no job to remove."),
            (_, [_, ..]) => page.line(format!("Removed {}.", self.names.join(", "))),
            (1, []) => page.line("Removed 1 job."),
            (count, []) => page.line(format!("Removed {count} jobs.")),
        }
    }
}
