//! The daemon: everything wired together, from the lock to the last signal.
//!
//! One daemon a home, by lock. It may be killed at any point; ended in an orderly way it finishes the
//! transaction at hand, leaves every run running, and removes its socket.

pub mod control;
pub mod offline;

mod agents;
mod leftovers;
mod log;
mod store;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use nix::sys::signal::{SigSet, Signal};

use crate::client::autostart::Autostart;
use crate::client::connect::{ClientError, Connection};
use crate::client::protocol::Home;
use crate::command::House;
use crate::config::Config;
use crate::core::account;
use crate::core::process::ProcessKey;
use crate::daemon::agents::Shelf;
use crate::engine::clock::SystemClock;
use crate::engine::handle::Handle;
use crate::engine::mint::Random;
use crate::engine::work::Pool;
use crate::engine::work::tidy::Keep;
use crate::engine::{Engine, Ports, Settings, vital};
use crate::paths::Paths;
use crate::process::caller;
use crate::process::descriptors;
use crate::process::supervisor::{Options, Supervisor};
use crate::surface::mcp::door::Door;

/// How long requests under way may take to be answered when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// The exit code when there is no daemon to be had.
const UNAVAILABLE: u8 = 69;

/// What the verbs are made of.
pub struct Parts {
    /// The engine.
    pub engine: Handle,
    /// Where everything lies.
    pub paths: Paths,
    /// The settings.
    pub config: Config,
    /// When the daemon started.
    pub started_at: Timestamp,
}

/// Is the daemon of `paths` until it is told to end; without doing anything when there is one already.
///
/// `house` makes what the verbs work with, once the store is open.
pub fn run(paths: Paths, config: Config, house: impl FnOnce(Parts) -> House) -> anyhow::Result<ExitCode> {
    if let Some(key) = caller::inside_run() {
        return Ok(refuse_inside(key));
    }
    paths.prepare()?;
    // Before the first thread, so that every thread leaves signals to this one, and before anybody knows
    // whom to signal.
    let signals = block_signals()?;
    let Some(lock) = control::take_lock(&paths)? else {
        // Whoever was started by a client and came second has nobody to tell.
        let pid = control::status(&paths)?.map_or_else(String::new, |note| format!(", pid {}", note.pid));
        let _ = writeln!(io::stdout(), "A daemon is running already{pid}.");
        return Ok(ExitCode::SUCCESS);
    };
    log::start(&paths, &config)?;
    let outcome = serve(paths, config, &signals, house);
    match &outcome {
        Ok(()) => tracing::info!("ended"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "ended"),
    }
    control::clear_note(&lock);
    outcome.map(|()| ExitCode::SUCCESS)
}

fn serve(
    paths: Paths,
    config: Config,
    signals: &SigSet,
    house: impl FnOnce(Parts) -> House,
) -> anyhow::Result<()> {
    let engine = Handle::new(Box::new(SystemClock));
    let started_at = engine.now();
    control::forget_stop(&paths)?;

    let database_path = paths.database();
    let database = store::open(&database_path)?;
    refuse_taken_socket(&paths)?;
    let door = Door::open(&paths.address()?)
        .with_context(|| format!("the socket `{}`", paths.socket().display()))?;
    let reporter = engine.clone();
    let descriptors_max = descriptors::raise_limit()
        .inspect_err(|error| tracing::warn!(%error, "cannot have more descriptors"))
        .ok();
    let options =
        Options::own_program(Some(paths.home().to_owned()), descriptors_max).context("the program itself")?;
    let supervisor = Supervisor::start(paths.runs(), options, move |report| reporter.report(report))?;
    let reporter = engine.clone();
    let pool = Pool::new(paths.runs(), Keep::default(), move |report| reporter.report(report));
    let filer = pool.clone();
    let settings = Settings {
        lanes: config.lanes,
        runs_dir: paths.runs(),
        logins_dir: paths.logins(),
        keep: config.keep,
        keep_output_bytes: config.keep_output_bytes,
        program: std::env::current_exe().context("the program itself")?,
        account_limits: account::limits(&config.accounts),
    };
    let mint = Random::open().context("/dev/urandom")?;
    let sides = Ports {
        processes: Box::new(supervisor),
        work: Box::new(pool),
        mint: Box::new(mint),
        agents: Box::new(Shelf::new(paths.home().to_owned(), config.accounts.clone())),
    };
    let mut core = Engine::new(Box::new(database), sides, settings);
    core.recover(started_at).context("asking after the runs of the daemon before")?;
    let thread = engine.serve(core)?;

    look_for_leftovers(&paths, filer)?;

    let parts = Parts { engine: engine.clone(), paths, config, started_at };
    let home = parts.paths.home().display().to_string();
    let server = {
        let home = Home::of(&parts.paths);
        door.serve(house(parts), home, caller::run_of)?
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), home, "started");

    let signal = wait_for_end(signals)?;
    tracing::info!(%signal, "ending");
    let leaving = server.close();
    engine.close();
    // A panic in there would have ended the process.
    let _ = thread.join();
    leaving.wait(FAREWELL);
    // Those who still read keep the log of the store from going; what is in it goes into the store.
    if let Err(error) = store::settle(&database_path) {
        tracing::warn!(%error, "the store's log stays beside it");
    }
    Ok(())
}

/// Says no when somebody answers at the socket: whoever does is not of this home, or has lost its lock.
fn refuse_taken_socket(paths: &Paths) -> anyhow::Result<()> {
    match Connection::open(paths.clone(), Autostart::Never) {
        Err(ClientError::NoDaemon) => Ok(()),
        Err(error) => {
            Err(error).with_context(|| format!("the socket `{}` is in use", paths.socket().display()))
        }
        Ok(other) => bail!("process {} is a daemon of this home, without its lock", other.daemon_pid()),
    }
}

/// Settles what the daemon before left undone, beside everything else: there may be many runs.
fn look_for_leftovers(paths: &Paths, work: Pool) -> anyhow::Result<()> {
    let (runs, database) = (paths.runs(), paths.database());
    let settle = move || {
        if let Err(error) = leftovers::settle(&runs, &database, &work) {
            tracing::warn!(%error, "cannot look for what the daemon before left undone");
        }
    };
    vital::spawn("leftovers", settle).map(drop).context("a thread")
}

/// Blocks the signals that [`wait_for_end`] takes.
fn block_signals() -> anyhow::Result<SigSet> {
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().context("blocking signals")?;
    Ok(signals)
}

/// Sleeps until the daemon is told to end; that a terminal is gone does not tell it.
fn wait_for_end(signals: &SigSet) -> anyhow::Result<Signal> {
    loop {
        let signal = signals.wait().context("waiting for signals")?;
        if signal != Signal::SIGHUP {
            return Ok(signal);
        }
    }
}

fn refuse_inside(key: ProcessKey) -> ExitCode {
    control::say(&format!("this process is inside the run {}, which no daemon must depend on", key.task));
    ExitCode::from(UNAVAILABLE)
}
