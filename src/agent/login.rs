//! Logins: what a manifest says about asking a program whether somebody is logged in.

use crate::agent::document::Table;
use crate::core::login::{Confirm, LoginHint};

/// Reads it.
pub(super) fn read(table: &mut Table<'_, '_>) -> Option<LoginHint> {
    let mut inner = table.table("login")?;
    let ask = asked(&mut inner);
    let denied = inner.required("denied");
    let unless = inner.words("unless").unwrap_or_default();
    let unless_here = inner.words("unless_here").unwrap_or_default();
    let log_in = inner.words("log_in").unwrap_or_default();
    let confirm = inner.table("confirm").and_then(|mut confirm| {
        let ask = asked(&mut confirm);
        let denied = confirm.words("denied").unwrap_or_default();
        check(&confirm, &denied);
        confirm.finish();
        Some(Confirm { ask: ask?, denied })
    });
    if let Some(denied) = &denied {
        check(&inner, std::slice::from_ref(denied));
    }
    inner.finish();
    Some(LoginHint { ask: ask?, denied: denied?, unless, unless_here, confirm, log_in })
}

fn asked(table: &mut Table<'_, '_>) -> Option<Vec<String>> {
    let ask = table.words("ask");
    if ask.as_ref().is_none_or(Vec::is_empty) {
        table.mistake("ask", "says nothing", "write ask = [\"auth\", \"status\"], without the program");
    }
    ask
}

fn check(table: &Table<'_, '_>, denied: &[String]) {
    if denied.is_empty() || denied.iter().any(|denied| denied.trim().is_empty()) {
        table.mistake("denied", "is in every answer", "write what is said only when nobody is logged in");
    }
}
