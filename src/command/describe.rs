//! Sentences about a job: what it runs, when, until when.

use jiff::Timestamp;

use crate::command::{define, spent};
use crate::core::assignment::Prompt;
use crate::core::definition::{Definition, Limits, Target};
use crate::core::goal::{Goal, UNTIL};
use crate::core::process::Command;
use crate::core::reading::Dollars;
use crate::core::schedule::{Anchor, Schedule};
use crate::core::span::Span;
use crate::core::task::course::Wait;

/// What is executed, in one line. Of a prompt that is only how long it is, or in which file: it may say what is
/// nobody else's business.
pub fn target(target: &Target) -> String {
    match target {
        Target::Command(line) => command(line),
        Target::Agent(assignment) => {
            let chain: Vec<String> = assignment.chain.iter().map(ToString::to_string).collect();
            let prompt = match &assignment.prompt {
                Prompt::Text(text) => match text.trim().lines().count() {
                    1 => "a prompt of 1 line".to_owned(),
                    count => format!("a prompt of {count} lines"),
                },
                Prompt::File(path) => define::shorten(path),
            };
            format!("{}: {prompt}", chain.join(", "))
        }
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Shell(line) => line.clone(),
        Command::Argv(argv) => argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word as a shell would read it back.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// When it starts: `every 5m`, `in a loop, 5m after each end`.
pub fn schedule(schedule: &Schedule, zone: &str) -> String {
    match schedule {
        Schedule::Every { span, anchor: Anchor::Rate } => format!("every {span}"),
        Schedule::Every { span, anchor: Anchor::Delay } => {
            format!("every {span} after each end")
        }
        Schedule::At(at) => format!("once, at {}", instant(*at, zone)),
        Schedule::Loop { wait } => format!("in a loop, {wait} after each end"),
        Schedule::Manual => "only by `converge run-now`".to_owned(),
    }
}

/// An instant in the zone of a job.
pub fn instant(at: Timestamp, zone: &str) -> String {
    match at.in_tz(zone) {
        Ok(zoned) => {
            let short = zoned.strftime("%Z").to_string();
            let name = if zone.ends_with(&short) { String::new() } else { format!(" {zone}") };
            format!("{} {short}{name}", zoned.strftime("%Y-%m-%d %H:%M:%S"))
        }
        Err(_) => at.to_string(),
    }
}

/// When it is done, as criteria that read back.
pub fn goal(goal: &Goal) -> Vec<String> {
    let line = |criterion: &crate::core::goal::Criterion| {
        if criterion.name == UNTIL {
            criterion.condition.to_string()
        } else {
            format!("{}: {}", criterion.name, criterion.condition)
        }
    };
    goal.criteria.iter().map(line).collect()
}

/// What keeps a run from starting or from going on, and until when.
pub fn wait(why: &Wait, due_at: Option<Timestamp>) -> String {
    let until = due_at.map(|at| format!("{at:.0}")).unwrap_or_default();
    match why {
        Wait::Quota { purse, is_stated: true } => format!("{purse} has used up its quota, until {until}"),
        Wait::Quota { purse, is_stated: false } => {
            format!("{purse} has used up its quota and did not say until when; tried again {until}")
        }
        Wait::Tree { holder } => format!("run {holder} works in the same tree"),
        Wait::Account { purse } => format!("{purse} has as many runs as it may"),
    }
}

/// One of the things that end a job without its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many runs.
    Runs(u32),
    /// So long after its first run.
    Span(Span),
    /// So many tokens of all its runs.
    Tokens(u64),
    /// So much money for all its runs.
    Dollars(Dollars),
    /// An instant, at which a run under way is cut.
    Deadline(Timestamp),
    /// An instant after which nothing starts.
    EndBound(Timestamp),
}

/// What ends a job without its goal.
pub fn limits(definition: &Definition) -> Vec<Limit> {
    let Limits { runs, span, deadline, tokens, dollars, breaker: _ } = &definition.limits;
    let limits = [
        runs.map(Limit::Runs),
        span.map(Limit::Span),
        tokens.map(Limit::Tokens),
        dollars.map(Limit::Dollars),
        deadline.map(Limit::Deadline),
        definition.ends_at.map(Limit::EndBound),
    ];
    limits.into_iter().flatten().collect()
}

impl Limit {
    /// As an item of a list: `10 runs`, `3h after its first run`.
    pub fn item(self, zone: &str) -> String {
        match self {
            Self::Runs(1) => "1 run".to_owned(),
            Self::Runs(runs) => format!("{runs} runs"),
            Self::Span(span) => format!("{span} after its first run"),
            Self::Tokens(tokens) => format!("{} tokens", spent::count(tokens)),
            Self::Dollars(dollars) => dollars.to_string(),
            Self::Deadline(at) => format!("the deadline {}", instant(at, zone)),
            Self::EndBound(at) => format!("its end bound {}", instant(at, zone)),
        }
    }

    /// As what becomes of the job: `given up after 10 runs`.
    pub fn sentence(self, zone: &str) -> String {
        let item = self.item(zone);
        match self {
            Self::Runs(_) | Self::Tokens(_) | Self::Dollars(_) => format!("given up after {item}"),
            Self::Span(_) => format!("given up {item}"),
            Self::Deadline(_) | Self::EndBound(_) => format!("given up at {item}"),
        }
    }
}
