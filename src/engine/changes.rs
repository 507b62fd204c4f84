//! Changes: the news that something was committed, for those who would otherwise keep asking.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Counts commits, and wakes those who wait for the next one.
#[derive(Debug, Default)]
pub(super) struct Changes {
    generation: Mutex<u64>,
    changed: Condvar,
}

impl Changes {
    /// Says that something changed.
    pub(super) fn announce(&self) {
        *self.generation.lock().expect("a number is added to") += 1;
        self.changed.notify_all();
    }

    /// The number of the newest change, after waiting at most `patience` for one after `seen`.
    pub(super) fn since(&self, seen: u64, patience: Duration) -> u64 {
        let generation = self.generation.lock().expect("a number is added to");
        let waited = self.changed.wait_timeout_while(generation, patience, |newest| *newest <= seen);
        *waited.expect("a number is added to").0
    }
}
