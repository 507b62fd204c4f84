//! The greeting: who comes in, by their first line.

use std::io;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::client::preface::{Client, Preface};
use crate::client::protocol::{Greeting, Home, VERSION, Welcome, line, too_long};
use crate::command::caller::{Audience, Caller};
use crate::core::refusal::{Code, Refusal};
use crate::surface::mcp::lines::{Line, Lines};
use crate::surface::mcp::peer::Peer;

/// How long a client may take to say who it is.
const FIRST_LINE_MAX: Duration = Duration::from_secs(10);

/// A client that was let in.
pub(super) struct Guest {
    /// Who it is.
    pub(super) caller: Caller,
    /// Its first line, when that is a message already.
    pub(super) first: Option<Vec<u8>>,
}

/// Reads the first line and answers it; nobody when they are not to be served.
pub(super) async fn greet<R: AsyncRead + Unpin>(
    lines: &mut Lines<R>,
    out: &mut (impl AsyncWrite + Unpin),
    peer: &Peer,
    home: Option<&Home>,
) -> io::Result<Option<Guest>> {
    let first = tokio::time::timeout(FIRST_LINE_MAX, lines.next()).await??;
    let text = match first {
        Line::End => return Ok(None),
        Line::TooLong => {
            return turn_away(out, Refusal::new(Code::Invalid, too_long())).await.map(|()| None);
        }
        Line::Whole(text) => text,
    };
    let preface: Preface = match serde_json::from_slice(&text) {
        Ok(preface) => preface,
        Err(_) if is_message(&text) => {
            let caller = Caller { pid: peer.pid, reader: Audience::Model, ..Caller::default() };
            return Ok(Some(Guest { caller, first: Some(text) }));
        }
        Err(error) => return turn_away(out, no_preface(&error)).await.map(|()| None),
    };
    let welcome = Welcome { converge: VERSION.to_owned(), pid: std::process::id(), home: home.cloned() };
    out.write_all(&line(&Greeting::Welcome(welcome))).await?;
    let reader = match preface.client {
        // Which of the two is to change is for the client to say; it has both versions.
        Client::Cli if !preface.is_current() => return Ok(None),
        Client::Cli => Audience::Person,
        Client::Proxy => Audience::Model,
    };
    let conversations = preface.conversations();
    let own = preface.own.filter(|_| reader == Audience::Person);
    let (client, conversation) = own.map(|own| (own.agent, own.conversation)).unzip();
    let caller = Caller {
        pid: peer.pid.or_else(|| i32::try_from(preface.pid).ok()),
        actor: preface.actor,
        cwd: preface.cwd,
        zone: preface.zone,
        env: preface.env,
        reader,
        conversations,
        client,
        conversation: conversation.flatten(),
        inside: preface.attempt.and_then(|attempt| attempt.parse().ok()),
    };
    Ok(Some(Guest { caller, first: None }))
}

/// Tells somebody why they are not let in.
pub(super) async fn turn_away(out: &mut (impl AsyncWrite + Unpin), error: Refusal) -> io::Result<()> {
    out.write_all(&line(&Greeting::Refused { error })).await
}

fn is_message(text: &[u8]) -> bool {
    serde_json::from_slice::<Json>(text).is_ok_and(|json| json.get("jsonrpc").is_some())
}

fn no_preface(error: &serde_json::Error) -> Refusal {
    Refusal::new(Code::Invalid, format!("the first line does not introduce a client: {error}")).hint(
        "begin with a message of MCP, or with {\"converge\": VERSION, \"cwd\": …, \"pid\": …, \"zone\": …, \"env\": {…}}",
    )
}
