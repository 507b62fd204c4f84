//! Interpreting: from the bytes that a CLI writes to what it says about its run.
//!
//! Output comes in pieces of any size and may end anywhere. Events that mean nothing here are skipped, lines
//! that are no JSON are kept as text, and what is too long or too deep is passed over. Each byte is looked at
//! a bounded number of times, and what is kept of it all has a bound too.

use std::mem;

use regex::bytes::Regex;
use serde_json::Value as Json;

use crate::agent::lines::{LINE_MAX, Line, Lines};
use crate::agent::manifest::Manifest;
use crate::agent::outline::Outline;
use crate::agent::output::{Counts, EventRule, Form};
use crate::agent::place::Spot;
use crate::agent::reset::Reset;
use crate::agent::rules::Rules;
use crate::agent::signals::Signals;
use crate::agent::take::Take;
use crate::core::reading::Tokens;

/// So much is kept of what is no event, and of a result.
const TEXT_MAX: usize = 1 << 20;

/// So much is kept of what a CLI complains of.
const COMPLAINTS_MAX: usize = 64 << 10;

/// So long may an error or a denial be, and the name of a conversation.
const SAYING_MAX: usize = 8 << 10;

/// So many errors and denials are kept.
const SAYINGS_MAX: usize = 50;

/// Reads the output of one run as it comes.
pub struct Interpreter<'m> {
    manifest: &'m Manifest,
    signals: Signals,
    /// What is read of an event.
    outline: Outline,
    rules: Rules<'m>,
    /// What is in each line of progress.
    progress: Regex,
    lines: Lines,
    /// The beginning of a document.
    begun: Vec<u8>,
    /// Whether the next piece of a result goes behind the one before.
    continues: bool,
    /// Standard output as text, for as long as no event of it means anything.
    raw: Tail,
    complaints: Tail,
}

impl<'m> Interpreter<'m> {
    /// Has read nothing yet.
    pub fn new(manifest: &'m Manifest) -> Self {
        let output = &manifest.output;
        let progress: Vec<String> = output.progress.iter().map(|text| regex::escape(text)).collect();
        // Without any, no line is progress: this fits nothing.
        let progress = if progress.is_empty() { r"[^\s\S]".to_owned() } else { progress.join("|") };
        Self {
            manifest,
            signals: Signals::default(),
            outline: Outline::of(output.events.iter().flat_map(|rule| rule.places(|take| !take.is_shown()))),
            rules: Rules::of(&output.events),
            progress: Regex::new(&progress).expect("every letter stands for itself"),
            lines: Lines::default(),
            begun: Vec::new(),
            continues: false,
            raw: Tail::of(TEXT_MAX),
            complaints: Tail::of(COMPLAINTS_MAX),
        }
    }

