//! `remove_job`: takes jobs away, with force also their history.

use serde::{Deserialize, Serialize};

use crate::command::page::Page;
use crate::command::{Access, Cli, Command, Context, Render, lenient, select, show_job};
use crate::core::refusal::Refusal;
use crate::engine::input::{Answer, History, Jobs, Write};

/// Removes jobs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
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
        if let Some(Answer::Removed(ids)) = cx.answered()? {
            return Ok(Removed { removed: ids.iter().map(ToString::to_string).collect(), names: self.jobs });
        }
        let jobs = select::jobs(cx, &self.jobs, self.all)?;
        let names = match &jobs {
            Jobs::These(ids) => {
                ids.iter().map(|id| show_job::job(cx, *id).map(|job| job.name)).collect::<Result<_, _>>()?
            }
            Jobs::All => Vec::new(),
        };
        let history = if self.force { History::Remove } else { History::Keep };
        let Answer::Removed(ids) = cx.write(Write::Remove { jobs, history })? else {
            unreachable!("removing is answered with the jobs that are gone")
        };
        Ok(Removed { removed: ids.iter().map(ToString::to_string).collect(), names })
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
