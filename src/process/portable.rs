//! What every Unix gives: process groups, `ps` and patience.
//!
//! Weaker than Linux: what leaves its process group gets no TERM and is found by its mark alone, and the end of an
//! adopted shim is noticed by asking for its lock.
#![expect(clippy::disallowed_methods, reason = "`ps` is the only word on other processes here")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::process::identity::Identity;
use crate::process::mark::{self, Search};

/// Does nothing: orphans go to the first process of the system.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every platform")]
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Does nothing, as `adopt_orphans`.
pub(super) fn leave_orphans() {}

/// Says only whether `parent` is still there; its later death is not noticed.
pub(super) fn die_with(parent: Pid) -> io::Result<()> {
    if Pid::parent() == parent { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotFound)) }
}

/// This program, by the path it was started from.
pub(super) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Does nothing: there is no call for it, and trying all numbers takes too long.
pub(super) fn close_inherited() {}

/// Does nothing: a pipe is as wide as it is.
pub(super) fn widen(_pipe: &impl AsFd) {}

/// A time that goes on through suspension where the system's monotonic clock does.
pub(super) fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// Which boot of the machine this is, as far as it can be told: never another one.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every platform")]
pub(super) fn boot() -> io::Result<String> {
    Ok(String::new())
}

/// Who `pid` is now, told apart from others with its pid by the second it started in.
pub(super) fn identity_of(pid: i32) -> io::Result<Identity> {
    let started = ps(&["-o", "lstart=", "-p", &pid.to_string()]).ok_or(io::ErrorKind::NotFound)?;
    let started_ticks =
        started.trim().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Ok(Identity { pid, started_ticks, boot: boot()?, pid_namespace: String::new() })
}

/// A process known by its pid and start.
#[derive(Debug)]
pub(super) struct Handle(Identity);

impl Handle {
    /// Notes the process, when it is there and is the one meant.
    pub(super) fn open(identity: &Identity) -> Option<Self> {
        (identity_of(identity.pid).ok()? == *identity).then(|| Self(identity.clone()))
    }

    /// Tells it to end, when it is still the one meant.
    pub(super) fn terminate(&self) {
        if identity_of(self.0.pid).is_ok_and(|identity| identity == self.0) {
            let _ = kill(Pid::from_raw(self.0.pid), Signal::SIGTERM);
        }
    }

    /// Tells it that what bounds its process has changed, when it is still the one meant.
    pub(super) fn tell_control(&self) {
        if identity_of(self.0.pid).is_ok_and(|identity| identity == self.0) {
            let _ = kill(Pid::from_raw(self.0.pid), Signal::SIGUSR1);
        }
    }

    /// None: its end is noticed by its lock.
    #[expect(clippy::unused_self, reason = "the same signature on every platform")]
    pub(super) fn end(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Sends a signal to the process group of the main process.
pub(super) fn signal_tree(main: Pid, signal: Signal) {
    let _ = killpg(main, signal);
}

/// Whether the process group has members that this process cannot wait for.
pub(super) fn strays_left(main: Pid) -> bool {
    killpg(main, None).is_ok()
}

/// The resident memory of the process group.
pub(super) fn tree_bytes(main: Pid) -> u64 {
    let group = main.to_string();
    let table = ps(&["-axo", "pgid=,rss="]).unwrap_or_default();
    let kilobytes: u64 = table
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(pgid, _)| *pgid == group)
        .filter_map(|(_, rss)| rss.trim().parse::<u64>().ok())
        .sum();
    kilobytes * 1024
}

/// Kills what left the process group and so outlived its end.
pub(super) fn sweep(key: &str) {
    kill_marked(key);
}

/// Kills what shows the mark of `key` in its environment.
pub(super) fn kill_marked(key: &str) -> Search {
    let own = Pid::this().as_raw();
    let table = ps(&["axeww", "-o", "pid=,command="]).unwrap_or_default();
    let marked = table.lines().filter_map(|line| {
        let (pid, words) = line.trim().split_once(' ')?;
        words.split(' ').any(|word| mark::is_of(word.as_bytes(), key)).then(|| pid.parse().ok())?
    });
    let killed = marked.filter(|pid| *pid != own && kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok());
    Search { killed: killed.count(), unclear: 0 }
}

/// None: arguments and environment cannot be told apart here.
pub(super) fn environment_of(_pid: i32) -> Option<Vec<u8>> {
    None
}

/// None, so that a shim is not recognised among the ancestors.
pub(super) fn arguments_of(_pid: i32) -> Option<Vec<Vec<u8>>> {
    None
}

/// None, as `arguments_of`.
pub(super) fn parent_of(_pid: i32) -> Option<i32> {
    None
}

fn ps(arguments: &[&str]) -> Option<String> {
    let output = Command::new("/bin/ps").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
