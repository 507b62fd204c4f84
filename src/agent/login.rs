//! Logins: what a manifest says about asking a program whether somebody is logged in.

use crate::agent::document::Table;
use crate::agent::manifest::is_within;
use crate::core::login::{LoginQuestion, Words};

/// Reads it.
pub(super) fn read(table: &mut Table<'_, '_>) -> Option<LoginQuestion> {
    let mut inner = table.table("login")?;
    let first = words(&mut inner);
    let unless = inner.words("unless").unwrap_or_default();
    let unless_here = inner.words("unless_here").unwrap_or_default();
    let log_in = inner.words("log_in").unwrap_or_default();
    let confirm = inner.table("confirm").and_then(|mut confirm| {
        let second = words(&mut confirm);
        confirm.finish();
        second
    });
    if let Some(path) = unless_here.iter().find(|path| !is_within(path)) {
        let fix = "write where it is within a project, such as \".agent/settings.json\"";
        inner.mistake("unless_here", &format!("has `{path}`"), fix);
    }
    inner.finish();
    Some(LoginQuestion { first: first?, confirm, unless, unless_here, log_in })
}

fn words(table: &mut Table<'_, '_>) -> Option<Words> {
    let ask = table.words("ask");
    if ask.as_ref().is_none_or(Vec::is_empty) {
        table.mistake("ask", "says nothing", "write ask = [\"auth\", \"status\"], without the program");
    }
    let mut said = |name: &'static str, when: &str| {
        let said = table.required(name)?;
        if said.trim().is_empty() {
            table.mistake(name, "is in every answer", &format!("write what is said only when {when}"));
        }
        Some(said)
    };
    let (denied, granted) = (said("denied", "nobody is logged in"), said("granted", "somebody is"));
    Some(Words { ask: ask?, denied: denied?, granted: granted? })
}
