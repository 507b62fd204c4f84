//! The preface: who a client is and where it works, said once a connection.
#![expect(clippy::disallowed_methods, reason = "a client says where it is and what its environment holds")]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::client::protocol::VERSION;
use crate::core::definition::Environment;

/// A client's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preface {
    /// Its version.
    pub converge: String,
    /// Its name, for events, until it says more of itself.
    #[serde(default = "cli")]
    pub actor: String,
    /// What kind of client it is.
    #[serde(default)]
    pub client: Client,
    /// The directory it works in; empty when that is gone.
    pub cwd: String,
    /// Its process.
    pub pid: u32,
    /// The name of its time zone.
    pub zone: String,
    /// The variables that jobs keep.
    pub env: BTreeMap<String, String>,
    /// The attempt that its environment marks it with. Whoever says so gives rights away and gets none, and
    /// what the system knows of the process goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The variables by which an agent tells its sessions apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agent: BTreeMap<String, String>,
    /// The agent in whose shell it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// An agent that opened a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Its name.
    pub agent: String,
    /// The conversation in which it did, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
}

/// The variable that marks every process of a run.
const MARK: &str = "CONVERGE_ATTEMPT";

/// A longer mark is none.
const MARK_BYTES_MAX: usize = 64;

/// The project that an agent works on, which may be another directory than it starts its servers in.
const PROJECT: &str = "CLAUDE_PROJECT_DIR";

/// What agents tell their servers of themselves. None of it is secret.
const AGENT: [&str; 4] = ["AI_AGENT", CONVERSATIONS[0].1, CONVERSATIONS[1].1, PROJECT];

/// Those of them that name a conversation, by what the names of their agents have in them. One agent may be
/// started by another, and then it has the other's too.
const CONVERSATIONS: [(&str, &str); 2] =
    [("claude", "CLAUDE_CODE_SESSION_ID"), ("copilot", "COPILOT_AGENT_SESSION_ID")];

/// The longest value of such a variable that is passed on.
const AGENT_BYTES_MAX: usize = 4096;

/// Kinds of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// The command line, which is of the daemon's version and shows replies to a person.
    #[default]
    Cli,
    /// The proxy of an agent's MCP client, which only copies.
    Proxy,
}

impl Preface {
    /// What there is to say about this process.
    pub fn of_this_process() -> Self {
        let utf8 = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            converge: VERSION.to_owned(),
            actor: cli(),
            client: Client::Cli,
            cwd: std::env::current_dir().map(|cwd| cwd.display().to_string()).unwrap_or_default(),
            pid: std::process::id(),
            zone: TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
            env: utf8.filter(|(name, _)| Environment::captures(name)).collect(),
            attempt: std::env::var(MARK).ok().filter(|mark| mark.len() <= MARK_BYTES_MAX),
            agent: BTreeMap::new(),
            own: None,
        }
    }

    /// The conversations that its environment names, by what the names of their agents have in them.
    pub fn conversations(&self) -> BTreeMap<String, String> {
        let named = CONVERSATIONS
            .iter()
            .filter_map(|(agent, variable)| Some(((*agent).to_owned(), self.agent.get(*variable)?.clone())));
        named.collect()
    }

    /// What a proxy says of the agent that started it.
    pub fn of_this_proxy() -> Self {
        let told = |name: &str| std::env::var(name).ok().filter(|value| value.len() <= AGENT_BYTES_MAX);
        let agent: BTreeMap<String, String> =
            AGENT.iter().filter_map(|name| Some(((*name).to_owned(), told(name)?))).collect();
        let process = Self::of_this_process();
        let project = agent.get(PROJECT).filter(|project| Path::new(project).is_absolute()).cloned();
        Self {
            actor: "mcp".to_owned(),
            client: Client::Proxy,
            cwd: project.unwrap_or(process.cwd),
            agent,
            ..process
        }
    }
}

fn cli() -> String {
    "cli".to_owned()
}
