//! Pages: replies as people read them, with or without colour, in any width.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::{columns, table};
use crate::core::span::Span;

/// A page that is being written.
#[derive(Debug)]
pub struct Page {
    text: String,
    width: u16,
    colour: Colour,
    zone: TimeZone,
    now: Timestamp,
}

/// Whether a page has colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// It has.
    On,
    /// It has none.
    Off,
}

/// What a text is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Standing out.
    Strong,
    /// Standing back.
    Faint,
    /// Went well.
    Good,
    /// Went badly.
    Bad,
    /// Under way, or in need of somebody.
    Busy,
}

impl Page {
    /// An empty page.
    pub fn new(width: u16, colour: Colour, zone: TimeZone, now: Timestamp) -> Self {
        Self { text: String::new(), width: width.clamp(40, 240), colour, zone, now }
    }

    /// What is on it.
    pub fn finish(self) -> String {
        self.text
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref().trim_end());
        self.text.push('\n');
    }

    /// Adds an empty line, unless there is one or nothing yet.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a paragraph, broken between words to the page's width, with later lines indented.
    pub fn wrapped(&mut self, text: &str, indent: &str) {
        let width = usize::from(self.width);
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && columns::of(&line) + 1 + columns::of(word) > width {
                self.line(&line);
                line = format!("{indent}{word}");
            } else {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        self.line(line);
    }

    /// Adds lines of a name and what it is.
    pub fn fields(&mut self, fields: &[(&str, String)]) {
        let widest = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            let label = self.tone(&format!("{name:widest$}"), Tone::Faint);
            let indent = " ".repeat(widest + 4);
            let room = usize::from(self.width).saturating_sub(indent.len());
            let mut lines = value.lines().flat_map(|line| table::broken(line, room));
            let first = lines.next().unwrap_or_default();
            self.line(format!("  {label}  {first}"));
            for more in lines {
                self.line(format!("{indent}{more}"));
            }
        }
    }

    /// Adds a table without rules; cells are broken when the page is narrow.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let head: Vec<String> = head.iter().map(|cell| self.tone(cell, Tone::Faint)).collect();
        for line in table::lay_out(&head, rows, usize::from(self.width)) {
            self.line(line);
        }
    }

    /// As much of a text as fits behind `used` columns, with an ellipsis where it is cut.
    pub fn cut(&self, text: &str, used: usize) -> String {
        let room = usize::from(self.width).saturating_sub(used);
        if columns::of(text) <= room {
            return text.to_owned();
        }
        let kept = columns::beginning(text, room.saturating_sub(1));
        if kept.is_empty() { String::new() } else { format!("{kept}…") }
    }

    /// A text in its tone.
    pub fn tone(&self, text: &str, tone: Tone) -> String {
        let style = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Busy => AnsiColor::Yellow.on_default(),
        };
        match self.colour {
            Colour::Off => text.to_owned(),
            Colour::On => format!("{style}{text}{style:#}"),
        }
    }

    /// A state in the tone that fits it; `not_yet` reads as two words.
    pub fn state(&self, state: &str) -> String {
        let tone = match state {
            "active" | "completed" | "succeeded" => Tone::Good,
            "failed" | "timed_out" | "lost" => Tone::Bad,
            "paused" | "running" | "waiting" | "claimed" | "not_yet" | "evaluating" | "stopping" => {
                Tone::Busy
            }
            _ => Tone::Plain,
        };
        // Word by word, so that a cell can be broken between them.
        state.split('_').map(|word| self.tone(word, tone)).collect::<Vec<_>>().join(" ")
    }

    /// An instant and how far it is: `2026-11-20 08:00:05 CET, in 4m`.
    pub fn instant(&self, at: Timestamp) -> String {
        format!("{}, {}", self.clock(at), self.distance(at))
    }

    /// An instant in the page's zone, without its date when that is today's.
    pub fn clock(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let today = self.now.to_zoned(self.zone.clone()).date();
        let mut text = String::new();
        if zoned.date() != today {
            write!(text, "{} ", zoned.date()).expect("a string takes any text");
        }
        write!(text, "{} {}", zoned.strftime("%H:%M:%S"), zoned.strftime("%Z"))
            .expect("a string takes any text");
        text
    }

    /// How far an instant is: `in 4m`, `2h ago`, `now`.
    pub fn distance(&self, at: Timestamp) -> String {
        let ahead = Span::between(self.now, at);
        let behind = Span::between(at, self.now);
        if ahead.as_ms() >= 500 {
            format!("in {}", coarse(ahead))
        } else if behind.as_ms() >= 1000 {
            format!("{} ago", coarse(behind))
        } else {
            "now".to_owned()
        }
    }

    /// How long it was from one instant to another.
    pub fn took(from: Timestamp, to: Timestamp) -> String {
        coarse(Span::between(from, to))
    }
}

/// A word of the wire as it reads in prose.
pub fn words(word: &str) -> String {
    word.replace('_', " ")
}

/// A span with its two largest units, and below ten seconds with tenths.
fn coarse(span: Span) -> String {
    let ms = span.as_ms();
    if ms < 1000 {
        return format!("{ms}ms");
    }
    if ms < 10_000 {
        return format!("{}.{}s", ms / 1000, ms % 1000 / 100);
    }
    let seconds = ms / 1000;
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let mut text = String::new();
    for (count, unit) in parts[first..].iter().take(2).filter(|(count, _)| *count > 0) {
        write!(text, "{count}{unit}").expect("a string takes any text");
    }
    text
}
