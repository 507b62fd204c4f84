//! Looking: what became of a process that nobody here watches.
//!
//! The lock decides. Whoever holds it is alive; once we hold it, no shim of that directory can start,
//! and what the files say stands.
#![expect(clippy::disallowed_methods, reason = "what was killed takes a moment to go")]

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::core::process::files::{REVOKED, SPEC};
use crate::core::process::{Outcome, ProcessKey};
use crate::process::lock::Lock;
use crate::process::platform::{self, Handle};
use crate::process::rundir::RunDir;

/// How long a lock may be held without a shim to be seen, until it is looked at again later.
const INTRODUCTION: Duration = Duration::from_secs(1);
/// How long the killed may take to go, until they are looked at again later.
const KILLED_GONE: Duration = Duration::from_secs(1);

/// What became of a process.
pub(super) enum Found {
    /// Its lock is held. What is not known may be next time.
    Alive {
        /// When it was started.
        at: Option<Timestamp>,
        /// The shim, when it can be told for sure which process that is.
        handle: Option<Handle>,
    },
    Ended(Outcome),
    Revoked,
    Lost,
    /// Its shim is gone, and what it left behind does not die.
    Lingering,
}

/// Finds out about the process of `dir`; one that was never started is revoked.
pub(super) fn look(dir: &RunDir, key: ProcessKey) -> io::Result<Found> {
    dir.create()?;
    let give_up_at = Instant::now() + INTRODUCTION;
    loop {
        if let Some(_lock) = Lock::try_take(&dir.file(SPEC))? {
            return settle(dir, key);
        }
        let started = readable(dir.started())?;
        let handle = started.as_ref().and_then(|started| Handle::open(&started.shim));
        // A lock without its shim is one about to be let go, unless it is out of our sight.
        if handle.is_some() || Instant::now() >= give_up_at {
            return Ok(Found::Alive { at: started.map(|started| started.at), handle });
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Decides what the files say; the caller holds the lock.
fn settle(dir: &RunDir, key: ProcessKey) -> io::Result<Found> {
    if let Some(outcome) = readable(dir.outcome())? {
        return Ok(Found::Ended(outcome));
    }
    // An outcome cut short is a start all the same.
    if dir.is_used()? {
        let started = readable(dir.started())?;
        let before_reboot = started.is_some_and(|started| platform::boot().ok() != Some(started.shim.boot));
        return Ok(if before_reboot || kill_leftovers(key) { Found::Lost } else { Found::Lingering });
    }
    // Also what should not be there: a run directory may have been removed below a process, or not have
    // reached the disk before the power went.
    if !kill_leftovers(key) {
        return Ok(Found::Lingering);
    }
    dir.replace(REVOKED, b"")?;
    Ok(Found::Revoked)
}

/// A file that was cut short, by a kill or a power cut, says as little as one that is missing.
fn readable<T>(read: io::Result<Option<T>>) -> io::Result<Option<T>> {
    match read {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            Ok(None)
        }
        other => other,
    }
}

/// Kills what carries the key until two scans in a row find nothing, and says whether they did in time.
fn kill_leftovers(key: ProcessKey) -> bool {
    let key = key.to_string();
    let give_up_at = Instant::now() + KILLED_GONE;
    let mut empty_scans = 0;
    while empty_scans < 2 {
        let search = platform::kill_marked(&key);
        let in_time = Instant::now() < give_up_at;
        // Nobody is on the way from one program to the next for that long.
        if search.killed == 0 && (search.unclear == 0 || !in_time) {
            empty_scans += 1;
        } else if in_time {
            empty_scans = 0;
            thread::sleep(Duration::from_millis(2));
        } else {
            return false;
        }
    }
    true
}
