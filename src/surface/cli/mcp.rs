//! `converge mcp`: the server that an agent starts, and how an agent is told about it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::ArgMatches;

use crate::client::autostart::Program;
use crate::client::proxy::{self, Ended};
use crate::core::refusal::{Code, Refusal};
use crate::paths::Paths;
use crate::surface::cli::exit::Exit;
use crate::surface::cli::{Session, clients, terminal};

/// Said where somebody types and no agent listens.
const EXPLANATION: &str = "converge mcp is an MCP server for agents, and waits for one on standard input; \
    `converge mcp --print-config claude` shows how to register it\n";

/// Serves an agent until it goes away, or shows how one is told about us.
pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<Exit, Refusal> {
    if let Some(name) = matches.get_one::<String>("print-config") {
        return print_config(session, name);
    }
    let paths = match matches.get_one::<PathBuf>("home") {
        Some(home) => {
            Paths::named(home.clone()).map_err(|error| Refusal::new(Code::Unavailable, error.to_string()))?
        }
        None => Session::paths()?,
    };
    if io::stdin().is_terminal() {
        terminal::complain(EXPLANATION);
    }
    match proxy::run(paths, session.autostart()) {
        Ok(Ended::WithClient) => Ok(Exit::Ok),
        Ok(Ended::WithoutDaemon) => Ok(Exit::Unavailable),
        Err(error) => Err(Refusal::new(Code::Unavailable, format!("standard input and output: {error}"))),
    }
}

fn print_config(session: &Session, name: &str) -> Result<Exit, Refusal> {
    let client = clients::find(name).expect("clap knows only these");
    let program = Program::of_this_process();
    let Some(program) = program.path().and_then(|path| path.to_str()) else {
        return Err(Refusal::new(Code::Unavailable, "the path of this program is not known, or is no text"));
    };
    terminal::write(&if session.terminal.is_json() {
        let document = serde_json::to_string_pretty(&client.json(program)).expect("texts are plain data");
        format!("{document}\n")
    } else {
        client.text(program)
    });
    Ok(Exit::Ok)
}
