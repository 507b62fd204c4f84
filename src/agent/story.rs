//! Stories: what an agent does, for somebody who watches: what it says, what it calls, what it is answered.
//!
//! Output comes in pieces of any size, as to the interpreter. What means nothing is left out; an agent of
//! whose output nothing is understood is shown word for word. Each moment has a bound, and nothing in it acts
//! on a terminal.

mod short;

use std::fmt;
use std::mem;

use serde_json::Value as Json;

use crate::agent::interpret::Interpreter;
use crate::agent::lines::{LINE_MAX, Line, Lines};
use crate::agent::manifest::Manifest;
use crate::agent::outline::Outline;
use crate::agent::output::{Counts, EventRule, Form, Output};
use crate::agent::place::Spot;
use crate::agent::signals::Signals;
use crate::agent::take::Take;
use crate::core::plain::plain;
use crate::core::reading::{Dollars, Tokens};

/// So many characters of what is said are shown at once.
const SAID_MAX: usize = 16 << 10;

/// So many characters of arguments, answers and complaints.
const SHORT_MAX: usize = 200;

/// So many lines that mean nothing are kept until one means something.
const STRANGE_MAX: usize = 64;

/// So many denials are told once each.
const DENIALS_MAX: usize = 50;

/// Something that an agent does, or that happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// It says this.
    Said(String),
    /// It calls a tool.
    Calls {
        /// Which.
        tool: String,
        /// With what, in short.
        with: String,
    },
    /// A tool answers.
    Answered {
        /// Whether it did what it was asked.
        ok: bool,
        /// What it says, in short.
        with: String,
    },
    /// Something is wrong, in short.
    Complains(String),
    /// It came to its end, having used this much as it says itself.
    Ended {
        /// How often the model was asked.
        turns: Option<u64>,
        /// Tokens, and what they count.
        tokens: Option<(Tokens, Counts)>,
        /// Money, and what it counts.
        cost: Option<(Dollars, Counts)>,
    },
}

/// Tells what an agent does as its output comes.
pub struct Story<'m> {
    manifest: &'m Manifest,
    interpreter: Interpreter<'m>,
    outline: Outline,
    lines: Lines,
    /// A document that is not there as a whole.
    begun: Vec<u8>,
    /// Lines that meant nothing, for as long as none meant anything.
    strange: Vec<String>,
    is_understood: bool,
    /// The beginning of what is being said, whose line is not over.
    piece: String,
    /// What was said or complained of last, which is not repeated as a complaint.
    last: String,
    denials: Vec<String>,
    moments: Vec<Moment>,
}

impl<'m> Story<'m> {
    /// Nothing has happened yet.
    pub fn new(manifest: &'m Manifest) -> Self {
        let rules = manifest.output.events.iter();
        Self {
            manifest,
            interpreter: Interpreter::new(manifest),
            outline: Outline::of(rules.flat_map(|rule| rule.places(|_| true))),
            lines: Lines::default(),
            begun: Vec::new(),
            strange: Vec::new(),
            is_understood: false,
            piece: String::new(),
            last: String::new(),
            denials: Vec::new(),
            moments: Vec::new(),
        }
    }

