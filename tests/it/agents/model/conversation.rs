//! What a model is shown in one request, in no dialect in particular.

use regex::Regex;
use serde_json::Value as Json;

/// The name under which every client registers the server.
pub(crate) const SERVER: &str = "converge";

/// The tool by which Claude Code loads the tools that it only named.
pub(crate) const SEARCH: &str = "ToolSearch";

/// The tool by which Qwen Code calls the tools that it only named.
pub(crate) const WRAPPER: &str = "tool_call";

/// All that one request shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Conversation {
    /// The instructions that stand above the conversation.
    pub(crate) system: String,
    /// The tools on offer.
    pub(crate) tools: Vec<Tool>,
    /// What has been said until now.
    pub(crate) messages: Vec<Message>,
}

/// A tool on offer, as this client names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    /// The group that it stands in, where the dialect has such.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Json,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// A person, or the client in their name.
    User(String),
    /// The model: its text and its calls.
    Model { text: String, calls: Vec<Call> },
    /// What a tool answered.
    Result { tool: String, text: String },
}

/// A tool called with arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Json,
}

impl Conversation {
    /// How many turns the model has had. Loading a tool is the client's errand and no turn.
    pub(crate) fn turns(&self) -> usize {
        let is_turn = |message: &&Message| match message {
            Message::Model { calls, .. } => calls.is_empty() || calls.iter().any(|call| call.name != SEARCH),
            Message::User(_) | Message::Result { .. } => false,
        };
        self.messages.iter().filter(is_turn).count()
    }

    /// All that stands in the instructions and the messages of people.
    pub(crate) fn prompt(&self) -> String {
        let users = self.messages.iter().filter_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            Message::Model { .. } | Message::Result { .. } => None,
        });
        std::iter::once(self.system.as_str()).chain(users).collect::<Vec<_>>().join("\n")
    }

    /// A tool of Converge on offer, whatever the client makes of its name.
    pub(crate) fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| is_ours(tool.namespace.as_deref(), &tool.name, name))
    }

    /// The newest answer of a tool of Converge.
    pub(crate) fn result_of(&self, name: &str) -> Option<&str> {
        self.messages.iter().rev().find_map(|message| match message {
            Message::Result { tool, text } if is_ours(None, tool, name) || tool == name => {
                Some(text.as_str())
            }
            Message::User(_) | Message::Model { .. } | Message::Result { .. } => None,
        })
    }

    /// The newest answer of any tool.
    pub(crate) fn last_result(&self) -> &str {
        let newest = self.messages.iter().rev().find_map(|message| match message {
            Message::Result { tool, text } if tool != SEARCH => Some(text.as_str()),
            Message::User(_) | Message::Model { .. } | Message::Result { .. } => None,
        });
        newest.unwrap_or_default()
    }

    /// The newest thing in the answers of tools that looks like this, such as an id.
    #[track_caller]
    pub(crate) fn find(&self, pattern: &str) -> String {
        let pattern = Regex::new(pattern).unwrap();
        let hit = self.messages.iter().rev().find_map(|message| match message {
            Message::Result { text, .. } => pattern.find(text).map(|hit| hit.as_str().to_owned()),
            Message::User(_) | Message::Model { .. } => None,
        });
        hit.unwrap_or_else(|| format!("nothing like {pattern} was answered"))
    }

    /// Adds what a tool answered.
    pub(crate) fn push_result(&mut self, tool: Option<&String>, text: String) {
        self.messages.push(Message::Result { tool: tool.cloned().unwrap_or_default(), text });
    }

    /// Adds to what the model said in this turn, or begins a turn of it.
    pub(crate) fn extend_model(&mut self, more: &str, call: Option<Call>) {
        if !matches!(self.messages.last(), Some(Message::Model { .. })) {
            self.messages.push(Message::Model { text: String::new(), calls: Vec::new() });
        }
        if let Some(Message::Model { text, calls }) = self.messages.last_mut() {
            text.push_str(more);
            calls.extend(call);
        }
    }
}

impl Call {
    /// A call as it stands in a request; one that is wrapped in another is taken out of it.
    pub(crate) fn of(namespace: Option<&str>, name: &str, arguments: Json) -> Self {
        if name == WRAPPER
            && let (Some(inner), Some(arguments)) = (arguments["name"].as_str(), arguments.get("arguments"))
        {
            return Self::of(namespace, inner, arguments.clone());
        }
        Self { namespace: namespace.map(str::to_owned), name: name.to_owned(), arguments }
    }
}

/// Whether a client means this tool of Converge by that name.
fn is_ours(namespace: Option<&str>, wire: &str, name: &str) -> bool {
    if let Some(namespace) = namespace {
        return namespace == format!("mcp__{SERVER}") && wire == name;
    }
    [format!("mcp__{SERVER}__"), format!("mcp_{SERVER}_"), format!("{SERVER}-"), format!("{SERVER}_")]
        .iter()
        .any(|prefix| wire.strip_prefix(prefix.as_str()) == Some(name))
}

/// The text in a piece of content, whichever of the usual shapes it has.
pub(crate) fn text_of(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().map(text_of).collect(),
        Json::Object(part) => match ["text", "content", "output"].iter().find_map(|name| part.get(*name)) {
            Some(inner) => text_of(inner),
            None => String::new(),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) => String::new(),
    }
}
