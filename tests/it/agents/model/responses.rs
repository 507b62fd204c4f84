//! `OpenAI` Responses, as Codex speaks it.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::conversation::{Call, Conversation, Message, Tool, text_of};
use super::dialect::{arguments, fresh};
use super::http::Event;
use super::turn::Answer;

pub(crate) fn read(body: &Json) -> Conversation {
    let mut conversation = Conversation { system: text_of(&body["instructions"]), ..Conversation::default() };
    for tool in body["tools"].as_array().into_iter().flatten() {
        if tool["type"] == "namespace" {
            // The description of a namespace is where a server's instructions stand.
            conversation.system.push_str(&text_of(&tool["description"]));
            for inner in tool["tools"].as_array().into_iter().flatten() {
                conversation.tools.extend(offered(inner, tool["name"].as_str()));
            }
        } else {
            conversation.tools.extend(offered(tool, None));
        }
    }
    let mut names = HashMap::new();
    for item in items(&body["input"]) {
        match item["type"].as_str().unwrap_or("message") {
            "function_call" | "custom_tool_call" => {
                let name = item["name"].as_str().unwrap_or_default();
                let call = Call::of(item["namespace"].as_str(), name, arguments(&item["arguments"]));
                names.insert(item["call_id"].to_string(), call.name.clone());
                conversation.extend_model("", Some(call));
            }
            "function_call_output" | "custom_tool_call_output" => {
                let name = names.get(&item["call_id"].to_string());
                conversation.push_result(name, text_of(&item["output"]));
            }
            "message" => {
                let text = text_of(&item["content"]);
                match item["role"].as_str().unwrap_or_default() {
                    "assistant" => conversation.extend_model(&text, None),
                    "developer" | "system" => conversation.system.push_str(&text),
                    _ => conversation.messages.push(Message::User(text)),
                }
            }
            _ => {}
        }
    }
    conversation
}

pub(crate) fn whole(body: &Json, answer: &Answer) -> Json {
    let begun = begun(body);
    completed(&begun, &output(answer), answer)
}

pub(crate) fn stream(body: &Json, answer: &Answer) -> Vec<Event> {
    let begun = begun(body);
    let output = output(answer);
    let mut events = vec![json!({ "type": "response.created", "response": begun })];
    for (index, item) in output.iter().enumerate() {
        let place = |kind: &str, more: Json| {
            let mut event = json!({ "type": kind, "item_id": item["id"], "output_index": index });
            for (name, value) in more.as_object().into_iter().flatten() {
                event[name] = value.clone();
            }
            event
        };
        let mut started = item.clone();
        started["status"] = "in_progress".into();
        if item["type"] == "message" {
            let text = &item["content"][0]["text"];
            started["content"] = json!([]);
            events.push(place("response.output_item.added", json!({ "item": started })));
            let part = json!({ "type": "output_text", "text": "", "annotations": [] });
            events.push(place("response.content_part.added", json!({ "content_index": 0, "part": part })));
            events.push(place("response.output_text.delta", json!({ "content_index": 0, "delta": text })));
            events.push(place("response.output_text.done", json!({ "content_index": 0, "text": text })));
        } else {
            let text = &item["arguments"];
            started["arguments"] = "".into();
            events.push(place("response.output_item.added", json!({ "item": started })));
            events.push(place("response.function_call_arguments.delta", json!({ "delta": text })));
            events.push(place("response.function_call_arguments.done", json!({ "arguments": text })));
        }
        events.push(place("response.output_item.done", json!({ "item": item })));
    }
    let done = completed(&begun, &output, answer);
    events.push(json!({ "type": "response.completed", "response": done }));
    for (sequence, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = sequence.into();
    }
    events.iter().map(Event::named).collect()
}

fn offered(tool: &Json, namespace: Option<&str>) -> Option<Tool> {
    Some(Tool {
        namespace: namespace.map(str::to_owned),
        name: tool["name"].as_str()?.to_owned(),
        description: text_of(&tool["description"]),
        schema: tool["parameters"].clone(),
    })
}

fn items(input: &Json) -> Vec<Json> {
    let plain = || vec![json!({ "type": "message", "role": "user", "content": input })];
    input.as_array().cloned().unwrap_or_else(plain)
}

fn begun(body: &Json) -> Json {
    json!({
        "id": fresh("resp_"),
        "object": "response",
        "created_at": 1_700_000_000,
        "model": body["model"],
        "status": "in_progress",
        "output": [],
    })
}

fn completed(begun: &Json, output: &[Json], answer: &Answer) -> Json {
    let (read, written) = answer.tokens;
    let mut done = begun.clone();
    done["status"] = "completed".into();
    done["output"] = output.into();
    done["usage"] = json!({
        "input_tokens": read,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": written,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": read + written,
    });
    done
}

fn output(answer: &Answer) -> Vec<Json> {
    let mut output = Vec::new();
    if !answer.say.is_empty() || answer.calls.is_empty() {
        let part = json!({ "type": "output_text", "text": answer.say, "annotations": [] });
        output.push(json!({
            "type": "message", "id": fresh("msg_"), "role": "assistant", "status": "completed", "content": [part],
        }));
    }
    output.extend(answer.calls.iter().map(|call| {
        let mut item = json!({
            "type": "function_call",
            "id": fresh("fc_"),
            "call_id": fresh("call_"),
            "name": call.name,
            "arguments": call.arguments.to_string(),
            "status": "completed",
        });
        if let Some(namespace) = &call.namespace {
            item["namespace"] = namespace.as_str().into();
        }
        item
    }));
    output
}
