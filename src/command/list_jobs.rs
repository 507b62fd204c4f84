//! `list_jobs`: the jobs there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::JobRow;
use crate::command::page::{Page, Tone};
use crate::command::tell::{Tell, step};
use crate::command::view::{JobView, last_phrase};
use crate::command::waiting::WaitView;
use crate::command::{Access, Cli, Command, Context, Render, define, select};
use crate::core::nearest::nearest;
use crate::core::refusal::{Problem, Refusal};
use crate::store::jobs;

/// Lists jobs, oldest first.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ListJobs {
    /// The archived ones too
    #[arg(long, short)]
    pub all: bool,
    /// Only those in this state
    #[arg(long, value_name = "STATE")]
    #[schemars(extend("enum" = STATES))]
    pub state: Option<String>,
    /// At most so many [20 at a time for agents; all on the command line]
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Goes on after this job: the `next` of the reply before
    #[arg(long, value_name = "ID", hide = true)]
    pub after: Option<String>,
}

/// Jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// Where to go on, when there are more.
    pub next: Option<String>,
}

const STATES: [&str; 6] = ["active", "paused", "completed", "failed", "cancelled", "expired"];

impl Command for ListJobs {
    const NAME: &'static str = "list_jobs";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("ls")];
    type Reply = Jobs;

    fn run(self, cx: &Context<'_>) -> Result<Jobs, Refusal> {
        if let Some(state) = self.state.as_deref().filter(|state| !STATES.contains(state)) {
            let problem = Problem::new("state", format!("`{}` is no state of a job", define::shorten(state)));
            let near =
                nearest(state, STATES).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            return Err(Refusal::invalid(vec![
                problem.fix(format!("{near}the states are {}", STATES.join(", "))),
            ]));
        }
        let which = if self.all { jobs::Which::All } else { jobs::Which::Present };
        let most = self.limit.unwrap_or(if cx.is_model() { 20 } else { 100 }).clamp(1, 1000);
        let after = self.after.as_deref().map(|after| select::job(cx, after)).transpose()?;
        let (jobs, more) = cx.read(|tx| {
            let stored = jobs::list(tx, which, self.state.as_deref(), after, most + 1)?;
            let mut views = Vec::with_capacity(stored.len());
            for stored in stored.iter().take(most as usize) {
                views.push(JobView { waiting: WaitView::of_job(tx, stored)?, ..JobView::of(stored) });
            }
            Ok((views, stored.len() > most as usize))
        })?;
        let next = jobs.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Jobs { jobs, next })
    }
}

/// Jobs, as a model reads them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldJobs {
    jobs: Vec<JobRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

impl Tell for Jobs {
    type Told = ToldJobs;

    fn tell(self, cx: &Context<'_>) -> ToldJobs {
        let (jobs, all) = cx.room().rows(self.jobs.iter().map(|job| JobRow::of(job, cx)));
        let next = if all { self.next } else { jobs.last().map(|last| last.id.clone()) };
        let next_step = match (&next, jobs.is_empty()) {
            (Some(next), _) => {
                Some(format!("More: {} with the same fields", step("list_jobs", &json!({ "after": next }))))
            }
            (None, true) => Some("No such jobs; `add_job` makes one".to_owned()),
            (None, false) => None,
        };
        ToldJobs { jobs, next, next_step }
    }
}

impl Render for Jobs {
    fn render(&self, page: &mut Page) {
        if self.jobs.is_empty() {
            page.line("No jobs. Add one: `converge add --cmd 'cargo test' --until 'exit 0' --wait 1m`");
            return;
        }
        let row = |job: &JobView| {
            let next = match (&job.active_run, &job.waiting, job.next_at, job.resumes_at) {
                (Some(_), Some(WaitView { until: Some(at), .. }), _, _) => {
                    format!("{}, goes on {}", page.tone("waiting", Tone::Busy), page.distance(*at))
                }
                (Some(_), Some(_), _, _) => page.tone("waiting", Tone::Busy),
                (Some(_), None, _, _) => page.tone("running", Tone::Busy),
                (None, _, Some(at), _) => page.distance(at),
                (None, _, None, Some(at)) => format!("resumes {}", page.distance(at)),
                (None, _, None, None) => {
                    job.reason.as_deref().map(crate::command::page::words).unwrap_or_default()
                }
            };
            let last = job.last.as_ref().map(|last| last_phrase(page, last)).unwrap_or_default();
            vec![
                job.name.clone(),
                job.id.clone(),
                job.state_on(page),
                job.schedule.clone(),
                job.runs.to_string(),
                last,
                next,
            ]
        };
        let rows: Vec<_> = self.jobs.iter().map(row).collect();
        page.table(&["NAME", "ID", "STATE", "WHEN", "RUNS", "LAST RUN", "NEXT"], &rows);
        if self.next.is_some() {
            page.line("There are more; without `--limit` all are shown.");
        }
    }
}
