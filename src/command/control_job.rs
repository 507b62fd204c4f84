//! `control_job`: pauses, resumes, cancels, archives, and brings back from the archive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::brief::JobRow;
use crate::command::leave;
use crate::command::page::{Page, Tone};
use crate::command::select::Selected;
use crate::command::tell::{Tell, step};
use crate::command::view::JobView;
use crate::command::{
    Access, Change, Cli, Command, Context, Render, define, instant, lenient, room, select, show_job,
};
use crate::core::id::TaskId;
use crate::core::nearest::nearest;
use crate::core::refusal::{Code, Problem, Refusal};
use crate::engine::input::{Answer, Jobs, Write};

/// Pauses, resumes, cancels, archives or unarchives jobs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlJob {
    /// What to do: pause, resume, cancel, archive or unarchive
    #[arg(long, hide = true, default_value = "")]
    #[schemars(extend("enum" = ACTIONS, "needed" = true))]
    pub action: String,
    /// Each job's id, unique prefix or name; for cancel also a run's id, which ends that run alone
    #[arg(value_name = "JOB")]
    #[serde(deserialize_with = "lenient::texts")]
    pub jobs: Vec<String>,
    /// Every job that it makes sense for
    #[arg(long)]
    pub all: bool,
    /// Pausing: why, for whoever finds it paused
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Pausing: resume by itself at this time, such as `08:00` or `in 2h`
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// The jobs that were changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controlled {
    /// What was done.
    pub action: String,
    /// The jobs as they are now.
    pub jobs: Vec<JobView>,
    /// The runs that are being ended while their jobs go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// Runs that were to start, such as a retry, and wait until their job is resumed.
    #[serde(default)]
    pub held_runs: Vec<String>,
}

/// The longest note.
const NOTE_MOST: usize = 500;

const ACTIONS: [&str; 5] = ["pause", "resume", "cancel", "archive", "unarchive"];

impl Command for ControlJob {
    const NAME: &'static str = "control_job";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[
        Cli { name: "pause", preset: &[("action", "pause")], hide: &[] },
        Cli { name: "resume", preset: &[("action", "resume")], hide: &["note", "until"] },
        Cli { name: "cancel", preset: &[("action", "cancel")], hide: &["note", "until"] },
        Cli { name: "archive", preset: &[("action", "archive")], hide: &["note", "until"] },
        Cli { name: "unarchive", preset: &[("action", "unarchive")], hide: &["note", "until"] },
    ];
    type Reply = Controlled;

    fn run(self, cx: &Context<'_>) -> Result<Controlled, Refusal> {
        cx.change(self)
    }
}

impl Change for ControlJob {
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal> {
        let runs = self.runs(cx)?;
        let jobs =
            if runs.is_empty() { select::jobs(cx, &self.jobs, self.all)? } else { Jobs::These(Vec::new()) };
        if self.action != "pause" && (self.note.is_some() || self.until.is_some()) {
            let given = [("note", self.note.is_some()), ("until", self.until.is_some())];
            let problem = |place| Problem::new(place, "only pausing has it").fix("leave it out");
            let problems = given.into_iter().filter(|(_, is)| *is).map(|(place, _)| problem(place));
            return Err(Refusal::invalid(problems.collect()));
        }
        Ok(match self.action.as_str() {
            "pause" => {
                let read = |text: &String| {
                    cx.caller.time_zone().and_then(|zone| instant::read("until", text, &zone, cx.now()))
                };
                let until = self.until.as_ref().map(read).transpose();
                let until = until.map_err(|problem| Refusal::invalid(vec![problem]))?;
                let note = self.note.as_deref();
                if let Some(problem) = note.and_then(|note| define::unfit("note", note, NOTE_MOST)) {
                    return Err(Refusal::invalid(vec![problem]));
                }
                Write::Pause { jobs, note: self.note.clone(), until }
            }
            "resume" => Write::Resume { jobs, by: leave::voice(cx) },
            "cancel" if runs.is_empty() => Write::Cancel(jobs),
            "cancel" => Write::CancelRuns(runs),
            "archive" => Write::Archive(jobs),
            "unarchive" => Write::Unarchive(jobs),
            other => {
                let problem = Problem::new("action", format!("`{}` is no action", define::shorten(other)));
                let near = nearest(other, ACTIONS)
                    .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let fix = format!("{near}the actions are {}", ACTIONS.join(", "));
                return Err(Refusal::invalid(vec![problem.fix(fix)]));
            }
        })
    }

