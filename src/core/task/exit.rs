//! How an attempt ended, as the core sees it.

use serde::{Deserialize, Serialize};

use crate::core::class::Class;
use crate::core::process::{Cut, Ending, Outcome};
use crate::core::reading::Reading;
use crate::core::reason::{EndReason, Nature};

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
            Ending::NoLogin { .. } => EndReason::Auth,
        };
        let reason = match outcome.cut {
            None => by_itself,
            Some(Cut::Wall) => EndReason::Timeout,
            Some(Cut::Idle) => EndReason::IdleTimeout,
            Some(Cut::Memory) => EndReason::ResourceLimit,
            Some(Cut::Output) => EndReason::OutputLimit,
            Some(Cut::Told) => EndReason::Cancelled,
        };
        let (code, signal) = match &outcome.ending {
            Ending::Exited(code) => (Some(*code), None),
            Ending::Signalled(signal) => (None, Some(*signal)),
            Ending::SpawnFailed { .. } | Ending::Missing { .. } | Ending::NoLogin { .. } => (None, None),
        };
        Self { reason, code, signal, cause: outcome.ending.hindrance().map(str::to_owned) }
    }

    /// What the core makes of it once the output of an agent was read.
    ///
    /// How the process was ended comes first, but for one that its service kept from any progress.
    #[must_use]
    pub fn after(&self, reading: &Reading) -> Self {
        let by_itself = matches!(self.reason.nature(), Nature::Done | Nature::Exit | Nature::Crash);
        let sat_out = self.reason == EndReason::IdleTimeout && reading.class.is_of_service();
        let reason = match reading.class {
            _ if !by_itself && !sat_out => self.reason,
            // What the manifest says no more about is as the process says.
            Class::Done if self.code == Some(0) => EndReason::ExitZero,
            Class::Done | Class::Failed => EndReason::AgentFailed,
            Class::PermissionDenied => EndReason::PermissionDenied,
            Class::Auth => EndReason::Auth,
            Class::Quota => EndReason::Quota,
            Class::RateLimit => EndReason::RateLimit,
            Class::Overloaded => EndReason::Overloaded,
            Class::Network => EndReason::Network,
            Class::ContextFull => EndReason::ContextFull,
            Class::ModelMissing => EndReason::ModelMissing,
            Class::SessionMissing => EndReason::SessionMissing,
            Class::SchemaError => EndReason::SchemaError,
            Class::Timeout
            | Class::Idle
            | Class::Killed
            | Class::Crashed
            | Class::SpawnFailed
            | Class::AgentMissing => self.reason,
        };
        let cause = reading.message.clone().filter(|_| reason != EndReason::ExitZero);
        Self { reason, cause: cause.or_else(|| self.cause.clone()), ..self.clone() }
    }

    /// How the process ended, as a shim would say it.
    pub fn ending(&self) -> Ending {
        match (self.code, self.signal) {
            (Some(code), _) => Ending::Exited(code),
            (None, signal) => Ending::Signalled(signal.unwrap_or(0)),
        }
    }

    /// Why its shim ended it, when it did.
    pub fn cut(&self) -> Option<Cut> {
        if let Nature::Cut(cut) = self.reason.nature() { Some(cut) } else { None }
    }

    /// An end without a process that could have exited.
    pub fn without_process(reason: EndReason) -> Self {
        Self { reason, code: None, signal: None, cause: None }
    }

    /// The exit code that conditions may look at: that of a program which exited by itself.
    pub fn judged_code(&self) -> Option<i32> {
        match self.reason.nature() {
            Nature::Done | Nature::Exit => self.code,
            // An agent may report an error and exit with 0 all the same.
            Nature::Unfinished if self.reason == EndReason::AgentFailed => {
                self.code.filter(|code| *code != 0)
            }
            Nature::Checks
            | Nature::Crash
            | Nature::Cut(_)
            | Nature::Unfinished
            | Nature::Hindered
            | Nature::Broken
            | Nature::Lost => None,
        }
    }
}
