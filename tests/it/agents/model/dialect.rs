//! The four dialects: how each shows a conversation, and how it wants to be answered.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};

use super::conversation::Conversation;
use super::http::{Body, Event, Request};
use super::turn::{Answer, Failure};
use super::{anthropic, chat, gemini, responses};

/// A way to speak with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// `OpenAI` Responses.
    Responses,
    /// `OpenAI` Chat Completions.
    Chat,
    /// Gemini's `generateContent`.
    Gemini,
}

impl Dialect {
    /// The dialect that a path belongs to; none for lists of models, counts of tokens and the like.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let forms = [
            ("/messages", Self::Anthropic),
            ("/responses", Self::Responses),
            ("/chat/completions", Self::Chat),
            (":generateContent", Self::Gemini),
            (":streamGenerateContent", Self::Gemini),
        ];
        forms.into_iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, dialect)| dialect)
    }

    /// Whether the answer is wanted as a stream of events.
    pub(crate) fn streams(self, request: &Request) -> bool {
        match self {
            Self::Gemini => request.path.ends_with(":streamGenerateContent"),
            Self::Anthropic | Self::Responses | Self::Chat => request.body["stream"] == true,
        }
    }

    /// What the request shows.
    pub(crate) fn read(self, body: &Json) -> Conversation {
        match self {
            Self::Anthropic => anthropic::read(body),
            Self::Responses => responses::read(body),
            Self::Chat => chat::read(body),
            Self::Gemini => gemini::read(body),
        }
    }

    /// The answer as this dialect writes it.
    pub(crate) fn write(self, body: &Json, answer: &Answer, streams: bool) -> Body {
        match (self, streams) {
            (Self::Anthropic, false) => Body::Document(anthropic::whole(body, answer)),
            (Self::Anthropic, true) => Body::Events(anthropic::stream(body, answer)),
            (Self::Responses, false) => Body::Document(responses::whole(body, answer)),
            (Self::Responses, true) => Body::Events(responses::stream(body, answer)),
            (Self::Chat, false) => Body::Document(chat::whole(body, answer)),
            (Self::Chat, true) => Body::Events(chat::stream(body, answer)),
            (Self::Gemini, false) => Body::Document(gemini::whole(answer)),
            (Self::Gemini, true) => Body::Events(vec![Event::plain(&gemini::whole(answer))]),
        }
    }

    /// The status and the document of an error.
    pub(crate) fn fail(self, failure: &Failure) -> (u16, Json) {
        let (status, document) = match self {
            Self::Anthropic => anthropic::fail(failure),
            Self::Responses | Self::Chat => (failure.status, chat::fail(failure)),
            Self::Gemini => (failure.status, gemini::fail(failure)),
        };
        (status, failure.body.clone().unwrap_or(document))
    }
}

impl Event {
    /// An event that is named after the type of its data.
    pub(crate) fn named(data: &Json) -> Self {
        Self { name: data["type"].as_str().map(str::to_owned), data: data.to_string() }
    }

    /// An event without a name.
    pub(crate) fn plain(data: &Json) -> Self {
        Self { name: None, data: data.to_string() }
    }
}

/// What is answered to a request on the side: what its schema asks for, or hardly anything.
pub(crate) fn small_talk(body: &Json) -> String {
    let settings = &body["generationConfig"];
    let schema = ["responseJsonSchema", "responseSchema"].iter().find_map(|name| settings.get(name));
    schema.map_or_else(|| "ok".to_owned(), |schema| example(schema).to_string())
}

/// An id that nobody had before.
pub(crate) fn fresh(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{prefix}{:024x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The arguments of a call that are written as text inside JSON.
pub(crate) fn arguments(text: &Json) -> Json {
    text.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
}

/// The smallest document that fits a schema.
fn example(schema: &Json) -> Json {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str().unwrap_or("string").to_ascii_lowercase().as_str() {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            Json::Object(fields.map(|(name, inner)| (name.clone(), example(inner))).collect())
        }
        "array" => json!([]),
        "integer" | "number" => json!(1),
        "boolean" => json!(false),
        _ => json!("ok"),
    }
}
