//! Control: whether a daemon runs, and how it is told to end.
//!
//! The lock answers the first; the note in the locked file only says which process it is. A killed daemon
//! leaves its note, and others hold the lock for a moment to see whether it is free, so a note counts only
//! while the very process lives that it names.
#![expect(clippy::disallowed_methods, reason = "another process is waited for")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::autostart::ASKED_AT;
use crate::paths::Paths;
use crate::process::identity::{Identity, Known};
use crate::process::lock::Lock;

/// How long the lock is tried: a shim that asks whether there is a daemon holds it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

/// How long a daemon may take to end, or to say who it is.
const END_PATIENCE: Duration = Duration::from_secs(15);

/// How often to look again.
const STEP: Duration = Duration::from_millis(5);

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its process.
    pub pid: i32,
    /// Its version.
    pub version: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// Which of all that ever had its pid.
    pub process: Identity,
}

/// What became of a daemon that was to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It ended.
    Ended(Note),
    /// There was none.
    NotRunning,
}

/// Who the daemon of a home is, when one runs; it may not be ready to answer yet.
pub fn status(paths: &Paths) -> anyhow::Result<Option<Note>> {
    Ok(find(paths)?.map(|(note, _)| note))
}

/// The daemon of a home, and a hold on its process.
fn find(paths: &Paths) -> anyhow::Result<Option<(Note, Known)>> {
    let give_up_at = Instant::now() + END_PATIENCE;
    while is_held(paths)? {
        let note = read_note(paths);
        if let Some(found) = note.and_then(|note| note.process.find().map(|known| (note, known))) {
            return Ok(Some(found));
        }
        if Instant::now() > give_up_at {
            bail!("a process holds `{}` that cannot be seen from here", paths.lock().display());
        }
        thread::sleep(STEP);
    }
    Ok(None)
}

/// Ends the daemon of a home, and keeps runs from starting it again; they go on without it.
pub fn stop(paths: &Paths) -> anyhow::Result<Stopped> {
    if !paths.home().exists() {
        return Ok(Stopped::NotRunning);
    }
    let marker = File::options().create(true).append(true).mode(0o600).open(paths.stopped());
    marker.with_context(|| format!("`{}`", paths.stopped().display()))?;
    let Some((note, daemon)) = find(paths)? else { return Ok(Stopped::NotRunning) };
    daemon.terminate();
    let give_up_at = Instant::now() + END_PATIENCE;
    while is_held(paths)? {
        // It ended, and somebody who needs one has started another.
        if read_note(paths).is_some_and(|newer| newer.process != note.process) {
            break;
        }
        if Instant::now() > give_up_at {
            bail!("the daemon, process {}, does not end", note.pid);
        }
        thread::sleep(STEP);
    }
    Ok(Stopped::Ended(note))
}

fn read_note(paths: &Paths) -> Option<Note> {
    serde_json::from_slice(&fs::read(paths.lock()).ok()?).ok()
}

fn is_held(paths: &Paths) -> anyhow::Result<bool> {
    if !paths.lock().exists() {
        return Ok(false);
    }
    let lock = Lock::try_take(&paths.lock()).with_context(|| format!("`{}`", paths.lock().display()))?;
    Ok(lock.is_none())
}

/// Takes the lock of a home and leaves a note in it; nothing when its daemon has it, or had it and was
/// stopped meanwhile.
pub(super) fn take_lock(paths: &Paths) -> anyhow::Result<Option<Lock>> {
    let stopped_before = stopped_at(paths);
    let asked_at = asked_at();
    let process = Identity::of_this_process().context("who this process is")?;
    let give_up_at = Instant::now() + LOCK_PATIENCE;
    loop {
        let lock = Lock::try_take(&paths.lock()).with_context(|| format!("`{}`", paths.lock().display()))?;
        // One of several that were started at once must not take the place of one that a person stopped.
        let stopped = stopped_at(paths);
        let is_wanted =
            stopped.is_none_or(|at| stopped_before == Some(at) && asked_at.is_none_or(|asked| at <= asked));
        if let Some(lock) = lock.filter(|_| is_wanted) {
            write_note(&lock, process).with_context(|| format!("`{}`", paths.lock().display()))?;
            return Ok(Some(lock));
        }
        if !is_wanted || Instant::now() > give_up_at {
            return Ok(None);
        }
        thread::sleep(STEP);
    }
}

/// When a client asked for this daemon, if one did.
fn asked_at() -> Option<SystemTime> {
    let nanos: u64 = std::env::var(ASKED_AT).ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

/// When a person last stopped the daemon, if that still stands.
fn stopped_at(paths: &Paths) -> Option<SystemTime> {
    fs::metadata(paths.stopped()).ok()?.modified().ok()
}

/// Says in the lock's file who holds it.
fn write_note(lock: &Lock, process: Identity) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let note = Note { pid: process.pid(), version, started_at: Timestamp::now(), process };
    lock.file().set_len(0)?;
    lock.file().write_all(&serde_json::to_vec(&note)?)
}

/// Takes the note back, so that nobody takes it for that of the next holder.
pub(super) fn clear_note(lock: &Lock) {
    // One that stays names a process that is about to be gone.
    let _ = lock.file().set_len(0);
}

/// Takes back that a person stopped the daemon.
pub(super) fn forget_stop(paths: &Paths) -> io::Result<()> {
    match fs::remove_file(paths.stopped()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Tells whoever started the daemon, when there is no log yet.
pub(super) fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "converge: {sentence}");
}
