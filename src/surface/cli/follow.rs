//! Following: runs, output and events as they happen, and waiting until something is over.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::client::connect::Connection;
use crate::command;
use crate::command::page::{Tone, words};
use crate::command::readable::Agents;
use crate::command::wait::Outcome;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::surface::cli::exit::Exit;
use crate::surface::cli::streams::Streams;
use crate::surface::cli::terminal::{self, Spinner, now};
use crate::surface::cli::{Session, call};

/// What was followed to its end.
pub(super) struct Followed {
    /// The last reply of `wait`.
    pub(super) waited: Json,
    /// What it came to.
    pub(super) outcome: Outcome,
}

/// How long one question waits for news.
const PATIENCE: Duration = Duration::from_secs(10);

/// `wait`: asks in slices until it is over or the time is up.
pub(super) fn wait(session: &Session, connection: &mut Connection, request: &Json) -> Result<Exit, Refusal> {
    let timeout = request["timeout"].as_str().map(str::parse::<Span>).transpose();
    let timeout = timeout.map_err(|error| {
        Refusal::new(Code::Invalid, format!("timeout: {}", error.message)).hint(error.fix)
    })?;
    let until = timeout.map(|timeout| timeout.after(now()));
    let followed = until_over(session, connection, request["job"].as_str().unwrap_or_default(), until)?;
    Ok(session.finish(&followed))
}

/// Waits for a job or a run until it is over, at the longest until then.
pub(super) fn until_over(
    session: &Session,
    connection: &mut Connection,
    what: &str,
    until: Option<jiff::Timestamp>,
) -> Result<Followed, Refusal> {
    let mut spinner = session.terminal.spinner();
    loop {
        let patience =
            Span::from_ms(u64::try_from(spinner.patience(PATIENCE).as_millis()).unwrap_or(u64::MAX));
        let left = until.map_or(patience, |until| patience.min(Span::between(now(), until)));
        let waited = call(connection, "wait", &json!({ "job": what, "timeout": left }), None)?;
        let outcome = outcome_of(&waited);
        if outcome != Outcome::Waiting || until.is_some_and(|until| until <= now()) {
            return Ok(Followed { waited, outcome });
        }
        spinner.turn(&format!("waiting for {what}"));
    }
}

pub(super) fn outcome_of(waited: &Json) -> Outcome {
    serde_json::from_value(waited["result"].clone()).unwrap_or(Outcome::Waiting)
}

/// A run until it is over; with its output if it is to be shown.
pub(super) fn run(
    session: &Session,
    connection: &mut Connection,
    id: &str,
    show: bool,
) -> Result<Followed, Refusal> {
    if show && !session.terminal.is_json() {
        let agents = agents()?;
        let mut spinner = session.terminal.spinner();
        let mut stream = Streams::of(id, &agents);
        while !stream.step(connection, &mut spinner)? {
            spinner.turn(&format!("run {id}"));
        }
    }
    until_over(session, connection, id, None)
}

/// A job with all its runs, until it is over or needs a person.
pub(super) fn job(session: &Session, connection: &mut Connection, id: &str) -> Result<Followed, Refusal> {
    let mut spinner = session.terminal.spinner();
    let mut shown: Option<String> = None;
    let mut after = newest_event(connection, id)?;
    loop {
        let waited = call(connection, "wait", &json!({ "job": id, "timeout": "0s" }), None)?;
        let newest = call(connection, "run_logs", &json!({ "job": id, "limit": 1, "lines": 0 }), None)?;
        let newest = newest["runs"][0].clone();
        let run = newest["id"].as_str().unwrap_or_default().to_owned();
        let starts = newest["attempts"].as_u64() > Some(0) || newest["state"] == "running";
        if starts && shown.as_ref() != Some(&run) && !session.terminal.is_json() {
            shown = Some(run.clone());
            spinner.restart();
            follow_run(session, connection, &newest, &mut spinner)?;
            continue;
        }
        let outcome = outcome_of(&waited);
        if outcome != Outcome::Waiting {
            return Ok(Followed { waited, outcome });
        }
        spinner.turn(&waiting_line(&waited));
        after = next_event(connection, id, after, spinner.patience(PATIENCE))?;
    }
}

fn follow_run(
    session: &Session,
    connection: &mut Connection,
    run: &Json,
    spinner: &mut Spinner<'_>,
) -> Result<(), Refusal> {
    let id = run["id"].as_str().unwrap_or_default();
    let number = run["number"].as_u64().unwrap_or(0);
    let name = if number == 0 {
        "the checks, before the first run".to_owned()
    } else {
        format!("run {number} ({id})")
    };
    let page = session.page();
    spinner.clear();
    terminal::write(&format!("{}\n", page.tone(&format!("── {name}"), Tone::Faint)));
    let agents = agents()?;
    let mut streams = Streams::of(id, &agents);
    while !streams.step(connection, spinner)? {
        spinner.turn(&format!("run {number}"));
    }
    spinner.clear();
    let shown = call(connection, "show_job", &json!({ "job": id }), None)?;
    if let Ok(view) = serde_json::from_value::<command::view::RunView>(shown) {
        terminal::write(&format!(
            "{} {}: {}\n",
            page.tone("──", Tone::Faint),
            page.state(&view.state),
            view.detail()
        ));
    }
    Ok(())
}

