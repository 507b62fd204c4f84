//! The watch: one loop over output, signals and limits until the tree is empty.
#![expect(clippy::disallowed_methods, reason = "the limits of a process are limits of time")]

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

use crate::core::process::files::{STDERR, STDOUT};
use crate::core::process::{Cut, Ending, Outcome};
use crate::core::span::Span;
use crate::engine::ports::Progress;
use crate::process::platform;
use crate::process::rundir::RunDir;
use crate::process::shim::output::{Brought, CHUNK, Stream};
use crate::process::shim::progress::Meter;
use crate::process::shim::rein::Rein;
use crate::process::shim::signals::Signals;

/// How long output may still come after the main process has exited.
const DRAIN: Duration = Duration::from_secs(1);
/// How often the memory of the tree is looked at, when it is bounded.
const SAMPLE: Duration = Duration::from_millis(100);
/// How soon what survived a KILL gets another one, at first and at most: some may never die.
const KILL_AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));
/// The longest sleep beside a wall limit: a poll does not count suspended time, the limit does.
const NAP: Duration = Duration::from_secs(10);

/// Where the tree is on its way to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The main process runs.
    Running,
    /// It has exited; what it or its children wrote may still come.
    Draining { until: Instant },
    /// All were asked to end.
    Ending { kill_at: Instant },
    /// All that show up are killed, again and again.
    Killing { pause: Duration },
    /// Nothing is left.
    Empty,
}

/// A process under watch.
pub(super) struct Watch {
    signals: Signals,
    rein: Rein,
    started_at: Timestamp,
    main: Pid,
    status: Option<ExitStatus>,
    children_left: bool,
    streams: [Stream; 2],
    buffer: Vec<u8>,
    /// What tells progress from other output; none where every byte is progress.
    meter: Option<Meter>,
    /// By the clock that stands while the machine is suspended: nobody writes in their sleep.
    last_progress: Instant,
    last_sample: Instant,
    cut: Option<Cut>,
    phase: Phase,
}

impl Watch {
    /// Watches `child`, which must be the only one.
    pub(super) fn new(
        dir: &RunDir,
        signals: Signals,
        rein: Rein,
        started_at: Timestamp,
        child: Child,
    ) -> Self {
        let now = Instant::now();
        let main = Pid::from_raw(i32::try_from(child.id()).expect("a pid is a positive i32"));
        let stdout = child.stdout.expect("standard output was asked to be a pipe");
        let stderr = child.stderr.expect("standard error was asked to be a pipe");
        Self {
            signals,
            rein,
            started_at,
            main,
            status: None,
            children_left: true,
            streams: [
                Stream::new(stdout.into(), dir.file(STDOUT)),
                Stream::new(stderr.into(), dir.file(STDERR)),
            ],
            buffer: vec![0; CHUNK],
            meter: None,
            last_progress: now,
            last_sample: now,
            cut: None,
            phase: Phase::Running,
        }
    }

    /// Counts the idle limit from what is `progress`, where that is said.
    pub(super) fn counting(self, progress: Option<Progress>) -> Self {
        Self { meter: progress.map(Meter::new), ..self }
    }

    /// Comes back when no process of the tree is left and all its output is kept.
    pub(super) fn until_empty(mut self) -> io::Result<Outcome> {
        while self.phase != Phase::Empty {
            let [signalled, ready @ ..] = self.wait(self.pause())?;
            self.pump(ready);
            if signalled {
                self.hear();
            }
            self.keep_bounds();
            self.advance();
        }
        self.pump_rest()?;
        self.outcome()
    }

