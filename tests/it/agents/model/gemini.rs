//! Gemini's `generateContent`, as Gemini CLI speaks it.

use serde_json::{Value as Json, json};

use super::conversation::{Call, Conversation, Message, Tool, text_of};
use super::dialect::fresh;
use super::turn::{Answer, Failure, Kind};

pub(crate) fn read(body: &Json) -> Conversation {
    let system = text_of(&body["systemInstruction"]["parts"]);
    let mut conversation = Conversation { system, ..Conversation::default() };
    for group in body["tools"].as_array().into_iter().flatten() {
        for function in group["functionDeclarations"].as_array().into_iter().flatten() {
            let schema = function.get("parametersJsonSchema").or_else(|| function.get("parameters"));
            conversation.tools.push(Tool {
                namespace: None,
                name: text_of(&function["name"]),
                description: text_of(&function["description"]),
                schema: schema.cloned().unwrap_or_default(),
            });
        }
    }
    for content in body["contents"].as_array().into_iter().flatten() {
        let is_model = content["role"] == "model";
        for part in content["parts"].as_array().into_iter().flatten() {
            if let Some(call) = part.get("functionCall") {
                let call = Call::of(None, call["name"].as_str().unwrap_or_default(), call["args"].clone());
                conversation.extend_model("", Some(call));
            } else if let Some(response) = part.get("functionResponse") {
                let answer = &response["response"];
                let text = match text_of(answer) {
                    none if none.is_empty() => answer.to_string(),
                    text => text,
                };
                conversation.push_result(Some(&text_of(&response["name"])), text);
            } else if is_model {
                conversation.extend_model(&text_of(part), None);
            } else {
                conversation.messages.push(Message::User(text_of(part)));
            }
        }
    }
    conversation
}

pub(crate) fn whole(answer: &Answer) -> Json {
    let mut parts = Vec::new();
    if !answer.say.is_empty() || answer.calls.is_empty() {
        parts.push(json!({ "text": answer.say }));
    }
    parts.extend(answer.calls.iter().map(|call| {
        let call = json!({ "id": fresh("call-"), "name": call.name, "args": call.arguments });
        // Newer clients send a call back only with the signature of the thought behind it.
        json!({ "functionCall": call, "thoughtSignature": "c2lnbmF0dXJl" })
    }));
    let (read, written) = answer.tokens;
    json!({
        "candidates": [
            { "content": { "role": "model", "parts": parts }, "finishReason": "STOP", "index": 0 },
        ],
        "usageMetadata": {
            "promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written,
        },
        "modelVersion": "scripted",
        "responseId": fresh("response-"),
    })
}

pub(crate) fn fail(failure: &Failure) -> Json {
    let status = match failure.kind {
        Kind::Invalid => "INVALID_ARGUMENT",
        Kind::Auth => "UNAUTHENTICATED",
        Kind::Quota => "RESOURCE_EXHAUSTED",
        Kind::Overloaded => "UNAVAILABLE",
    };
    json!({ "error": { "code": failure.status, "status": status, "message": failure.message } })
}
