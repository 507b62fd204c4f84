//! `control_job`: pauses, resumes, cancels, archives, and brings back from the archive.

use serde::{Deserialize, Serialize};

use crate::command::page::{Page, Tone};
use crate::command::view::JobView;
use crate::command::{Access, Cli, Command, Context, Render, define, instant, lenient, select, show_job};
use crate::core::refusal::{Code, Refusal};
use crate::engine::input::{Answer, Write};

/// Pauses, resumes, cancels, archives or unarchives jobs.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlJob {
    /// What to do: pause, resume, cancel, archive or unarchive
    #[arg(long, hide = true, default_value = "")]
    pub action: String,
    /// Each job's id, unique prefix or name
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
    /// Runs that were to start, such as a retry, and wait until their job is resumed.
    #[serde(default)]
    pub held_runs: Vec<String>,
}

/// The longest note.
const NOTE_MOST: usize = 500;

const ACTIONS: &str = "the actions are pause, resume, cancel, archive and unarchive";

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
        let jobs = select::jobs(cx, &self.jobs, self.all)?;
        if self.action != "pause" && (self.note.is_some() || self.until.is_some()) {
            let refusal = Refusal::new(Code::Invalid, "`note` and `until` are for pausing");
            return Err(refusal.hint("leave them out"));
        }
        let write = match self.action.as_str() {
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
                Write::Pause { jobs, note: self.note, until }
            }
            "resume" => Write::Resume(jobs),
            "cancel" => Write::Cancel(jobs),
            "archive" => Write::Archive(jobs),
            "unarchive" => Write::Unarchive(jobs),
            other => {
                let message = format!("action: `{}` is no action", define::shorten(other));
                return Err(Refusal::new(Code::Invalid, message).hint(ACTIONS));
            }
        };
        let Answer::Changed(ids) = cx.write(write)? else {
            unreachable!("controlling is answered with the jobs that changed")
        };
        let jobs: Vec<JobView> = ids.into_iter().map(|id| show_job::job(cx, id)).collect::<Result<_, _>>()?;
        let mut held_runs = Vec::new();
        for run in jobs.iter().filter_map(|job| job.active_run.as_ref()) {
            if let Ok(id) = run.parse()
                && show_job::is_held(cx, id)?
            {
                held_runs.push(run.clone());
            }
        }
        Ok(Controlled { action: self.action, jobs, held_runs })
    }
}

impl Render for Controlled {
    fn render(&self, page: &mut Page) {
        if self.jobs.is_empty() {
            page.line(format!("There is no job to {}.", self.action));
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
