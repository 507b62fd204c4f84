//! One connection: a greeting, and then requests and responses in turn.

use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::Uid;
use serde_json::Value as Json;

use crate::client::preface::Preface;
use crate::client::protocol::{
    Greeting, Home, LINE_BYTES_MAX, Outcome, Request, Response, VERSION, Welcome, line,
};
use crate::command::caller::Caller;
use crate::core::refusal::{Code, Refusal};
use crate::surface::socket::crowd::{CLIENTS_MAX, Place};
use crate::surface::socket::lines::{self, Line};
use crate::surface::socket::peer::Peer;
use crate::surface::socket::{Dispatch, Inside};

/// How long a client may take to say who it is.
const PREFACE_MAX: Duration = Duration::from_secs(10);

/// How long a client may take to read what it asked for.
const WRITE_MAX: Duration = Duration::from_secs(30);

/// A client that was let in.
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    peer: Peer,
    home: Option<Home>,
    dispatch: Dispatch,
}

impl Connection {
    /// Lets a client in when there is room for it and it is of our user; whom we turn away is told why.
    pub(super) fn new(stream: UnixStream, room: bool, inside: &Inside) -> io::Result<Self> {
        let peer = Peer::of(&stream)?;
        stream.set_write_timeout(Some(WRITE_MAX))?;
        let (home, dispatch) = (inside.home.clone(), Arc::clone(&inside.dispatch));
        let mut connection = Self { stream: BufReader::new(stream), peer, home, dispatch };
        let refusal = if connection.peer.uid != Uid::effective().as_raw() {
            Refusal::new(Code::Denied, "the daemon belongs to another user")
        } else if !room {
            Refusal::new(Code::Unavailable, format!("{CLIENTS_MAX} clients are connected"))
                .hint("end some of them and ask again")
        } else {
            return Ok(connection);
        };
        connection.say(&Response { id: Json::Null, outcome: Outcome::Error(refusal) })?;
        Err(io::ErrorKind::PermissionDenied.into())
    }

    /// Answers until the client leaves.
    pub(super) fn serve(mut self, place: &Place) {
        // A client that is gone, or does not listen, is no news.
        let _ = self.greet().and_then(|caller| match caller {
            Some(caller) => self.answer(&caller, place),
            None => Ok(()),
        });
    }

    fn greet(&mut self) -> io::Result<Option<Caller>> {
        self.stream.get_ref().set_read_timeout(Some(PREFACE_MAX))?;
        let preface: Preface = match lines::next(&mut self.stream, LINE_BYTES_MAX)? {
            Line::End => return Ok(None),
            Line::TooLong => return self.refuse(too_long()).map(|()| None),
            Line::Whole(text) => match serde_json::from_slice(&text) {
                Ok(preface) => preface,
                Err(error) => return self.refuse(no_preface(&error)).map(|()| None),
            },
        };
        self.stream.get_ref().set_read_timeout(None)?;
        let home = self.home.clone();
        let welcome = Welcome { converge: VERSION.to_owned(), pid: std::process::id(), home };
        self.say(&Greeting::Welcome(welcome))?;
        // Which of the two is to change is for the client to say; it has both versions.
        Ok(preface.is_current().then(|| Caller {
            pid: self.peer.pid.or_else(|| i32::try_from(preface.pid).ok()),
            actor: preface.actor,
            cwd: preface.cwd,
            zone: preface.zone,
            env: preface.env,
        }))
    }

    fn answer(&mut self, caller: &Caller, place: &Place) -> io::Result<()> {
        loop {
            let text = match lines::next(&mut self.stream, LINE_BYTES_MAX)? {
                Line::Whole(text) => text,
                Line::TooLong => {
                    self.refuse(too_long())?;
                    continue;
                }
                Line::End => return Ok(()),
            };
            let _asking = place.ask();
            let response = self.respond(caller, &text);
            self.say(&response)?;
        }
    }

    fn respond(&self, caller: &Caller, text: &[u8]) -> Response {
        let Request { id, verb, arguments, key } = match serde_json::from_slice(text) {
            Ok(request) => request,
            Err(error) => return unreadable(text, &error),
        };
        let outcome = match (self.dispatch)(caller, &verb, arguments, key) {
            Ok(reply) => Outcome::Reply(reply),
            Err(refusal) => Outcome::Error(refusal),
        };
        Response { id, outcome }
    }

    fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        self.say(&Response { id: Json::Null, outcome: Outcome::Error(refusal) })
    }

    fn say(&mut self, message: &impl serde::Serialize) -> io::Result<()> {
        self.stream.get_mut().write_all(&line(message))
    }
}

fn too_long() -> Refusal {
    Refusal::new(Code::Invalid, format!("a line is longer than {} MiB", LINE_BYTES_MAX >> 20))
        .hint("put large inputs into a file and name the file")
}

fn no_preface(error: &serde_json::Error) -> Refusal {
    Refusal::new(Code::Invalid, format!("the first line does not introduce a client: {error}"))
        .hint("begin with {\"converge\": VERSION, \"cwd\": …, \"pid\": …, \"zone\": …, \"env\": {…}}")
}

/// Says what is wrong with a line, under its id when it has one.
fn unreadable(text: &[u8], error: &serde_json::Error) -> Response {
    let id =
        serde_json::from_slice::<Json>(text).ok().and_then(|mut json| json.get_mut("id").map(Json::take));
    let refusal = Refusal::new(Code::Invalid, format!("a line is no request: {error}"))
        .hint("write {\"id\": …, \"verb\": \"…\", \"arguments\": {…}}");
    Response { id: id.unwrap_or_default(), outcome: Outcome::Error(refusal) }
}
