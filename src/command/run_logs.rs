//! `run_logs`: the runs of a job and what the newest wrote.

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::attempt::AttemptView;
use crate::command::brief::RunRow;
use crate::command::page::{Page, Tone};
use crate::command::readable::{self, Agents, Begins};
use crate::command::select::Selected;
use crate::command::tell::{Tell, step};
use crate::command::view::{RUN_HEAD, RunView};
use crate::command::{Access, Cli, Command, Context, Render, fence, room, select};
use crate::core::plain::plain;
use crate::core::process::ProcessKey;
use crate::core::refusal::{Code, Refusal};
use crate::core::task::Task;
use crate::engine::work::output::{self, Stream};
use crate::store::{attempts, jobs, tasks};

/// Shows the runs of a job, newest first, and the end of what the newest wrote.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct RunLogs {
    /// A job's id, unique prefix or name, or a run's id
    pub job: String,
    /// At most so many runs [5 for agents; 20 on the command line]
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Only runs before this one: the `next` of the reply before
    #[arg(long, value_name = "RUN", hide = true)]
    pub before: Option<String>,
    /// At most so many lines of output; 0 for none [20]
    #[arg(long, value_name = "COUNT")]
    pub lines: Option<u32>,
    /// The attempt whose output is shown; the newest, unless said
    #[arg(long, value_name = "NUMBER")]
    pub attempt: Option<u32>,
}

/// Runs, and what one of them wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logs {
    /// The job.
    pub job: String,
    /// Its name.
    pub name: String,
    /// The runs, newest first.
    pub runs: Vec<RunView>,
    /// Where to go on, when there are more.
    pub next: Option<String>,
    /// The end of what the newest of them wrote.
    pub output: Option<Tail>,
}

/// The end of what a run wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// The run.
    pub run: String,
    /// The attempt.
    pub attempt: u32,
    /// The agent that wrote it; none when it was a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What the agent said in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The end of its standard output; of an agent, what it says and does.
    pub stdout: String,
    /// The end of its standard error.
    pub stderr: String,
    /// Whether there is more before.
    pub cut: bool,
    /// Whether all of it was removed for room.
    #[serde(default)]
    pub removed: bool,
}

/// The most that is read of a stream for its tail.
const TAIL_BYTES: usize = 16 * 1024;

/// The most that is read of an agent's, which says little with many bytes.
const AGENT_TAIL_BYTES: usize = 256 * 1024;

impl Command for RunLogs {
    const NAME: &'static str = "run_logs";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("logs")];
    type Reply = Logs;

    fn run(self, cx: &Context<'_>) -> Result<Logs, Refusal> {
        let most = self.limit.unwrap_or(if cx.is_model() { 5 } else { 20 }).clamp(1, 500);
        let before = self.before.as_deref().map(|before| select::run(cx, before)).transpose()?;
        let (job, mut found) = match select::either(cx, &self.job)? {
            Selected::Job(job) => (job, cx.read(|tx| tasks::of_job(tx, job, before, most + 1))?),
            Selected::Run(run) => {
                let stored = cx.read(|tx| tasks::get(tx, run))?;
                let stored = stored
                    .ok_or_else(|| Refusal::new(Code::NotFound, format!("{run} was removed meanwhile")))?;
                (stored.task.job, vec![stored])
            }
        };
        let more = found.len() > most as usize;
        found.truncate(most as usize);
        let next = found.last().filter(|_| more).map(|last| last.task.id.to_string());
        let name = cx.read(|tx| jobs::get(tx, job))?.map(|stored| stored.job.name).unwrap_or_default();
        let lines = self.lines.unwrap_or(20).min(2000);
        let newest = found
            .iter()
            .find(|stored| stored.task.attempts() > 0 || stored.task.is_open())
            .filter(|_| lines > 0);
        let output = newest.map(|newest| tail(cx, newest, self.attempt, lines)).transpose()?;
        let runs = found.iter().map(|stored| view(cx, stored)).collect::<Result<_, _>>()?;
        Ok(Logs { job: job.to_string(), name, runs, next, output })
    }
}

/// The view of a run with its start.
pub fn view(cx: &Context<'_>, stored: &tasks::Stored) -> Result<RunView, Refusal> {
    let attempts = cx.read(|tx| attempts::of_task(tx, stored.task.id))?;
    let attempts: Vec<AttemptView> = attempts.iter().map(AttemptView::from).collect();
    Ok(RunView::of(&stored.task).with_attempts(&attempts))
}

fn tail(cx: &Context<'_>, stored: &tasks::Stored, attempt: Option<u32>, lines: u32) -> Result<Tail, Refusal> {
    let attempt = attempt_of(&stored.task, attempt)?;
    let key = ProcessKey::attempt(stored.task.id, attempt);
    let runs = &cx.house.places.runs;
    let read = |stream, most: usize| {
        let end = output::read(runs, key, stream, u64::MAX, 0)?.total;
        output::read(runs, key, stream, end.saturating_sub(most as u64), most).map(|chunk| chunk.bytes)
    };
    let read = |stream, most| read(stream, most).map_err(|error: io::Error| unreadable(&error));
    let agent = readable::agent_of(cx, &stored.task, attempt)?;
    let told = match &agent {
        Some(agent) => {
            let part = read(Stream::Stdout, AGENT_TAIL_BYTES)?;
            let is_cut = part.len() >= AGENT_TAIL_BYTES;
            let begins = if is_cut { Begins::Anywhere } else { Begins::AtTheBeginning };
            let told = Agents::of(&cx.house.places.home).lines(agent, &part, begins);
            told.map(|told| end_of(&told, lines, is_cut))
        }
        None => None,
    };
    let (stdout, stdout_cut) = match told {
        Some(told) => told,
        None => last_lines(&read(Stream::Stdout, TAIL_BYTES)?, lines),
    };
    let (stderr, stderr_cut) = last_lines(&read(Stream::Stderr, TAIL_BYTES)?, lines);
    let removed = output::is_gone(runs, stored.task.id).map_err(|error| unreadable(&error))?;
    let said = readable::last_words(runs, stored.task.id, attempt).map_err(|error| unreadable(&error))?;
    let cut = stdout_cut || stderr_cut;
    Ok(Tail { run: stored.task.id.to_string(), attempt, agent, said, stdout, stderr, cut, removed })
}

