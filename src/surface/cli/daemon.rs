//! `converge daemon …`: the background process by hand.

use std::fs;

use clap::ArgMatches;
use serde_json::{Value as Json, json};

use crate::client::autostart::Autostart;
use crate::client::connect::{ClientError, Connection};
use crate::command;
use crate::core::refusal::{Code, Refusal};
use crate::surface::cli::exit::Exit;
use crate::surface::cli::terminal;
use crate::surface::cli::{Session, call};

/// Runs one of the daemon's commands.
pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<Exit, Refusal> {
    match matches.subcommand() {
        Some(("run", _)) => be(session),
        Some(("start", _)) => start(session),
        Some(("stop", _)) => {
            outside(session, "stops")?;
            stop(session)
        }
        Some(("restart", _)) => {
            outside(session, "stops")?;
            (session.hooks.stop_daemon)(&Session::paths()?)?;
            start(session)
        }
        Some(("status", _)) => status(session),
        Some(("logs", matches)) => logs(session, *matches.get_one::<u32>("lines").expect("it has a default")),
        Some((name, _)) => unreachable!("clap knows no `daemon {name}`"),
        None => unreachable!("clap asks for the inner command"),
    }
}

fn be(session: &Session) -> Result<Exit, Refusal> {
    outside(session, "starts")?;
    let code = (session.hooks.run_daemon)(&Session::paths()?)?;
    Ok(if code == std::process::ExitCode::SUCCESS { Exit::Ok } else { Exit::Unavailable })
}

/// Refuses what would take the daemon away from everybody else for the sake of one run.
fn outside(session: &Session, does: &str) -> Result<(), Refusal> {
    if !(session.hooks.inside_run)() {
        return Ok(());
    }
    let refusal = Refusal::new(Code::Unavailable, format!("a process inside a run {does} no daemon"));
    Err(refusal.hint("do it outside of the run"))
}

fn start(session: &Session) -> Result<Exit, Refusal> {
    let mut connection = session.connect()?;
    show_status(session, &mut connection)
}

fn show_status(session: &Session, connection: &mut Connection) -> Result<Exit, Refusal> {
    let reply = call(connection, "daemon_status", &json!({}), None)?;
    session.terminal.show(command::find("daemon_status").expect("a verb of the registry"), &reply);
    Ok(Exit::Ok)
}

fn stop(session: &Session) -> Result<Exit, Refusal> {
    let stopped = (session.hooks.stop_daemon)(&Session::paths()?)?;
    let text = match stopped {
        Some(pid) => {
            format!("Stopped the daemon, pid {pid}. Runs under way go on; any command starts it again.")
        }
        None => "No daemon was running.".to_owned(),
    };
    say(session, &json!({ "stopped": stopped.is_some(), "pid": stopped }), &text);
    Ok(Exit::Ok)
}

/// Tells how the daemon is, and starts none for it.
fn status(session: &Session) -> Result<Exit, Refusal> {
    match Connection::open(Session::paths()?, Autostart::Never) {
        Ok(mut connection) => show_status(session, &mut connection),
        Err(ClientError::NoDaemon) => {
            let reply = json!({ "running": false, "pid": null, "version": env!("CARGO_PKG_VERSION"), "uptime": null, "counts": {} });
            say(session, &reply, "No daemon is running. Any command that needs one starts it.");
            Ok(Exit::Unavailable)
        }
        Err(error) => Err(error.into()),
    }
}

fn logs(session: &Session, lines: u32) -> Result<Exit, Refusal> {
    let path = Session::paths()?.log();
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Refusal::new(Code::Unavailable, format!("{}: {error}", path.display()))),
    };
    let all: Vec<&str> = text.lines().collect();
    let end = &all[all.len().saturating_sub(lines as usize)..];
    let shown = if end.is_empty() { format!("{} is empty.", path.display()) } else { end.join("\n") };
    say(session, &json!({ "path": path, "lines": end }), &shown);
    Ok(Exit::Ok)
}

fn say(session: &Session, reply: &Json, text: &str) {
    let text = if session.terminal.is_json() { reply.to_string() } else { text.to_owned() };
    terminal::write(&format!("{text}\n"));
}
