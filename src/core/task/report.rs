//! Reports: what the world says about the processes of tasks.

use jiff::Timestamp;

use crate::core::process::{Outcome, ProcessKey};
use crate::core::reading::Reading;
use crate::core::task::Known;

/// What the world says about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Its shim holds the lock and has written `started`.
    Started {
        /// Which process.
        key: ProcessKey,
        /// When the shim started it.
        at: Timestamp,
    },
    /// Its tree is empty and this is how it ended.
    Ended {
        /// Which process.
        key: ProcessKey,
        /// How.
        outcome: Outcome,
    },
    /// It never started and never will: its run directory is marked `revoked`.
    Revoked {
        /// Which process.
        key: ProcessKey,
    },
    /// It was started, its shim is gone without an outcome, and nothing of its tree is left.
    Lost {
        /// Which process.
        key: ProcessKey,
    },
    /// The output of an agent was read.
    Read {
        /// The attempt that wrote it.
        key: ProcessKey,
        /// What it says.
        reading: Box<Reading>,
    },
    /// These facts were found out.
    Found {
        /// The attempt they are about.
        key: ProcessKey,
        /// The facts.
        facts: Vec<Known>,
    },
}

impl Report {
    /// The process it is about.
    pub fn key(&self) -> ProcessKey {
        match self {
            Self::Started { key, .. }
            | Self::Ended { key, .. }
            | Self::Revoked { key }
            | Self::Lost { key }
            | Self::Read { key, .. }
            | Self::Found { key, .. } => *key,
        }
    }

    /// What it says, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Ended { .. } => "ended",
            Self::Revoked { .. } => "revoked",
            Self::Lost { .. } => "lost",
            Self::Read { .. } => "read",
            Self::Found { .. } => "found",
        }
    }
}
