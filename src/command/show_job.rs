//! `show_job`: everything about a job or a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::attempt::AttemptView;
use crate::command::brief::{AttemptBrief, JobBrief, RunBrief};
use crate::command::page::{Page, Tone, words};
use crate::command::select::Selected;
use crate::command::tell::{Tell, step};
use crate::command::terms::Terms;
use crate::command::view::{JobView, RunView, last_phrase};
use crate::command::waiting::WaitView;
use crate::command::{Access, Cli, Command, Context, Render, leave, readings, room, select, spent};
use crate::core::condition::evaluate::Truth;
use crate::core::goal::Finding;
use crate::core::id::{JobId, TaskId};
use crate::core::job;
use crate::core::refusal::{Code, Refusal};
use crate::core::task::{End, State, Task};
use crate::store::{attempts, jobs, tasks};

/// Shows a job or a run.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowJob {
    /// A job's id, unique prefix or name, or a run's id
    pub job: String,
}

/// A job, or a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shown {
    /// A run.
    Run(Box<ShownRun>),
    /// A job.
    Job(Box<ShownJob>),
}

/// A job with its definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownJob {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// The arguments that make it.
    pub definition: Terms,
}

/// A run with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownRun {
    /// The run.
    #[serde(flatten)]
    pub run: RunView,
    /// Each process execution.
    pub attempt_list: Vec<AttemptView>,
}

impl Command for ShowJob {
    const NAME: &'static str = "show_job";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("show")];
    type Reply = Shown;

    fn run(self, cx: &Context<'_>) -> Result<Shown, Refusal> {
        match select::either(cx, &self.job)? {
            Selected::Job(id) => Ok(Shown::Job(Box::new(shown(cx, id)?))),
            Selected::Run(id) => Ok(Shown::Run(Box::new(run(cx, id)?))),
        }
    }
}

/// The view of a run with its attempts.
pub fn run(cx: &Context<'_>, id: TaskId) -> Result<ShownRun, Refusal> {
    let (task, attempts) = cx.read(|tx| Ok((tasks::get(tx, id)?, attempts::of_task(tx, id)?)))?;
    let task = task.ok_or_else(|| Refusal::new(Code::NotFound, format!("{id} was removed meanwhile")))?;
    let attempt_list: Vec<AttemptView> = attempts.iter().map(AttemptView::from).collect();
    let run = RunView::of(&task.task).with_attempts(&attempt_list);
    Ok(ShownRun { run, attempt_list })
}

/// Whether a paused job keeps a run from starting: one that waits for its retry, or for its turn.
pub fn is_held(cx: &Context<'_>, id: TaskId) -> Result<bool, Refusal> {
    let (task, job) = cx.read(|tx| {
        let task = tasks::get(tx, id)?;
        let job = task.as_ref().map(|stored| jobs::get(tx, stored.task.job)).transpose()?.flatten();
        Ok((task, job))
    })?;
    let waits = task.is_some_and(|stored| matches!(stored.task.state, State::Pending { .. }));
    Ok(waits && job.is_some_and(|stored| matches!(stored.job.state, job::State::Paused(_))))
}

/// The view of a job with its definition.
pub fn shown(cx: &Context<'_>, id: JobId) -> Result<ShownJob, Refusal> {
    let view = job(cx, id)?;
    let stored = cx.read(|tx| jobs::get(tx, id))?;
    let stored = stored.ok_or_else(|| Refusal::new(Code::NotFound, format!("{id} was removed meanwhile")))?;
    Ok(ShownJob { job: view, definition: Terms::of(&stored.definition) })
}

/// The view of a job.
pub fn job(cx: &Context<'_>, id: JobId) -> Result<JobView, Refusal> {
    let (stored, zero, waiting) = cx.read(|tx| {
        let stored = jobs::get(tx, id)?;
        let waiting = stored.as_ref().map(|stored| WaitView::of_job(tx, stored)).transpose()?.flatten();
        Ok((stored, tasks::zero_of(tx, id)?, waiting))
    })?;
    let stored = stored.ok_or_else(|| Refusal::new(Code::NotFound, format!("{id} was removed meanwhile")))?;
    let mut view = JobView { waiting, ..JobView::of(&stored) };
    if let Some(zero) = zero.filter(|_| stored.job.is_live()) {
        view.warnings.extend(met_before(cx, &zero.task));
    }
    Ok(view)
}

