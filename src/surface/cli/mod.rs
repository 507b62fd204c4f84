//! The command line: every verb as a command, rendered for people or, with `--json`, for programs.
//!
//! It is a client of the daemon's socket like any other and has no power of its own over state.

mod aliases;
mod caller;
mod check;
mod clients;
mod cursor;
mod daemon;
mod exit;
mod follow;
mod greet;
mod interrupts;
mod mcp;
mod open;
mod streams;
mod terminal;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use clap::error::{ContextKind, ErrorKind};
use serde_json::{Value as Json, json};

use crate::client::autostart::{Autostart, Program};
use crate::client::connect::{CallError, Connection};
use crate::client::key;
use crate::command::doctor::Examined;
use crate::command::page::Page;
use crate::command::wait::Outcome;
use crate::command::{self, Cli, Entry};
use crate::core::refusal::{Code, Refusal};
use crate::paths::Paths;
use crate::surface::cli::exit::Exit;
use crate::surface::cli::follow::Followed;
use crate::surface::cli::terminal::Terminal;

/// What the command line cannot do by itself.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Whether this process is inside a run.
    pub inside_run: fn() -> bool,
    /// Is the daemon until it is told to stop.
    pub run_daemon: fn(&Paths) -> Result<ExitCode, Refusal>,
    /// Ends the daemon and answers its process, if there was one.
    pub stop_daemon: fn(&Paths) -> Result<Option<i32>, Refusal>,
    /// Looks for problems without a daemon.
    pub examine: fn(&Paths, bool) -> Vec<crate::command::doctor::Finding>,
}

/// Runs one command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>, hooks: Hooks) -> ExitCode {
    let arguments = aliases::rewrite(arguments.into_iter().collect());
    // What follows two dashes belongs to the program that is to be run.
    let ours = arguments.iter().take_while(|argument| *argument != "--");
    let wants_json = ours.into_iter().any(|argument| argument == "--json");
    let terminal =
        Terminal::of_this_process(if wants_json { terminal::Form::Json } else { terminal::Form::Text });
    let code = match tree::for_arguments(&arguments).try_get_matches_from(arguments) {
        Ok(matches) => Session { terminal, hooks }.run(&matches),
        Err(error) if error.kind() == ErrorKind::DisplayVersion && wants_json => version(&terminal),
        Err(error) => usage(&terminal, &error),
    };
    code.into()
}

/// Says which program this is, for programs.
fn version(terminal: &Terminal) -> Exit {
    terminal.document(&json!({ "name": "converge", "version": env!("CARGO_PKG_VERSION") }));
    Exit::Ok
}

/// Shows help, or what was wrong with the command line.
fn usage(terminal: &Terminal, error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        terminal::write(&terminal.styled(&error.render()));
        return Exit::Ok;
    }
    if terminal.is_json() {
        let text = error.render().to_string();
        // The first paragraph says what is wrong; what is missing may stand on lines of its own.
        let said = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let message = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let hint = match (error.get(ContextKind::SuggestedArg), error.get(ContextKind::SuggestedSubcommand)) {
            (Some(near), _) | (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => "`--help` shows what can be written".to_owned(),
        };
        terminal.refuse(&Refusal::new(Code::Invalid, message).hint(hint));
    } else {
        terminal::complain(&terminal.styled_error(&error.render()));
    }
    Exit::Usage
}

/// One command line being run.
struct Session {
    terminal: Terminal,
    hooks: Hooks,
}

impl Session {
    fn run(&self, matches: &ArgMatches) -> Exit {
        match self.dispatch(matches) {
            Ok(exit) => exit,
            Err(refusal) => {
                self.terminal.refuse(&refusal);
                Exit::of(refusal.code)
            }
        }
    }

    fn dispatch(&self, matches: &ArgMatches) -> Result<Exit, Refusal> {
        let Some((name, inner)) = matches.subcommand() else {
            return Ok(greet::run(self));
        };
        match name {
            "completions" => Ok(completions(&self.terminal, inner)),
            "daemon" => daemon::run(self, inner),
            "mcp" => mcp::run(self, inner),
            "agents" => match inner.subcommand() {
                Some(("check", matches)) => check::run(self, matches),
                Some((inner_name, matches)) => self.verb(&format!("agents {inner_name}"), matches),
                None => self.verb(name, inner),
            },
            "account" | "condition" => match inner.subcommand() {
                Some((inner_name, matches)) => self.verb(&format!("{name} {inner_name}"), matches),
                None => unreachable!("clap asks for the inner command"),
            },
            name => self.verb(name, inner),
        }
    }

    fn verb(&self, name: &str, matches: &ArgMatches) -> Result<Exit, Refusal> {
        let (entry, cli) = tree::find(name).expect("clap knows only commands of the registry");
        let request = (entry.request)(matches)
            .map_err(|error| Refusal::new(Code::Invalid, error.to_string().trim().to_owned()))?;
        let request = filled(request, cli);
        if entry.name == "doctor" {
            return self.doctor(entry, &request);
        }
        let mut connection = self.connect_for(entry)?;
        match name {
            "wait" => follow::wait(self, &mut connection, &request),
            "logs" if tree::flag(matches, "raw") => {
                let raw = follow::Raw {
                    stderr: tree::flag(matches, "stderr"),
                    follow: tree::flag(matches, "follow"),
                };
                follow::raw(&mut connection, &request, raw)
            }
            "logs" if tree::flag(matches, "follow") => follow::logs(self, &mut connection, &request),
            "events" if tree::flag(matches, "follow") => follow::events(self, &mut connection, &request),
            _ => {
                let key = matches.try_get_one::<String>("key").ok().flatten().cloned();
                let reply = match cursor::of(entry.name) {
                    Some(cursor) => cursor.follow(&mut connection, entry, request)?,
                    None => call_once(&mut connection, entry, &request, key)?,
                };
                self.after(name, matches, entry, &mut connection, &reply)
            }
        }
    }

