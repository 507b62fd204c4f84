//! `converge agents check NAME`: proves an agent by a round trip through the path that its jobs take.
//!
//! A job of its own is made for it, in an empty private folder and with as few permissions as the agent has, and
//! is gone again when the answer is there, or when somebody interrupts it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use jiff::Timestamp;
use nix::unistd::mkdtemp;
use serde_json::{Value as Json, json};

use crate::client::autostart::Autostart;
use crate::client::connect::Connection;
use crate::command;
use crate::command::readings::STRANGE;
use crate::command::run_logs::printable;
use crate::core::assignment::Candidate;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::surface::cli::exit::Exit;
use crate::surface::cli::interrupts::Interrupts;
use crate::surface::cli::terminal::{self, now};
use crate::surface::cli::{Session, call, call_once, follow};

/// What the agent is asked.
const PROMPT: &str = "Reply with the single word: ready";

/// How long the agent may take; a little more is waited for it.
const LIMIT: Span = Span::from_secs(120);

/// How much longer than the agent may take it is waited for: there may be other runs before its own.
const SLACK: Span = Span::from_secs(30);

/// The profiles that are tried, from the one that allows the least.
const PROFILES: [&str; 2] = ["read-only", "edit"];

/// More than this of an answer is not shown.
const SAID_MAX: usize = 200;

/// Asks the agent, and tells what came back.
pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<Exit, Refusal> {
    let named = matches.get_one::<String>("agent").expect("clap asks for it");
    let said = |name: &str| matches.get_one::<String>(name).cloned();
    let candidate: Candidate = named.parse().map_err(|_| {
        Refusal::new(Code::Invalid, format!("`{named}` is no agent")).hint("`converge agents` lists them")
    })?;
    let candidate = Candidate {
        model: candidate.model.or_else(|| said("model")),
        account: candidate.account.or_else(|| said("account")),
        ..candidate
    };
    // Before the connection, which may start a thread that would take them.
    let interrupts = Interrupts::hold(cancel)
        .map_err(|error| unavailable(&format!("signals cannot be waited for: {error}")))?;
    let mut connection = session.connect()?;
    let agent = call(&mut connection, "show_agent", &json!({ "agent": candidate.agent }), None)?;
    let folder = folder().map_err(|error| unavailable(&format!("no folder to check it in: {error}")))?;
    let request = request(&candidate, &agent, &folder, matches)?;
    let asked = ask(session, &mut connection, &request, &interrupts);
    // Nothing in it is anybody's work.
    let _ = fs::remove_dir_all(&folder);
    interrupts.release();
    let run = asked?;
    let checked = told(&candidate, &agent, &run);
    if session.terminal.is_json() {
        session.terminal.document(&checked);
    } else {
        terminal::write(&text(&checked));
    }
    Ok(if checked["ok"] == true { Exit::Ok } else { Exit::Failed })
}

/// A run that is over, as it was shown, and what the agent said in it.
struct Ran {
    run: Json,
    said: Option<String>,
}

/// The name of the job of this check.
fn name() -> String {
    format!("agents-check-{}", std::process::id())
}

/// The job that asks.
fn request(
    candidate: &Candidate,
    agent: &Json,
    folder: &Path,
    matches: &ArgMatches,
) -> Result<Json, Refusal> {
    let permissions = PROFILES.into_iter().find(|profile| agent["permissions"].get(*profile).is_some());
    let env: Vec<&String> = matches.get_many("env").unwrap_or_default().collect();
    // The job works elsewhere than whoever names the file.
    let env_file = matches.get_one::<String>("env-file").map(std::path::absolute).transpose();
    let env_file = env_file.map_err(|error| Refusal::new(Code::Invalid, format!("--env-file: {error}")))?;
    Ok(json!({
        "name": name(),
        "prompt": PROMPT,
        "agent": candidate.to_string(),
        "permissions": permissions.unwrap_or("full"),
        "session": "fresh",
        "on_quota": "fail",
        "manual": true,
        "cwd": folder,
        "timeout": LIMIT,
        "env": env,
        "env_file": env_file,
    }))
}

/// Makes a job, runs it and takes it away again.
fn ask(
    session: &Session,
    connection: &mut Connection,
    request: &Json,
    interrupts: &Interrupts,
) -> Result<Ran, Refusal> {
    let job = write(connection, "add_job", request)?;
    let ran = if interrupts.any() {
        Err(Refusal::new(Code::Conflict, "interrupted"))
    } else {
        answer(session, connection, &job["id"])
    };
    // A job whose run is still under way, or that may run again, is not taken away; one that is over needs no end.
    let _ = write(connection, "control_job", &json!({ "action": "cancel", "jobs": [job["id"]] }));
    if let Err(refusal) = write(connection, "remove_job", &json!({ "jobs": [job["id"]], "force": true })) {
        terminal::complain(&format!("the job of the check stays: {refusal}\n"));
    }
    ran
}

/// Ends the run of an interrupted check, so that whoever waits for it goes on to take it away.
fn cancel() {
    let cancelled = Session::paths().and_then(|paths| {
        let mut connection = Connection::open(paths, Autostart::Never)?;
        write(&mut connection, "control_job", &json!({ "action": "cancel", "jobs": [name()] }))
    });
    // Without a daemon, or before there was a job, there is nothing to end.
    drop(cancelled);
}

