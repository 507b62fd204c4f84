//! `explain_job`: why a job runs, why it waits, why it stopped, and what would stop it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::RunRow;
use crate::command::page::{Page, Tone, words};
use crate::command::tell::{Tell, step};
use crate::command::view::{JobView, PhaseView, RUN_HEAD, RunView};
use crate::command::{Access, Cli, Command, Context, Render, describe, room, run_logs, select, show_job};
use crate::core::definition::Definition;
use crate::core::job::decide;
use crate::core::refusal::Refusal;
use crate::store::{jobs, tasks};

/// Explains a job.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplainJob {
    /// The job's id, unique prefix or name
    pub job: String,
}

/// A job, explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Why it is as it is.
    pub because: Vec<String>,
    /// What would end it.
    pub ends_when: Vec<String>,
    /// Its last runs, newest first.
    pub recent: Vec<RunView>,
}

impl Command for ExplainJob {
    const NAME: &'static str = "explain_job";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("explain")];
    type Reply = Explained;

    fn run(self, cx: &Context<'_>) -> Result<Explained, Refusal> {
        let id = select::job(cx, &self.job)?;
        let job = show_job::job(cx, id)?;
        let (stored, recent, busy) = cx.read(|tx| {
            Ok((jobs::get(tx, id)?, tasks::of_job(tx, id, None, 3)?, tasks::under_way_count(tx)?))
        })?;
        let recent: Vec<RunView> =
            recent.iter().map(|stored| run_logs::view(cx, stored)).collect::<Result<_, _>>()?;
        let next_in = job.next_at.map(|at| {
            let zone = &job.zone;
            describe::instant(at, zone)
        });
        let mut because = because(cx, &job, &recent, next_in.as_deref());
        let waits = recent.iter().any(|run| run.state == "pending" && run.attempts == 0);
        if waits && busy >= cx.house.lanes {
            because
                .push(format!("as many runs are under way as at once may be ({busy}); it waits for a lane"));
        }
        let live = stored.filter(|stored| stored.job.is_live());
        let ends_when = live.map(|live| ends_when(cx, &job, &live.definition)).unwrap_or_default();
        Ok(Explained { job, because, ends_when, recent })
    }
}

fn because(cx: &Context<'_>, job: &JobView, recent: &[RunView], next: Option<&str>) -> Vec<String> {
    let mut told = Vec::new();
    let evidence = job.evidence.as_deref().map(|evidence| cx.quote(evidence)).unwrap_or_default();
    match job.state.as_str() {
        "active" => {
            if let Some(run) = &job.active_run {
                let of = recent.iter().find(|recent| recent.id == *run);
                told.push(match (&job.waiting, of) {
                    (Some(waiting), _) => format!("run {run} waits: {}", waiting.why),
                    (None, Some(recent)) if recent.origin == crate::command::view::ZERO => {
                        format!("its checks are run before the first run ({run})")
                    }
                    (None, Some(recent)) if recent.phase == Some(PhaseView::Evaluating) => {
                        format!("run {run} has ended and its goal is being looked at")
                    }
                    (None, _) => format!("run {run} is under way"),
                });
            } else if let Some(next) = next {
                told.push(format!("it waits for its next run, {next}"));
            } else {
                told.push("it has no next run by itself; `converge run-now` starts one".to_owned());
            }
        }
        "paused" if job.needs_leave => {
            told.push(format!("it waits for a person's leave: {evidence}"));
            told.push(decide::leave(&job.name));
        }
        "paused" => {
            let by = if job.reason.is_some() { "by the circuit breaker" } else { "by hand" };
            let note = if evidence.is_empty() { String::new() } else { format!(": {evidence}") };
            told.push(format!("it is paused {by}{note}"));
            if let Some(run) = recent.iter().find(|run| run.state == "pending") {
                told.push(format!("run {} waits until it is resumed", run.id));
            }
            let by_itself = job
                .resumes_at
                .map(|at| format!("it resumes by itself at {}", describe::instant(at, &job.zone)));
            told.extend(by_itself);
            told.push(format!("`converge resume {}` goes on at once", job.name));
        }
        state => {
            let reason = job.reason.as_deref().map(words).unwrap_or_default();
            let reason = if reason == state { String::new() } else { format!(", {reason}") };
            told.push(format!("it is {state}{reason}: {evidence}"));
        }
    }
    if let Some(last) = job.last.as_ref().filter(|_| matches!(job.state.as_str(), "active" | "paused")) {
        let by = match (last.reason.as_str(), last.exit_code) {
            ("exit_nonzero", Some(code)) if last.unmet.is_none() => format!(" with exit code {code}"),
            ("exit_zero" | "exit_nonzero" | "cancelled", _) => String::new(),
            (reason, _) => format!(" by {}", words(reason)),
        };
        let said = match &last.unmet {
            Some(unmet) if by.is_empty() => format!("left its goal unmet: {}", cx.quote(unmet)),
            Some(unmet) => format!("{}{by}, left its goal unmet: {}", words(&last.state), cx.quote(unmet)),
            None => format!("{}{by}", words(&last.state)),
        };
        told.push(format!("its last run, {}, {said}", last.id));
    }
    told
}