fn unreadable(error: &io::Error) -> Refusal {
    Refusal::new(Code::Unavailable, format!("the output cannot be read: {error}"))
}

/// The attempt that is meant, which the run must have had.
pub fn attempt_of(task: &Task, attempt: Option<u32>) -> Result<u32, Refusal> {
    match attempt {
        None => Ok(task.claims),
        Some(attempt) if (1..=task.claims).contains(&attempt) => Ok(attempt),
        Some(attempt) => {
            let Task { id, claims, .. } = task;
            let refusal = Refusal::new(Code::NotFound, format!("run {id} has no attempt {attempt}"));
            Err(refusal.hint(format!("its newest is {claims}; `converge show {id}` lists them")))
        }
    }
}

/// The last lines of a text, and whether there were more.
fn last_lines(bytes: &[u8], most: u32) -> (String, bool) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    end_of(&lines, most, bytes.len() >= TAIL_BYTES)
}

fn end_of<T: AsRef<str>>(lines: &[T], most: u32, is_cut: bool) -> (String, bool) {
    let skipped = lines.len().saturating_sub(most as usize);
    let end: Vec<&str> = lines[skipped..].iter().map(AsRef::as_ref).collect();
    (end.join("\n"), skipped > 0 || is_cut)
}

/// Runs and what the newest wrote, as a model reads them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldLogs {
    job: String,
    name: String,
    runs: Vec<RunRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    next_step: String,
}

/// The most that a model is told of each stream, in characters.
const TOLD_MOST: usize = 2_000;

impl Tell for Logs {
    type Told = ToldLogs;

    fn tell(self, cx: &Context<'_>) -> ToldLogs {
        let (mut output, mut errors, mut said, mut rest) = (None, None, None, None);
        let mut room = cx.room();
        if let Some(Tail { run, stdout, stderr, said: words, cut, .. }) = &self.output {
            let told = |stream, text: &str| {
                let text = plain(text);
                let (end, is_cut) = room::tail(&text, TOLD_MOST);
                (Some(fence::output(run, stream, end)).filter(|_| !end.is_empty()), is_cut)
            };
            let (stdout, stdout_cut) = told("stdout", stdout);
            let (stderr, stderr_cut) = told("stderr", stderr);
            (said, _) = told("said", words.as_deref().unwrap_or_default());
            room.take(&(&stdout, &stderr, &said));
            (output, errors) = (stdout, stderr);
            let log = format!("converge://runs/{run}/log");
            rest = match (*cut || stdout_cut, stderr_cut) {
                (false, false) => None,
                (true, false) => Some(log),
                (false, true) => Some(format!("{log}?stream=stderr")),
                (true, true) => Some(format!("{log} and {log}?stream=stderr")),
            };
        }
        let (runs, all) = room.rows(self.runs.iter().map(|run| RunRow::of(run, cx)));
        let next = if all { self.next } else { runs.last().map(|last| last.id.clone()) };
        let explain = step("explain_job", &json!({ "job": self.name }));
        let mut next_step = vec![if runs.is_empty() {
            format!("It has not run yet: {explain} says why")
        } else {
            format!("{explain} says why it is as it is")
        }];
        if self.output.as_ref().is_some_and(|output| output.removed) {
            next_step.push("the output was removed for room".to_owned());
        }
        next_step.extend(rest.map(|rest| format!("all of the output: {rest}")));
        next_step.extend(next.as_ref().map(|next| {
            format!("older runs: {}", step("run_logs", &json!({ "job": self.name, "before": next })))
        }));
        let next_step = next_step.join("; ");
        ToldLogs { job: self.job, name: self.name, runs, next, output, errors, said, next_step }
    }
}

impl Render for Logs {
    fn render(&self, page: &mut Page) {
        if self.runs.is_empty() {
            page.line(format!("{} has not run yet. `converge explain {}` says why.", self.name, self.name));
            return;
        }
        let rows: Vec<_> = self.runs.iter().map(|run| run.cells(page)).collect();
        page.table(&RUN_HEAD, &rows);
        if self.next.is_some() {
            page.line(page.tone("There are older runs: `--limit` shows more.", Tone::Faint));
        }
        let Some(output) = &self.output else { return };
        if output.removed {
            page.line(
                page.tone(&format!("The output of run {} was removed for room.", output.run), Tone::Faint),
            );
        }
        let said = output.said.clone().unwrap_or_default();
        for (stream, text) in [("output", &output.stdout), ("errors", &output.stderr), ("last words", &said)]
        {
            // Often they are all there is to see.
            if text.is_empty() || (stream == "last words" && output.stdout.contains(text.as_str())) {
                continue;
            }
            page.gap();
            let more = if output.cut { ", its end" } else { "" };
            let attempt =
                if output.attempt > 1 { format!(", attempt {}", output.attempt) } else { String::new() };
            page.line(page.tone(&format!("{stream} of run {}{attempt}{more}", output.run), Tone::Faint));
            for line in text.lines() {
                page.line(printable(line));
            }
        }
    }
}

/// A line without what would move the cursor or change the terminal.
pub fn printable(line: &str) -> String {
    line.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect()
}
