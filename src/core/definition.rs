//! The definition of a job: what, when, until and how. It never changes; an update makes a new revision.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::assignment::Assignment;
use crate::core::goal::Goal;
use crate::core::process::{Bounds, Command};
use crate::core::reading::{Dollars, Spent};
use crate::core::retry::Retry;
use crate::core::schedule::{Schedule, Start};
use crate::core::span::Span;

/// What a job does, when, until when and how. Its instants are whole milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What is executed.
    // Under this name it is in the fingerprints that jobs were stored with.
    #[serde(rename = "command", alias = "target")]
    pub target: Target,
    /// Where; an absolute path.
    pub cwd: String,
    /// The variables it sees.
    pub environment: Environment,
    /// When it starts.
    pub schedule: Schedule,
    /// When the first start is.
    pub start: Start,
    /// No start before this.
    pub starts_at: Option<Timestamp>,
    /// No start from this on; then the job expires.
    pub ends_at: Option<Timestamp>,
    /// The zone in which instants are shown.
    pub zone: String,
    /// When it is done.
    pub goal: Option<Goal>,
    /// When it is given up.
    pub limits: Limits,
    /// How often one slot is tried again.
    pub retry: Retry,
    /// The bounds of one attempt.
    pub bounds: Bounds,
    /// What a process inside one of its runs may do about jobs.
    #[serde(skip_serializing_if = "RunsMay::is_usual", default)]
    pub runs_may: RunsMay,
}

/// What a process inside a run may do about jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsMay {
    /// Look at them.
    #[default]
    Look,
    /// Make, run and change them too.
    Change,
}

impl RunsMay {
    /// Every word of the set.
    pub const ALL: [Self; 2] = [Self::Look, Self::Change];

    /// The word on every surface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Change => "change",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_usual(&self) -> bool {
        *self == Self::Look
    }
}

/// What a job executes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An agent.
    Agent(Box<Assignment>),
    /// A command.
    #[serde(untagged)]
    Command(Command),
}

impl Target {
    /// What agents are asked to do, when it is agents.
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Agent(assignment) => Some(assignment),
            Self::Command(_) => None,
        }
    }
}

/// The variables a job's processes see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Values as they were when the job was added.
    pub captured: BTreeMap<String, String>,
    /// Names whose values are read at each start.
    pub pass: Vec<String>,
    /// A file of `NAME=value` lines that is read at each start.
    pub env_file: Option<String>,
}

impl Environment {
    /// The variables whose values a job keeps from the shell it was added in.
    pub const CAPTURED: [&str; 7] = ["PATH", "HOME", "USER", "SHELL", "LANG", "TZ", "TMPDIR"];

    /// Captured too, whatever follows.
    pub const CAPTURED_PREFIX: &str = "LC_";

    /// Whether a job keeps the value of this variable from the shell it was added in.
    pub fn captures(name: &str) -> bool {
        Self::CAPTURED.contains(&name) || name.starts_with(Self::CAPTURED_PREFIX)
    }
}

/// When a job is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// At most so many runs.
    pub runs: Option<u32>,
    /// At most this long after its first start.
    pub span: Option<Span>,
    /// At most until this instant.
    pub deadline: Option<Timestamp>,
    /// Pauses after so many runs in a row that could not do their work; 0 is never.
    pub breaker: u32,
    /// At most so many tokens, read and written, of all its runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<u64>,
    /// At most so much money for all its runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dollars: Option<Dollars>,
}

impl Limits {
    /// Which of the budgets is used up by `spent`, in words.
    pub fn used_up(&self, spent: &Spent) -> Option<String> {
        let total = spent.tokens.total();
        let tokens = self.tokens.filter(|most| total >= *most);
        let dollars = self.dollars.filter(|most| spent.dollars >= *most);
        let by_tokens = tokens.map(|most| format!("{total} tokens were used, and {most} are allowed"));
        let about = if spent.is_estimate { "about " } else { "" };
        let by_dollars =
            dollars.map(|most| format!("{about}{} were spent, and {most} are allowed", spent.dollars));
        by_tokens.or(by_dollars)
    }

    /// The instant at which a job that first started at `first_started_at` is given up.
    pub fn time_limit(&self, first_started_at: Option<Timestamp>) -> Option<Timestamp> {
        let span_end = self.span.and_then(|span| first_started_at.map(|first| span.after(first)));
        match (span_end, self.deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl Definition {
    /// Whether nothing but a condition or a person ever ends this job.
    pub fn is_unbounded(&self) -> bool {
        let Limits { runs, span, deadline, tokens, dollars, breaker: _ } = &self.limits;
        let in_time = span.is_some() || deadline.is_some() || self.ends_at.is_some();
        let limited = runs.is_some() || in_time || tokens.is_some() || dollars.is_some();
        !limited && self.schedule.repeats()
    }

    /// When the first run starts; a job that is not to start before an instant starts with it.
    pub fn first_start(&self, now: Timestamp) -> Option<Timestamp> {
        match self.starts_at.filter(|starts_at| *starts_at > now) {
            Some(starts_at) => self.schedule.first(starts_at, Start::Now),
            None => self.schedule.first(now, self.start),
        }
    }

    /// A text that two definitions share exactly when they ask for the same thing.
    ///
    /// The environment is not part of it: the same request from another shell is the same request. Nor are the
    /// trees, which nobody asks for: they follow from the directories.
    pub fn fingerprint_text(&self) -> String {
        let mut plain = self.clone();
        plain.environment.captured = BTreeMap::new();
        if let Target::Agent(assignment) = &mut plain.target {
            assignment.trees = Vec::new();
        }
        serde_json::to_string(&plain).expect("a definition is plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_keeps_the_text_by_which_jobs_of_old_stores_are_found() {
        let stored = r#"{"command":{"shell":"make rate"},"cwd":"/work","environment":{"captured":{},"pass":[],"env_file":null},"schedule":{"every":{"span":"30s","anchor":"rate"}},"start":"now","starts_at":null,"ends_at":null,"zone":"UTC","goal":null,"limits":{"runs":null,"span":null,"deadline":null,"breaker":0},"retry":{"most":0,"delay":"5s"},"bounds":{"wall":null,"idle":null,"memory_bytes":null,"output_bytes":1048576,"grace":"5s"}}"#;
        let read: Definition = serde_json::from_str(stored).expect("it was written once");
        assert_eq!(read.fingerprint_text(), stored);
        let renamed = stored.replacen("command", "target", 1);
        assert_eq!(serde_json::from_str::<Definition>(&renamed).expect("it is read too"), read);
    }
}