fn ends_when(cx: &Context<'_>, job: &JobView, definition: &Definition) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    if !job.until.is_empty() {
        let all = if job.until.len() > 1 { "all of " } else { "" };
        told.push(format!("completed once this holds after a run: {all}{}", cx.quote(&job.until.join(", "))));
    }
    told.extend(describe::limits(definition).into_iter().map(|limit| limit.sentence(&definition.zone)));
    let breaker = job.max_failures;
    if definition.schedule.is_once() {
        told.push("over after its one run".to_owned());
    }
    if told.is_empty() {
        told.push("nothing but `converge cancel` ends it".to_owned());
    }
    if breaker > 0 {
        told.push(format!("paused after {breaker} runs in a row that could not do their work"));
    }
    told
}

/// A job, explained to a model.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldExplained {
    id: String,
    name: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    because: Vec<String>,
    ends_when: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    recent: Vec<RunRow>,
    next_step: String,
}

impl Tell for Explained {
    type Told = ToldExplained;

    fn tell(self, cx: &Context<'_>) -> ToldExplained {
        let say = |texts: &[String]| texts.iter().map(|text| cx.say(text)).collect();
        let logs = step("run_logs", &json!({ "job": self.job.name }));
        ToldExplained {
            because: say(&self.because),
            ends_when: say(&room::few(&self.ends_when, 8, 300)),
            warnings: say(&self.job.warnings),
            recent: self.recent.iter().map(|run| RunRow::of(run, cx)).collect(),
            next_step: match (self.job.state.as_str(), &self.job.last) {
                ("active" | "paused", None) => show_job::next_step(&self.job),
                ("active" | "paused", Some(_)) => {
                    format!("{logs} shows what it wrote; {}", show_job::next_step(&self.job))
                }
                _ => format!("{logs} shows what it wrote"),
            },
            id: self.job.id,
            name: self.job.name,
            state: self.job.state,
            reason: self.job.reason,
        }
    }
}

impl Render for Explained {
    fn render(&self, page: &mut Page) {
        let state = page.state(&self.job.state);
        page.line(format!("{} is {state}", page.tone(&self.job.name, Tone::Strong)));
        page.fields(&[
            ("because", self.because.join("\n")),
            ("runs", self.job.command.clone()),
            ("when", self.job.schedule.clone()),
            ("ends", self.ends_when.join("\n")),
        ]);
        if !self.recent.is_empty() {
            page.gap();
            let rows: Vec<_> = self.recent.iter().map(|run| run.cells(page)).collect();
            page.table(&RUN_HEAD, &rows);
        }
    }
}
