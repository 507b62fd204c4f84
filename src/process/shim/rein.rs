//! The rein: what bounds the process at the moment.
//!
//! It begins with what the spec says; a file `control` in the run directory says otherwise. That file is
//! read once `started` is written, and whenever SIGUSR1 comes: so whoever writes it and finds `started`
//! signals, and whoever finds none need not.
#![expect(clippy::disallowed_methods, reason = "the limits of a process are limits of time")]

use std::time::Duration;

use jiff::Timestamp;

use crate::core::process::files::CONTROL;
use crate::core::process::{Bounds, Control};
use crate::core::span::Span;
use crate::process::platform;
use crate::process::rundir::RunDir;

/// What bounds a process, as its shim was last told.
pub(super) struct Rein {
    dir: RunDir,
    control: Control,
    /// By the clock that goes on while the machine is suspended.
    started: Duration,
    wall: Option<Span>,
    unread: Option<String>,
}

impl Rein {
    /// The rein of a process that starts at this moment, under `control` unless its directory says otherwise.
    pub(super) fn new(dir: RunDir, control: Control) -> Self {
        let started = platform::since_boot();
        let mut rein = Self { dir, control, started, wall: None, unread: None };
        rein.count();
        rein.read();
        rein
    }

    /// Reads again what bounds the process; a file that cannot be read leaves everything as it is.
    pub(super) fn read(&mut self) {
        match self.dir.read(CONTROL) {
            Ok(Some(control)) => {
                self.control = control;
                self.unread = None;
                self.count();
            }
            Ok(None) => {}
            Err(error) => self.unread = Some(format!("`{CONTROL}` cannot be read: {error}")),
        }
    }

    /// Counts the wall limit anew; an instant is as far away as the wall clock says at this moment.
    fn count(&mut self) {
        let elapsed = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.wall = self.control.wall(Span::from_ms(elapsed), Timestamp::now());
    }

    fn elapsed(&self) -> Duration {
        platform::since_boot().saturating_sub(self.started)
    }

    /// The bounds beside the wall limit.
    pub(super) fn bounds(&self) -> &Bounds {
        &self.control.bounds
    }

    /// How long the process may still run, when that is bounded.
    pub(super) fn wall_left(&self) -> Option<Duration> {
        let wall = Duration::from_millis(self.wall?.as_ms());
        Some(wall.saturating_sub(self.elapsed()))
    }

    /// Why the newest bounds are not in force, when they are not.
    pub(super) fn unread(self) -> Option<String> {
        self.unread
    }
}
