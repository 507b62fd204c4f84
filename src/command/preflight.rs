//! Preflight: which of the agents of a job are here before it starts, and what somebody should know of them.

use std::path::Path;

use crate::agent::account::choose;
use crate::agent::catalogue::{Catalogue, Known};
use crate::command::caller::Caller;
use crate::command::list_accounts::HomeState;
use crate::command::list_agents::{AgentRow, Presence};
use crate::command::logins::{self, At};
use crate::command::programs;
use crate::command::{Context, agent_files};
use crate::core::assignment::Candidate;
use crate::core::definition::Definition;

/// The agents that are looked for when none is named, the first that is found being it.
const USUAL: [&str; 7] = ["claude", "codex", "gemini", "opencode", "copilot", "qwen", "kimi"];

/// Agents by the name that their clients introduce themselves with, which has theirs in it.
const CLIENTS: [&str; 10] = [
    "aicopilot",
    "cursor-agent",
    "codewith",
    "claude",
    "codex",
    "gemini",
    "opencode",
    "copilot",
    "qwen",
    "kimi",
];

/// The agent that asks, when an agent does.
pub fn own<'a>(agents: &'a Catalogue, caller: &Caller) -> Option<&'a Known> {
    let client = caller.client.as_ref()?.to_ascii_lowercase();
    if let Some(known) = agents.find(&client) {
        return Some(known);
    }
    agents.find(CLIENTS.into_iter().find(|name| client.contains(name))?)
}

/// The agent for a job that names none: the one that asks, else the first of the usual ones that is here.
pub fn at_hand<'a>(agents: &'a Catalogue, caller: &Caller) -> Option<&'a Known> {
    let is_found = |known: &&Known| programs::find(&known.manifest.programs, caller).is_some();
    let usual = USUAL.into_iter().filter_map(|name| agents.find(name));
    own(agents, caller).filter(is_found).or_else(|| usual.into_iter().find(is_found))
}

/// Whether the program of an agent is where the caller's programs are.
pub fn is_here(agents: &Catalogue, candidate: &Candidate, caller: &Caller) -> bool {
    let known = agents.find(&candidate.agent);
    known.is_some_and(|known| programs::find(&known.manifest.programs, caller).is_some())
}

/// What somebody who makes a job should know of its agents.
pub fn warnings(cx: &Context<'_>, definition: &Definition) -> Vec<String> {
    let Some(assignment) = definition.target.assignment() else { return Vec::new() };
    let agents = agent_files::catalogue(&cx.house.places.home);
    let mut warnings = Vec::new();
    for candidate in &assignment.chain {
        let name = &candidate.agent;
        let Some(known) = agents.find(name) else {
            warnings.push(format!("no agent is called `{name}` any more; `converge agents` lists them"));
            continue;
        };
        warnings.extend(candidate.account.as_ref().and_then(|account| no_login(account, known, cx)));
        let at = candidate.account.as_deref().map_or(At::Usual, At::Account);
        warnings.extend(logins::missing(known, at, Some(definition), cx).map(|log_in| {
            format!("`{candidate}` says that nobody is logged in; do it by `{log_in}`, unless it has a key")
        }));
        let row = AgentRow::of(known, cx);
        let rest = assignment.chain.len() > 1;
        match row.state {
            Presence::Found => {}
            Presence::Missing if rest => {
                warnings.push(format!("`{name}` is not on your PATH: the next of the chain takes its place"));
            }
            Presence::Missing => warnings.push(format!("`{name}` is not on your PATH")),
            Presence::Unverified => warnings.push(format!(
                "how `{name}` is driven was only read about, and never seen; `converge agents show {name}`"
            )),
            Presence::OtherVersion => warnings.push(format!(
                "`{name}` is {} here; how it is driven was seen with {}",
                row.version.unwrap_or_default(),
                row.seen.unwrap_or_default()
            )),
        }
    }
    warnings.dedup();
    warnings
}

/// Why an account cannot be used as it is.
fn no_login(account: &str, known: &Known, cx: &Context<'_>) -> Option<String> {
    let base = cx.house.places.home.display().to_string();
    let choice = match choose(account, &known.manifest, &cx.house.accounts, &base) {
        Ok(choice) => choice,
        Err(problem) => {
            let fix = problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
            return Some(format!("account `{account}`: {}{fix}", problem.message));
        }
    };
    let home = choice.login.home?;
    let name = &known.manifest.name;
    match HomeState::of(Path::new(&home.path)) {
        HomeState::Used => None,
        HomeState::Empty => Some(format!(
            "nobody has logged in at the account `{account}` of `{name}`; do it by `{}`",
            home.log_in
        )),
        HomeState::Missing => Some(format!(
            "`{name}` has no account `{account}`; `converge account add {account} --agent {name}` makes it"
        )),
    }
}