/// The agents whose output can be told.
fn agents() -> Result<Agents, Refusal> {
    Ok(Agents::of(Session::paths()?.home()))
}

fn waiting_line(waited: &Json) -> String {
    let name = waited["name"].as_str().unwrap_or_default();
    let next = waited["next_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    match next {
        Some(at) => format!("{name}: next run in {}s", Span::between(now(), at).as_ms().div_ceil(1000)),
        None => format!("{name}: {}", words(waited["state"].as_str().unwrap_or_default())),
    }
}

fn newest_event(connection: &mut Connection, job: &str) -> Result<u64, Refusal> {
    let events = call(connection, "list_events", &json!({ "job": job, "limit": 1 }), None)?;
    Ok(events["next"].as_u64().unwrap_or(0))
}

fn next_event(
    connection: &mut Connection,
    job: &str,
    after: u64,
    patience: Duration,
) -> Result<u64, Refusal> {
    let wait_ms = u64::try_from(patience.as_millis()).unwrap_or(0);
    let events =
        call(connection, "list_events", &json!({ "job": job, "after": after, "wait_ms": wait_ms }), None)?;
    Ok(events["next"].as_u64().unwrap_or(after))
}

/// `logs --follow`: a job until it is over, or one run.
pub(super) fn logs(session: &Session, connection: &mut Connection, request: &Json) -> Result<Exit, Refusal> {
    let what = request["job"].as_str().unwrap_or_default();
    let shown = call(connection, "show_job", &json!({ "job": what }), None)?;
    let id = shown["id"].as_str().unwrap_or(what).to_owned();
    let is_run = !shown["origin"].is_null();
    let followed = if is_run { run(session, connection, &id, true)? } else { job(session, connection, &id)? };
    Ok(session.finish(&followed))
}

/// Which bytes are wanted, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw {
    /// Standard error instead of standard output.
    pub(super) stderr: bool,
    /// Also those that are still to come.
    pub(super) follow: bool,
}

/// `logs --raw`: the bytes of the newest run's output, or of the attempt that is named, and nothing else.
pub(super) fn raw(connection: &mut Connection, request: &Json, raw: Raw) -> Result<Exit, Refusal> {
    let Raw { stderr, follow } = raw;
    let what = request["job"].as_str().unwrap_or_default();
    let logs = call(connection, "run_logs", &json!({ "job": what, "lines": 0 }), None)?;
    let ran = |run: &&Json| run["attempt"].as_u64() > Some(0) && run["origin"] != command::view::ZERO;
    let Some(run) = logs["runs"].as_array().and_then(|runs| runs.iter().find(ran)) else {
        return Err(Refusal::new(Code::Conflict, format!("{what} has not run yet"))
            .hint(format!("`converge explain {what}` says why")));
    };
    let wait_ms = if follow { 1000 } else { 0 };
    let named = request["attempt"].as_u64();
    let mut attempt = named.or(run["attempt"].as_u64());
    let mut from = 0;
    loop {
        let request = json!({ "run": run["id"], "raw": true, "stderr": stderr, "from": from, "wait_ms": wait_ms, "attempt": attempt });
        let piece = call(connection, "read_output", &request, None)?;
        // One character a byte, so that any bytes pass through JSON.
        let bytes: Vec<u8> = piece["text"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .filter_map(|letter| u8::try_from(letter).ok())
            .collect();
        terminal::write_bytes(&bytes);
        from = piece["next"].as_u64().unwrap_or(from);
        if !bytes.is_empty() {
            continue;
        }
        let has_next = piece["run"]["attempt"].as_u64() > attempt;
        if follow && has_next && named.is_some() {
            return Ok(Exit::Ok);
        }
        if follow && has_next {
            attempt = attempt.map(|attempt| attempt + 1);
            from = 0;
        } else if !follow || !piece["run"]["finished_at"].is_null() {
            return Ok(Exit::Ok);
        }
    }
}

/// `events --follow`: until it is interrupted.
pub(super) fn events(
    session: &Session,
    connection: &mut Connection,
    request: &Json,
) -> Result<Exit, Refusal> {
    let entry = command::find("list_events").expect("a verb of the registry");
    let mut request = request.clone();
    loop {
        let reply = call(connection, entry.name, &request, None)?;
        if session.terminal.is_json() {
            for event in reply["events"].as_array().into_iter().flatten() {
                terminal::write(&format!("{event}\n"));
            }
        } else {
            session.terminal.show(entry, &reply);
        }
        request["after"] = reply["next"].clone();
        request["wait_ms"] = json!(PATIENCE.as_millis());
    }
}
