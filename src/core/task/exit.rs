//! How an attempt ended, as the core sees it.

use serde::{Deserialize, Serialize};

use crate::core::process::{Cut, Ending, Outcome};
use crate::core::reason::EndReason;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Why.
    pub reason: EndReason,
    /// The exit code, when the program exited by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signal: Option<i32>,
    /// What the system said when it could not be started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

impl Exit {
    /// What the core makes of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        let by_itself = match &outcome.ending {
            Ending::Exited(0) => EndReason::ExitZero,
            Ending::Exited(_) => EndReason::ExitNonzero,
            Ending::Signalled(_) => EndReason::Signalled,
            Ending::SpawnFailed { .. } => EndReason::SpawnFailed,
            Ending::Missing { .. } => EndReason::AgentMissing,
        };
        let reason = match outcome.cut {
            None => by_itself,
            Some(Cut::Wall) => EndReason::Timeout,
            Some(Cut::Idle) => EndReason::IdleTimeout,
            Some(Cut::Memory) => EndReason::ResourceLimit,
            Some(Cut::Output) => EndReason::OutputLimit,
            Some(Cut::Told) => EndReason::Cancelled,
        };
        let (code, signal, cause) = match &outcome.ending {
            Ending::Exited(code) => (Some(*code), None, None),
            Ending::Signalled(signal) => (None, Some(*signal), None),
            Ending::SpawnFailed { cause } | Ending::Missing { cause } => (None, None, Some(cause.clone())),
        };
        Self { reason, code, signal, cause }
    }

    /// An end without a process that could have exited.
    pub fn without_process(reason: EndReason) -> Self {
        Self { reason, code: None, signal: None, cause: None }
    }

    /// The exit code that conditions may look at: that of a program which exited by itself.
    pub fn judged_code(&self) -> Option<i32> {
        match self.reason {
            EndReason::ExitZero | EndReason::ExitNonzero => self.code,
            // An agent may report an error and exit with 0 all the same.
            EndReason::AgentFailed => self.code.filter(|code| *code != 0),
            EndReason::Signalled
            | EndReason::Timeout
            | EndReason::IdleTimeout
            | EndReason::OutputLimit
            | EndReason::ResourceLimit
            | EndReason::SpawnFailed
            | EndReason::Cancelled
            | EndReason::Lost
            | EndReason::ChecksOnly
            | EndReason::AgentMissing
            | EndReason::PermissionDenied
            | EndReason::Auth
            | EndReason::Quota
            | EndReason::RateLimit
            | EndReason::Overloaded
            | EndReason::Network
            | EndReason::ContextFull
            | EndReason::ModelMissing
            | EndReason::SessionMissing
            | EndReason::SchemaError => None,
        }
    }
}