    /// Reads more of standard output.
    pub fn stdout(&mut self, bytes: &[u8]) {
        if self.signals.lines.known == 0 {
            self.raw.push(bytes);
        }
        match self.manifest.output.form {
            Form::Text => {}
            Form::Document => {
                let room = LINE_MAX.saturating_sub(self.begun.len());
                self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Form::Lines => {
                let mut lines = mem::take(&mut self.lines);
                let outline = mem::take(&mut self.outline);
                lines.push(bytes, |line| self.line(line, &outline));
                (self.lines, self.outline) = (lines, outline);
            }
        }
    }

    /// Reads more of standard error.
    pub fn stderr(&mut self, bytes: &[u8]) {
        self.complaints.push(bytes);
    }

    /// What was said, when there is no more.
    pub fn end(mut self) -> Signals {
        match self.manifest.output.form {
            Form::Text => {}
            Form::Document => self.document(),
            Form::Lines => {
                let outline = mem::take(&mut self.outline);
                mem::take(&mut self.lines).end(|line| self.line(line, &outline));
            }
        }
        let raw = self.raw.text();
        let is_text = self.manifest.output.form == Form::Text || self.signals.is_strange();
        if is_text && self.signals.result.is_none() && !raw.trim().is_empty() {
            self.signals.result = Some(raw.trim().to_owned());
        }
        // No model works for nothing: a price that is not known is told as none.
        if self.signals.cost.is_some_and(|cost| cost <= 0.0) && self.signals.tokens.is_some_and(Tokens::any) {
            self.signals.cost = None;
        }
        self.signals.window = self.signals.window.or(self.manifest.output.window);
        self.signals.complaints = self.complaints.text();
        self.signals
    }

    fn line(&mut self, line: Line<'_>, outline: &Outline) {
        let Line::Whole(line) = line else {
            self.signals.lines.broken += 1;
            return;
        };
        let text = line.trim_ascii();
        if text.starts_with(b"{") {
            if self.progress.is_match(text) {
                self.signals.progress += 1;
                // Whatever it was that had to be tried again, it got on.
                self.signals.retry = None;
            }
            match outline.read(text) {
                Ok(event) => {
                    self.event(Spot::of(&event));
                }
                Err(_) => self.signals.lines.broken += 1,
            }
        } else if !text.is_empty() {
            self.signals.lines.plain += 1;
            self.complaints.push(line);
        }
    }

    /// Reads all of standard output as one document.
    fn document(&mut self) {
        let bytes = std::mem::take(&mut self.begun);
        let start = bytes.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(bytes.len());
        match serde_json::from_slice(&bytes[start..]) {
            Ok(Json::Array(events)) => {
                for event in &events {
                    self.event(Spot::Json(event));
                }
            }
            Ok(event) => {
                self.event(Spot::Json(&event));
            }
            Err(_) if bytes.trim_ascii().is_empty() => {}
            Err(_) => {
                self.signals.lines.broken += 1;
                self.complaints.push(&bytes);
            }
        }
    }

    /// Reads an event; says whether it means anything.
    pub(super) fn event(&mut self, event: Spot<'_>) -> bool {
        let mut is_known = false;
        for rule in self.rules.that_fit(event) {
            is_known = true;
            self.read(rule, event);
        }
        if is_known {
            self.signals.lines.known += 1;
            self.raw = Tail::of(TEXT_MAX);
        } else {
            self.signals.lines.unknown += 1;
        }
        is_known
    }

    fn read(&mut self, rule: &EventRule, event: Spot<'_>) {
        if rule.restart {
            self.continues = false;
        }
        for (_, part) in rule.parts(event) {
            let mut context = None;
            for (take, place) in &rule.take {
                for found in place.find(part).into_iter().filter(|found| !found.is_null()) {
                    match (take, found.as_u64()) {
                        (Take::Context, Some(tokens)) => {
                            context = Some(context.unwrap_or(0_u64).saturating_add(tokens));
                        }
                        _ => self.take(*take, found),
                    }
                }
            }
            // An event that the CLI made up itself fills nothing.
            self.signals.context = context.filter(|tokens| *tokens > 0).or(self.signals.context);
        }
    }

    fn take(&mut self, take: Take, found: &Json) {
        let counts = self.manifest.output.tokens;
        match take {
            Take::Session => self.signals.session = saying(found).or(self.signals.session.take()),
            Take::Result => {
                self.continues = false;
                self.say(found);
            }
            Take::Delta => self.say(found),
            Take::Structured => self.signals.structured = document(found),
            Take::Input => self.count(found, counts, |tokens| &mut tokens.input),
            Take::CachedInput => self.count(found, counts, |tokens| &mut tokens.cached_input),
            Take::CacheWrites => self.count(found, counts, |tokens| &mut tokens.cache_writes),
            Take::Output => self.count(found, counts, |tokens| &mut tokens.output),
            Take::Cost => {
                let Some(cost) = found.as_f64().filter(|cost| *cost >= 0.0 && cost.is_finite()) else {
                    return;
                };
                let before = self.signals.cost.filter(|_| self.manifest.output.cost == Counts::Part);
                self.signals.cost = Some(before.unwrap_or_default() + cost);
            }
            Take::Turns => self.signals.turns = found.as_u64().or(self.signals.turns),
            Take::Denial => keep(&mut self.signals.denials, saying(found)),
            Take::Error => keep(&mut self.signals.errors, saying(found)),
            Take::Kind => keep(&mut self.signals.kinds, saying(found)),
            Take::Status => {
                let status = found.as_i64().or_else(|| found.as_str()?.parse().ok());
                if let Some(status) = status
                    && self.signals.statuses.len() < SAYINGS_MAX
                {
                    self.signals.statuses.push(status);
                }
            }
            Take::Retry => self.signals.retry = saying(found).or(self.signals.retry.take()),
            Take::ResetEpoch => {
                self.signals.reset = found.as_i64().and_then(Reset::epoch).or(self.signals.reset.take());
            }
            Take::Model => self.signals.model = saying(found).or(self.signals.model.take()),
            Take::Window => self.signals.window = self.signals.window.max(found.as_u64()),
            // The sum is taken of the event, and the rest is for those who watch.
            Take::Context
            | Take::Text
            | Take::Piece
            | Take::Tool
            | Take::ToolInput
            | Take::ToolResult
            | Take::ToolFailed
            | Take::Complaint => {}
        }
    }

    /// Takes a result, or a further piece of one.
    fn say(&mut self, found: &Json) {
        let Some(text) = found.as_str() else { return };
        let result = self.signals.result.get_or_insert_default();
        if !std::mem::replace(&mut self.continues, true) {
            result.clear();
        }
        let room = TEXT_MAX.saturating_sub(result.len());
        result.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn count(&mut self, found: &Json, counts: Counts, part: fn(&mut Tokens) -> &mut u64) {
        let Some(number) = found.as_u64() else { return };
        let kept = part(self.signals.tokens.get_or_insert_default());
        *kept = match counts {
            Counts::Part => kept.saturating_add(number),
            Counts::Run | Counts::Session => number,
        };
    }
}

/// A document as JSON text; half of one that is too long would be none.
fn document(found: &Json) -> Option<String> {
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    (text.len() <= TEXT_MAX).then_some(text)
}

/// A text as it is kept; anything else as JSON.
fn saying(found: &Json) -> Option<String> {
    let mut text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    text.truncate(text.floor_char_boundary(SAYING_MAX));
    (!text.is_empty()).then_some(text)
}

/// Keeps what is not there yet; of too many, the newest.
fn keep(sayings: &mut Vec<String>, saying: Option<String>) {
    let Some(saying) = saying.filter(|saying| !sayings.contains(saying)) else { return };
    if sayings.len() == SAYINGS_MAX {
        sayings.remove(0);
    }
    sayings.push(saying);
}

/// The end of a stream.
struct Tail {
    bytes: Vec<u8>,
    most: usize,
}

impl Tail {
    fn of(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = &bytes[bytes.len().saturating_sub(self.most)..];
        self.bytes.extend_from_slice(end);
        // Seldom, or every byte would be moved once for each piece that follows it.
        if self.bytes.len() > 2 * self.most {
            self.bytes.drain(..self.bytes.len() - self.most);
        }
    }

    fn text(&self) -> String {
        let end = &self.bytes[self.bytes.len().saturating_sub(self.most)..];
        String::from_utf8_lossy(end).into_owned()
    }
}
