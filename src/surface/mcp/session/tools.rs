//! Tools: every verb that agents are told of, and the calls of them.

use std::sync::{Arc, OnceLock};

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, ErrorData, ListToolsResult, Tool, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Map, Value as Json, json};

use crate::command::Command;
use crate::command::caller::Caller;
use crate::command::{self, define, published, run_now, wait};
use crate::core::nearest::nearest;
use crate::core::refusal::{Code, Refusal};
use crate::surface::mcp::arrival::Arrival;
use crate::surface::mcp::desk::Call;
use crate::surface::mcp::session::{Session, identity, reply, tasks, waiting};

/// How long a client may keep the list: it changes only with the program.
const LIST_TTL_MS: u64 = 3_600_000;

/// The list of tools, in the order of the registry.
pub(super) fn list() -> ListToolsResult {
    static TOOLS: OnceLock<Vec<Tool>> = OnceLock::new();
    let tools = TOOLS.get_or_init(|| published::tools().map(tool).collect());
    let mut list = ListToolsResult::with_all_items(tools.clone());
    list.ttl_ms = Some(LIST_TTL_MS);
    list.cache_scope = Some(CacheScope::Public);
    list
}

fn tool(told: published::Tool) -> Tool {
    let mut tool = Tool::new(told.name, told.description, told.input_schema);
    tool.title = Some(told.title.to_owned());
    tool.output_schema = Some(told.output_schema.into());
    let hints = told.hints;
    tool.annotations = Some(
        ToolAnnotations::new()
            .read_only(hints.read_only)
            .destructive(hints.destructive)
            .idempotent(hints.idempotent)
            .open_world(hints.open_world),
    );
    tool
}

/// Calls a tool.
pub(super) async fn call(
    session: &Session,
    mut request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let by_model = session.is_read_by_model();
    let entry = command::find(&request.name).filter(|entry| !by_model || published::is_published(entry.name));
    let Some(entry) = entry else { return Err(no_tool(&request.name)) };
    let arrival = context.extensions.get::<Arrival>().cloned();
    let arguments = match arrival.as_ref().and_then(Arrival::take_arguments) {
        Some(arguments) => arguments,
        None => request.arguments.take().map_or(json!({}), Json::Object),
    };
    let key = arrival.as_ref().and_then(Arrival::key);
    let turn = arrival.as_ref().and_then(Arrival::take_turn);
    let call = Call { verb: entry.name, arguments, key };

    let mut caller = Arc::clone(&session.caller);
    if entry.access.is_write() {
        caller = Arc::new(changer(session, &context));
    }
    if by_model && entry.name == wait::Wait::NAME {
        // Nobody waits for a daemon to end because somebody waits for a run.
        arrival.iter().for_each(Arrival::is_left);
        let waited = waiting::wait(session, call, turn, &context).await;
        left_to_the_next(session, &waited, arrival.as_ref()).await;
        return Ok(reply::result(session.caller.reader, waited).into());
    }
    let answer = session.desk.call(caller, call, turn).await;
    left_to_the_next(session, &answer, arrival.as_ref()).await;
    Ok(match answer {
        Ok(run) if entry.name == run_now::RunNow::NAME && by_model && tasks::are_wanted(&context) => {
            tasks::created(session, &run).await
        }
        answer => reply::result(session.caller.reader, answer).into(),
    })
}

/// Who makes this change.
pub(super) fn changer(session: &Session, context: &RequestContext<RoleServer>) -> Caller {
    let meta = serde_json::to_value(&context.meta).unwrap_or_default();
    identity::caller(session, context.client_info().as_ref(), &meta)
}

/// Never comes back when an agent was refused only because the daemon is ending: its proxy asks the next
/// daemon with the same key, which knows what came of it.
pub(super) async fn left_to_the_next(
    session: &Session,
    answer: &Result<Json, Refusal>,
    arrival: Option<&Arrival>,
) {
    if let Err(refusal) = answer
        && matches!(refusal.code, Code::Unavailable | Code::Unknown)
        && session.is_read_by_model()
        && session.desk.is_closing()
    {
        arrival.into_iter().for_each(Arrival::is_left);
        std::future::pending::<()>().await;
    }
}

fn no_tool(name: &str) -> ErrorData {
    let name = &define::shorten(name);
    let known = || published::entries().map(|entry| entry.name);
    let message = match nearest(name, known()) {
        Some(near) => format!("no tool `{name}`; did you mean `{near}`?"),
        None => format!("no tool `{name}`; there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    ErrorData::invalid_params(message, None)
}

/// Arguments that name one job or run.
pub(super) fn naming(id: &str) -> Json {
    Json::Object(Map::from_iter([("job".to_owned(), json!(id))]))
}
