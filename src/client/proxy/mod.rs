//! The proxy: an MCP server for one client that never goes away before it, and has no answers of its own.
//!
//! It copies lines between the client's pipes and the daemon's socket. When the daemon goes away - killed,
//! replaced by an upgrade, not there yet - it starts one, repeats how the session began and sends what is in
//! flight again under the same keys, so that the client gets the true answer, and gets it once.
//!
//! [`session`] knows what is in flight and is a function of the lines that come. This file sleeps until a
//! descriptor is ready; it never waits for anything else, since looking for a daemon is for a thread.
#![expect(clippy::disallowed_methods, reason = "a proxy is told by the clock when to give up")]

mod again;
mod bell;
mod complaint;
mod flight;
mod footprint;
mod handshake;
mod lines;
mod message;
mod outbox;
mod patience;
mod session;

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd;

use crate::client::autostart::Autostart;
use crate::client::connect::{ClientError, Link};
use crate::client::key;
use crate::client::preface::Preface;
use crate::client::proxy::bell::{Bell, Event};
use crate::client::proxy::lines::Cutter;
use crate::client::proxy::patience::{Next, Patience, WAIT_MAX};
use crate::client::proxy::session::{LINE_BYTES_MAX, Session};
use crate::core::refusal::Refusal;
use crate::paths::Paths;

/// How long what is in flight may take once the client is gone.
const FAREWELL: Duration = Duration::from_secs(5);

/// The longest line of a daemon.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How much is read at once.
const READ_BYTES: usize = 64 << 10;

/// How proxies are kept from starting a daemon all at once when nobody waits for it.
const CROWD_MS: u32 = 200;

/// How a proxy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With its client.
    WithClient,
    /// With its client, which never had a daemon, since none may be started inside a run.
    WithoutDaemon,
}

/// Serves the client at standard input and output until it goes away.
///
/// `autostart` says what to do without a daemon.
pub fn run(paths: Paths, autostart: Autostart) -> io::Result<Ended> {
    let bell = Bell::new()?;
    bell.hear_signals()?;
    let mut proxy = Proxy {
        paths,
        autostart,
        preface: Preface::of_this_proxy(),
        bell,
        session: Session::new(key::fresh("mcp")),
        patience: Patience::default(),
        client: Client::Talking(Cutter::new(LINE_BYTES_MAX)),
        daemon: Daemon::None,
        failure: None,
        version: String::new(),
        ended: Ended::WithClient,
        buffer: vec![0; READ_BYTES],
    };
    proxy.dial();
    while proxy.turn()? {}
    Ok(proxy.ended)
}

struct Proxy {
    paths: Paths,
    autostart: Autostart,
    preface: Preface,
    bell: Bell,
    session: Session,
    patience: Patience,
    client: Client,
    daemon: Daemon,
    /// Why there is no daemon, or was none when there last was none.
    failure: Option<Refusal>,
    /// The version of the newest daemon.
    version: String,
    ended: Ended,
    buffer: Vec<u8>,
}

/// The client, from our side.
enum Client {
    /// May say more.
    Talking(Cutter),
    /// Has said all; until then it is answered.
    Leaving(Instant),
    /// Takes no more answers, or wants none.
    Gone,
}

/// The daemon, from our side.
enum Daemon {
    /// There is one.
    Here { stream: UnixStream, cutter: Cutter, since: Instant },
    /// A thread looks for one.
    Dialed,
    /// One is looked for later.
    Later(Instant),
    /// Nobody needs one.
    None,
}

/// Which descriptors are ready, and for what.
struct Ready {
    bell: PollFlags,
    input: PollFlags,
    output: PollFlags,
    daemon: PollFlags,
}

