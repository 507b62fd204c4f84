//! Published verbs: those that agents are shown, as tools of MCP.

use serde::Serialize;

use crate::command::read_output::ReadOutput;
use crate::command::schema::Object;
use crate::command::{Command, Entry, REGISTRY};
use crate::words::{self, Hints};

/// The verbs that agents are shown, in their order.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    REGISTRY.iter().filter(|entry| is_published(entry.name))
}

/// Whether agents are shown the verb of this name.
pub fn is_published(verb: &str) -> bool {
    words::about(verb).is_some_and(|words| words.hints().is_some())
}

/// Whether a model may read what the verb of this name answers: the published ones, and output as a resource.
pub fn is_told(verb: &str) -> bool {
    is_published(verb) || verb == ReadOutput::NAME
}

/// A published verb as clients of MCP are told of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it is called where people see it.
    pub title: &'static str,
    /// When to call it, and how.
    pub description: &'static str,
    /// The schema of its arguments.
    pub input_schema: Object,
    /// The schema of its reply.
    pub output_schema: Object,
    /// What a client may count on.
    #[serde(rename = "annotations")]
    pub hints: Hints,
}

/// Each published verb, as `tools/list` has it.
pub fn tools() -> impl Iterator<Item = Tool> {
    REGISTRY.iter().filter_map(tool)
}

fn tool(entry: &Entry) -> Option<Tool> {
    let words = words::about(entry.name)?;
    Some(Tool {
        name: entry.name,
        title: words.title(),
        description: words.body,
        input_schema: (entry.input_schema)(),
        output_schema: (entry.output_schema)(),
        hints: words.hints()?,
    })
}
