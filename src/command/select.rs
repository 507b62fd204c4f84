//! Selecting: from what was written to the job or the run that is meant.

use crate::command::Context;
use crate::command::define::{self, shorten};
use crate::core::id::{JobId, TaskId};
use crate::core::refusal::{Code, Problem, Refusal};
use crate::engine::input::Jobs;
use crate::store::{jobs, tasks};

/// How many candidates an ambiguous word is answered with.
const CANDIDATES: u32 = 6;

/// A job or one of its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// A job.
    Job(JobId),
    /// A run.
    Run(TaskId),
}

/// The job that `text` means: an id, the beginning of one, or a name.
///
/// Quotes around it do not count, and words with spaces between them may be a name with dashes; no name has
/// spaces or quotes, so that the meaning is certain.
pub fn job(cx: &Context<'_>, text: &str) -> Result<JobId, Refusal> {
    let mut text = bare(text);
    let mut found = cx.read(|tx| jobs::named(tx, text, CANDIDATES + 1))?;
    let plain = define::slug(text);
    let in_words = |letter: char| letter.is_ascii_alphanumeric() || " -_".contains(letter);
    if found.is_empty()
        && text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text.chars().all(in_words)
    {
        found = cx.read(|tx| jobs::named(tx, &plain, CANDIDATES + 1))?;
        found.retain(|(id, name)| *name == plain || id.as_str() == plain);
        text = if found.is_empty() { text } else { &plain };
    }
    match found.as_slice() {
        [] => Err(no_job(text)),
        [(id, _)] => Ok(*id),
        // Names of jobs that are over may repeat; the newest live one comes first.
        [(id, name), ..] if name == text => Ok(*id),
        several => Err(ambiguous(text, several.iter().map(|(id, name)| format!("{id} ({name})")).collect())),
    }
}

/// The run that `text` means: an id or the beginning of one.
pub fn run(cx: &Context<'_>, text: &str) -> Result<TaskId, Refusal> {
    let text = bare(text);
    let found = cx.read(|tx| tasks::named(tx, text, CANDIDATES + 1))?;
    match found.as_slice() {
        [] => {
            let refusal = Refusal::new(Code::NotFound, format!("no run `{}`", shorten(text)));
            Err(refusal.hint("`converge logs JOB` shows the runs of a job"))
        }
        [id] => Ok(*id),
        several => Err(ambiguous(text, several.iter().map(ToString::to_string).collect())),
    }
}

/// The job or the run that `text` means.
pub fn either(cx: &Context<'_>, text: &str) -> Result<Selected, Refusal> {
    match job(cx, text) {
        Ok(job) => Ok(Selected::Job(job)),
        Err(refusal) if refusal.code == Code::NotFound => match run(cx, text) {
            Ok(run) => Ok(Selected::Run(run)),
            Err(other) if other.code == Code::NotFound => Err(refusal),
            Err(other) => Err(other),
        },
        Err(refusal) => Err(refusal),
    }
}

/// The jobs that are meant: those named, or all.
pub fn jobs(cx: &Context<'_>, named: &[String], all: bool) -> Result<Jobs, Refusal> {
    match (named, all) {
        ([], true) => Ok(Jobs::All),
        ([], false) => {
            let problem = Problem::new("jobs", "no job is named");
            Err(Refusal::invalid(vec![problem.fix("name one, such as `nightly-tests`, or say `--all`")]))
        }
        (_, true) => {
            Err(Refusal::new(Code::Invalid, "both a job and all of them").hint("name jobs, or say `--all`"))
        }
        (named, false) => named.iter().map(|text| job(cx, text)).collect::<Result<_, _>>().map(Jobs::These),
    }
}

/// A word without the spaces and quotes around it.
fn bare(text: &str) -> &str {
    text.trim().trim_matches(['`', '"', '\'']).trim()
}

fn no_job(text: &str) -> Refusal {
    let refusal = Refusal::new(Code::NotFound, format!("no job `{}`", shorten(text)));
    refusal.hint("`converge ls` shows the jobs, `converge ls --all` also the archived ones")
}

fn ambiguous(text: &str, candidates: Vec<String>) -> Refusal {
    let more = candidates.len() > CANDIDATES as usize;
    let shown: Vec<String> = candidates.into_iter().take(CANDIDATES as usize).collect();
    let tail = if more { ", …" } else { "" };
    let refusal =
        Refusal::new(Code::Ambiguous, format!("`{}` may be {}{tail}", shorten(text), shown.join(", ")));
    refusal.hint("write more of the id")
}