    /// Waits for signals and output, and says which there are.
    fn wait(&self, pause: Option<Duration>) -> io::Result<[bool; 3]> {
        let mut fds = Vec::with_capacity(3);
        let mut places = Vec::with_capacity(3);
        let sources = [Some(self.signals.as_fd()), self.streams[0].pipe(), self.streams[1].pipe()];
        for (place, source) in sources.into_iter().enumerate() {
            if let Some(fd) = source {
                fds.push(PollFd::new(fd, PollFlags::POLLIN));
                places.push(place);
            }
        }
        // Rounded up: a poll that comes back just before a limit would be called again for nothing.
        let timeout = pause.map_or(PollTimeout::NONE, |pause| {
            PollTimeout::try_from(pause + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = [false; 3];
        for (place, fd) in places.into_iter().zip(&fds) {
            ready[place] = fd.any().unwrap_or(true);
        }
        Ok(ready)
    }

    /// How long nothing needs to be done unless something comes in.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        match self.phase {
            Phase::Running => {
                let bounds = self.rein.bounds();
                let wall = self.rein.wall_left().map(|left| left.min(NAP));
                let idle = self.idle().map(|idle| (self.last_progress + idle).duration_since(now));
                let sample = bounds.memory_bytes.map(|_| (self.last_sample + SAMPLE).duration_since(now));
                [wall, idle, sample].into_iter().flatten().min()
            }
            Phase::Draining { until } => Some(until.duration_since(now)),
            Phase::Ending { kill_at } => Some(kill_at.duration_since(now)),
            Phase::Killing { pause } => Some(pause),
            Phase::Empty => Some(Duration::ZERO),
        }
    }

    fn pump(&mut self, ready: [bool; 2]) {
        for (place, stream) in self.streams.iter_mut().enumerate().filter(|(place, _)| ready[*place]) {
            match stream.pump(&mut self.buffer, self.rein.bounds().output_bytes) {
                Brought::Bytes(length) => {
                    let is_progress = match &mut self.meter {
                        Some(meter) => place == 0 && meter.read(&self.buffer[..length]),
                        None => true,
                    };
                    if is_progress {
                        self.last_progress = Instant::now();
                    }
                }
                Brought::TooMuch => {
                    self.cut = self.cut.or(Some(Cut::Output));
                }
                Brought::Nothing => {}
            }
        }
    }

    /// Takes what the pipes still hold; their ends may be open in a process that is not of the tree.
    fn pump_rest(&mut self) -> io::Result<()> {
        loop {
            let [_, ready @ ..] = self.wait(Some(Duration::ZERO))?;
            if ready == [false; 2] {
                return Ok(());
            }
            self.pump(ready);
        }
    }

    fn hear(&mut self) {
        let news = self.signals.take();
        if news.child {
            self.reap();
        }
        if news.control {
            self.rein.read();
        }
        if news.told {
            self.cut(Cut::Told);
        }
    }

    fn reap(&mut self) {
        loop {
            match wait_any() {
                Ok(Some((pid, status))) if pid == self.main => self.status = Some(status),
                Ok(Some(_)) | Err(Errno::EINTR) => {}
                Ok(None) => return,
                Err(_) => {
                    self.children_left = false;
                    return;
                }
            }
        }
    }

    /// Ends the tree when the main process is over one of its bounds.
    fn keep_bounds(&mut self) {
        if self.phase != Phase::Running || self.status.is_some() {
            return;
        }
        if self.rein.wall_left().is_some_and(|left| left.is_zero()) {
            self.cut(Cut::Wall);
        } else if self.idle().is_some_and(|idle| self.last_progress.elapsed() >= idle) {
            self.cut(Cut::Idle);
        } else if self.is_over_memory() {
            self.cut(Cut::Memory);
        }
    }

    /// How long there may be no progress, at the moment.
    fn idle(&self) -> Option<Duration> {
        let idle = self.rein.bounds().idle;
        self.meter.as_ref().map_or(idle, |meter| meter.allowance(idle)).map(length)
    }

    fn is_over_memory(&mut self) -> bool {
        let Some(most) = self.rein.bounds().memory_bytes else { return false };
        if self.last_sample.elapsed() < SAMPLE {
            return false;
        }
        self.last_sample = Instant::now();
        platform::tree_bytes(self.main) > most
    }

    /// Notes why the tree is ended, unless its main process has ended by itself, and ends it.
    fn cut(&mut self, why: Cut) {
        if self.status.is_none() {
            self.cut = self.cut.or(Some(why));
        }
        self.end();
    }

    fn end(&mut self) {
        if matches!(self.phase, Phase::Running | Phase::Draining { .. }) {
            platform::signal_tree(self.main, Signal::SIGTERM);
            // A stopped process obeys only once it goes on.
            platform::signal_tree(self.main, Signal::SIGCONT);
            self.phase = Phase::Ending { kill_at: Instant::now() + length(self.rein.bounds().grace) };
        }
    }

    fn kill(&mut self, pause: Duration) {
        platform::signal_tree(self.main, Signal::SIGKILL);
        self.phase = Phase::Killing { pause };
    }

    /// Moves on to the next phase when its time has come.
    fn advance(&mut self) {
        let now = Instant::now();
        let silent = self.streams.iter().all(|stream| stream.pipe().is_none());
        let anyone = self.children_left || platform::strays_left(self.main);
        match self.phase {
            Phase::Running if self.status.is_some() => {
                self.phase = Phase::Draining { until: now + DRAIN };
                self.advance();
            }
            Phase::Running if self.cut.is_some() => self.end(),
            Phase::Draining { until } if silent || now >= until => {
                if anyone {
                    self.end();
                } else {
                    self.phase = Phase::Empty;
                }
            }
            Phase::Ending { .. } | Phase::Killing { .. } if !anyone => self.phase = Phase::Empty,
            Phase::Ending { kill_at } if now >= kill_at => self.kill(KILL_AGAIN.0),
            Phase::Killing { pause } => self.kill((pause * 2).min(KILL_AGAIN.1)),
            Phase::Running | Phase::Draining { .. } | Phase::Ending { .. } | Phase::Empty => {}
        }
    }

    fn outcome(self) -> io::Result<Outcome> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let cpu_ms = usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds();
        let peak = u64::try_from(usage.max_rss()).unwrap_or(0);
        let status = self.status.ok_or_else(|| io::Error::other("the main process was never waited for"))?;
        let ending = match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, signal) => Ending::Signalled(signal.unwrap_or(0)),
        };
        Ok(Outcome {
            started_at: self.started_at,
            ended_at: Timestamp::now(),
            ending,
            cut: self.cut,
            cpu_ms: u64::try_from(cpu_ms).unwrap_or(0),
            // Apple's systems count bytes here, all others kilobytes.
            peak_kb: if cfg!(target_vendor = "apple") { peak / 1024 } else { peak },
            stdout_bytes: self.streams[0].kept_bytes(),
            stderr_bytes: self.streams[1].kept_bytes(),
            unread: self.rein.unread(),
        })
    }
}

/// Takes one child that has ended, if there is one.
///
/// Not by nix's `waitpid`, which knows no real-time signals and answers for a child killed by one as if
/// there were no children.
fn wait_any() -> nix::Result<Option<(Pid, ExitStatus)>> {
    let mut status = 0;
    #[expect(unsafe_code, reason = "the pointer is to an integer that lives here")]
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    let pid = Errno::result(pid)?;
    Ok((pid > 0).then(|| (Pid::from_raw(pid), ExitStatus::from_raw(status))))
}

fn length(span: Span) -> Duration {
    Duration::from_millis(span.as_ms())
}
