//! Waiting: the one call that takes long, with news in between.
//!
//! Nothing is held up by it: it listens to what changes, and asks again when that concerns what is waited for.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ProgressNotificationParam;
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::command::arguments;
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::surface::mcp::arrival::Arrival;
use crate::surface::mcp::desk::Call;
use crate::surface::mcp::order::Turn;
use crate::surface::mcp::session::Session;

/// How long a call waits unless it says so: some clients cut calls at a minute.
const WAIT: Duration = Duration::from_secs(45);

/// The longest a call waits: one client cuts calls at five minutes whatever they report.
const WAIT_MOST: Duration = Duration::from_mins(4);

/// How often there is news, and the longest that a change which nobody announced goes unseen.
const SLICE: Duration = Duration::from_secs(5);

/// Waits until it is over, until the time is up, or until nobody waits any more.
pub(super) async fn wait(
    session: &Session,
    call: Call,
    mut turn: Option<Turn>,
    context: &RequestContext<RoleServer>,
) -> Result<Json, Refusal> {
    let ask = |arguments: Json, turn| {
        let look = Call { verb: call.verb, arguments, key: None };
        session.desk.call(Arc::clone(&session.caller), look, turn)
    };
    // What is no request is refused by the verb, which says how to mend it.
    let Ok(mut request) = arguments::read(call.verb, call.arguments.clone()).finish() else {
        return ask(call.arguments.clone(), turn).await;
    };
    let most = match request.get("timeout").and_then(Json::as_str).map(str::parse::<Span>) {
        None => WAIT,
        Some(Ok(span)) => Duration::from_millis(span.as_ms()).min(WAIT_MOST),
        Some(Err(_)) => return ask(Json::Object(request), turn).await,
    };
    request.insert("timeout".to_owned(), json!("0s"));
    // Whoever asked the daemon before this one has waited already.
    let age = context.extensions.get::<Arrival>().map_or(Duration::ZERO, Arrival::age);
    let began = Instant::now();
    let waited = || age + began.elapsed();
    let mut board = session.desk.board.listen();
    let mut told_at = began;
    loop {
        let answer = ask(Json::Object(request.clone()), turn.take()).await?;
        let left = most.saturating_sub(waited());
        if answer["result"] != "waiting" || left.is_zero() || is_idle(&answer) {
            return Ok(answer);
        }
        if told_at.elapsed() >= SLICE {
            told_at = Instant::now();
            report(context, waited(), &answer).await;
        }
        let about = answer["id"].as_str();
        let concerns = async {
            loop {
                match board.recv().await {
                    Ok(news) if about.is_none_or(|id| news.ids.contains(id)) => return,
                    Ok(_) => {}
                    // Whoever missed some may have missed this.
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = concerns => {}
            () = tokio::time::sleep(left.min(SLICE.saturating_sub(told_at.elapsed()))) => {}
            // Only the waiting ends, never what is waited for; nobody reads the answer.
            () = context.ct.cancelled() => return Ok(json!({})),
        }
    }
}

/// Whether it is a job of which nothing is scheduled or under way, which the answer says, with what starts it.
fn is_idle(answer: &Json) -> bool {
    answer["state"] == "active" && answer["next_at"].is_null() && answer["active_run"].is_null()
}

/// Tells whoever wants to know that it still waits, and for what.
async fn report(context: &RequestContext<RoleServer>, waited: Duration, answer: &Json) {
    let Some(token) = context.meta.get_progress_token() else { return };
    let state = answer["state"].as_str().unwrap_or("waiting");
    let runs = answer["runs"].as_u64().map_or_else(String::new, |runs| format!(", {runs} runs so far"));
    let mut progress = ProgressNotificationParam::new(token, waited.as_secs_f64());
    progress.message = Some(format!("{} is {state}{runs}", answer["name"].as_str().unwrap_or("it")));
    // A client that is gone wants no news.
    let _ = context.peer.notify_progress(progress).await;
}
