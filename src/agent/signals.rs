//! Signals: what a run of an agent said about itself.

use crate::agent::output::Counts;
use crate::agent::reset::Reset;
use crate::core::reading::{Dollars, Tokens};

/// All that was read from the output of one run. What was not said stays unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signals {
    /// The conversation, by which it can go on.
    pub session: Option<String>,
    /// What the agent said in the end.
    pub result: Option<String>,
    /// That as JSON text, where a document was asked for.
    pub structured: Option<String>,
    /// Tokens.
    pub tokens: Option<Tokens>,
    /// Dollars.
    pub cost: Option<f64>,
    /// The model that was asked.
    pub model: Option<String>,
    /// How much of the model's window is full, in tokens.
    pub context: Option<u64>,
    /// How much the window holds, in tokens.
    pub window: Option<u64>,
    /// How often the model was asked.
    pub turns: Option<u64>,
    /// What was not allowed, each once.
    pub denials: Vec<String>,
    /// What went wrong.
    pub errors: Vec<String>,
    /// The kinds of error, in the CLI's words.
    pub kinds: Vec<String>,
    /// Statuses of the service's answers.
    pub statuses: Vec<i64>,
    /// What went wrong and was tried again, with no progress since.
    pub retry: Option<String>,
    /// When a quota is there again, where an event says so.
    pub reset: Option<Reset>,
    /// The end of what it wrote besides events: plain lines, and standard error.
    pub complaints: String,
    /// How many lines were progress.
    pub progress: u64,
    /// How the lines of the output were.
    pub lines: Lines,
}

/// How many lines were of which kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Events that mean something.
    pub known: u64,
    /// Events that mean nothing here.
    pub unknown: u64,
    /// No JSON.
    pub plain: u64,
    /// Cut off, too long or too deep.
    pub broken: u64,
}

impl Signals {
    /// Whether there were events and none of them meant anything, as when a new version says it all otherwise.
    pub fn is_strange(&self) -> bool {
        self.lines.known == 0 && self.lines.unknown + self.lines.plain + self.lines.broken > 0
    }

    /// Whether it neither gave an answer, nor told what it was not allowed, nor what it used, which come at the end.
    pub fn is_open(&self) -> bool {
        self.result.is_none() && self.denials.is_empty() && self.tokens.is_none() && self.cost.is_none()
    }

    /// Whether it wrote no line at all to its standard output.
    pub fn is_silent(&self) -> bool {
        self.lines == Lines::default() && self.result.is_none()
    }

    /// What the run itself used, when `before` is what its conversation had used up to then.
    ///
    /// A counter that went backwards says nothing about the run.
    pub fn tokens_since(&self, counts: Counts, before: Option<Tokens>) -> Option<Tokens> {
        let now = self.tokens?;
        match (counts, before) {
            (Counts::Part | Counts::Run, _) | (Counts::Session, None) => Some(now),
            (Counts::Session, Some(before)) => Some(Tokens {
                input: now.input.checked_sub(before.input)?,
                cached_input: now.cached_input.checked_sub(before.cached_input)?,
                cache_writes: now.cache_writes.checked_sub(before.cache_writes)?,
                output: now.output.checked_sub(before.output)?,
            }),
        }
    }

    /// What the run itself cost, when `before` is what its conversation had cost up to then.
    pub fn cost_since(&self, counts: Counts, before: Option<Dollars>) -> Option<Dollars> {
        let now = self.dollars()?;
        match (counts, before) {
            (Counts::Part | Counts::Run, _) | (Counts::Session, None) => Some(now),
            (Counts::Session, Some(before)) => now.0.checked_sub(before.0).map(Dollars),
        }
    }

    /// What it tells of its cost.
    pub fn dollars(&self) -> Option<Dollars> {
        self.cost.and_then(Dollars::of)
    }
}
