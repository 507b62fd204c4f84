//! Interruptions: Ctrl-C and its kin, held back until what was begun is taken away again.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;

use nix::sys::signal::{SigSet, Signal, raise};

/// The signals by which a person or a system ends a command.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that are held back.
pub(super) struct Interrupts {
    came: Arc<OnceLock<Signal>>,
}

impl Interrupts {
    /// Holds them back in this thread and those that it starts; the first that comes does `at_first`, beside
    /// whatever this thread does, and the second ends the process as if nothing had been held back.
    pub(super) fn hold(at_first: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let signals: SigSet = ENDING.into_iter().collect();
        signals.thread_block()?;
        let came = Arc::new(OnceLock::new());
        let noted = Arc::clone(&came);
        thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
            let Ok(first) = signals.wait() else { return };
            // Before anything is done about it, so that whoever looks later knows.
            noted.get_or_init(|| first);
            at_first();
            if let Ok(second) = signals.wait() {
                die_of(second);
            }
        })?;
        Ok(Self { came })
    }

    /// Whether one came.
    pub(super) fn any(&self) -> bool {
        self.came.get().is_some()
    }

    /// Ends the process by the signal that came, if one did: what started it is to know of what it died.
    pub(super) fn release(self) {
        if let Some(signal) = self.came.get() {
            die_of(*signal);
        }
    }
}

fn die_of(signal: Signal) {
    let mut signals = SigSet::empty();
    signals.add(signal);
    let _ = signals.thread_unblock().and_then(|()| raise(signal));
}
