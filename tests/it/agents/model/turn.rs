//! What the model does next: it answers, it fails, or it is silent.

use serde_json::{Value as Json, json};

use super::conversation::{Call, Conversation, SEARCH, SERVER, WRAPPER};

/// One turn of the model.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    /// It says something, calls tools, or both.
    Answer(Answer),
    /// The service answers with an error.
    Fail(Failure),
    /// The request is taken and never answered.
    Hang,
}

/// What the model says and calls in one turn.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) say: String,
    pub(crate) calls: Vec<Call>,
    /// Tokens read and written, as the service counts them.
    pub(crate) tokens: (u32, u32),
}

/// An error of the service.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    /// What each dialect has a word of its own for.
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) headers: Vec<(String, String)>,
    /// What is sent instead of the dialect's document.
    pub(crate) body: Option<Json>,
}

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    Auth,
    Quota,
    Overloaded,
}

impl Turn {
    /// It says this and is done.
    pub(crate) fn say(text: impl Into<String>) -> Self {
        Self::Answer(Answer { say: text.into(), calls: Vec::new(), tokens: (100, 20) })
    }

    /// It calls a tool of Converge.
    pub(crate) fn call(tool: &str, arguments: Json) -> Self {
        Self::say("").and_call(tool, arguments)
    }

    /// It calls a tool that the client brings along, by the client's name for it.
    pub(crate) fn call_own(tool: &str, arguments: Json) -> Self {
        let call = Call { namespace: None, name: tool.to_owned(), arguments };
        Self::Answer(Answer { say: String::new(), calls: vec![call], tokens: (100, 20) })
    }

    /// It calls a tool of Converge as well, in the same turn.
    pub(crate) fn and_call(mut self, tool: &str, arguments: Json) -> Self {
        if let Self::Answer(answer) = &mut self {
            let server = Some(SERVER.to_owned());
            answer.calls.push(Call { namespace: server, name: tool.to_owned(), arguments });
        }
        self
    }

    /// It reports these tokens, read and written.
    pub(crate) fn with_tokens(mut self, read: u32, written: u32) -> Self {
        if let Self::Answer(answer) = &mut self {
            answer.tokens = (read, written);
        }
        self
    }
}

impl Failure {
    /// The request is not understood; nobody tries that again.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(400, Kind::Invalid, message)
    }

    /// The key is not accepted.
    pub(crate) fn auth(message: &str) -> Self {
        Self::new(401, Kind::Auth, message)
    }

    /// The account has used up what it may.
    pub(crate) fn quota(message: &str) -> Self {
        Self::new(429, Kind::Quota, message)
    }

    /// The service has too much to do; 529 as Anthropic says it, 503 elsewhere.
    pub(crate) fn overloaded(message: &str) -> Self {
        Self::new(503, Kind::Overloaded, message)
    }

    /// Sends this header along.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends this document in place of the dialect's.
    pub(crate) fn body(mut self, body: Json) -> Self {
        self.body = Some(body);
        self
    }

    fn new(status: u16, kind: Kind, message: &str) -> Self {
        Self { status, kind, message: message.to_owned(), headers: Vec::new(), body: None }
    }
}

impl Answer {
    /// What goes out on the wire: tools by the names that this client gave them, loaded first if need be.
    pub(crate) fn addressed(mut self, conversation: &Conversation) -> Self {
        let offers = |name: &str| conversation.tools.iter().any(|tool| tool.name == name);
        for call in &mut self.calls {
            if call.namespace.is_none() {
                continue;
            }
            let full = format!("mcp__{SERVER}__{}", call.name);
            if let Some(tool) = conversation.tool(&call.name) {
                call.namespace.clone_from(&tool.namespace);
                call.name.clone_from(&tool.name);
            } else if offers(SEARCH) && !conversation.searched_for(&full) {
                let load = json!({ "query": format!("select:{full}"), "max_results": 5 });
                let search = Call { namespace: None, name: SEARCH.to_owned(), arguments: load };
                return Self { say: String::new(), calls: vec![search], tokens: (1, 1) };
            } else if offers(WRAPPER) {
                call.arguments = json!({ "name": full, "arguments": call.arguments });
                call.namespace = None;
                WRAPPER.clone_into(&mut call.name);
            } else {
                // The client says itself that there is no such tool.
                call.namespace = None;
                call.name = full;
            }
        }
        self
    }
}

impl Conversation {
    /// Whether the client was asked to load a tool, and once is enough to know that it cannot.
    fn searched_for(&self, full: &str) -> bool {
        self.messages.iter().any(|message| match message {
            super::conversation::Message::Model { calls, .. } => {
                calls.iter().any(|call| call.name == SEARCH && call.arguments.to_string().contains(full))
            }
            super::conversation::Message::User(_) | super::conversation::Message::Result { .. } => false,
        })
    }
}
