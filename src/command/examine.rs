//! Examinations: what `doctor` looks at, with a daemon or without one.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use jiff::Timestamp;
use nix::sys::statvfs::statvfs;

use crate::agent::catalogue::Refused;
use crate::command::doctor::Finding;
use crate::command::places::Places;
use crate::command::{Context, agent_files};
use crate::core::id::TaskId;
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::store::health::{Depth, Problem};
use crate::store::tasks;
use crate::store::tx::{StoreError, Tx};

/// Below so much free space something will soon go wrong.
const SPACE_WARN: u64 = 1 << 30;

/// Below so much, nothing can be relied on.
const SPACE_BAD: u64 = 64 << 20;

/// The files and the disk they are on.
pub fn places(places: &Places) -> Vec<Finding> {
    let mut findings = vec![home(&places.home), socket(&places.socket), space(&places.home)];
    findings.extend(database(&places.database));
    findings.extend(agents(&places.home));
    findings
}

/// Manifests and prices of the user that are refused.
fn agents(home: &Path) -> Vec<Finding> {
    let refused = agent_files::catalogue(home).refused;
    let finding = |refused: &Refused| {
        let first = refused.mistakes.first().map(ToString::to_string).unwrap_or_default();
        let fix = "`converge agents` tells every mistake; until then it is as if there were no such file";
        Finding::warn("agents", format!("{} is refused: {first}", refused.path), fix)
    };
    let prices = agent_files::prices(home).1.into_iter().map(|mistake| {
        let message = format!("{} is refused: {mistake}", home.join("prices.toml").display());
        Finding::warn("prices", message, "mend it; until then the prices that come along hold")
    });
    refused.iter().map(finding).chain(prices).collect()
}

fn database(database: &Path) -> Option<Finding> {
    let mode = fs::metadata(database).ok()?.mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let shown = database.display();
        Finding::warn(
            "database",
            format!("{shown} can be read by others (mode {mode:o})"),
            format!("chmod 600 {shown}"),
        )
    })
}

fn home(home: &Path) -> Finding {
    let shown = home.display();
    match fs::metadata(home) {
        Ok(data) if !data.is_dir() => Finding::bad(
            "home",
            format!("{shown} is no directory"),
            "move it away, or set CONVERGE_HOME to another place",
        ),
        Ok(data) if data.mode() & 0o077 != 0 => Finding::warn(
            "home",
            format!("{shown} can be read by others (mode {:o})", data.mode() & 0o777),
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => Finding::good("home", format!("{shown}, private")),
        Err(error) => Finding::bad(
            "home",
            format!("{shown}: {error}"),
            "make it, or set CONVERGE_HOME to a place you own",
        ),
    }
}

fn socket(socket: &Path) -> Finding {
    let shown = socket.display();
    match fs::symlink_metadata(socket) {
        Ok(data) if !data.file_type().is_socket() && !data.file_type().is_symlink() => Finding::bad(
            "socket",
            format!("{shown} is no socket, and keeps the daemon from making one"),
            format!("move {shown} away"),
        ),
        Ok(data) if data.mode() & 0o077 != 0 && !data.file_type().is_symlink() => Finding::bad(
            "socket",
            format!("{shown} can be reached by others (mode {:o})", data.mode() & 0o777),
            "`converge daemon restart` makes it anew",
        ),
        Ok(_) => Finding::good("socket", shown.to_string()),
        Err(_) => {
            Finding::warn("socket", format!("no socket at {shown}"), "`converge daemon start` makes it")
        }
    }
}

fn space(home: &Path) -> Finding {
    let Ok(disk) = statvfs(home) else {
        return Finding::warn("disk", "its free space cannot be told", "look with `df`");
    };
    #[expect(clippy::useless_conversion, reason = "the width of these numbers differs between systems")]
    let free = u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size()));
    let message = format!("{} MiB free", free >> 20);
    let fix = "free some space outside of the home; once a little is free, `converge rm --force` of old jobs frees more";
    match free {
        free if free < SPACE_BAD => Finding::bad("disk", message, fix),
        free if free < SPACE_WARN => Finding::warn("disk", message, fix),
        _ => Finding::good("disk", message),
    }
}

/// The store, from what is wrong with it as far as it was looked at.
pub fn store(problems: Vec<Problem>, looked_at: Depth) -> Vec<Finding> {
    if problems.is_empty() {
        let message = match looked_at {
            Depth::File => "the file is whole; `--deep` looks at the rows too",
            Depth::Rows => "the file is whole, and its rows fit together",
        };
        return vec![Finding::good("store", message)];
    }
    let fix = "stop the daemon, keep a copy of the database file, and report this";
    problems.into_iter().map(|problem| Finding::bad("store", problem.to_string(), fix)).collect()
}

/// The clock: it must not lie before what was done.
pub fn clock(newest: Timestamp, now: Timestamp) -> Vec<Finding> {
    if now < newest {
        let behind = Span::between(now, newest);
        let message =
            format!("{behind} behind what was recorded; loops go on, what has a set time waits for it");
        return vec![Finding::warn("clock", message, "set the clock, for instance by NTP")];
    }
    vec![Finding::good("clock", now.to_string())]
}

/// Run directories without a run, as the daemon's store has them.
pub fn leftovers(cx: &Context<'_>) -> Result<Vec<Finding>, Refusal> {
    cx.read(|tx| strays(tx, &cx.house.places.runs))
}

/// Run directories without a run.
pub fn strays(tx: &mut dyn Tx, runs: &Path) -> Result<Vec<Finding>, StoreError> {
    let Ok(entries) = fs::read_dir(runs) else {
        return Ok(vec![Finding::good("leftovers", "none")]);
    };
    let named = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let on_disk: HashSet<String> = named.collect();
    let mut strays: Vec<&String> = Vec::new();
    for name in &on_disk {
        let known = match name.parse::<TaskId>() {
            Ok(id) => tasks::get(tx, id)?.is_some(),
            Err(_) => false,
        };
        if !known {
            strays.push(name);
        }
    }
    strays.sort();
    Ok(vec![match strays.as_slice() {
        [] => Finding::good("leftovers", "none"),
        [first, ..] => Finding::warn(
            "leftovers",
            format!(
                "{} run directories belong to no run, such as {}",
                strays.len(),
                runs.join(first).display()
            ),
            "remove them; nothing refers to them",
        ),
    }])
}
