//! The wall clock of the daemon, read here and nowhere else.
#![expect(clippy::disallowed_methods, reason = "this is the clock")]

use jiff::Timestamp;

use crate::engine::ports::Clock;

/// The clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