impl Proxy {
    /// Waits for something to happen and does what follows; says whether there is more to come.
    fn turn(&mut self) -> io::Result<bool> {
        let ready = self.wait()?;
        if ready.bell.intersects(PollFlags::POLLIN) {
            let events: Vec<Event> = self.bell.answer().collect();
            for event in events {
                self.happened(event);
            }
        }
        if !ready.daemon.is_empty() {
            self.exchange(ready.daemon);
        }
        if !ready.input.is_empty() {
            self.listen();
        }
        let is_shut = ready.output.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
        let is_open = ready.output.intersects(PollFlags::POLLOUT);
        if is_shut || is_open && self.session.to_client.flush(&io::stdout()).is_err() {
            self.client = Client::Gone;
        }
        self.tend(Instant::now());
        Ok(!self.is_over())
    }

    /// Sleeps until a descriptor is ready, or it is time for something.
    fn wait(&self) -> io::Result<Ready> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let when = |wanted: bool, flags: PollFlags| if wanted { flags } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::new(self.bell.as_fd(), PollFlags::POLLIN),
            PollFd::new(stdout.as_fd(), when(!self.session.to_client.is_empty(), PollFlags::POLLOUT)),
        ];
        let is_here = matches!(self.daemon, Daemon::Here { .. });
        if let Daemon::Here { stream, .. } = &self.daemon {
            let flags = when(self.session.can_hear(), PollFlags::POLLIN)
                | when(!self.session.to_daemon.is_empty(), PollFlags::POLLOUT);
            fds.push(PollFd::new(stream.as_fd(), flags));
        }
        let is_talking = matches!(self.client, Client::Talking(_)) && self.session.can_listen();
        if is_talking {
            fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, self.timeout(Instant::now())) {
            // When it was interrupted, none of them says anything.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut flags = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        let mut next = |is_there: bool| {
            if is_there { flags.next().unwrap_or(PollFlags::empty()) } else { PollFlags::empty() }
        };
        Ok(Ready { bell: next(true), output: next(true), daemon: next(is_here), input: next(is_talking) })
    }

    fn timeout(&self, now: Instant) -> PollTimeout {
        let leaving = if let Client::Leaving(until) = self.client { Some(until) } else { None };
        let later = if let Daemon::Later(at) = self.daemon { Some(at) } else { None };
        let given_up = self.session.oldest_loss().map(|lost_at| lost_at + WAIT_MAX);
        let Some(at) = [leaving, later, given_up].into_iter().flatten().min() else {
            return PollTimeout::NONE;
        };
        // Up, or it would turn and turn within the last millisecond.
        let ms = at.saturating_duration_since(now).as_micros().div_ceil(1000);
        PollTimeout::try_from(ms).unwrap_or(PollTimeout::MAX)
    }

    fn happened(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::Dialed(Ok(link)) => self.greeted(link, now),
            Event::Dialed(Err(error)) => self.not_found(error, now),
            Event::Stop => match self.client {
                Client::Talking(_) => self.client = Client::Leaving(now + FAREWELL),
                // Told twice, it goes at once.
                Client::Leaving(_) | Client::Gone => self.client = Client::Gone,
            },
        }
    }

    fn greeted(&mut self, link: Link, now: Instant) {
        link.version().clone_into(&mut self.version);
        let (stream, read) = link.into_parts();
        if stream.set_nonblocking(true).is_err() {
            return self.not_found(ClientError::Lost, now);
        }
        self.session.connected(&self.version, now);
        let mut cutter = Cutter::new(ANSWER_BYTES_MAX);
        cutter.feed(&read, |line| self.session.daemon_says(line));
        self.daemon = Daemon::Here { stream, cutter, since: now };
        footprint::shrink();
    }

    fn not_found(&mut self, error: ClientError, now: Instant) {
        let is_inside = matches!(error, ClientError::InsideRun);
        if is_inside && self.version.is_empty() {
            self.ended = Ended::WithoutDaemon;
        }
        let is_stopped = matches!(error, ClientError::Stopped);
        let next = self.patience.failed(&error, now);
        let why: Refusal = error.into();
        if is_stopped {
            complaint::say(&why.to_string(), &io::stderr());
            self.session.give_up_sent(&why);
        }
        self.failure = Some(why);
        self.go_on(next, now);
    }

    /// Copies between the daemon and the two outboxes.
    fn exchange(&mut self, ready: PollFlags) {
        let Daemon::Here { stream, cutter, since } = &mut self.daemon else { return };
        let readable = PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
        let is_writable = ready.intersects(PollFlags::POLLOUT);
        let is_broken = is_writable && self.session.to_daemon.flush(stream).is_err();
        let mut is_lost = false;
        // What a daemon said before it went away counts.
        while is_broken || ready.intersects(readable) {
            match stream.read(&mut self.buffer) {
                Ok(0) => is_lost = true,
                Ok(length) => cutter.feed(&self.buffer[..length], |line| self.session.daemon_says(line)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => is_lost = is_broken,
                Err(_) => is_lost = true,
            }
            if !is_broken || is_lost {
                break;
            }
        }
        if is_lost {
            let (since, now) = (*since, Instant::now());
            self.session.lost(since, now);
            self.failure = Some(patience::hung_up(&self.version));
            let next = self.patience.lost(since, now);
            self.go_on(next, now);
        }
    }

    /// Reads what the client says.
    fn listen(&mut self) {
        let Client::Talking(cutter) = &mut self.client else { return };
        let now = Instant::now();
        match unistd::read(io::stdin(), &mut self.buffer) {
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Ok(0) | Err(_) => {
                if let Some(line) = cutter.finish() {
                    self.session.client_says(line, now);
                }
                self.client = Client::Leaving(now + FAREWELL);
            }
            Ok(length) => {
                cutter.feed(&self.buffer[..length], |line| self.session.client_says(line, now));
            }
        }
    }

    /// Does what time asks for.
    fn tend(&mut self, now: Instant) {
        if self.session.oldest_loss().is_some_and(|lost_at| lost_at + WAIT_MAX <= now) {
            self.give_up(now, WAIT_MAX);
        }
        match self.daemon {
            Daemon::Later(at) if at <= now => self.dial(),
            Daemon::None if self.session.is_waiting() => self.dial(),
            Daemon::Here { .. } | Daemon::Dialed | Daemon::Later(_) | Daemon::None => {}
        }
    }

    /// Looks for the daemon again, or tells those who wait for it that there is none.
    fn go_on(&mut self, next: Next, now: Instant) {
        self.daemon = match next {
            Next::Again(pause) if self.session.is_waiting() => Daemon::Later(now + pause),
            Next::Again(pause) if self.session.is_listening() => {
                let crowd = Duration::from_millis(u64::from(std::process::id() % CROWD_MS));
                Daemon::Later(now + pause + crowd)
            }
            Next::Again(_) => Daemon::None,
            Next::GiveUp => {
                self.give_up(now, Duration::ZERO);
                Daemon::None
            }
        };
    }

    fn give_up(&mut self, now: Instant, patience: Duration) {
        let why = self.failure.clone().unwrap_or_else(|| ClientError::Silent.into());
        complaint::say(&why.to_string(), &io::stderr());
        self.session.give_up(&why, now, patience);
    }

    /// Has a daemon looked for, and started unless a person stopped the last one: that is undone only by
    /// a request that came later, not by those that were in flight.
    fn dial(&mut self) {
        let is_stopped = !self.version.is_empty() && self.paths.stopped().exists();
        let autostart = if !is_stopped || self.session.has_new() {
            &self.autostart
        } else if self.session.is_waiting() {
            &Autostart::AfterStop
        } else {
            &Autostart::Never
        };
        self.daemon = match self.bell.dial(&self.paths, autostart, &self.preface) {
            Ok(()) => Daemon::Dialed,
            Err(error) => {
                self.failure = Some(ClientError::Spawn(error).into());
                Daemon::Later(Instant::now() + Duration::from_secs(1))
            }
        };
    }

    fn is_over(&self) -> bool {
        match self.client {
            Client::Talking(_) => false,
            Client::Gone => true,
            Client::Leaving(until) => {
                let is_silent = !self.session.is_waiting()
                    && self.session.to_client.is_empty()
                    && self.session.to_daemon.is_empty();
                is_silent || until <= Instant::now()
            }
        }
    }
}
