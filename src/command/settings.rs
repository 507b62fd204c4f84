//! Settings: whether those of the file are those that the daemon has, which reads them when it starts.

use crate::command::doctor::Finding;

/// The settings of the file, beside those of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settings {
    /// Both are the same.
    InForce,
    /// They were changed since.
    Changed,
    /// They were, and no daemon starts with them.
    Wrong(String),
}

/// What is said about.
const SUBJECT: &str = "config";

/// What makes a change count.
const RESTART: &str = "`converge daemon restart` makes that count; runs under way go on";

impl Settings {
    /// What somebody should know; nothing where they are in force.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::InForce => None,
            Self::Changed => Some(format!("changed since it started; {RESTART}")),
            Self::Wrong(problem) => Some(format!("{problem}; it goes on with those that it has")),
        }
    }

    /// The same, with how to mend it.
    pub fn finding(&self) -> Option<Finding> {
        match self {
            Self::InForce => None,
            Self::Changed => {
                Some(Finding::warn(SUBJECT, "the settings were changed since the daemon started", RESTART))
            }
            Self::Wrong(problem) => {
                Some(Finding::bad(SUBJECT, problem, "mend it before the daemon ends: none starts with that"))
            }
        }
    }
}
