//! A client at work: its process group, its output in files, its deadline, and its turn on this machine.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::clients::Client;
use super::seat::Outcome;
use crate::home::Said;

/// How many clients work at the same time; each is good for a core and half a gigabyte.
const AT_ONCE: usize = 2;

/// Which clients are at work, by name.
static AT_WORK: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
static LEFT: Condvar = Condvar::new();

/// A client that was started. When this goes, its whole process group goes.
pub(crate) struct Running {
    client: &'static dyn Client,
    child: Child,
    out: PathBuf,
    err: PathBuf,
    started_at: Instant,
    deadline: Duration,
    _turn: OnTurn,
}

/// The right to work. One client does one thing at a time.
pub(crate) struct OnTurn(&'static str);

impl Running {
    /// Starts a client as soon as it is its turn.
    pub(crate) fn start(
        client: &'static dyn Client,
        mut command: Command,
        folder: &Path,
        deadline: Duration,
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let turn = OnTurn::wait(client.name());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let out = folder.join(format!("{count}.out"));
        let err = folder.join(format!("{count}.err"));
        let child = command
            // Files, since a pipe stays open for as long as anything that the client left behind.
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", client.name()));
        Self { client, child, out, err, started_at: Instant::now(), deadline, _turn: turn }
    }

    /// The process.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// What it has written until now.
    pub(crate) fn written(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Waits for the end, or makes it at the deadline.
    pub(crate) fn end(mut self) -> Outcome {
        let give_up_at = self.started_at + self.deadline;
        let mut is_late = false;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > give_up_at {
                is_late = true;
                break self.kill();
            }
            thread::sleep(Duration::from_millis(10));
        };
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let said = Said { code: status.code().unwrap_or(-1), out: text(&self.out), err: text(&self.err) };
        Outcome { client: self.client, said, is_late }
    }

    fn kill(&mut self) -> ExitStatus {
        let _ = killpg(Pid::from_raw(self.pid()), Signal::SIGKILL);
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its number belongs to it until it is waited for.
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
    }
}

impl OnTurn {
    /// Waits until this client may work.
    pub(crate) fn wait(name: &'static str) -> Self {
        let at_work = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |names: &mut Option<HashSet<&str>>| {
            names.as_ref().is_some_and(|names| names.len() >= AT_ONCE || names.contains(name))
        };
        let mut at_work = LEFT.wait_while(at_work, is_full).unwrap_or_else(PoisonError::into_inner);
        at_work.get_or_insert_default().insert(name);
        Self(name)
    }
}

impl Drop for OnTurn {
    fn drop(&mut self) {
        if let Some(names) = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            names.remove(self.0);
        }
        LEFT.notify_all();
    }
}
