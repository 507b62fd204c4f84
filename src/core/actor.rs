//! Actors: who did what.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose word it is: some things only a person may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A person's, or that of a program a person wrote.
    Person,
    /// A model's.
    Agent,
}

/// Who caused a change: `cli`, `run r0abc1234`, `daemon`; never nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor(String);

impl Actor {
    /// The daemon itself, acting on time and reports.
    pub fn daemon() -> Self {
        Self("daemon".to_owned())
    }

    /// The actor of this name; without one it is `cli`.
    pub fn named(name: &str) -> Self {
        let name: String = name.trim().chars().filter(|letter| !letter.is_control()).take(120).collect();
        if name.is_empty() { Self("cli".to_owned()) } else { Self(name) }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
