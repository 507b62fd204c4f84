//! Tasks of MCP: a run that was started by hand, for clients that follow it themselves.
//!
//! The task's id is the run's id, so a task lives as long as the store does.

use std::sync::Arc;

use rmcp::model::{
    CallToolResponse, CreateTaskResult, DetailedTask, ErrorData, GetTaskResult, JsonObject, ProtocolVersion,
    Task, TaskPayload, TaskStatus,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value as Json, json};

use crate::command::Command;
use crate::command::control_job::ControlJob;
use crate::command::show_job::ShowJob;
use crate::command::wait::Wait;
use crate::surface::mcp::arrival::Arrival;
use crate::surface::mcp::desk::Call;
use crate::surface::mcp::session::{Session, reply, resources, tools};

/// How often a client should ask.
const POLL_MS: u64 = 2_000;

/// The states of a run that is not over.
pub(super) const OPEN: [&str; 3] = ["pending", "claimed", "running"];

/// Whether the client of this request follows tasks.
pub(super) fn are_wanted(context: &RequestContext<RoleServer>) -> bool {
    // Older revisions have other tasks, or none.
    let is_newer = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    is_newer && context.client_capabilities().is_some_and(|client| client.supports_tasks())
}

/// The task for a run that was started.
pub(super) async fn created(session: &Session, run: &Json) -> CallToolResponse {
    // What a model is told of a run leaves out when it was made.
    let id = run["id"].as_str().unwrap_or_default();
    let whole = resources::look_whole(session, ShowJob::NAME, tools::naming(id)).await;
    let mut task = task(session, whole.as_ref().unwrap_or(run), TaskStatus::Working);
    task.status_message = Some("started, not finished".to_owned());
    CallToolResponse::Task(CreateTaskResult::new(task))
}

/// How a task stands.
pub(super) async fn get(session: &Session, id: &str) -> Result<GetTaskResult, ErrorData> {
    let run = resources::look_whole(session, ShowJob::NAME, tools::naming(id)).await?;
    if run.get("attempt_list").is_none() || run["id"] != id {
        return Err(no_task(id));
    }
    let state = run["state"].as_str().unwrap_or_default();
    let payload = match state {
        open if OPEN.contains(&open) => TaskPayload::Working,
        "cancelled" => TaskPayload::Cancelled,
        _ => {
            let mut arguments = tools::naming(id);
            arguments["timeout"] = json!("0s");
            let waited = resources::look(session, Wait::NAME, arguments).await?;
            let is_ok = waited["result"] == "ok";
            let mut result = reply::result(session.caller.reader, Ok(waited));
            result.is_error = Some(!is_ok);
            let result = serde_json::to_value(result).unwrap_or_default();
            TaskPayload::Completed { result: result.as_object().cloned().unwrap_or_else(JsonObject::new) }
        }
    };
    let mut task = task(session, &run, payload.status());
    task.status_message = Some(match run["reason"].as_str() {
        Some(reason) => format!("{state}: {}", reason.replace('_', " ")),
        None => state.to_owned(),
    });
    Ok(GetTaskResult::new(DetailedTask::new(task, payload)))
}

/// Ends the run of a task.
pub(super) async fn cancel(
    session: &Session,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let caller = tools::changer(session, context);
    get(session, id).await?;
    let key = context.extensions.get::<Arrival>().and_then(Arrival::key);
    let call = Call { verb: ControlJob::NAME, arguments: json!({"action": "cancel", "jobs": [id]}), key };
    let answer = session.desk.call(Arc::new(caller), call, None).await;
    tools::left_to_the_next(session, &answer, context.extensions.get::<Arrival>()).await;
    answer.map(drop).map_err(|refusal| resources::refused(&refusal))
}

fn task(session: &Session, run: &Json, status: TaskStatus) -> Task {
    let text = |name: &str| run[name].as_str().map(str::to_owned);
    let now = || session.desk.house.engine.now().to_string();
    let created = text("created_at").or_else(|| text("started_at")).unwrap_or_else(now);
    let updated = text("finished_at").or_else(|| text("started_at")).unwrap_or_else(|| created.clone());
    let id = run["id"].as_str().unwrap_or_default();
    Task::new(id, status, created, updated).with_poll_interval_ms(POLL_MS)
}

fn no_task(id: &str) -> ErrorData {
    ErrorData::invalid_params(format!("no task `{id}`: a task's id is that of the run it started"), None)
}
