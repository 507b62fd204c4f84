//! Watching: one thread that waits for all shims.
#![expect(clippy::disallowed_methods, reason = "watching is waiting on the system's clock")]

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::core::process::ProcessKey;
use crate::core::process::files::STARTED;
use crate::core::task::report::Report;
use crate::process::platform::Handle;
use crate::process::rundir::RunDir;
use crate::process::supervisor::{Message, Occasion, Shared, Wish};

/// How often a lock is asked for that has no process we could wait for.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How often those are killed again that do not die.
const KILL_AGAIN: Duration = Duration::from_secs(10);
/// How soon a child that has closed its pipe is waited for again, at first and at most.
const REAP_PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// A shim under watch.
pub(super) enum Watched {
    /// One that was started here; the pipe brings its first line, and its end.
    Child { shim: Child, pipe: ChildStdout, line: Vec<u8> },
    /// One that was started by a supervisor before this one.
    Adopted { handle: Handle, occasion: Occasion },
    /// One that cannot be waited for, and so is looked at from time to time.
    Asked { at: Instant, handle: Option<Handle>, occasion: Occasion, wish: Wish },
}

impl Watched {
    pub(super) fn child(shim: Child, pipe: ChildStdout) -> Self {
        Self::Child { shim, pipe, line: Vec::new() }
    }

    /// Watches by `handle` when that can be waited for.
    pub(super) fn adopted(handle: Option<Handle>, occasion: Occasion) -> Self {
        match handle {
            Some(handle) if handle.end().is_some() => Self::Adopted { handle, occasion },
            handle => Self::Asked { at: Instant::now() + ASK_AGAIN, handle, occasion, wish: Wish::Run },
        }
    }

    /// Has what is left of a process looked at again after a while.
    pub(super) fn lingering(occasion: Occasion) -> Self {
        Self::Asked { at: Instant::now() + KILL_AGAIN, handle: None, occasion, wish: Wish::Run }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Child { pipe, .. } => Some(pipe.as_fd()),
            Self::Adopted { handle, .. } => handle.end(),
            Self::Asked { .. } => None,
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Child { shim, .. } => signal(shim, Signal::SIGTERM),
            Self::Adopted { handle, .. } | Self::Asked { handle: Some(handle), .. } => handle.terminate(),
            // Nobody to tell yet, so it is told after the next look.
            Self::Asked { handle: None, wish, .. } => *wish = Wish::Stop,
        }
    }

    /// Has the shim of `dir` read again what bounds its process.
    fn control(&self, dir: &RunDir) {
        match self {
            // One that has not said that it started would die of the signal, and reads the file anyway.
            Self::Child { shim, .. } => {
                if dir.has(STARTED).unwrap_or(false) {
                    signal(shim, Signal::SIGUSR1);
                }
            }
            Self::Adopted { handle, .. } | Self::Asked { handle: Some(handle), .. } => handle.tell_control(),
            // The next look finds the file.
            Self::Asked { handle: None, .. } => {}
        }
    }
}

