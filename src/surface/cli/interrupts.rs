//! Interruptions: Ctrl-C and its kin, held back until what was begun is taken away again.

use std::fs;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;

use nix::sys::signal::{SigSet, Signal, raise};

/// The signals by which a person or a system ends a command.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that are held back.
pub(super) struct Interrupts {
    signals: SigSet,
    over: Arc<OnceLock<Over>>,
}

/// Why signals are not held back any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// This one came.
    Came(Signal),
    /// They were released before one came.
    Released,
}

impl Interrupts {
    /// Holds them back in this thread and those that it starts; the first that comes does `at_first`, beside
    /// whatever this thread does, and the second ends the process as if nothing had been held back. What the
    /// process ignores, as `nohup` makes it, stays ignored.
    pub(super) fn hold(at_first: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        // Linux keeps a blocked signal for whoever waits for it, even one that is ignored.
        let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        let signals: SigSet = ENDING.into_iter().filter(|signal| !ignored.contains(*signal)).collect();
        signals.thread_block()?;
        let over = Arc::new(OnceLock::new());
        let noted = Arc::clone(&over);
        thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
            let Ok(first) = signals.wait() else { return };
            // Before anything is done about it, so that whoever looks later knows.
            match noted.get_or_init(|| Over::Came(first)) {
                Over::Came(_) => at_first(),
                Over::Released => die_of(first),
            }
            if let Ok(second) = signals.wait() {
                die_of(second);
            }
        })?;
        Ok(Self { signals, over })
    }

    /// Whether one came.
    pub(super) fn any(&self) -> bool {
        self.over.get().is_some()
    }

    /// Ends the process by the signal that came, if one did: what started it is to know of what it died. From
    /// here on the first that comes ends it.
    pub(super) fn release(self) {
        match self.over.get_or_init(|| Over::Released) {
            Over::Came(signal) => die_of(*signal),
            Over::Released => {
                let _ = self.signals.thread_unblock();
            }
        }
    }
}

/// The signals that a process ignores, by its `/proc/PID/status`; without one, none.
fn ignored(status: &str) -> SigSet {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (1..=64).filter(|number| mask >> (number - 1) & 1 == 1).flat_map(Signal::try_from).collect()
}

fn die_of(signal: Signal) {
    let mut signals = SigSet::empty();
    signals.add(signal);
    let _ = signals.thread_unblock().and_then(|()| raise(signal));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_ignores_is_told_by_its_status() {
        let check = |status: &str, expected: &[Signal]| {
            assert_eq!(ignored(status), expected.iter().copied().collect(), "{status}");
        };
        check("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\nSigCgt:\t0\n", &[Signal::SIGPIPE]);
        check("SigIgn:\t0000000000000003\n", &[Signal::SIGHUP, Signal::SIGINT]);
        check("", &[]);
    }

    #[test]
    fn what_was_released_is_not_held_back() {
        let held = || {
            let mask = SigSet::thread_get_mask().expect("a mask");
            ENDING.into_iter().filter(|signal| mask.contains(*signal)).collect::<Vec<_>>()
        };
        let before = held();
        let interrupts = Interrupts::hold(|| {}).expect("signals can be waited for");
        assert_ne!(held(), before);
        assert!(!interrupts.any());
        interrupts.release();
        assert_eq!(held(), before);
    }
}
