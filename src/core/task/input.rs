//! What can be said to a task.

use jiff::Timestamp;

use crate::core::definition::Definition;
use crate::core::task::course::Around;
use crate::core::task::report::Report;

/// What can be said to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A lane is free for it.
    Claim {
        /// When the time of its job is over, if that is bounded.
        until: Option<Timestamp>,
        /// What else goes on that may keep it from starting.
        around: Around,
    },
    /// What it waited for may have ended.
    Release,
    /// What the world says about a process of it.
    Report(Report),
    /// Somebody wants it ended.
    Cancel,
    /// Somebody wants it now instead of at its due time.
    Hasten,
    /// The clock was put back, so what was near may be far away.
    ClockBack,
    /// Its job has a new revision.
    Rebind {
        /// The revision.
        revision: u32,
        /// Its definition.
        definition: Box<Definition>,
    },
}

impl Input {
    /// The attempt that a report is about.
    pub(super) fn attempt(&self) -> Option<u32> {
        match self {
            Self::Report(report) => Some(report.key().attempt),
            Self::Claim { .. }
            | Self::Release
            | Self::Cancel
            | Self::Hasten
            | Self::ClockBack
            | Self::Rebind { .. } => None,
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::Release => "release",
            Self::Report(report) => report.word(),
            Self::Cancel => "cancel",
            Self::Hasten => "hasten",
            Self::ClockBack => "clock back",
            Self::Rebind { .. } => "rebind",
        }
    }
}
