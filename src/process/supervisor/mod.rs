//! The supervisor: the daemon's side of processes.
//!
//! Every call only notes what is wanted. A few worker threads do what takes time (directories, spawning,
//! looking after a restart), and one watcher thread waits for all shims at once. Both sleep while there
//! is nothing to do.

mod look;
mod prompt;
mod spawn;
mod watch;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crate::core::process::files::CONTROL;
use crate::core::process::{Control, ProcessKey};
use crate::core::task::report::Report;
use crate::engine::ports::{Launch, Processes};
use crate::process::platform::own_program;
use crate::process::rundir::RunDir;
use crate::process::supervisor::look::Found;
use crate::process::supervisor::watch::{Watched, Watcher};

/// How a supervisor goes about its work.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that is a shim when its first argument says so.
    pub program: PathBuf,
    /// Where shims start a daemon when they find none; nowhere when none.
    pub home: Option<PathBuf>,
    /// How many shims are started at the same time.
    pub workers: usize,
    /// How many descriptors processes may have, when not as many as the supervisor's.
    pub descriptors_max: Option<u64>,
}

impl Options {
    /// Shims are this very program, also when its file is replaced while it runs.
    pub fn own_program(home: Option<PathBuf>, descriptors_max: Option<u64>) -> io::Result<Self> {
        let program = own_program()?;
        Ok(Self { program, home, workers: 4, descriptors_max })
    }
}

/// Starts, stops and finds shims; dropping it leaves them alone.
pub struct Supervisor {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
struct Shared {
    runs: PathBuf,
    options: Options,
    state: Mutex<State>,
    work: Condvar,
    /// Held by who writes a `control`, so that the newest is written last, and by who gives the last word
    /// on a process, so that none is written after it. Taken before the state.
    pen: Mutex<()>,
    /// One byte in here makes the watcher look at the messages.
    wake: UnixStream,
    report: Mutex<Box<dyn Fn(Report) + Send>>,
}

#[derive(Default)]
struct State {
    stages: HashMap<ProcessKey, Stage>,
    queue: VecDeque<Work>,
    messages: Vec<Message>,
    /// What bounds a process from now on, until it is written.
    controls: HashMap<ProcessKey, Control>,
    closing: bool,
}

/// Where a process stands that the supervisor knows of.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// A worker has it, or will.
    Pending(Wish),
    /// The watcher has it, or will with its next message.
    Watched,
}

/// What is to become of a process that a worker still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Run,
    Stop,
}

enum Work {
    Launch(Box<Launch>),
    Look(ProcessKey, Occasion),
    Control(ProcessKey),
}

/// Why a process is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// The engine asked, and wants to hear that it is alive.
    Asked,
    /// Its shim went away, or it is looked at again; that it is alive is no news.
    Again,
}

enum Message {
    Watch(ProcessKey, Watched),
    Stop(ProcessKey),
    Control(ProcessKey),
}

