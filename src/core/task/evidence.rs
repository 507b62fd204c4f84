//! Evidence: what of an attempt its output conditions and its checks look at.

use crate::core::definition::Definition;
use crate::core::reading::Reading;
use crate::core::reason::EndReason;

/// What is taken for the output of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// What a command wrote to its standard output.
    Stdout,
    /// What an agent answered: its last words, or the document that fits a schema. What else an agent writes has
    /// its prompt in it, and whatever it read.
    Answer,
    /// Nothing.
    Nothing {
        /// Why not.
        why: &'static str,
    },
}

impl Evidence {
    /// That of an attempt that ended for this reason, and of whose output this is known.
    pub fn of(contract: &Definition, reason: EndReason, reading: Option<&Reading>) -> Self {
        let Some(assignment) = contract.target.assignment() else { return Self::Stdout };
        if reading.is_some_and(|reading| reading.is_strange) {
            return Self::Nothing { why: "the agent wrote otherwise than its manifest says" };
        }
        if assignment.schema.is_some() && reason != EndReason::ExitZero {
            return Self::Nothing { why: "no result fits the schema" };
        }
        Self::Answer
    }
}
