//! Callers: who asks, and from where.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::command::zone;
use crate::core::process::ProcessKey;
use crate::core::refusal::Problem;

/// Who asks, as the client introduced itself and as the system knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Caller {
    /// Its name, for events.
    pub actor: String,
    /// The directory it works in.
    pub cwd: String,
    /// The name of its time zone.
    pub zone: String,
    /// The variables of its environment that runs are given.
    pub env: BTreeMap<String, String>,
    /// Its process, as far as the system tells.
    pub pid: Option<i32>,
    /// The conversations it may belong to, by what the names of their clients have in them.
    pub conversations: BTreeMap<String, String>,
    /// The name with which its client introduced itself.
    pub client: Option<String>,
    /// The conversation that this request belongs to, where its client tells.
    pub conversation: Option<String>,
    /// Who reads the replies.
    pub reader: Audience,
    /// The process of a run whose tree it belongs to, as the system knows or as it says itself. That takes
    /// rights away, and never gives any.
    pub inside: Option<ProcessKey>,
}

/// Who reads a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// A program of ours, for a person.
    #[default]
    Person,
    /// A model: what it reads is short, and what others wrote is marked as theirs.
    Model,
}

impl Caller {
    /// Its time zone; UTC when it named none.
    pub fn time_zone(&self) -> Result<TimeZone, Problem> {
        if self.zone.is_empty() { Ok(TimeZone::UTC) } else { zone::named("zone", &self.zone) }
    }
}
