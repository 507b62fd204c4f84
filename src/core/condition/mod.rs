//! Conditions: what must hold for a loop to be done, as a value.
//!
//! A condition is written as text (`any(exit 0, output /all passed/)`, see [`text`]) or as JSON
//! (`{"type":"exitCode","code":0}`, see [`json`]); both say the same and convert into each other without
//! loss. It is checked whole when it is made, and every problem is reported at once with its place.
//!
//! Whether it holds is decided by [`Condition::evaluate`] over facts that somebody else has fetched:
//! nothing in here reads output, looks for a file or runs a command. A fact that nobody could find out
//! is unknown, never false, so that `not` cannot turn ignorance into success; see [`evaluate`].

mod cursor;
pub mod evaluate;
pub mod fact;
pub mod json;
pub mod pattern;
mod rules;
pub mod text;
mod write;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::core::condition::pattern::Pattern;

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The run exited with this code.
    ExitCode(i32),
    /// The pattern is found somewhere in the run's standard output.
    Matches(Pattern),
    /// The text is found somewhere in the run's standard output.
    Contains(String),
    /// The shell line exits with 0 when it is run after the run.
    Check(String),
    /// The file exists; a relative path starts in the job's directory.
    File(String),
    /// The inner condition is known not to hold.
    Not(Box<Condition>),
    /// Several conditions on the same run.
    Compound {
        /// How many of them must hold.
        operator: Operator,
        /// At least one.
        conditions: Vec<Condition>,
    },
}

/// How many conditions of a compound must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// One is enough.
    Any,
    /// Each of them.
    #[default]
    All,
}

impl Operator {
    /// The word for it, in both forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

impl Condition {
    /// Visits the conditions that hold no other, from left to right.
    fn each_leaf<'a>(&'a self, visit: &mut dyn FnMut(&'a Condition)) {
        match self {
            Self::ExitCode(_) | Self::Matches(_) | Self::Contains(_) | Self::Check(_) | Self::File(_) => {
                visit(self);
            }
            Self::Not(inner) => inner.each_leaf(visit),
            Self::Compound { operator: _, conditions } => {
                for condition in conditions {
                    condition.each_leaf(visit);
                }
            }
        }
    }
}