fn answer(session: &Session, connection: &mut Connection, job: &Json) -> Result<Ran, Refusal> {
    let started = write(connection, "run_now", &json!({ "job": job }))?;
    let id = started["id"].as_str().unwrap_or_default();
    let until = Span::from_ms(LIMIT.as_ms() + SLACK.as_ms()).after(now());
    follow::until_over(session, connection, id, Some(until))?;
    let run = call(connection, "show_job", &json!({ "job": id }), None)?;
    let logs = call(connection, "run_logs", &json!({ "job": id }), None)?;
    let said = logs["output"]["said"].as_str().map(|said| said.trim().to_owned());
    Ok(Ran { run, said })
}

/// The newest attempt of a run.
fn newest(run: &Json) -> &Json {
    run["attempt_list"].as_array().and_then(|attempts| attempts.last()).unwrap_or(&Json::Null)
}

fn told(candidate: &Candidate, agent: &Json, Ran { run, said }: &Ran) -> Json {
    let attempt = newest(run);
    let class = [&attempt["class"], &run["reason"], &attempt["reason"]].into_iter().find_map(Json::as_str);
    let class = class.unwrap_or("timeout");
    let ok = ["done", "exit_zero"].contains(&class);
    let is_strange = attempt["is_strange"] == true;
    let message = [&attempt["message"], &run["note"]].into_iter().find_map(Json::as_str);
    let instant = |name: &str| attempt[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let took = instant("started_at").zip(instant("finished_at")).map(|(from, to)| Span::between(from, to));
    json!({
        "agent": candidate.to_string(),
        "ok": ok,
        "class": class,
        "message": message,
        "is_strange": is_strange,
        "fix": (!ok || is_strange).then(|| fix(class, &candidate.agent)),
        "program": agent["program"],
        "version": agent["version"],
        "took": took,
        "said": said,
        "tokens": attempt["tokens"],
        "denials": attempt["denials"],
    })
}

/// What to do about a failure of this class.
fn fix(class: &str, agent: &str) -> String {
    match class {
        "done" | "exit_zero" => {
            format!(
                "`converge doctor` tells the versions; `converge agents show {agent} --toml` begins a manifest of your own"
            )
        }
        "agent_missing" => format!("install it, then look at `converge agents show {agent}`"),
        "auth" => {
            format!("log in by starting `{agent}` yourself; an account has its own: `converge account list`")
        }
        "spawn_failed" => "the message says what is missing; `converge doctor` looks at the rest".to_owned(),
        "quota" | "rate_limit" | "overloaded" | "network" => {
            "that is for its service to give: check again later, or on another account".to_owned()
        }
        "model_missing" => format!("name another model, such as in `{agent}:MODEL`"),
        "permission_denied" => format!("it asks even for an answer; `converge agents show {agent}`"),
        "timeout" | "idle" | "idle_timeout" => {
            format!("start `{agent}` yourself: it may wait for an answer at its first start")
        }
        _ => format!("see `converge agents show {agent}`, and whether `{agent}` works when you start it"),
    }
}

fn text(checked: &Json) -> String {
    let of = |name: &str| checked[name].as_str().map(printable);
    let mut lines = Vec::new();
    let agent = of("agent").unwrap_or_default();
    let took = of("took").map(|took| format!(" in {took}")).unwrap_or_default();
    let class = of("class").unwrap_or_default().replace('_', " ");
    lines.push(if checked["ok"] == true {
        format!("{agent} works: it answered{took}.")
    } else {
        format!("{agent} does not work: {class}{took}.")
    });
    let version = of("version").unwrap_or_else(|| "version not known".to_owned());
    let program = of("program").unwrap_or_else(|| "not found".to_owned());
    lines.push(format!("  program  {program}, {version}"));
    let said = of("said").map(|said| said.chars().take(SAID_MAX).collect::<String>());
    let tokens = &checked["tokens"];
    let tokens = tokens["input"].as_u64().zip(tokens["output"].as_u64());
    let tokens = tokens.map(|(input, output)| format!("{input} in, {output} out"));
    let strange = (checked["is_strange"] == true).then(|| format!("it {STRANGE}"));
    let rows = [
        ("said", said),
        ("tokens", tokens),
        ("message", of("message")),
        ("but", strange),
        ("fix", of("fix")),
    ];
    lines.extend(rows.into_iter().filter_map(|(name, value)| Some(format!("  {name:<8} {}", value?))));
    lines.join("\n") + "\n"
}

fn write(connection: &mut Connection, verb: &str, request: &Json) -> Result<Json, Refusal> {
    call_once(connection, command::find(verb).expect("a verb of the registry"), request, None)
}

/// An empty folder for the owner's eyes alone.
fn folder() -> io::Result<PathBuf> {
    mkdtemp(&std::env::temp_dir().join("converge-check-XXXXXX"))?.canonicalize()
}

fn unavailable(message: &str) -> Refusal {
    Refusal::new(Code::Unavailable, message)
}