/// The views of jobs that were changed, as far as they are still there.
pub fn those_left(cx: &Context<'_>, ids: &[JobId]) -> Result<Vec<JobView>, Refusal> {
    let mut left = Vec::with_capacity(ids.len());
    let mut gone = None;
    for id in ids {
        match job(cx, *id) {
            Ok(view) => left.push(view),
            Err(refusal) if refusal.code == Code::NotFound => gone = Some(refusal),
            Err(refusal) => return Err(refusal),
        }
    }
    match gone {
        Some(refusal) if left.is_empty() => Err(refusal),
        Some(_) | None => Ok(left),
    }
}

/// A warning for each criterion that was met before the first run: it says nothing about the work.
fn met_before(cx: &Context<'_>, zero: &Task) -> Vec<String> {
    let State::Ended(End { findings: Some(findings), .. }) = &zero.state else { return Vec::new() };
    let met = findings.criteria.iter().filter(|finding| finding.truth == Truth::Met);
    let warning = |finding: &Finding| {
        format!("`{}` was met before the first run: {}", finding.name, cx.quote(&finding.evidence))
    };
    met.map(warning).collect()
}

/// A job or a run, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldShown {
    #[serde(flatten)]
    job: Option<JobBrief>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    how: Vec<String>,
    #[serde(flatten)]
    run: Option<RunBrief>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempt_list: Vec<AttemptBrief>,
    next_step: String,
}

/// How many attempts of a run are told; the newest are.
const ATTEMPTS_TOLD: usize = 3;

impl Tell for Shown {
    type Told = ToldShown;

    fn tell(self, cx: &Context<'_>) -> ToldShown {
        let next_step = self.next_step();
        match self {
            Self::Job(shown) => ToldShown {
                how: room::few(&shown.definition.how(), 8, 200),
                job: Some(JobBrief::of(shown.job, cx)),
                run: None,
                attempt_list: Vec::new(),
                next_step,
            },
            Self::Run(shown) => {
                let older = shown.attempt_list.len().saturating_sub(ATTEMPTS_TOLD);
                ToldShown {
                    job: None,
                    how: Vec::new(),
                    run: Some(RunBrief::of(shown.run, cx)),
                    attempt_list: shown
                        .attempt_list
                        .into_iter()
                        .skip(older)
                        .map(AttemptBrief::from)
                        .collect(),
                    next_step,
                }
            }
        }
    }
}

impl Shown {
    /// What a model would most likely ask next.
    fn next_step(&self) -> String {
        match self {
            Self::Job(shown) => next_step(&shown.job),
            Self::Run(shown) if shown.run.is_over() => {
                format!("{} shows what it wrote", step("run_logs", &json!({ "job": shown.run.id })))
            }
            Self::Run(shown) => {
                format!("{} tells when it is over", step("wait", &json!({ "job": shown.run.id })))
            }
        }
    }
}

/// What a model would most likely ask next about a job.
pub fn next_step(job: &JobView) -> String {
    let named = json!({ "job": job.name });
    match job.state.as_str() {
        "active" if job.is_idle() => format!("{} starts it", step("run_now", &named)),
        "active" => format!("{} tells when it is over", step("wait", &named)),
        "paused" if job.needs_leave => leave::wanted(&job.name),
        "paused" => {
            let resume = json!({ "action": "resume", "jobs": [job.name] });
            format!("{} goes on", step("control_job", &resume))
        }
        _ => format!("{} says why it is over", step("explain_job", &named)),
    }
}

impl Render for Shown {
    fn render(&self, page: &mut Page) {
        match self {
            Self::Job(job) => render_job(job, page),
            Self::Run(run) => run.render(page),
        }
    }
}