    /// What some commands go on to do once they were answered.
    fn after(
        &self,
        name: &str,
        matches: &ArgMatches,
        entry: &Entry,
        connection: &mut Connection,
        reply: &Json,
    ) -> Result<Exit, Refusal> {
        let id = reply["id"].as_str().unwrap_or_default();
        match name {
            "open" => open::run(self, entry, reply),
            // A job that starts nothing by itself would be followed for ever in silence.
            "add" if tree::flag(matches, "follow") && !starts_by_itself(reply) => {
                self.terminal.show(entry, reply);
                Ok(Exit::Ok)
            }
            "add" if tree::flag(matches, "follow") => {
                self.terminal.show_unless_json(entry, reply);
                let followed = follow::job(self, connection, id)?;
                Ok(self.finish(&followed))
            }
            "run-now" if !tree::flag(matches, "no-wait") => {
                let show = tree::flag(matches, "follow");
                let mut followed = follow::run(self, connection, id, show)?;
                followed.waited["source"] = reply["source"].clone();
                Ok(self.finish(&followed))
            }
            _ => {
                self.terminal.show(entry, reply);
                Ok(Exit::Ok)
            }
        }
    }

    /// Shows what was waited for, and exits by it.
    fn finish(&self, followed: &Followed) -> Exit {
        let entry = command::find("wait").expect("a verb of the registry");
        self.terminal.show(entry, &followed.waited);
        match followed.outcome {
            Outcome::Ok => Exit::Ok,
            Outcome::Failed => Exit::Failed,
            Outcome::NeedsPerson => Exit::NeedsPerson,
            Outcome::Waiting => Exit::TimedOut,
        }
    }

    fn doctor(&self, entry: &Entry, request: &Json) -> Result<Exit, Refusal> {
        let paths = Self::paths()?;
        let reply = if let Ok(mut connection) = Connection::open(paths.clone(), Autostart::Never) {
            call_once(&mut connection, entry, request, None)?
        } else {
            let deep = request["deep"].as_bool().unwrap_or_default();
            json!(Examined::of((self.hooks.examine)(&paths, deep)))
        };
        self.terminal.show(entry, &reply);
        Ok(if reply["ok"] == true { Exit::Ok } else { Exit::Failed })
    }

    fn paths() -> Result<Paths, Refusal> {
        Paths::find().map_err(|error| Refusal::new(Code::Unavailable, error.to_string()))
    }

    fn connect(&self) -> Result<Connection, Refusal> {
        Ok(Connection::open(Self::paths()?, self.autostart())?)
    }

    /// Connects for one verb, as the agent in whose shell it is asked for.
    fn connect_for(&self, entry: &Entry) -> Result<Connection, Refusal> {
        let paths = Self::paths()?;
        let own = caller::own(entry.name, &paths);
        Ok(Connection::open_for(paths, self.autostart(), own)?)
    }

    /// What to do when no daemon answers.
    fn autostart(&self) -> Autostart {
        Autostart::Outside { inside_run: self.hooks.inside_run, program: Program::of_this_process() }
    }

    fn page(&self) -> Page {
        self.terminal.page()
    }
}

/// Whether a job that was added is over, has a run, or will have one without a person's word.
fn starts_by_itself(reply: &Json) -> bool {
    reply["state"] != "active" || !reply["next_at"].is_null() || !reply["active_run"].is_null()
}

/// The request with what its command sets by itself.
fn filled(mut request: Json, cli: &Cli) -> Json {
    for (field, value) in cli.preset {
        request[*field] = json!(value);
    }
    request
}

fn completions(terminal: &Terminal, matches: &ArgMatches) -> Exit {
    let shell = *matches.get_one::<clap_complete::Shell>("shell").expect("clap asks for it");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree::root(), "converge", &mut script);
    let script = String::from_utf8_lossy(&script);
    if terminal.is_json() {
        terminal.document(&json!({ "shell": shell.to_string(), "script": script }));
    } else {
        terminal::write(&script);
    }
    Exit::Ok
}

/// Asks, with a key when it is a write, so that a lost connection loses nothing.
fn call_once(
    connection: &mut Connection,
    entry: &Entry,
    request: &Json,
    key: Option<String>,
) -> Result<Json, Refusal> {
    let key = entry.access.is_write().then(|| key.unwrap_or_else(|| key::fresh("cli")));
    call(connection, entry.name, request, key.as_deref())
}

fn call(connection: &mut Connection, verb: &str, request: &Json, key: Option<&str>) -> Result<Json, Refusal> {
    let reply = connection.call(verb, request, key).map_err(|error: CallError| Refusal::from(error))?;
    // What is null is left out on the way; who reads `--json` need not ask whether a member is there.
    let Some(mut whole) = command::find(verb).and_then(|entry| (entry.complete)(&reply).ok()) else {
        return Ok(reply);
    };
    if let Some(replayed) = reply.get(command::REPLAYED) {
        whole[command::REPLAYED] = replayed.clone();
    }
    Ok(whole)
}
