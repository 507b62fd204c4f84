//! The connection: requests go out, and the true answers come back.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::iter;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value as Json;

use crate::client::autostart::{self, Autostart};
use crate::client::call::{self, Answer};
use crate::client::preface::{Client, Own, Preface};
use crate::client::protocol::{Greeting, Home, VERSION, Welcome, line};
use crate::core::refusal::{Code, Refusal};
use crate::paths::{Paths, PathsError};

/// How long a daemon may think; the longest that it lets anybody wait on purpose is a third of it.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// A daemon that listens.
#[derive(Debug)]
pub struct Connection {
    paths: Paths,
    autostart: Autostart,
    preface: Preface,
    /// None after one that was given up, on which a late answer may still come.
    link: Option<Link>,
    daemon_pid: u32,
    requests: u64,
}

/// Why there is no daemon to ask.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None answers, and none was to be started.
    #[error("no daemon is running")]
    NoDaemon,
    /// None answers, and one must not be started from here.
    #[error("no daemon answers, and a process inside a run starts none")]
    InsideRun,
    /// One was started, and does not answer.
    #[error("the daemon does not start: {said}")]
    DidNotStart {
        /// What it said last.
        said: String,
    },
    /// One could not be started.
    #[error("the daemon cannot be started")]
    Spawn(#[source] io::Error),
    /// One of another version runs.
    #[error("the running daemon is converge {daemon}, this is converge {VERSION}")]
    Skew {
        /// The version that runs.
        daemon: String,
    },
    /// That of another home runs at the socket.
    #[error("the daemon at the socket is that of the home `{theirs}`, not of `{ours}`")]
    Elsewhere {
        /// The home it works for.
        theirs: String,
        /// The home that was meant.
        ours: String,
    },
    /// One answered that it does not want to.
    #[error("{0}")]
    Refused(Refusal),
    /// A person stopped it while it was asked.
    #[error(
        "the daemon was stopped by a person before it answered, so whether it did what was asked is not known"
    )]
    Stopped,
    /// The connection was lost twice.
    #[error("the daemon went away before it answered")]
    Lost,
    /// Nothing came back for a long time.
    #[error("the daemon does not answer")]
    Silent,
    /// What came back is no answer.
    #[error("what listens at the socket does not speak like a daemon: {0}")]
    Garbled(String),
    /// There is no place for one.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The socket cannot be used.
    #[error("the socket cannot be used")]
    Socket(#[source] io::Error),
}

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The daemon said no.
    #[error("{0}")]
    Refused(Refusal),
    /// Nobody said anything.
    #[error(transparent)]
    Unavailable(#[from] ClientError),
}

impl Connection {
    /// Connects to the daemon of a home, which is started if need be.
    pub fn open(paths: Paths, autostart: Autostart) -> Result<Self, ClientError> {
        Self::open_with(paths, autostart, Preface::of_this_process())
    }

    /// The same, for the agent in whose shell this process was started, if one is to be named.
    pub fn open_for(paths: Paths, autostart: Autostart, own: Option<Own>) -> Result<Self, ClientError> {
        Self::open_with(paths, autostart, Preface { own, ..Preface::of_this_process() })
    }

    fn open_with(paths: Paths, autostart: Autostart, preface: Preface) -> Result<Self, ClientError> {
        let link = link(&paths, &autostart, &preface)?;
        Ok(Self { paths, autostart, preface, daemon_pid: link.pid, link: Some(link), requests: 0 })
    }

    /// The process of the daemon.
    pub fn daemon_pid(&self) -> u32 {
        self.daemon_pid
    }

    /// Asks for `verb` and waits for the answer.
    ///
    /// When the connection is lost on the way, the same is asked again, once. So a write must come with a
    /// key; what has none is taken for something that only looks.
    pub fn call(&mut self, verb: &str, arguments: &Json, key: Option<&str>) -> Result<Json, CallError> {
        self.requests += 1;
        let request = call::request(self.requests, verb, arguments, key);
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.dial()?,
        };
        let answer = if let Some(answer) = link.exchange(self.requests, &request)? {
            answer
        } else {
            link = self.redial()?;
            link.exchange(self.requests, &request)?.ok_or(ClientError::Lost)?
        };
        self.link = Some(link);
        match answer {
            Answer::Reply(reply) => Ok(reply),
            Answer::Refused(refusal) => Err(CallError::Refused(refusal)),
            Answer::Garbled(error) => Err(ClientError::Garbled(error).into()),
        }
    }

    /// Connects again after the connection was lost, unless that was a person's will.
    fn redial(&mut self) -> Result<Link, ClientError> {
        match autostart::after_stop(&self.paths, &self.preface)? {
            Some(link) => {
                self.daemon_pid = link.pid;
                Ok(link)
            }
            None => self.dial(),
        }
    }

    fn dial(&mut self) -> Result<Link, ClientError> {
        let link = link(&self.paths, &self.autostart, &self.preface)?;
        self.daemon_pid = link.pid;
        Ok(link)
    }
}

