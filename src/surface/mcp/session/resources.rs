//! Resources: jobs, runs and what runs wrote, to be read and watched.

use std::sync::Arc;

use rmcp::model::{
    CacheScope, ErrorData, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate,
};
use serde_json::{Value as Json, json};

use crate::command::caller::Caller;
use crate::command::list_jobs::ListJobs;
use crate::command::read_output::ReadOutput;
use crate::command::show_job::ShowJob;
use crate::command::{Command, speak};
use crate::core::refusal::{Code, Refusal};
use crate::surface::mcp::desk::Call;
use crate::surface::mcp::session::uri::{JOB_TEMPLATE, LOG_TEMPLATE, Named, RUN_TEMPLATE};
use crate::surface::mcp::session::{Session, reply, tasks, tools};

/// How long a client may keep the templates: they change only with the program.
const TEMPLATES_TTL_MS: u64 = 3_600_000;

const JSON: &str = "application/json";

/// The jobs as resources.
pub(super) async fn list(
    session: &Session,
    cursor: Option<String>,
) -> Result<ListResourcesResult, ErrorData> {
    let arguments = match &cursor {
        Some(after) => json!({"after": after}),
        None => json!({}),
    };
    let listed = look(session, ListJobs::NAME, arguments).await?;
    let of_job = |job: &Json| {
        let id = job["id"].as_str().unwrap_or_default().to_owned();
        let name = job["name"].as_str().unwrap_or(&id).to_owned();
        let description = format!(
            "{} {}",
            job["state"].as_str().unwrap_or_default(),
            job["schedule"].as_str().unwrap_or_default()
        );
        Resource::new(Named::Job(id).to_string(), name)
            .with_description(description.trim())
            .with_mime_type(JSON)
    };
    let jobs = listed["jobs"].as_array().into_iter().flatten().map(of_job);
    let all = Resource::new(Named::Jobs.to_string(), "jobs")
        .with_title("All jobs")
        .with_description("Every job, its state and its next run")
        .with_mime_type(JSON);
    let resources = cursor.is_none().then_some(all).into_iter().chain(jobs).collect();
    let mut list = ListResourcesResult::with_all_items(resources);
    list.next_cursor = listed["next"].as_str().map(str::to_owned);
    list.ttl_ms = Some(0);
    list.cache_scope = Some(CacheScope::Private);
    Ok(list)
}

/// The shapes that names of resources have.
pub(super) fn templates() -> ListResourceTemplatesResult {
    let template = |uri: &str, name: &str, description: &str, mime: &str| {
        ResourceTemplate::new(uri, name).with_description(description).with_mime_type(mime)
    };
    let mut list = ListResourceTemplatesResult::with_all_items(vec![
        template(JOB_TEMPLATE, "job", "A job, by id or name", JSON),
        template(RUN_TEMPLATE, "run", "A run with its attempts and what was found of the goal", JSON),
        template(
            LOG_TEMPLATE,
            "log",
            "What a run wrote to stdout, or `stderr`, from a byte on",
            "text/plain",
        ),
    ]);
    list.ttl_ms = Some(TEMPLATES_TTL_MS);
    list.cache_scope = Some(CacheScope::Public);
    list
}

/// What a resource holds now.
pub(super) async fn read(session: &Session, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    // The protocol has the error of a resource name it.
    contents(session, uri).await.map_err(|error| ErrorData { data: Some(json!({ "uri": uri })), ..error })
}

