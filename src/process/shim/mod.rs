//! The shim: `converge shim RUNDIR`, the process beside every process.
//!
//! It holds the lock of its run directory for life, starts one process, keeps its bounds, ends its tree
//! and writes the outcome, whether or not a daemon is there to see it. It promises to be small: one
//! thread, no runtime, no store, less than a megabyte of its own.
#![expect(clippy::disallowed_methods, reason = "the shim says when its process started and ended")]

mod environment;
mod find;
mod logged_in;
mod login;
mod output;
mod overlay;
mod progress;
mod rein;
mod revive;
mod signals;
mod start;
mod watch;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use nix::unistd::{Pid, setsid, write};

use crate::core::process::Outcome;
use crate::core::process::files::{REVOKED, SPEC};
use crate::process::descriptors;
use crate::process::lock::Lock;
use crate::process::platform;
use crate::process::rundir::{RunDir, Spec, Started};
use crate::process::shim::rein::Rein;
use crate::process::shim::signals::Signals;
use crate::process::shim::watch::Watch;

/// How long an outcome that does not fit on the disk waits for room.
const OUTCOME_PATIENCE: Duration = Duration::from_mins(10);

/// Runs the process that the run directory in `arguments` describes, until its tree is empty.
///
/// The daemon reads one line from standard output, `started INSTANT` or `error TEXT`, and then takes the
/// end of the pipe for the end of the shim.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(dir) = arguments.next() else {
        say("error a shim needs a run directory");
        return ExitCode::from(64);
    };
    // What the daemon has open, and did not mark as its own, is not for the process to keep open.
    platform::close_inherited();
    match run(&RunDir::at(dir.into())) {
        Ok(Some(home)) => revive::revive(&home),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Gives the home whose daemon may be missing.
fn run(dir: &RunDir) -> io::Result<Option<PathBuf>> {
    let signals = Signals::listen()?;
    // Refused to the leader of a group, which has no terminal to lose by staying where it is.
    let _ = setsid();
    let lock = Lock::take(&dir.file(SPEC))?;
    if dir.has(REVOKED)? || signals.told() {
        return Ok(None);
    }
    let mut spec: Spec = dir.read(SPEC)?.ok_or(io::ErrorKind::NotFound)?;
    if let Some(most) = spec.descriptors_max {
        // Here already, so that a daemon this turns into has it from before the raise as well.
        descriptors::lower_limit(most)?;
    }
    let started_at = Timestamp::now();
    let shim = platform::identity_of(Pid::this().as_raw())?;
    let started = Started { key: spec.launch.key, at: started_at, shim };
    // Fails when one was here before, so that no run directory is ever used twice.
    let end = dir.start(&started)?;
    say(&format!("started {started_at}"));

    platform::adopt_orphans()?;
    let rein = Rein::new(dir.clone(), spec.launch.control.clone());
    let key = spec.launch.key;
    let progress = spec.launch.progress.take();
    let (outcome, laid) = match start::start(spec.launch, dir) {
        Ok((child, laid)) => {
            let watch = Watch::new(dir, signals, rein, started_at, child);
            (watch.counting(progress).until_empty()?, laid)
        }
        Err(ending) => (Outcome::never_ran(started_at, Timestamp::now(), ending), None),
    };
    platform::sweep(&key.to_string());
    // Before anybody hears that it is over, and may start the next.
    drop(laid);
    record(dir, end, &outcome)?;
    drop(lock);
    Ok(spec.home)
}

/// Writes the outcome, and waits for room when the disk is full: a true exit code is worth a wait.
fn record(dir: &RunDir, place: u64, outcome: &Outcome) -> io::Result<()> {
    let give_up_at = platform::since_boot() + OUTCOME_PATIENCE;
    loop {
        match dir.conclude(place, outcome) {
            Err(error) if is_full(&error) && platform::since_boot() < give_up_at => {
                std::thread::sleep(Duration::from_millis(500));
            }
            done => return done,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Tells the daemon, if one listens.
fn say(line: &str) {
    let _ = write(io::stdout(), format!("{line}\n").as_bytes());
}
