//! Arrivals: one line as a message, with what came with it and is not part of the protocol.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorCode, ErrorData, GetExtensions};
use serde_json::{Value as Json, json};
use tokio::sync::OwnedSemaphorePermit;

use crate::command;
use crate::surface::mcp::crowd::Asking;
use crate::surface::mcp::order::{Order, Turn};

/// What comes with a request beside its message; in its extensions.
#[derive(Clone)]
pub(super) struct Arrival(Arc<Inner>);

struct Inner {
    key: Option<String>,
    age: Duration,
    arguments: Mutex<Option<Json>>,
    turn: Mutex<Option<Turn>>,
    asking: Option<Asking>,
    _room: OwnedSemaphorePermit,
}

impl Arrival {
    /// The name of a write, as our own programs give one.
    pub(super) fn key(&self) -> Option<String> {
        self.0.key.clone()
    }

    /// How long ago it was asked first, when the daemon that was asked then is gone.
    pub(super) fn age(&self) -> Duration {
        self.0.age
    }

    /// The arguments of a tool as they came, which may be anything; taken once.
    pub(super) fn take_arguments(&self) -> Option<Json> {
        self.0.arguments.lock().expect("a value is taken").take()
    }

    /// Says that this request is not answered any more, or not soon.
    pub(super) fn is_left(&self) {
        if let Some(asking) = &self.0.asking {
            asking.end();
        }
    }

    /// The place among the calls of its connection; taken once.
    pub(super) fn take_turn(&self) -> Option<Turn> {
        self.0.turn.lock().expect("a value is taken").take()
    }
}

/// Reads a line; what is no message is answered with the line that comes back.
pub(super) fn read(
    line: &[u8],
    order: &Arc<Order>,
    asking: Option<Asking>,
    room: OwnedSemaphorePermit,
) -> Result<ClientJsonRpcMessage, Json> {
    let mut document: Json = serde_json::from_slice(line)
        .map_err(|error| refusal(&Json::Null, ErrorCode::PARSE_ERROR, &format!("no JSON: {error}")))?;
    let id = document.get("id").cloned().unwrap_or(Json::Null);
    let invalid = |message: &str| refusal(&id, ErrorCode::INVALID_REQUEST, message);
    let Json::Object(members) = &mut document else {
        return Err(invalid("a message is one JSON object a line; there are no batches"));
    };
    let key = match members.remove("key") {
        Some(Json::String(key)) => Some(key),
        Some(_) | None => None,
    };
    let age = members.remove("age").and_then(|age| age.as_u64()).map(Duration::from_millis);
    let arguments = (members.get("method").is_some_and(|method| method == "tools/call"))
        .then(|| members.get_mut("params")?.as_object_mut()?.remove("arguments"))
        .flatten();
    let mut message: ClientJsonRpcMessage =
        serde_json::from_value(document).map_err(|_| invalid("this is no message of MCP"))?;
    if let ClientJsonRpcMessage::Request(request) = &mut message {
        let entry = if let ClientRequest::CallToolRequest(call) = &request.request {
            command::find(&call.params.name)
        } else {
            None
        };
        let turn = Mutex::new(entry.map(|entry| order.turn(entry.access)));
        let arrival = Inner {
            key,
            age: age.unwrap_or_default(),
            arguments: Mutex::new(arguments),
            turn,
            asking,
            _room: room,
        };
        request.request.extensions_mut().insert(Arrival(Arc::new(arrival)));
    }
    Ok(message)
}

/// The line that says no to a message.
pub(super) fn refusal(id: &Json, code: ErrorCode, message: &str) -> Json {
    json!({"jsonrpc": "2.0", "id": id, "error": ErrorData::new(code, message.to_owned(), None)})
}
