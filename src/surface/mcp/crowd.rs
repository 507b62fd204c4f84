//! The crowd: how many clients are inside, and how many of them are being answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How many clients there may be at once.
pub(super) const CLIENTS_MAX: usize = 512;

/// Counts clients.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    count: Mutex<Count>,
    silent: Condvar,
}

#[derive(Debug, Default)]
struct Count {
    inside: usize,
    asking: usize,
}

/// One client's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Crowd>);

/// One request under way, until its answer is written or it is known that none will be.
#[derive(Debug, Clone)]
pub(super) struct Asking(Arc<Asked>);

#[derive(Debug)]
struct Asked {
    crowd: Arc<Crowd>,
    is_over: AtomicBool,
}

impl Crowd {
    /// A place for one more client, if there is one.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut count = self.count();
        if count.inside == CLIENTS_MAX {
            return None;
        }
        count.inside += 1;
        Some(Place(Arc::clone(self)))
    }

    /// Waits until no request is under way, at most for `patience`.
    pub(super) fn wait_for_silence(&self, patience: Duration) {
        let waited = self.silent.wait_timeout_while(self.count(), patience, |count| count.asking > 0);
        drop(waited.expect("numbers are added to"));
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().expect("numbers are added to")
    }
}

impl Place {
    /// Notes that a request is under way until the answer is dropped.
    pub(super) fn ask(&self) -> Asking {
        self.0.count().asking += 1;
        Asking(Arc::new(Asked { crowd: Arc::clone(&self.0), is_over: AtomicBool::new(false) }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.count().inside -= 1;
    }
}

impl Asking {
    /// Says that nobody need wait for this answer.
    pub(super) fn end(&self) {
        self.0.end();
    }
}

impl Asked {
    fn end(&self) {
        if self.is_over.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut count = self.crowd.count();
        count.asking -= 1;
        if count.asking == 0 {
            self.crowd.silent.notify_all();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.end();
    }
}