    fn reply(self, cx: &Context<'_>, answer: Answer) -> Result<Controlled, Refusal> {
        let (ids, runs) = match answer {
            Answer::Changed(jobs) => (jobs, Vec::new()),
            Answer::Ended { runs, jobs } => (jobs, runs),
            other @ (Answer::Added(_)
            | Answer::Exists(_)
            | Answer::Updated(_)
            | Answer::Removed(_)
            | Answer::Started { .. }) => {
                unreachable!("controlling was answered with {other:?}")
            }
        };
        let jobs = show_job::those_left(cx, &ids)?;
        let mut held_runs = Vec::new();
        for run in jobs.iter().filter_map(|job| job.active_run.as_ref()) {
            if let Ok(id) = run.parse()
                && show_job::is_held(cx, id)?
            {
                held_runs.push(run.clone());
            }
        }
        let runs = runs.iter().map(ToString::to_string).collect();
        Ok(Controlled { action: self.action, jobs, runs, held_runs })
    }
}

impl ControlJob {
    /// The runs that are to be cancelled, when no job is named.
    fn runs(&self, cx: &Context<'_>) -> Result<Vec<TaskId>, Refusal> {
        if self.action != "cancel" || self.all {
            return Ok(Vec::new());
        }
        let named: Vec<Selected> =
            self.jobs.iter().map(|text| select::either(cx, text)).collect::<Result<_, _>>()?;
        let run = |named: &Selected| if let Selected::Run(run) = named { Some(*run) } else { None };
        let runs: Vec<TaskId> = named.iter().filter_map(run).collect();
        if !runs.is_empty() && runs.len() < named.len() {
            let refusal = Refusal::new(Code::Invalid, "jobs and runs together");
            return Err(refusal.hint("cancel the jobs with one call and the runs with another"));
        }
        Ok(runs)
    }
}

/// The jobs that were changed, as a model reads them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldControlled {
    action: String,
    count: usize,
    jobs: Vec<JobRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held_runs: Vec<String>,
    next_step: String,
}

impl Tell for Controlled {
    type Told = ToldControlled;

    fn tell(self, cx: &Context<'_>) -> ToldControlled {
        let (jobs, _) = cx.room().rows(self.jobs.iter().map(|job| JobRow::of(job, cx)));
        let next_step = match (self.jobs.as_slice(), self.runs.as_slice()) {
            ([], _) => format!("There was no job to {}", self.action),
            (_, [run, ..]) => {
                let wait = step("wait", &json!({ "job": run }));
                format!("Being ended, its job goes on: {wait} tells when it is over")
            }
            ([job], []) => show_job::next_step(job),
            (_, []) => "`list_jobs` shows them".to_owned(),
        };
        ToldControlled {
            action: self.action,
            count: self.jobs.len(),
            jobs,
            runs: room::few(&self.runs, 20, 80),
            held_runs: room::few(&self.held_runs, 20, 80),
            next_step,
        }
    }
}

impl Render for Controlled {
    fn render(&self, page: &mut Page) {
        if self.jobs.is_empty() {
            page.line(format!("There is no job to {}.", self.action));
        }
        for run in &self.runs {
            page.line(format!("Run {run} is being ended; its job goes on."));
        }
        if !self.runs.is_empty() {
            return;
        }
        for job in &self.jobs {
            let name = page.tone(&job.name, Tone::Strong);
            let line = match self.action.as_str() {
                "pause" => {
                    let resume = match job.resumes_at {
                        Some(at) => format!("It resumes {}.", page.instant(at)),
                        None => format!("Resume with `converge resume {}`.", job.name),
                    };
                    let run = match &job.active_run {
                        None => String::new(),
                        Some(run) if self.held_runs.contains(run) => {
                            format!(" Run {run} waits until the job is resumed.")
                        }
                        Some(run) => format!(" Run {run} finishes."),
                    };
                    format!("Paused {name}.{run} {resume}")
                }
                "resume" => {
                    let next =
                        job.next_at.map_or_else(String::new, |at| format!(" Next run {}.", page.instant(at)));
                    format!("Resumed {name}.{next}")
                }
                "cancel" => {
                    let run = job
                        .active_run
                        .as_ref()
                        .map_or_else(String::new, |run| format!(" Run {run} is being ended."));
                    format!("Cancelled {name}.{run} Its history stays: `converge logs {}`.", job.name)
                }
                "unarchive" => format!("{name} is in `converge ls` again, {}.", job.state),
                _ => format!("Archived {name}. `converge ls --all` still shows it."),
            };
            page.line(line);
        }
    }
}