/// Signals a child; safe by its pid alone: nobody else waits for it, so the pid is not given away.
fn signal(shim: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(shim.id()) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// A child whose pipe is closed and that is about to be gone.
struct Leaving {
    shim: Child,
    /// Looked at once the child is gone, since it left no outcome.
    unsettled: Option<ProcessKey>,
}

/// The watcher thread's own.
pub(super) struct Watcher {
    shared: Arc<Shared>,
    woken: UnixStream,
    watched: HashMap<ProcessKey, Watched>,
    leaving: Vec<Leaving>,
    reap_pause: Duration,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, woken: UnixStream) -> Self {
        Self { shared, woken, watched: HashMap::new(), leaving: Vec::new(), reap_pause: REAP_PAUSE.0 }
    }

    /// Watches until the supervisor closes.
    pub(super) fn run(mut self) {
        loop {
            for key in self.wait() {
                self.attend(key);
            }
            if !self.take_messages() {
                return;
            }
            self.reap();
            self.ask_again();
        }
    }

    /// Waits for something to happen, and says to whom.
    fn wait(&self) -> Vec<ProcessKey> {
        let mut keys = Vec::with_capacity(self.watched.len());
        let mut fds = Vec::with_capacity(self.watched.len() + 1);
        fds.push(PollFd::new(self.woken.as_fd(), PollFlags::POLLIN));
        for (key, watched) in &self.watched {
            if let Some(fd) = watched.fd() {
                keys.push(*key);
                fds.push(PollFd::new(fd, PollFlags::POLLIN));
            }
        }
        let timeout = self.pause().map_or(PollTimeout::NONE, |pause| {
            PollTimeout::try_from(pause + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        if poll(&mut fds, timeout).is_err() {
            return Vec::new();
        }
        let ready = fds[1..].iter().map(|fd| fd.any().unwrap_or(true));
        keys.into_iter().zip(ready).filter_map(|(key, ready)| ready.then_some(key)).collect()
    }

    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let asks = self.watched.values().filter_map(|watched| match watched {
            Watched::Asked { at, .. } => Some(at.duration_since(now)),
            Watched::Child { .. } | Watched::Adopted { .. } => None,
        });
        let reaps = (!self.leaving.is_empty()).then_some(self.reap_pause);
        asks.chain(reaps).min()
    }

    /// Deals with a shim that has something to say, or nothing ever more.
    fn attend(&mut self, key: ProcessKey) {
        if let Some(Watched::Child { pipe, line, .. }) = self.watched.get_mut(&key) {
            let mut buffer = [0; 256];
            match pipe.read(&mut buffer) {
                Ok(length @ 1..) => {
                    line.extend_from_slice(&buffer[..length]);
                    if line.ends_with(b"\n") {
                        let line = std::mem::take(line);
                        self.hear(key, &String::from_utf8_lossy(&line));
                    }
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
                Ok(0) | Err(_) => {}
            }
        }
        let Some(gone) = self.watched.remove(&key) else { return };
        let outcome = RunDir::of(&self.shared.runs, key).outcome().ok().flatten();
        let settled = outcome.is_some();
        if let Some(outcome) = outcome {
            self.shared.finish(key, Report::Ended { key, outcome });
        }
        match gone {
            Watched::Child { shim, .. } => {
                self.reap_pause = REAP_PAUSE.0;
                self.leaving.push(Leaving { shim, unsettled: (!settled).then_some(key) });
            }
            Watched::Adopted { occasion, .. } | Watched::Asked { occasion, .. } if !settled => {
                self.shared.look_again(key, occasion, Wish::Run);
            }
            Watched::Adopted { .. } | Watched::Asked { .. } => {}
        }
    }

    fn hear(&self, key: ProcessKey, line: &str) {
        let Some(("started", at)) = line.trim_end().split_once(' ') else {
            tracing::warn!(%key, line, "a shim cannot go on");
            return;
        };
        match at.parse() {
            Ok(at) => self.shared.report(Report::Started { key, at }),
            Err(error) => tracing::error!(%key, %error, "a shim started at no instant"),
        }
    }

    /// Says whether to go on.
    fn take_messages(&mut self) -> bool {
        let mut buffer = [0; 64];
        while let Ok(1..) = self.woken.read(&mut buffer) {}
        let mut state = self.shared.state();
        let mut stops = Vec::new();
        let mut controls = Vec::new();
        for message in std::mem::take(&mut state.messages) {
            match message {
                Message::Watch(key, watched) => {
                    self.watched.insert(key, watched);
                }
                Message::Stop(key) => stops.push(key),
                Message::Control(key) => controls.push(key),
            }
        }
        // One that was just given back to the workers is told after their look. Decided before the state
        // is let go, or it might come back in between.
        for key in stops.extract_if(.., |key| !self.watched.contains_key(key)) {
            state.wish_stop(key);
        }
        let closing = state.closing;
        drop(state);
        for key in stops {
            self.watched.get_mut(&key).expect("all others were taken out").stop();
        }
        for key in controls {
            // One that was given back to the workers is told when it is handed over again.
            if let Some(watched) = self.watched.get(&key) {
                watched.control(&RunDir::of(&self.shared.runs, key));
            }
        }
        !closing
    }

    /// Waits for the children that are gone; those still on the way are asked ever more rarely.
    fn reap(&mut self) {
        if self.leaving.is_empty() {
            return;
        }
        self.reap_pause = (self.reap_pause * 2).min(REAP_PAUSE.1);
        let shared = Arc::clone(&self.shared);
        self.leaving.retain_mut(|leaving| {
            let on_the_way = matches!(leaving.shim.try_wait(), Ok(None));
            if !on_the_way && let Some(key) = leaving.unsettled {
                shared.look_again(key, Occasion::Again, Wish::Run);
            }
            on_the_way
        });
    }

    /// Has those looked at again that cannot be waited for.
    fn ask_again(&mut self) {
        let now = Instant::now();
        let shared = Arc::clone(&self.shared);
        self.watched.retain(|key, watched| match watched {
            Watched::Asked { at, occasion, wish, .. } if *at <= now => {
                shared.look_again(*key, *occasion, *wish);
                false
            }
            Watched::Asked { .. } | Watched::Child { .. } | Watched::Adopted { .. } => true,
        });
    }
}
