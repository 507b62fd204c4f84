//! The terminal: how wide it is, whether it has colour, and everything that is written to it.
#![expect(
    clippy::disallowed_methods,
    reason = "a terminal is told by the environment, and its spinner by the clock"
)]

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::builder::StyledStr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::command::Entry;
use crate::command::columns;
use crate::command::page::{Colour, Page, Tone};
use crate::core::refusal::Refusal;

/// Where this process writes to.
#[derive(Debug)]
pub(super) struct Terminal {
    form: Form,
    width: u16,
    out: Colour,
    err: Colour,
    /// Whether somebody is watching both streams, so that a spinner makes sense.
    watched: bool,
}

/// How replies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The width when there is no terminal to ask.
const WIDTH: u16 = 100;

impl Terminal {
    /// What this process writes to.
    pub(super) fn of_this_process(form: Form) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = |is_terminal: bool| if is_terminal && !plain { Colour::On } else { Colour::Off };
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = terminal_size::terminal_size().map(|(width, _)| width.0).or(columns);
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            form,
            width: width.unwrap_or(WIDTH),
            out: colour(out),
            err: colour(err),
            watched: out && err && !plain,
        }
    }

    /// Whether replies are written for programs.
    pub(super) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// An empty page that fits.
    pub(super) fn page(&self) -> Page {
        Page::new(self.width, self.out, TimeZone::system(), now())
    }

    /// Shows a reply.
    pub(super) fn show(&self, entry: &Entry, reply: &Json) {
        if self.is_json() {
            self.document(reply);
        } else {
            self.show_unless_json(entry, reply);
        }
    }

    /// Writes a document for programs.
    #[expect(clippy::unused_self, reason = "what is written goes by the terminal")]
    pub(super) fn document(&self, document: &Json) {
        write(&format!("{}\n", serde_json::to_string_pretty(document).expect("it is plain data")));
    }

    /// Shows a reply to people; programs get another one later.
    pub(super) fn show_unless_json(&self, entry: &Entry, reply: &Json) {
        if self.is_json() {
            return;
        }
        let mut page = self.page();
        match (entry.render)(reply, &mut page) {
            Ok(()) => write(&page.finish()),
            Err(_) => write(&format!("{reply}\n")),
        }
    }

    /// Says no: on standard error for people, as the reply itself for programs.
    pub(super) fn refuse(&self, refusal: &Refusal) {
        if self.is_json() {
            // Every field is there, so that a program need not ask whether it is.
            let error = json!({
                "code": refusal.code,
                "message": refusal.message,
                "problems": refusal.problems,
                "hint": refusal.hint,
            });
            let document =
                serde_json::to_string_pretty(&json!({ "error": error })).expect("a refusal is plain data");
            return write(&format!("{document}\n"));
        }
        let page = Page::new(self.width, self.err, TimeZone::system(), now());
        let mut text = format!("{} {}\n", page.tone("error:", Tone::Bad), as_flags(refusal));
        if let Some(hint) = &refusal.hint {
            writeln!(text, "{} {hint}", page.tone("hint:", Tone::Strong)).expect("a string takes any text");
        }
        complain(&text);
    }

    /// Text of clap, with colour if the terminal has it.
    pub(super) fn styled(&self, text: &StyledStr) -> String {
        if self.out == Colour::On { text.ansi().to_string() } else { text.to_string() }
    }

    /// Text of clap for standard error.
    pub(super) fn styled_error(&self, text: &StyledStr) -> String {
        if self.err == Colour::On { text.ansi().to_string() } else { text.to_string() }
    }

    /// A spinner, which shows only where somebody is watching.
    pub(super) fn spinner(&self) -> Spinner<'_> {
        let watched = self.watched && !self.is_json();
        Spinner { terminal: self, watched, since: Instant::now(), shown: false }
    }
}

/// The refusal as it reads on a command line: a place that is a flag is written like one.
fn as_flags(refusal: &Refusal) -> Refusal {
    let mut shown = refusal.clone();
    for problem in &mut shown.problems {
        let field = problem.place.split(['.', '[']).next().unwrap_or_default();
        let is_flag = !field.is_empty() && !["name", "job", "jobs", "argv", "condition"].contains(&field);
        if is_flag {
            let rest = &problem.place[field.len()..];
            let flag = if field == "checks" { "check".to_owned() } else { field.replace('_', "-") };
            problem.place = format!("--{flag}{}", rest.replace(".column ", " column "));
        }
    }
    match shown.problems.as_slice() {
        [one] if refusal.message.starts_with(&refusal.problems[0].place) => {
            shown.message = format!("{}: {}", one.place, one.message);
        }
        _ => {}
    }
    shown
}

/// A line that says what is waited for and for how long.
pub(super) struct Spinner<'a> {
    terminal: &'a Terminal,
    watched: bool,
    since: Instant,
    shown: bool,
}

const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How long one frame stays.
const FRAME: Duration = Duration::from_millis(100);

impl Spinner<'_> {
    /// Starts counting anew.
    pub(super) fn restart(&mut self) {
        self.since = Instant::now();
    }

    /// How long to wait between two turns.
    pub(super) fn patience(&self, otherwise: Duration) -> Duration {
        if self.watched { FRAME } else { otherwise }
    }

    /// Shows the next frame.
    pub(super) fn turn(&mut self, text: &str) {
        if !self.watched {
            return;
        }
        let elapsed = self.since.elapsed();
        let place = elapsed.as_millis() / FRAME.as_millis() % FRAMES.len() as u128;
        let frame = FRAMES[usize::try_from(place).unwrap_or(0)];
        let line: String = format!("{frame} {text} · {}s", elapsed.as_secs());
        let line = columns::beginning(&line, usize::from(self.terminal.width).saturating_sub(1));
        complain(&format!("\r{line}\u{1b}[K"));
        self.shown = true;
    }

    /// Takes the line away, before something else is written.
    pub(super) fn clear(&mut self) {
        if self.shown {
            complain("\r\u{1b}[K");
            self.shown = false;
        }
    }
}

impl Drop for Spinner<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Writes to standard output; a reader that went away has read enough.
pub(super) fn write(text: &str) {
    write_bytes(text.as_bytes());
}

/// Writes bytes as they are.
pub(super) fn write_bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes to standard error.
pub(super) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes());
}

/// The instant it is, for saying how far others are.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
