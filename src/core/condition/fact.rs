//! Facts: what was found out about the world, and the sentences that say so.

use std::collections::BTreeMap;
use std::fmt;

use regex::bytes::RegexBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::condition::pattern::Pattern;
use crate::core::condition::{Condition, rules, write};
use crate::core::process::{Cut, Ending, Outcome};

/// A question to the world. As text and as JSON it is the condition that asks it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Is this found in the run's standard output?
    Matches(Pattern),
    /// Is this text in the run's standard output?
    Contains(String),
    /// Does this shell line exit with 0?
    Check(String),
    /// Does this file exist?
    File(String),
}

/// The answer to a [`Need`], kept with the run it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "truth", rename_all = "snake_case")]
pub enum Fact {
    /// Yes.
    Met {
        /// What was seen.
        evidence: String,
    },
    /// No.
    NotMet {
        /// What was seen.
        evidence: String,
    },
    /// Nobody can say.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// All that is known of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The code the run exited with; none when it has not run, or was ended by something else.
    pub exit: Option<i32>,
    /// The answers so far.
    pub known: BTreeMap<Need, Fact>,
}

impl Need {
    /// The question that `condition` asks by itself, if it is one that the world must answer.
    pub fn of(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Matches(pattern) => Some(Self::Matches(pattern.clone())),
            Condition::Contains(text) => Some(Self::Contains(text.clone())),
            Condition::Check(command) => Some(Self::Check(command.clone())),
            Condition::File(path) => Some(Self::File(path.clone())),
            Condition::ExitCode(_) | Condition::Not(_) | Condition::Compound { .. } => None,
        }
    }

    /// Whether it is about the output of a run, and so has no answer without one.
    pub fn is_of_output(&self) -> bool {
        match self {
            Self::Matches(_) | Self::Contains(_) => true,
            Self::Check(_) | Self::File(_) => false,
        }
    }
}

impl From<&Need> for Condition {
    fn from(need: &Need) -> Self {
        match need {
            Need::Matches(pattern) => Self::Matches(pattern.clone()),
            Need::Contains(text) => Self::Contains(text.clone()),
            Need::Check(command) => Self::Check(command.clone()),
            Need::File(path) => Self::File(path.clone()),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Condition::from(self).fmt(f)
    }
}

impl Serialize for Need {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Condition::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Need {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let condition = Condition::deserialize(deserializer)?;
        Self::of(&condition).ok_or_else(|| {
            serde::de::Error::custom(format!("`{condition}` is nothing that the world is asked"))
        })
    }
}

impl Fact {
    /// Looks for `pattern` in the whole standard output of a run.
    pub fn of_pattern(pattern: &Pattern, stdout: &[u8]) -> Self {
        let mut shown = String::new();
        write::between_slashes(pattern.source(), &mut shown).expect("a string takes any text");
        let shown = rules::shorten(&shown);
        if pattern.is_match(stdout) {
            Self::Met { evidence: format!("output matches {shown}") }
        } else {
            Self::NotMet { evidence: format!("output does not match {shown}") }
        }
    }

    /// Looks for `text` in the whole standard output of a run.
    pub fn of_text(text: &str, stdout: &[u8]) -> Self {
        Self::of_text_found(text, finder(text)(stdout))
    }

    /// Says whether `text` was found in the whole standard output of a run.
    pub fn of_text_found(text: &str, found: bool) -> Self {
        let shown = rules::shorten(text);
        if found {
            Self::Met { evidence: format!("output contains \"{shown}\"") }
        } else {
            Self::NotMet { evidence: format!("output does not contain \"{shown}\"") }
        }
    }

    /// Judges how the shell line of a check ended.
    ///
    /// One that was ended from outside has not answered: its fact is unknown, not unmet.
    pub fn of_check(command: &str, outcome: &Outcome) -> Self {
        let command = rules::shorten(command);
        match (&outcome.ending, outcome.cut) {
            (_, Some(cut)) => Self::Unknown { why: format!("`{command}` {}", cut_sentence(cut)) },
            (Ending::Exited(0), None) => Self::Met { evidence: format!("`{command}` exited 0") },
            (Ending::Exited(code), None) => Self::NotMet { evidence: format!("`{command}` exited {code}") },
            (Ending::Signalled(signal), None) => {
                Self::Unknown { why: format!("`{command}` was ended by signal {signal}") }
            }
            (Ending::SpawnFailed { cause } | Ending::Missing { cause } | Ending::NoLogin { cause }, None) => {
                Self::Unknown { why: format!("`{command}` could not be started: {}", rules::shorten(cause)) }
            }
        }
    }

    /// Says whether the file at `path` was found.
    pub fn of_file(path: &str, found: bool) -> Self {
        let path = rules::shorten(path);
        if found {
            Self::Met { evidence: format!("`{path}` exists") }
        } else {
            Self::NotMet { evidence: format!("`{path}` does not exist") }
        }
    }
}

/// A function that says whether `text` is found in the bytes it is given.
pub fn finder(text: &str) -> impl Fn(&[u8]) -> bool + use<> {
    let regex =
        RegexBuilder::new(&regex::escape(text)).build().expect("an escaped text of bounded length compiles");
    move |bytes| regex.is_match(bytes)
}

fn cut_sentence(cut: Cut) -> &'static str {
    match cut {
        Cut::Wall => "was ended at its time limit",
        Cut::Idle => "was ended because it wrote nothing",
        Cut::Memory => "was ended at its memory limit",
        Cut::Output => "was ended at its output limit",
        Cut::Told => "was stopped",
    }
}