fn render_job(shown: &ShownJob, page: &mut Page) {
    let ShownJob { job, definition } = shown;
    let faint = page.tone(&format!("({}, revision {})", job.id, job.revision), Tone::Faint);
    page.line(format!("{} {faint}", page.tone(&job.name, Tone::Strong)));
    let reason = job.reason.as_deref().map_or_else(String::new, |reason| format!(", {}", words(reason)));
    let evidence = job.evidence.as_deref().map_or_else(String::new, |evidence| format!(": {evidence}"));
    let next = match (&job.active_run, &job.waiting, job.next_at) {
        (Some(run), Some(waiting), _) => format!("run {run} waits: {}", waiting.why),
        (Some(run), None, _) => format!("run {run} is under way"),
        (None, _, Some(at)) => page.instant(at),
        (None, _, None) => {
            job.resumes_at.map(|at| format!("resumes {}", page.instant(at))).unwrap_or_default()
        }
    };
    let last = job.last.as_ref().map(|last| {
        let unmet = last.unmet.as_deref().map_or_else(String::new, |unmet| format!(": {unmet}"));
        format!(
            "run {}, {}{unmet}, {}",
            last.number,
            last_phrase(page, last),
            page.distance(last.finished_at)
        )
    });
    page.fields(&[
        ("state", format!("{}{reason}{evidence}", page.state(&job.state))),
        ("archived", if job.archived { "yes".to_owned() } else { String::new() }),
        ("runs", job.command.clone()),
        ("in", job.cwd.clone()),
        ("when", job.schedule.clone()),
        ("until", job.until.join("\n")),
        ("at most", job.limits.join(", ")),
        ("how", definition.how().join(", ")),
        ("so far", if job.runs == 1 { "1 run".to_owned() } else { format!("{} runs", job.runs) }),
        ("used", job.spent.as_ref().and_then(spent::together).unwrap_or_default()),
        ("last", last.unwrap_or_default()),
        ("next", next),
        ("added", page.instant(job.created_at)),
    ]);
    for warning in &job.warnings {
        page.wrapped(&format!("{} {warning}", page.tone("warning:", Tone::Busy)), "  ");
    }
}

impl Render for ShownRun {
    fn render(&self, page: &mut Page) {
        let Self { run, attempt_list } = self;
        page.line(format!(
            "run {} of {} {}",
            run.number,
            run.job,
            page.tone(&format!("({})", run.id), Tone::Faint)
        ));
        let took = match (run.started_at, run.finished_at) {
            (Some(from), Some(to)) => Page::took(from, to),
            _ => String::new(),
        };
        let criteria: Vec<String> = run
            .criteria
            .iter()
            .map(|finding| format!("{}: {} ({})", finding.name, truth_word(finding.truth), finding.evidence))
            .collect();
        page.fields(&[
            ("state", page.state(&run.state)),
            ("why", run.detail()),
            ("slot", run.slot_at.map(|at| page.clock(at)).unwrap_or_default()),
            ("started", run.started_at.map(|at| page.instant(at)).unwrap_or_default()),
            ("took", took),
            ("criteria", criteria.join("\n")),
            ("used", run.spent.as_ref().and_then(spent::together).unwrap_or_default()),
        ]);
        if attempt_list.is_empty() {
            return;
        }
        page.gap();
        let row = |attempt: &AttemptView| {
            vec![
                attempt.number.to_string(),
                attempt.kind.clone(),
                words(&attempt.reason),
                attempt.exit_code.map(|code| code.to_string()).unwrap_or_default(),
                attempt.started_at.map(|from| Page::took(from, attempt.finished_at)).unwrap_or_default(),
                format!("{}ms", attempt.cpu_ms),
                format!("{} MiB", attempt.peak_kb / 1024),
                format!("{} / {}", attempt.stdout_bytes, attempt.stderr_bytes),
            ]
        };
        let rows: Vec<_> = attempt_list.iter().map(row).collect();
        page.table(&["ATTEMPT", "KIND", "WHY", "EXIT", "TOOK", "CPU", "PEAK", "BYTES OUT / ERR"], &rows);
        readings::render(&run.job, attempt_list, page);
    }
}

/// What was found of a criterion, in words.
pub fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::Met => "met",
        Truth::NotMet => "not met",
        Truth::Unknown => "unknown",
    }
}
