//! The call: one verb asked for as MCP asks for a tool, in its stateless era.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::client::protocol::{VERSION, line};
use crate::core::refusal::Refusal;

/// The revision of MCP that our own requests are of.
const REVISION: &str = "2026-07-28";

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It was done.
    Reply(Json),
    /// It was not.
    Refused(Refusal),
    /// What came back is no answer to a call.
    Garbled(String),
}

#[derive(Serialize)]
struct Request<'a> {
    /// The name of a write, so that asking twice is asking once. It is ours and no part of MCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: Json,
}

/// Any message of the daemon.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: Json,
    method: Option<Json>,
    result: Option<Outcome>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    structured_content: Json,
}

#[derive(Deserialize)]
struct Failure {
    message: String,
    #[serde(default)]
    data: Json,
}

/// The line that asks for `verb` under the number `id`.
pub(super) fn request(id: u64, verb: &str, arguments: &Json, key: Option<&str>) -> Vec<u8> {
    let arguments = if arguments.is_null() { json!({}) } else { arguments.clone() };
    let params = json!({
        "name": verb,
        "arguments": arguments,
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientInfo": { "name": "converge", "version": VERSION },
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    line(&Request { key, jsonrpc: "2.0", id, method: "tools/call", params })
}

/// Reads the answer to call `id` from a line; nothing from one that says something else.
pub(super) fn answer(text: &str, id: u64) -> Option<Answer> {
    let message: Message = match serde_json::from_str(text) {
        Ok(message) => message,
        Err(error) => return Some(Answer::Garbled(error.to_string())),
    };
    let is_ours = message.id == id;
    // What cannot be read is refused without its number, and nothing but this call is under way.
    let is_unread = message.id.is_null() && message.error.is_some();
    if message.method.is_some() || !(is_ours || is_unread) {
        return None;
    }
    Some(match (message.result, message.error) {
        (Some(outcome), None) if outcome.is_error => refused(outcome.structured_content),
        (Some(outcome), None) => Answer::Reply(outcome.structured_content),
        (None, Some(failure)) => match serde_json::from_value(failure.data) {
            Ok(refusal) => Answer::Refused(refusal),
            Err(_) => Answer::Garbled(failure.message),
        },
        (Some(_), Some(_)) | (None, None) => {
            Answer::Garbled("an answer is either a result or an error".to_owned())
        }
    })
}

fn refused(content: Json) -> Answer {
    match serde_json::from_value(content) {
        Ok(refusal) => Answer::Refused(refusal),
        Err(error) => Answer::Garbled(format!("it refuses without a reason: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::refusal::Code;

    #[test]
    fn a_call_is_a_line_of_the_stateless_era_with_its_key_in_front() {
        let text = String::from_utf8(request(7, "list_jobs", &Json::Null, Some("k"))).expect("text");
        let expected = format!(
            "{{\"key\":\"k\",\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{{\"name\":\"list_jobs\",\
             \"arguments\":{{}},\"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
             \"io.modelcontextprotocol/clientInfo\":{{\"name\":\"converge\",\"version\":\"{VERSION}\"}},\
             \"io.modelcontextprotocol/clientCapabilities\":{{}}}}}}}}\n"
        );
        assert_eq!(text, expected);
        let read = request(7, "list_jobs", &json!({}), None);
        assert!(read.starts_with(b"{\"jsonrpc\""), "what only looks has no key");
    }

    #[track_caller]
    fn check(line: &Json, expected: Option<&Answer>) {
        assert_eq!(answer(&line.to_string(), 7).as_ref(), expected, "{line}");
    }

    #[test]
    fn an_answer_is_a_reply_or_a_refusal() {
        let structured =
            json!({ "content": [], "structuredContent": { "jobs": [] }, "resultType": "complete" });
        check(&json!({ "id": 7, "result": structured }), Some(&Answer::Reply(json!({ "jobs": [] }))));
        let refusal = Refusal::new(Code::NotFound, "no job x").hint("look");
        let refused = json!({ "isError": true, "structuredContent": refusal });
        check(&json!({ "id": 7, "result": refused }), Some(&Answer::Refused(refusal.clone())));
        let error = json!({ "code": -32603, "message": "no", "data": refusal });
        check(&json!({ "id": 7, "error": error }), Some(&Answer::Refused(refusal)));
        let error = json!({ "code": -32700, "message": "no JSON" });
        check(&json!({ "id": null, "error": error }), Some(&Answer::Garbled("no JSON".to_owned())));
    }

    #[test]
    fn what_answers_nothing_is_passed_over() {
        check(&json!({ "method": "notifications/progress", "params": { "progress": 1 } }), None);
        check(&json!({ "id": 7, "method": "roots/list" }), None);
        check(&json!({ "id": 6, "result": {} }), None);
        check(&json!({ "id": "7", "result": {} }), None);
    }
}
