//! One simulated process: its script, and where it really stands.

use std::path::PathBuf;

use converge::core::class::Class;
use converge::core::process::{Control, Cut, Ending, Outcome};
use converge::engine::ports::{Execute, Launch};
use jiff::Timestamp;

use super::agents;

/// What a process will do once it runs.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// Until its shim holds the lock.
    pub(crate) lock_ms: u64,
    /// From there until `started` is written.
    pub(crate) start_ms: u64,
    /// How long the child runs.
    pub(crate) runs_ms: u64,
    /// How it ends by itself.
    pub(crate) ending: Ending,
    /// Why the shim ends it, when it does so by itself.
    pub(crate) cut: Option<Cut>,
    /// When the shim itself is killed, counted from its launch.
    pub(crate) shim_dies_ms: Option<u64>,
    /// How long it takes to obey when it is told to end.
    pub(crate) grace_ms: u64,
    /// What it writes.
    pub(crate) output: &'static str,
    /// What that says, when it is an agent's.
    pub(crate) says: Says,
}

/// What the output of an agent says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Says {
    pub(crate) class: Class,
    /// In how long a quota is there again, when that is stated.
    pub(crate) reset_ms: Option<u64>,
    /// Which conversation it was, and whether that is nearly full.
    pub(crate) conversation: Option<(u64, bool)>,
    pub(crate) tokens: Option<u64>,
    /// What it cost, in millionths of a dollar.
    pub(crate) cost: Option<u64>,
}

impl Says {
    /// That all is well.
    pub(crate) fn done() -> Self {
        Self { class: Class::Done, reset_ms: None, conversation: None, tokens: None, cost: None }
    }
}

/// Where a process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    /// Its shim was launched and holds no lock yet.
    Launched,
    /// Its shim holds the lock and has not written `started`.
    Locked,
    /// Its child runs.
    Alive,
    /// It ended and left an outcome.
    Done(Outcome),
    /// Its shim was killed while the child ran; nothing is left of either.
    Killed,
    /// As killed, and a power cut took its run directory with it.
    Wiped,
    /// Its shim was killed before the child started.
    Gone,
    /// Its directory is marked: it never started and never will.
    Revoked,
}

/// One process, as it really is.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) script: Script,
    /// How often its child was started; more than once is the worst of all bugs.
    pub(crate) starts: u32,
    pub(crate) started_at: Option<Timestamp>,
    /// The job it works for, as its environment says.
    pub(crate) job: String,
    /// Whether it is an agent.
    pub(crate) is_agent: bool,
    /// The account whose quota it uses, when it is an agent.
    pub(crate) purse: Option<String>,
    /// The conversation that it goes on with.
    pub(crate) talk: Option<String>,
    /// The tree it writes into: the working directory of an agent that may.
    pub(crate) tree: Option<PathBuf>,
    /// What bounds it, as it was last told.
    pub(crate) control: Option<Control>,
    /// When it is ended by its wall limit, once it runs.
    pub(crate) wall_ends_at: Option<u64>,
    pub(crate) started_mono: u64,
    pub(crate) told: bool,
    pub(crate) watched: bool,
}

impl Process {
    /// A process whose shim was just launched.
    pub(crate) fn launched(launch: &Launch, script: Script) -> Self {
        let is_agent = matches!(launch.execute, Execute::Program { .. });
        Self {
            life: Life::Launched,
            script,
            starts: 0,
            started_at: None,
            job: launch.env.get("CONVERGE_JOB").cloned().unwrap_or_default(),
            is_agent,
            purse: agents::purse(launch),
            talk: agents::talk(launch),
            tree: launch.cwd.starts_with("/tree").then(|| launch.cwd.clone()).filter(|_| is_agent),
            control: Some(launch.control.clone()),
            wall_ends_at: None,
            started_mono: 0,
            told: false,
            watched: true,
        }
    }

    /// A directory that was marked before any shim came.
    pub(crate) fn never_launched() -> Self {
        let script = Script {
            lock_ms: 0,
            start_ms: 0,
            runs_ms: 0,
            ending: Ending::Exited(0),
            cut: None,
            shim_dies_ms: None,
            grace_ms: 0,
            output: "",
            says: Says::done(),
        };
        Self {
            life: Life::Revoked,
            script,
            starts: 0,
            started_at: None,
            job: String::new(),
            is_agent: false,
            purse: None,
            talk: None,
            tree: None,
            control: None,
            wall_ends_at: None,
            started_mono: 0,
            told: false,
            watched: true,
        }
    }
}
