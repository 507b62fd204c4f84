//! The preface: who a client is and where it works, said once a connection.
#![expect(clippy::disallowed_methods, reason = "a client says where it is and what its environment holds")]

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::client::protocol::VERSION;
use crate::core::definition::Environment;

/// A client's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preface {
    /// Its version.
    pub converge: String,
    /// Its name, for events.
    #[serde(default = "cli")]
    pub actor: String,
    /// The directory it works in; empty when that is gone.
    pub cwd: String,
    /// Its process.
    pub pid: u32,
    /// The name of its time zone.
    pub zone: String,
    /// The variables that jobs keep.
    pub env: BTreeMap<String, String>,
}

impl Preface {
    /// What there is to say about this process.
    pub fn of_this_process() -> Self {
        let utf8 = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            converge: VERSION.to_owned(),
            actor: cli(),
            cwd: std::env::current_dir().map(|cwd| cwd.display().to_string()).unwrap_or_default(),
            pid: std::process::id(),
            zone: TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
            env: utf8.filter(|(name, _)| Environment::captures(name)).collect(),
        }
    }
}

fn cli() -> String {
    "cli".to_owned()
}
