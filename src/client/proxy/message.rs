//! Messages: as much of a JSON-RPC line as a proxy must understand.

use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value as Json, json};

use crate::client::protocol;
use crate::core::refusal::Refusal;

/// The line is no JSON.
const NO_JSON: i32 = -32700;

/// It is JSON, but no message.
const NO_MESSAGE: i32 = -32600;

/// There is no answer to be had.
const NO_ANSWER: i32 = -32000;

/// A message of the client.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// What kind of message.
    pub(super) kind: Kind,
    /// What comes with it; null when nothing does.
    pub(super) params: Json,
}

/// Kinds of messages.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Wants an answer.
    Request {
        /// The id that the answer is to have.
        id: Json,
        /// What is asked for.
        method: String,
    },
    /// Wants none.
    Notification {
        /// What is told.
        method: String,
    },
    /// Is an answer.
    Response {
        /// The id of the request.
        id: Json,
    },
}

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unreadable {
    /// The id in it, as far as one can be seen.
    pub(super) id: Json,
    code: i32,
    message: String,
}

/// A message of the daemon, without its contents.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    /// Its id.
    #[serde(default)]
    pub(super) id: Json,
    /// What it asks for or tells; an answer has none.
    pub(super) method: Option<String>,
    /// There when the answer is a no.
    pub(super) error: Option<IgnoredAny>,
}

impl Message {
    /// Reads a line of the client.
    pub(super) fn read(line: &[u8]) -> Result<Self, Unreadable> {
        let mut json: Json = serde_json::from_slice(line).map_err(|error| {
            // A line that was cut off or spoilt may still show whose it is.
            Unreadable { id: id_in(line), code: NO_JSON, message: format!("the line is no JSON: {error}") }
        })?;
        let id = json.get("id").filter(|id| id.is_string() || id.is_number()).cloned();
        let no = |message: &str| {
            let id = id.clone().unwrap_or_default();
            Err(Unreadable { id, code: NO_MESSAGE, message: message.to_owned() })
        };
        if json.is_array() {
            return no("batches are no part of MCP; send one message a line");
        }
        if !json.is_object() {
            return no("a message is an object");
        }
        if json["jsonrpc"] != "2.0" {
            return no("a message has the member `jsonrpc` with the value `2.0`");
        }
        if json.get("key").is_some() {
            return no("a message of MCP has no member `key`");
        }
        let method = match &json["method"] {
            Json::String(method) => Some(method.clone()),
            Json::Null => None,
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                return no("the method is a text");
            }
        };
        let kind = match (method, id.clone()) {
            (Some(_), None) if json.get("id").is_some() => return no("an id is a text or a number"),
            (Some(method), Some(id)) => Kind::Request { id, method },
            (Some(method), None) => Kind::Notification { method },
            (None, Some(id)) if json.get("result").or(json.get("error")).is_some() => Kind::Response { id },
            (None, _) => return no("a message has a method, or it is an answer and has an id"),
        };
        Ok(Self { kind, params: json["params"].take() })
    }
}

impl Unreadable {
    /// That of a line whose head is this.
    pub(super) fn too_long(head: &[u8]) -> Self {
        Self { id: id_in(head), code: NO_MESSAGE, message: protocol::too_long() }
    }

    /// The answer that says so.
    pub(super) fn answer(&self) -> String {
        let error = json!({ "code": self.code, "message": self.message });
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error }).to_string()
    }
}

/// The answer to request `id` when nobody else answers it.
pub(super) fn refused(id: &Json, why: &Refusal) -> String {
    let message = match &why.hint {
        Some(hint) => format!("{why}; {hint}"),
        None => why.to_string(),
    };
    let error = json!({ "code": NO_ANSWER, "message": message, "data": why });
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
}

/// A notification.
pub(super) fn notification(method: &str, params: &Json) -> String {
    let mut message = json!({ "jsonrpc": "2.0", "method": method });
    if !params.is_null() {
        message["params"] = params.clone();
    }
    message.to_string()
}

/// A request of our own.
pub(super) fn request(id: &str, method: &str, params: &Json) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// The id in what begins like a message, though it may end in the middle; null when none is seen.
pub(super) fn id_in(line: &[u8]) -> Json {
    let seen = RefCell::new(Json::Null);
    // How it ends does not matter.
    let _ = serde_json::Deserializer::from_slice(line).deserialize_map(Seeker { seen: &seen });
    let id = seen.into_inner();
    if id.is_string() || id.is_number() { id } else { Json::Null }
}

/// Notes the member `id` of a map as soon as it comes.
struct Seeker<'a> {
    seen: &'a RefCell<Json>,
}

impl<'de> Visitor<'de> for Seeker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Member { is_id: name == "id", seen: self.seen })?;
        }
        Ok(())
    }
}

/// The value of one member.
struct Member<'a> {
    is_id: bool,
    seen: &'a RefCell<Json>,
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.is_id {
            *self.seen.borrow_mut() = Json::deserialize(deserializer)?;
        } else {
            IgnoredAny::deserialize(deserializer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(line: &str, id: &Json, code: i32) {
        let unreadable = Message::read(line.as_bytes()).expect_err(line);
        assert_eq!((&unreadable.id, unreadable.code), (id, code), "{line}: {}", unreadable.message);
        let answer: Json = serde_json::from_str(&unreadable.answer()).expect("JSON");
        assert_eq!((&answer["id"], &answer["error"]["code"]), (id, &json!(code)));
    }

    #[test]
    fn what_is_no_message_is_answered_under_its_id_when_it_has_one() {
        refused("", &Json::Null, NO_JSON);
        refused("nonsense", &Json::Null, NO_JSON);
        refused(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"#, &json!(7), NO_JSON);
        refused(r#"{"jsonrpc":"2.0","params":{"id":1},"id":"x","method":ping}"#, &json!("x"), NO_JSON);
        refused(r#"{"jsonrpc":"2.0","id":7"#, &json!(7), NO_JSON);
        refused(r#"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#, &Json::Null, NO_MESSAGE);
        refused("null", &Json::Null, NO_MESSAGE);
        refused("\"text\"", &Json::Null, NO_MESSAGE);
        refused("{}", &Json::Null, NO_MESSAGE);
        refused(r#"{"id":7,"method":"ping"}"#, &json!(7), NO_MESSAGE);
        refused(r#"{"jsonrpc":"2.0","id":7}"#, &json!(7), NO_MESSAGE);
        refused(r#"{"jsonrpc":"2.0","id":7,"method":1}"#, &json!(7), NO_MESSAGE);
        refused(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, &Json::Null, NO_MESSAGE);
        refused(r#"{"jsonrpc":"2.0","id":7,"method":"ping","key":"mine"}"#, &json!(7), NO_MESSAGE);
        assert!(Message::read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_message_is_a_request_a_notification_or_an_answer() {
        let kind = |line: &str| Message::read(line.as_bytes()).expect(line).kind;
        let request = Kind::Request { id: json!("a"), method: "ping".to_owned() };
        assert_eq!(kind(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#), request);
        let notification = Kind::Notification { method: "x".to_owned() };
        assert_eq!(kind(r#" {"method":"x","jsonrpc":"2.0"}"#), notification);
        assert_eq!(kind(r#"{"jsonrpc":"2.0","id":0,"result":{}}"#), Kind::Response { id: json!(0) });
    }
}
