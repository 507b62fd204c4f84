//! The bell: what happens on other threads, told to the one that sleeps on descriptors.

use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use nix::sys::signal::{SigSet, Signal};

use crate::client::autostart::Autostart;
use crate::client::connect::{self, ClientError, Link};
use crate::client::preface::Preface;
use crate::paths::Paths;

/// Threads here wait, and look at a few files.
const STACK_BYTES: usize = 256 << 10;

/// What happens on other threads.
#[derive(Debug)]
pub(super) enum Event {
    /// A daemon was looked for.
    Dialed(Result<Link, ClientError>),
    /// This process is to end.
    Stop,
}

/// Where such events arrive.
#[derive(Debug)]
pub(super) struct Bell {
    events: Receiver<Event>,
    wire: UnixStream,
    ringer: Ringer,
}

/// Rings a bell.
#[derive(Debug)]
struct Ringer {
    events: Sender<Event>,
    wire: UnixStream,
}

impl Bell {
    /// One that nobody rings yet.
    pub(super) fn new() -> io::Result<Self> {
        let (sender, events) = mpsc::channel();
        let (far, wire) = UnixStream::pair()?;
        wire.set_nonblocking(true)?;
        Ok(Self { events, wire, ringer: Ringer { events: sender, wire: far } })
    }

    /// What was told since the last time.
    pub(super) fn answer(&self) -> impl Iterator<Item = Event> + '_ {
        // The events say what happened, the bytes only that something did.
        let _ = (&self.wire).read(&mut [0; 64]);
        self.events.try_iter()
    }

    /// Has the signals that end a process told here; call it before there are other threads.
    ///
    /// An interrupt ends it only in a terminal. Elsewhere it is meant for the client, of whose group we
    /// are, and which may well go on: when it does not, its end is seen as the end of the input.
    pub(super) fn hear_signals(&self) -> io::Result<()> {
        let signals: SigSet = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT].into_iter().collect();
        signals.thread_block()?;
        let counts = move |signal| signal != Signal::SIGINT || io::stdin().is_terminal();
        let ringer = self.ringer.copy()?;
        thread("signals", move || {
            while let Ok(signal) = signals.wait() {
                if counts(signal) {
                    ringer.ring(Event::Stop);
                }
            }
        })
    }

    /// Has a daemon looked for.
    pub(super) fn dial(&self, paths: &Paths, autostart: &Autostart, preface: &Preface) -> io::Result<()> {
        let (paths, autostart, preface) = (paths.clone(), autostart.clone(), preface.clone());
        let ringer = self.ringer.copy()?;
        thread("dialer", move || {
            ringer.ring(Event::Dialed(connect::link(&paths, &autostart, &preface)));
        })
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.as_fd()
    }
}

impl Ringer {
    fn copy(&self) -> io::Result<Self> {
        Ok(Self { events: self.events.clone(), wire: self.wire.try_clone()? })
    }

    fn ring(&self, event: Event) {
        // A bell that is gone is that of a process which is ending.
        let _ = self.events.send(event);
        let _ = (&self.wire).write(b"!");
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).map(drop)
}
