//! Identities: which process is meant, among all that ever had its pid.

use std::io;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::process::platform::{self, Handle};

/// One process among all that ever had its pid on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub(super) pid: i32,
    /// In the clock ticks of the system since it was booted.
    pub(super) started_ticks: u64,
    pub(super) boot: String,
    pub(super) pid_namespace: String,
}

/// A process that was seen alive, and that a signal meant for it reaches or nobody.
#[derive(Debug)]
pub struct Known(Handle);

impl Identity {
    /// That of this very process.
    pub fn of_this_process() -> io::Result<Self> {
        platform::identity_of(Pid::this().as_raw())
    }

    /// Its number, which another may have had before.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Gets hold of the process; nothing when it is gone, or cannot be seen from here.
    pub fn find(&self) -> Option<Known> {
        Handle::open(self).map(Known)
    }
}

impl Known {
    /// Tells it to end.
    pub fn terminate(&self) {
        self.0.terminate();
    }
}
