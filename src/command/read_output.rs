//! `read_output`: what a run wrote, from a place on; for following it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::page::Page;
use crate::command::tell::Tell;
use crate::command::view::RunView;
use crate::command::{Access, Cli, Command, Context, Render, SLICE_MOST, fence, readable, run_logs, select};
use crate::core::process::ProcessKey;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::engine::work::output::{self, Chunk, Stream};
use crate::store::tasks;

/// Reads the output of a run.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadOutput {
    /// The run's id
    pub run: String,
    /// The attempt; the newest, unless said
    #[arg(long)]
    pub attempt: Option<u32>,
    /// Standard error instead of standard output
    #[arg(long)]
    pub stderr: bool,
    /// One character a byte, whatever the bytes mean
    #[arg(long)]
    pub raw: bool,
    /// The byte to start at
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// Waits so many milliseconds at most for more
    #[arg(long, default_value_t = 0)]
    pub wait_ms: u64,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The run it is of.
    pub run: RunView,
    /// The attempt it is of.
    pub attempt: u32,
    /// The agent that wrote it; none when it was a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether that is of standard error.
    #[serde(default)]
    pub stderr: bool,
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// Where to read on.
    pub next: u64,
    /// How much was written so far.
    pub total: u64,
}

/// How much is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// How much a model is given at once: each byte may become two characters of JSON.
const MODEL_PIECE_BYTES: usize = 4 * 1024;

/// How often a growing file is looked at.
const LOOK: Duration = Duration::from_millis(100);

impl Command for ReadOutput {
    const NAME: &'static str = "read_output";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[];
    type Reply = Output;

    fn run(self, cx: &Context<'_>) -> Result<Output, Refusal> {
        let id = select::run(cx, &self.run)?;
        let most = if cx.is_model() { MODEL_PIECE_BYTES } else { PIECE_BYTES };
        let until = Span::from_ms(self.wait_ms).min(SLICE_MOST).after(cx.now());
        loop {
            let seen = cx.house.engine.generation();
            let stored = cx.read(|tx| tasks::get(tx, id))?;
            let gone = || Refusal::new(Code::NotFound, format!("{id} was removed meanwhile"));
            let task = stored.ok_or_else(gone)?.task;
            let attempt = run_logs::attempt_of(&task, self.attempt)?;
            let stream = if self.stderr { Stream::Stderr } else { Stream::Stdout };
            let key = ProcessKey::attempt(id, attempt);
            let piece = output::read(&cx.house.places.runs, key, stream, self.from, most);
            let piece = piece.map_err(|error| {
                Refusal::new(Code::Unavailable, format!("the output cannot be read: {error}"))
            })?;
            let run = RunView::of(&task);
            if !piece.bytes.is_empty() || run.is_over() || attempt != task.claims || cx.now() >= until {
                let (text, next) =
                    if self.raw { (one_each(&piece.bytes), piece.next) } else { whole_text(&piece) };
                let agent = readable::agent_of(cx, &task, attempt)?;
                return Ok(Output {
                    run,
                    attempt,
                    agent,
                    stderr: self.stderr,
                    text,
                    next,
                    total: piece.total,
                });
            }
            cx.house.engine.changed_since(seen, LOOK);
        }
    }
}

/// The bytes as characters of the same number.
fn one_each(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A part as text, without the beginning of a character that is cut off at the end, and where to read on.
///
/// Counted back from where the part ends: what was cut out of the middle makes it longer than its bytes.
fn whole_text(piece: &Chunk) -> (String, u64) {
    let bytes = &piece.bytes;
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    };
    let begun = (bytes.len() - whole) as u64;
    (String::from_utf8_lossy(&bytes[..whole]).into_owned(), piece.next - begun)
}

/// A piece of output, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldOutput {
    run: String,
    state: String,
    attempt: u32,
    text: String,
    next: u64,
    total: u64,
}

impl Tell for Output {
    type Told = ToldOutput;

    fn tell(self, _: &Context<'_>) -> ToldOutput {
        let Self { run, attempt, agent: _, stderr, text, next, total } = self;
        let stream = if stderr { "stderr" } else { "stdout" };
        let text = if text.is_empty() { text } else { fence::output(&run.id, stream, &text) };
        ToldOutput { run: run.id, state: run.state, attempt, text, next, total }
    }
}

impl Render for Output {
    fn render(&self, page: &mut Page) {
        for line in self.text.lines() {
            page.line(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], next: u64, text: &str, on: u64) {
        let piece = Chunk { bytes: bytes.to_vec(), next, total: 1_000_000, complete: false };
        assert_eq!(whole_text(&piece), (text.to_owned(), on));
    }

    #[test]
    fn reading_goes_on_behind_what_was_shown_even_across_a_cut() {
        check(b"abc", 3, "abc", 3);
        check("abö".as_bytes(), 4, "abö", 4);
        check(b"ab\xc3", 3, "ab", 2);
        // Of these bytes the middle line stands for a hundred thousand.
        check(b"a\n[cut]\nb", 100_003, "a\n[cut]\nb", 100_003);
        check(b"a\n[cut]\nb\xc3", 100_004, "a\n[cut]\nb", 100_003);
        check(b"\xff\xff", 2, "\u{fffd}\u{fffd}", 2);
    }
}
