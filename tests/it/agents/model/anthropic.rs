//! Anthropic Messages, as Claude Code speaks it.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::conversation::{Call, Conversation, Message, Tool, text_of};
use super::dialect::fresh;
use super::http::Event;
use super::turn::{Answer, Failure, Kind};

pub(crate) fn read(body: &Json) -> Conversation {
    let mut conversation = Conversation { system: text_of(&body["system"]), ..Conversation::default() };
    for tool in body["tools"].as_array().into_iter().flatten() {
        // What the service runs itself has a type and no schema.
        if let (Some(name), Some(schema)) = (tool["name"].as_str(), tool.get("input_schema")) {
            conversation.tools.push(Tool {
                namespace: None,
                name: name.to_owned(),
                description: text_of(&tool["description"]),
                schema: schema.clone(),
            });
        }
    }
    let mut names = HashMap::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let is_model = message["role"] == "assistant";
        let content = &message["content"];
        if is_model {
            conversation.messages.push(Message::Model { text: String::new(), calls: Vec::new() });
        }
        let plain = || vec![json!({ "type": "text", "text": content })];
        let blocks = content.as_array().cloned().unwrap_or_else(plain);
        for block in &blocks {
            match block["type"].as_str().unwrap_or_default() {
                "tool_use" => {
                    let call =
                        Call::of(None, block["name"].as_str().unwrap_or_default(), block["input"].clone());
                    names.insert(block["id"].to_string(), call.name.clone());
                    conversation.extend_model("", Some(call));
                }
                "tool_result" => {
                    let name = names.get(&block["tool_use_id"].to_string());
                    conversation.push_result(name, text_of(&block["content"]));
                }
                "text" if is_model => conversation.extend_model(&text_of(block), None),
                "text" => conversation.messages.push(Message::User(text_of(block))),
                _ => {}
            }
        }
    }
    conversation
}

pub(crate) fn whole(body: &Json, answer: &Answer) -> Json {
    let mut message = begun(body, answer);
    message["content"] = Json::Array(blocks(answer));
    message["stop_reason"] = stop(answer);
    message["usage"]["output_tokens"] = answer.tokens.1.into();
    message
}

pub(crate) fn stream(body: &Json, answer: &Answer) -> Vec<Event> {
    let mut events = vec![json!({ "type": "message_start", "message": begun(body, answer) })];
    for (index, block) in blocks(answer).into_iter().enumerate() {
        let (start, delta) = match block["type"].as_str() {
            Some("tool_use") => {
                let mut start = block.clone();
                start["input"] = json!({});
                let input = block["input"].to_string();
                (start, json!({ "type": "input_json_delta", "partial_json": input }))
            }
            _ => (
                json!({ "type": "text", "text": "" }),
                json!({ "type": "text_delta", "text": block["text"] }),
            ),
        };
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": start }));
        events.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop(answer), "stop_sequence": null },
        "usage": { "output_tokens": answer.tokens.1 },
    }));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(Event::named).collect()
}

pub(crate) fn fail(failure: &Failure) -> (u16, Json) {
    let (status, kind) = match failure.kind {
        Kind::Invalid => (failure.status, "invalid_request_error"),
        Kind::Auth => (failure.status, "authentication_error"),
        Kind::Quota => (failure.status, "rate_limit_error"),
        Kind::Overloaded => (529, "overloaded_error"),
    };
    (status, json!({ "type": "error", "error": { "type": kind, "message": failure.message } }))
}

/// The message before anything is in it.
fn begun(body: &Json, answer: &Answer) -> Json {
    json!({
        "id": fresh("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": answer.tokens.0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
        },
    })
}

fn blocks(answer: &Answer) -> Vec<Json> {
    let mut blocks = Vec::new();
    if !answer.say.is_empty() || answer.calls.is_empty() {
        blocks.push(json!({ "type": "text", "text": answer.say }));
    }
    blocks.extend(answer.calls.iter().map(
        |call| json!({ "type": "tool_use", "id": fresh("toolu_"), "name": call.name, "input": call.arguments }),
    ));
    blocks
}

fn stop(answer: &Answer) -> Json {
    if answer.calls.is_empty() { "end_turn".into() } else { "tool_use".into() }
}