/// Connects to the daemon of a home, which is started if need be.
pub(super) fn link(paths: &Paths, autostart: &Autostart, preface: &Preface) -> Result<Link, ClientError> {
    match Link::dial(paths, preface)? {
        Some(link) => Ok(link),
        None => autostart.link(paths, preface),
    }
}

/// One connection, after the greeting.
#[derive(Debug)]
pub(super) struct Link {
    stream: BufReader<UnixStream>,
    pid: u32,
    version: String,
}

impl Link {
    /// The connection, with what was read of it beyond the greeting.
    pub(super) fn into_parts(self) -> (UnixStream, Vec<u8>) {
        let read = self.stream.buffer().to_vec();
        (self.stream.into_inner(), read)
    }

    /// The version of the daemon.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Connects and greets; nothing when nobody is there.
    pub(super) fn dial(paths: &Paths, preface: &Preface) -> Result<Option<Self>, ClientError> {
        let stream = match UnixStream::connect(paths.address()?) {
            Ok(stream) => stream,
            Err(error) if is_nobody(&error) => return Ok(None),
            Err(error) => return Err(ClientError::Socket(error)),
        };
        stream.set_read_timeout(Some(ANSWER_MAX)).map_err(ClientError::Socket)?;
        let mut link = Self { stream: BufReader::new(stream), pid: 0, version: String::new() };
        link.send(&line(preface))?;
        let Some(text) = link.read()? else { return Ok(None) };
        match serde_json::from_str(&text) {
            Ok(Greeting::Welcome(welcome)) => {
                check(&welcome, paths, preface.client)?;
                link.pid = welcome.pid;
                link.version = welcome.converge;
                Ok(Some(link))
            }
            Ok(Greeting::Refused { error }) => Err(ClientError::Refused(error)),
            Err(error) => Err(ClientError::Garbled(error.to_string())),
        }
    }

    /// Sends a request and reads until its answer; nothing when the connection was lost.
    fn exchange(&mut self, id: u64, request: &[u8]) -> Result<Option<Answer>, ClientError> {
        self.send(request)?;
        while let Some(text) = self.read()? {
            if let Some(answer) = call::answer(&text, id) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Writes a line, or as much of it as the daemon takes: one that hangs up says why before it does.
    fn send(&mut self, line: &[u8]) -> Result<(), ClientError> {
        match self.stream.get_mut().write_all(line) {
            Err(error) if !is_lost(&error) => Err(ClientError::Socket(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Reads a line; nothing when the connection was lost, be it in the middle of one.
    fn read(&mut self) -> Result<Option<String>, ClientError> {
        let mut text = String::new();
        match self.stream.read_line(&mut text) {
            Ok(_) if text.ends_with('\n') => Ok(Some(text)),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(ClientError::Silent)
            }
            Err(error) if is_lost(&error) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(ClientError::Garbled(error.to_string()))
            }
            Err(error) => Err(ClientError::Socket(error)),
        }
    }
}

/// Whether the daemon is the one that was meant, and speaks as we do.
fn check(welcome: &Welcome, paths: &Paths, client: Client) -> Result<(), ClientError> {
    // First, so that nobody replaces the daemon of another home for its version.
    if let Some(theirs) = &welcome.home
        && !Home::of(paths).is_some_and(|ours| ours.is_same(theirs))
    {
        let ours = paths.home().display().to_string();
        return Err(ClientError::Elsewhere { theirs: theirs.path.clone(), ours });
    }
    // What the proxy copies is MCP, of which either side may be of another version.
    if client == Client::Cli && welcome.converge != VERSION {
        return Err(ClientError::Skew { daemon: welcome.converge.clone() });
    }
    Ok(())
}

fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | ConnectionRefused | NotADirectory)
}

fn is_lost(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// An error and what caused it, as one sentence.
fn with_causes(error: &dyn Error) -> String {
    let chain = iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        let hint = match &error {
            ClientError::NoDaemon => Some("`converge daemon start` starts it"),
            ClientError::Stopped => {
                Some("ask again with the same arguments: that starts it, as `converge daemon start` does")
            }
            ClientError::InsideRun => {
                Some("it comes back by itself, or `converge daemon start` outside of the run")
            }
            ClientError::DidNotStart { .. } | ClientError::Spawn(_) | ClientError::Silent => {
                Some("`converge doctor` looks for the cause")
            }
            ClientError::Skew { .. } => Some("`converge daemon restart` replaces it; runs go on meanwhile"),
            ClientError::Elsewhere { .. } => {
                Some("one of CONVERGE_HOME and CONVERGE_SOCKET_PATH is meant for another home")
            }
            ClientError::Lost => Some("ask again with the same key"),
            ClientError::Garbled(_) | ClientError::Socket(_) => {
                Some("`converge doctor` looks at the socket; CONVERGE_SOCKET_PATH may name another")
            }
            ClientError::Refused(refusal) => return refusal.clone(),
            ClientError::Paths(_) => None,
        };
        let refusal = Self::new(Code::Unavailable, with_causes(&error));
        match hint {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => refusal,
            CallError::Unavailable(error) => error.into(),
        }
    }
}
