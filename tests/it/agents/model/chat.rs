//! `OpenAI` Chat Completions, as opencode, Copilot, Qwen Code and Kimi speak it.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::conversation::{Call, Conversation, Message, Tool, text_of};
use super::dialect::{arguments, fresh};
use super::http::Event;
use super::turn::{Answer, Failure, Kind};

pub(crate) fn read(body: &Json) -> Conversation {
    let mut conversation = Conversation::default();
    for tool in body["tools"].as_array().into_iter().flatten() {
        let function = &tool["function"];
        if let Some(name) = function["name"].as_str() {
            conversation.tools.push(Tool {
                namespace: None,
                name: name.to_owned(),
                description: text_of(&function["description"]),
                schema: function["parameters"].clone(),
            });
        }
    }
    let mut names = HashMap::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let text = text_of(&message["content"]);
        match message["role"].as_str().unwrap_or_default() {
            "system" | "developer" => conversation.system.push_str(&text),
            "assistant" => {
                conversation.messages.push(Message::Model { text, calls: Vec::new() });
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    let function = &call["function"];
                    let name = function["name"].as_str().unwrap_or_default();
                    let made = Call::of(None, name, arguments(&function["arguments"]));
                    names.insert(call["id"].to_string(), made.name.clone());
                    conversation.extend_model("", Some(made));
                }
            }
            "tool" => conversation.push_result(names.get(&message["tool_call_id"].to_string()), text),
            _ => conversation.messages.push(Message::User(text)),
        }
    }
    conversation
}

pub(crate) fn whole(body: &Json, answer: &Answer) -> Json {
    let mut message = json!({ "role": "assistant", "content": answer.say });
    if !answer.calls.is_empty() {
        message["tool_calls"] = Json::Array(calls(answer));
    }
    let choice = json!({ "index": 0, "finish_reason": finish(answer), "message": message });
    document(body, &fresh("chatcmpl-"), "chat.completion", &[choice], Some(answer))
}

pub(crate) fn stream(body: &Json, answer: &Answer) -> Vec<Event> {
    let id = fresh("chatcmpl-");
    let part = |delta: Json, finish: Json| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        Event::plain(&document(body, &id, "chat.completion.chunk", &[choice], None))
    };
    let mut events = vec![part(json!({ "role": "assistant", "content": answer.say }), Json::Null)];
    for (index, mut call) in calls(answer).into_iter().enumerate() {
        call["index"] = index.into();
        events.push(part(json!({ "tool_calls": [call] }), Json::Null));
    }
    events.push(part(json!({}), finish(answer)));
    events.push(Event::plain(&document(body, &id, "chat.completion.chunk", &[], Some(answer))));
    events.push(Event { name: None, data: "[DONE]".to_owned() });
    events
}

pub(crate) fn fail(failure: &Failure) -> Json {
    let (kind, code) = match failure.kind {
        Kind::Invalid => ("invalid_request_error", "invalid_request"),
        Kind::Auth => ("invalid_request_error", "invalid_api_key"),
        Kind::Quota => ("insufficient_quota", "insufficient_quota"),
        Kind::Overloaded => ("server_error", "server_overloaded"),
    };
    json!({ "error": { "type": kind, "code": code, "message": failure.message, "param": null } })
}

fn document(body: &Json, id: &str, object: &str, choices: &[Json], counted: Option<&Answer>) -> Json {
    let mut document = json!({
        "id": id, "object": object, "created": 1_700_000_000, "model": body["model"], "choices": choices,
    });
    if let Some(Answer { tokens: (read, written), .. }) = counted {
        document["usage"] =
            json!({ "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written });
    }
    document
}

fn calls(answer: &Answer) -> Vec<Json> {
    let call = |call: &Call| {
        let function = json!({ "name": call.name, "arguments": call.arguments.to_string() });
        json!({ "id": fresh("call_"), "type": "function", "function": function })
    };
    answer.calls.iter().map(call).collect()
}

fn finish(answer: &Answer) -> Json {
    if answer.calls.is_empty() { "stop".into() } else { "tool_calls".into() }
}
