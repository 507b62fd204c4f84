//! Identity: who is calling, in a few words, for the record of who did what.

use rmcp::model::Implementation;
use serde_json::Value as Json;

use crate::command::caller::Caller;
use crate::surface::mcp::session::Session;

/// The longest part of a name that is kept.
const PART_MOST: usize = 40;

/// Where clients put the id of a conversation into the `_meta` of a request.
const SESSION_IN_META: [&str; 2] = ["threadId", "sessionId"];

/// Who makes a change: the connection, and what the request says of its client.
pub(super) fn caller(session: &Session, client: Option<&Implementation>, meta: &Json) -> Caller {
    let mut caller = Caller::clone(&session.caller);
    caller.inside = session.inside();
    if let Some(key) = caller.inside {
        caller.actor = format!("run {}", key.task);
    } else if session.is_read_by_model() {
        let conversation = SESSION_IN_META
            .iter()
            .find_map(|name| meta.get(name)?.as_str().map(str::to_owned))
            .or_else(|| in_environment(&caller, client?));
        caller.actor = actor(client, conversation.as_deref());
        caller.client = client.map(|client| client.name.clone());
        caller.conversation = conversation;
    }
    caller
}

/// The conversation that this client told its servers of when it started them.
fn in_environment(caller: &Caller, client: &Implementation) -> Option<String> {
    let name = client.name.to_ascii_lowercase();
    let mut named = caller.conversations.iter();
    named.find(|(agent, _)| name.contains(agent.as_str())).map(|(_, id)| id.clone())
}

fn actor(client: Option<&Implementation>, conversation: Option<&str>) -> String {
    let name = match client {
        Some(client) => format!("{} {}", part(&client.name), part(&client.version)),
        None => "mcp".to_owned(),
    };
    match conversation.map(part).filter(|id| !id.is_empty()) {
        Some(id) => format!("{name} (session {id})"),
        None => name,
    }
}

fn part(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(PART_MOST).collect()
}