async fn contents(session: &Session, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let named: Named = uri.parse().map_err(|()| nothing(uri))?;
    let contents = match &named {
        Named::Jobs => document(uri, look(session, ListJobs::NAME, json!({})).await?),
        Named::Job(id) | Named::Run(id) => {
            let shown = look(session, ShowJob::NAME, tools::naming(id)).await?;
            let is_run = shown.get("attempt_list").is_some();
            if is_run != matches!(named, Named::Run(_)) {
                return Err(nothing(uri));
            }
            document(uri, shown)
        }
        Named::Log { run, from, stderr } => {
            let arguments = json!({"run": run, "from": from, "stderr": stderr});
            let piece = look(session, ReadOutput::NAME, arguments).await?;
            let next = piece["next"].as_u64().unwrap_or_default();
            ResourceContents::text(log(&piece, &named, next), uri)
        }
    };
    let mut result = ReadResourceResult::new(vec![contents]);
    result.ttl_ms = Some(0);
    result.cache_scope = Some(CacheScope::Private);
    Ok(result)
}

fn document(uri: &str, json: Json) -> ResourceContents {
    ResourceContents::text(reply::without_nulls(json).to_string(), uri).with_mime_type(JSON)
}

/// What a run wrote, and where to read on.
fn log(piece: &Json, named: &Named, next: u64) -> String {
    let text = piece["text"].as_str().unwrap_or_default();
    // A model is told the state of the run, our own programs all of it.
    let is_open = [&piece["state"], &piece["run"]["state"]]
        .iter()
        .any(|state| state.as_str().is_some_and(|state| tasks::OPEN.contains(&state)));
    // Of a run that is over there is no more than was written.
    let is_all = !is_open && piece["total"].as_u64().is_some_and(|total| next >= total);
    if is_all && !text.is_empty() {
        return format!("{text}\n[that is all]");
    }
    match (text.is_empty(), is_open, named) {
        (true, false, _) => "[that is all]".to_owned(),
        (true, true, _) => "[nothing more yet]".to_owned(),
        (false, _, Named::Log { run, stderr, .. }) => {
            let on = Named::Log { run: run.clone(), from: next, stderr: *stderr };
            format!("{text}\n[goes on at {on}]")
        }
        (false, ..) => text.to_owned(),
    }
}

/// What a verb that only looks answers, as its client reads it.
pub(super) async fn look(session: &Session, verb: &'static str, arguments: Json) -> Result<Json, ErrorData> {
    ask(session, &session.caller, verb, arguments).await
}

/// What a verb that only looks answers, with everything in it, for us to read.
pub(super) async fn look_whole(
    session: &Session,
    verb: &'static str,
    arguments: Json,
) -> Result<Json, ErrorData> {
    ask(session, &session.ourselves, verb, arguments).await
}

async fn ask(
    session: &Session,
    caller: &Arc<Caller>,
    verb: &'static str,
    arguments: Json,
) -> Result<Json, ErrorData> {
    let answer = session.desk.call(Arc::clone(caller), Call { verb, arguments, key: None }, None).await;
    answer.map_err(|refusal| refused(&refusal))
}

/// A refusal as an error of the protocol.
pub(super) fn refused(refusal: &Refusal) -> ErrorData {
    // What was asked for ourselves was refused in our words.
    let refusal = &speak::for_model(refusal.clone());
    let told = reply::told(refusal);
    match refusal.code {
        Code::NotFound | Code::Ambiguous => ErrorData::resource_not_found(told, None),
        Code::Invalid | Code::Denied | Code::Conflict | Code::KeyReused => {
            ErrorData::invalid_params(told, None)
        }
        Code::Unavailable | Code::Unknown => ErrorData::internal_error(told, None),
    }
}

/// The id of the job or the run that was named.
pub(super) async fn id_of(session: &Session, named: &str) -> Result<String, ErrorData> {
    let shown = look_whole(session, ShowJob::NAME, tools::naming(named)).await?;
    Ok(shown["id"].as_str().unwrap_or(named).to_owned())
}

/// The no to a URI that names nothing.
pub(super) fn nothing(uri: &str) -> ErrorData {
    let shapes =
        "there are converge://jobs, converge://jobs/ID, converge://runs/ID and converge://runs/ID/log";
    ErrorData::resource_not_found(format!("no resource `{uri}`; {shapes}"), None)
}
