//! Logins: how the program of an agent says that nobody is logged in, and how a person logs in.
//!
//! What a program says of that is a hint for people and keeps nothing from running: whoever has a key in a
//! variable, or a service of their own, is logged in nowhere and works all the same.

use crate::agent::document::Table;

/// What a manifest says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginHint {
    /// The words behind the program that ask whether somebody is logged in.
    pub ask: Vec<String>,
    /// Part of the answer when nobody is.
    pub denied: String,
    /// With one of these variables nobody has to be.
    pub unless: Vec<String>,
    /// The words behind the program by which a person logs in.
    pub log_in: Vec<String>,
}

impl LoginHint {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let mut inner = table.table("login")?;
        let ask = inner.words("ask");
        let denied = inner.required("denied");
        let unless = inner.words("unless").unwrap_or_default();
        let log_in = inner.words("log_in").unwrap_or_default();
        if ask.as_ref().is_none_or(Vec::is_empty) {
            inner.mistake("ask", "says nothing", "write ask = [\"auth\", \"status\"], without the program");
        }
        if denied.as_ref().is_some_and(|denied| denied.trim().is_empty()) {
            inner.mistake("denied", "is in every answer", "write what is said only when nobody is logged in");
        }
        inner.finish();
        Some(Self { ask: ask?, denied: denied?, unless, log_in })
    }

    /// Whether this answer says that nobody is logged in.
    pub fn is_denied(&self, answer: &str) -> bool {
        answer.contains(&self.denied)
    }
}
