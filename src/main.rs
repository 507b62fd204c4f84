//! The `converge` program: which of its three lives this process has.

use std::process::ExitCode;

use converge::command::House;
use converge::command::settings::Settings;
use converge::config::Config;
use converge::core::refusal::{Code, Refusal};
use converge::daemon::control::{self, Stopped};
use converge::daemon::{self, Parts, offline};
use converge::paths::Paths;
use converge::process::{caller, descriptors, login_path, question, shim};
use converge::store::readers::Readers;
use converge::surface::cli::{self, Hooks};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Before anything else is set up: a shim runs beside every process there is, so it must cost nothing.
    if arguments.next().is_some_and(|first| first == "shim") {
        return shim::main(arguments);
    }
    let hooks = Hooks {
        inside_run: || caller::inside_run().is_some(),
        run_daemon,
        stop_daemon,
        examine: offline::examine,
    };
    cli::main(std::env::args_os(), hooks)
}

fn run_daemon(paths: &Paths) -> Result<ExitCode, Refusal> {
    descriptors::close_inherited();
    let config = Config::load(paths).map_err(|error| unavailable(&error.into()))?;
    daemon::run(paths.clone(), config, house).map_err(|error| unavailable(&error))
}

/// The parts of a daemon as the verbs see them.
fn house(parts: Parts) -> House {
    let (paths, config) = (parts.paths.clone(), parts.config.clone());
    House {
        settings: Box::new(move || match Config::load(&paths) {
            Ok(now) if now == config => Settings::InForce,
            Ok(_) => Settings::Changed,
            Err(error) => Settings::Wrong(format!("{:#}", anyhow::Error::from(error))),
        }),
        readers: Readers::new(parts.paths.database()),
        places: offline::places(&parts.paths),
        engine: parts.engine,
        started_at: parts.started_at,
        lanes: parts.config.lanes,
        consent: parts.config.consent,
        accounts: parts.config.accounts,
        login_path: login_path::get,
        ask: question::put,
    }
}

fn stop_daemon(paths: &Paths) -> Result<Option<i32>, Refusal> {
    match control::stop(paths) {
        Ok(Stopped::Ended(note)) => Ok(Some(note.pid)),
        Ok(Stopped::NotRunning) => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

fn unavailable(error: &anyhow::Error) -> Refusal {
    Refusal::new(Code::Unavailable, format!("{error:#}")).hint("`converge doctor` looks for the cause")
}