impl Supervisor {
    /// Starts the threads of a supervisor of the run directories below `runs`.
    ///
    /// `report` is called on these threads, by one at a time.
    pub fn start(
        runs: PathBuf,
        options: Options,
        report: impl Fn(Report) + Send + 'static,
    ) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let workers = options.workers.max(1);
        let shared = Arc::new(Shared {
            runs,
            options,
            state: Mutex::default(),
            work: Condvar::new(),
            pen: Mutex::new(()),
            wake,
            report: Mutex::new(Box::new(report)),
        });
        // Built before its threads, so that an error on the way ends those that have been started.
        let mut supervisor = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        let watcher = Watcher::new(Arc::clone(&shared), woken);
        let thread = thread::Builder::new().name("watcher".to_owned());
        supervisor.threads.push(thread.spawn(move || watcher.run())?);
        for _ in 0..workers {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new().name("spawner".to_owned());
            supervisor.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(supervisor)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.state().closing = true;
        self.shared.work.notify_all();
        self.shared.wake_watcher();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl Processes for Supervisor {
    fn launch(&self, launch: Launch) {
        let key = launch.key;
        let mut state = self.shared.state();
        if state.stages.contains_key(&key) {
            tracing::error!(%key, "launched while it is known already");
            return;
        }
        state.stages.insert(key, Stage::Pending(Wish::Run));
        state.queue.push_back(Work::Launch(Box::new(launch)));
        self.shared.work.notify_one();
    }

    fn stop(&self, key: ProcessKey) {
        let mut state = self.shared.state();
        match state.stages.get_mut(&key) {
            Some(Stage::Pending(wish)) => *wish = Wish::Stop,
            Some(Stage::Watched) => {
                state.messages.push(Message::Stop(key));
                self.shared.wake_watcher();
            }
            None => {}
        }
    }

    fn control(&self, key: ProcessKey, control: Control) {
        let mut state = self.shared.state();
        if state.stages.contains_key(&key) {
            // One that was not written yet is replaced, and whoever was to write it writes this.
            if state.controls.insert(key, control).is_none() {
                state.queue.push_back(Work::Control(key));
                self.shared.work.notify_one();
            }
        }
    }

    fn look(&self, key: ProcessKey) {
        let mut state = self.shared.state();
        if let Entry::Vacant(place) = state.stages.entry(key) {
            place.insert(Stage::Pending(Wish::Run));
            state.queue.push_back(Work::Look(key, Occasion::Asked));
            self.shared.work.notify_one();
        }
    }
}

impl State {
    /// Remembers that a process that nobody watches at the moment is to be stopped, unless it is over.
    fn wish_stop(&mut self, key: ProcessKey) {
        if let Some(stage) = self.stages.get_mut(&key) {
            *stage = Stage::Pending(Wish::Stop);
        }
    }
}

impl Shared {
    /// The work of one worker thread.
    fn work(&self) {
        while let Some((work, wish)) = self.next_work() {
            match work {
                // It has no shim yet, so that looking at it revokes it.
                Work::Launch(launch) if wish == Wish::Stop => self.look(launch.key, Occasion::Asked),
                Work::Launch(launch) => self.spawn(*launch),
                Work::Look(key, occasion) => self.look(key, occasion),
                Work::Control(key) => self.control(key),
            }
        }
    }

    fn next_work(&self) -> Option<(Work, Wish)> {
        let state = self.state();
        let mut state = self
            .work
            .wait_while(state, |state| state.queue.is_empty() && !state.closing)
            .expect("nobody panics with the state in hand");
        if state.closing {
            return None;
        }
        let work = state.queue.pop_front()?;
        let key = match &work {
            Work::Launch(launch) => launch.key,
            Work::Look(key, _) | Work::Control(key) => *key,
        };
        let wish = match state.stages.get(&key) {
            Some(Stage::Pending(wish)) => *wish,
            Some(Stage::Watched) | None => Wish::Run,
        };
        Some((work, wish))
    }

    fn spawn(&self, launch: Launch) {
        let key = launch.key;
        match spawn::spawn(&self.runs, &self.options, launch) {
            Ok(watched) => self.hand_over(key, watched),
            Err(cause) => self.finish(key, Report::Ended { key, outcome: spawn::never_ran(cause) }),
        }
    }

    fn look(&self, key: ProcessKey, occasion: Occasion) {
        match look::look(&RunDir::of(&self.runs, key), key) {
            Ok(Found::Alive { at, handle }) => {
                let mut next = occasion;
                if let (Occasion::Asked, Some(at)) = (occasion, at) {
                    self.report(Report::Started { key, at });
                    next = Occasion::Again;
                }
                self.hand_over(key, Watched::adopted(handle, next));
            }
            Ok(Found::Ended(outcome)) => self.finish(key, Report::Ended { key, outcome }),
            Ok(Found::Revoked) => self.finish(key, Report::Revoked { key }),
            Ok(Found::Lost) => self.finish(key, Report::Lost { key }),
            Ok(Found::Lingering) => {
                // Nothing is said while something lives that another attempt would meet.
                tracing::warn!(%key, "processes of a lost attempt do not die, and are killed again");
                self.hand_over(key, Watched::lingering(occasion));
            }
            Err(error) => {
                // Nothing may be said about it before the disk says it too.
                tracing::warn!(%key, %error, "cannot look into a run directory, and will try again");
                self.hand_over(key, Watched::adopted(None, occasion));
            }
        }
    }

    /// Writes what bounds a process from now on, and has its shim read it.
    fn control(&self, key: ProcessKey) {
        let pen = self.pen.lock().expect("writing a file does not panic");
        // Another worker may have written it, and the process may be over.
        let Some(control) = self.state().controls.remove(&key) else { return };
        let dir = RunDir::of(&self.runs, key);
        if let Err(error) = dir.create().and_then(|()| dir.write_control(&control)) {
            tracing::warn!(%key, %error, "the limits of a run cannot be changed");
            return;
        }
        drop(pen);
        let mut state = self.state();
        // Whoever hands it over later finds the file.
        if let Some(Stage::Watched) = state.stages.get(&key) {
            state.messages.push(Message::Control(key));
            drop(state);
            self.wake_watcher();
        }
    }

    /// Gives a process to the watcher, and passes on that it was stopped meanwhile.
    fn hand_over(&self, key: ProcessKey, watched: Watched) {
        let mut state = self.state();
        state.messages.push(Message::Watch(key, watched));
        if let Some(Stage::Pending(Wish::Stop)) = state.stages.insert(key, Stage::Watched) {
            state.messages.push(Message::Stop(key));
        }
        drop(state);
        if RunDir::of(&self.runs, key).has(CONTROL).unwrap_or(false) {
            self.state().messages.push(Message::Control(key));
        }
        self.wake_watcher();
    }

    /// Forgets a process, with the last word on it.
    fn finish(&self, key: ProcessKey, last: Report) {
        // Its directory may be discarded from then on, and a `control` on its way would bring it back.
        let pen = self.pen.lock().expect("writing a file does not panic");
        let mut state = self.state();
        state.stages.remove(&key);
        state.controls.remove(&key);
        drop(state);
        drop(pen);
        self.report(last);
    }

    /// Looks again at a process that was watched.
    fn look_again(&self, key: ProcessKey, occasion: Occasion, wish: Wish) {
        let mut state = self.state();
        let was = state.stages.insert(key, Stage::Pending(wish));
        if let Some(Stage::Pending(Wish::Stop)) = was {
            state.wish_stop(key);
        }
        state.queue.push_back(Work::Look(key, occasion));
        self.work.notify_one();
    }

    fn report(&self, report: Report) {
        (self.report.lock().expect("a report does not panic"))(report);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the state in hand")
    }

    fn wake_watcher(&self) {
        // A full pipe wakes as well.
        let _ = (&self.wake).write(&[0]);
    }
}

#[cfg(test)]
mod tests;