    /// What happens in the next piece of standard output.
    pub fn stdout(&mut self, bytes: &[u8]) -> Vec<Moment> {
        match self.manifest.output.form {
            Form::Document => {
                let room = LINE_MAX.saturating_sub(self.begun.len());
                self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Form::Lines | Form::Text => {
                let mut lines = mem::take(&mut self.lines);
                let outline = mem::take(&mut self.outline);
                lines.push(bytes, |line| self.line(line, &outline));
                (self.lines, self.outline) = (lines, outline);
            }
        }
        mem::take(&mut self.moments)
    }

    /// What happened last, when there is no more output.
    pub fn end(mut self) -> Vec<Moment> {
        match self.manifest.output.form {
            Form::Document => self.document(),
            Form::Lines | Form::Text => {
                let outline = mem::take(&mut self.outline);
                mem::take(&mut self.lines).end(|line| self.line(line, &outline));
            }
        }
        self.finish_piece();
        for line in mem::take(&mut self.strange) {
            self.say(&line);
        }
        self.moments.extend(ended(&self.manifest.output, &self.interpreter.end()));
        self.moments
    }

    fn line(&mut self, line: Line<'_>, outline: &Outline) {
        let Line::Whole(line) = line else { return };
        let text = line.trim_ascii();
        if text.is_empty() {
            return;
        }
        if self.manifest.output.form == Form::Lines && text.starts_with(b"{") {
            match outline.read(text) {
                Ok(event) if self.event(Spot::of(&event)) => {}
                Ok(_) | Err(_) => self.strange(text),
            }
        } else {
            self.finish_piece();
            self.say(&String::from_utf8_lossy(line));
        }
    }

    /// Keeps a line that means nothing, or shows it when it seems that none ever will.
    fn strange(&mut self, line: &[u8]) {
        if self.is_understood {
            return;
        }
        let line = short::cut(&plain(&String::from_utf8_lossy(&line[..line.len().min(SAID_MAX)])), SHORT_MAX);
        self.strange.push(line);
        if self.strange.len() > STRANGE_MAX {
            for line in mem::take(&mut self.strange) {
                self.say(&line);
            }
        }
    }

    fn document(&mut self) {
        let bytes = mem::take(&mut self.begun);
        let start = bytes.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(bytes.len());
        let is_understood = match serde_json::from_slice(&bytes[start..]) {
            Ok(Json::Array(events)) => {
                // All of them, also behind the first that is understood.
                let understood = events.iter().filter(|event| self.event(Spot::Json(event)));
                understood.count() > 0
            }
            Ok(event) => self.event(Spot::Json(&event)),
            Err(_) => false,
        };
        if !is_understood {
            self.say(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Tells an event; says whether it means anything.
    fn event(&mut self, event: Spot<'_>) -> bool {
        if !self.interpreter.event(event) {
            return false;
        }
        self.is_understood = true;
        self.strange.clear();
        let manifest = self.manifest;
        let mut found = Vec::new();
        for rule in manifest.output.events.iter().filter(|rule| rule.fits(event)) {
            for (number, part) in rule.parts(event) {
                found.extend(all_of(rule, part).into_iter().map(|found| (number, found)));
            }
        }
        // As they stand in the event, whichever rules they fit.
        found.sort_by_key(|(number, _)| *number);
        for (_, found) in found {
            self.tell(found);
        }
        true
    }

    fn tell(&mut self, found: Found) {
        if let Found::Piece(piece) = found {
            self.piece.push_str(&piece);
            if let Some((lines, rest)) = self.piece.rsplit_once('\n') {
                let (lines, rest) = (lines.to_owned(), rest.to_owned());
                self.say(&lines);
                self.piece = rest;
            } else if self.piece.len() > SAID_MAX {
                self.finish_piece();
            }
            return;
        }
        self.finish_piece();
        match found {
            Found::Piece(_) => {}
            Found::Text(text) => self.say(&text),
            // A tool has just said so.
            Found::Denial(what) if self.denials.contains(&what) || self.last == what => {}
            Found::Denial(what) => {
                let complaint = format!("not allowed: {what}");
                if self.denials.len() < DENIALS_MAX {
                    self.denials.push(what);
                }
                self.complain(complaint);
            }
            Found::Complaint(what) => self.complain(what),
            Found::Moment(moment) => {
                if let Moment::Answered { with, .. } = &moment {
                    self.last.clone_from(with);
                }
                self.moments.push(moment);
            }
        }
    }

    fn finish_piece(&mut self) {
        let piece = mem::take(&mut self.piece);
        self.say(&piece);
    }

    fn say(&mut self, text: &str) {
        let text = short::end_cut(plain(text).trim(), SAID_MAX);
        if !text.is_empty() {
            self.last = short::of_text(&text, SHORT_MAX);
            self.moments.push(Moment::Said(text));
        }
    }

    fn complain(&mut self, what: String) {
        if !what.is_empty() && self.last != what {
            self.last.clone_from(&what);
            self.moments.push(Moment::Complains(what));
        }
    }
}

/// Something found in an event.
enum Found {
    Moment(Moment),
    Text(String),
    Piece(String),
    Denial(String),
    Complaint(String),
}

/// All that a rule finds in a part of an event.
fn all_of<'e>(rule: &EventRule, part: Spot<'e>) -> Vec<Found> {
    let all = |wanted: Take| -> Vec<&'e Json> {
        let places = rule.take.iter().filter(move |(take, _)| *take == wanted);
        places.flat_map(|(_, place)| place.find(part)).filter(|found| !found.is_null()).collect()
    };
    let shorts = |wanted| all(wanted).into_iter().map(|found| short::of(found, SHORT_MAX));
    let text = |found: &Json| found.as_str().map(str::to_owned);
    let mut found: Vec<Found> = all(Take::Text).into_iter().filter_map(text).map(Found::Text).collect();
    found.extend(all(Take::Piece).into_iter().filter_map(text).map(Found::Piece));
    let inputs = all(Take::ToolInput);
    for (place, tool) in all(Take::Tool).into_iter().enumerate() {
        let with = inputs.get(place).map_or_else(String::new, |input| short::of(input, SHORT_MAX));
        found.push(Found::Moment(Moment::Calls { tool: short::of(tool, SHORT_MAX), with }));
    }
    if rule.take.iter().any(|(take, _)| matches!(take, Take::ToolResult | Take::ToolFailed)) {
        let failures: Vec<&Json> =
            all(Take::ToolFailed).into_iter().filter(|found| says_yes(found)).collect();
        let said = shorts(Take::ToolResult).find(|said| !said.is_empty());
        let why = failures.first().filter(|found| found.is_string() || found.is_object());
        let with = said.or_else(|| why.map(|why| short::of(why, SHORT_MAX))).unwrap_or_default();
        found.push(Found::Moment(Moment::Answered { ok: failures.is_empty(), with }));
    }
    found.extend(shorts(Take::Denial).map(Found::Denial));
    found.extend(shorts(Take::Complaint).map(Found::Complaint));
    found.extend(shorts(Take::Error).map(Found::Complaint));
    found.extend(shorts(Take::Retry).map(Found::Complaint));
    found
}

fn says_yes(found: &Json) -> bool {
    match found {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(members) => !members.is_empty(),
    }
}

/// What it says it used, if it says anything.
fn ended(output: &Output, signals: &Signals) -> Option<Moment> {
    let tokens = signals.tokens.filter(|tokens| tokens.any());
    let cost = signals.cost.and_then(Dollars::of).filter(|cost| *cost != Dollars::default());
    let turns = signals.turns.filter(|turns| *turns > 0);
    (turns.is_some() || tokens.is_some() || cost.is_some()).then_some(Moment::Ended {
        turns,
        tokens: tokens.map(|tokens| (tokens, output.tokens)),
        cost: cost.map(|cost| (cost, output.cost)),
    })
}

/// What a number that an agent tells covers, where that is more than the run.
fn since(counts: Counts) -> &'static str {
    match counts {
        Counts::Part | Counts::Run => "",
        Counts::Session => " since the conversation began",
    }
}

impl fmt::Display for Moment {
    /// A line, and what is said as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(text) => f.write_str(text),
            Self::Calls { tool, with } if with.is_empty() => write!(f, "→ {tool}"),
            Self::Calls { tool, with } => write!(f, "→ {tool}: {with}"),
            Self::Answered { ok: true, with } if with.is_empty() => f.write_str("← done"),
            Self::Answered { ok: true, with } => write!(f, "← {with}"),
            Self::Answered { ok: false, with } if with.is_empty() => f.write_str("✗ failed"),
            Self::Answered { ok: false, with } => write!(f, "✗ {with}"),
            Self::Complains(what) => write!(f, "! {what}"),
            Self::Ended { turns, tokens, cost } => {
                let mut parts = Vec::new();
                parts.extend(turns.map(|turns| match turns {
                    1 => "1 turn".to_owned(),
                    turns => format!("{turns} turns"),
                }));
                parts.extend(tokens.map(|(tokens, counts)| {
                    format!("{} tokens read and {} written{}", tokens.input, tokens.output, since(counts))
                }));
                parts.extend(cost.map(|(cost, counts)| format!("{cost}{}", since(counts))));
                write!(f, "· {}", parts.join(", "))
            }
        }
    }
}
