//! A crowd: many agents that talk at the same time.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::figure::{Beside, Sheet};
use crate::system::{self, Usage};
use crate::taught::taught;

/// The argument that makes this program talk like an agent.
pub(crate) const TALK: &str = "talk";

/// How many talk.
const AGENTS: usize = 32;

/// For how long each talks, twenty lines a second.
const LINES: usize = 20 * 40;

/// For how long the daemon is watched, while all of them do.
const LENGTH: Duration = Duration::from_secs(20);

/// Writes events as Claude does, a line of a kilobyte at a time.
pub(crate) fn talk() -> io::Result<()> {
    let text = "It says what it does, and does what it says. ".repeat(20);
    let line = json!({ "type": "assistant", "message": { "content": [{ "type": "text", "text": text }] } });
    let mut out = io::stdout();
    for _ in 0..LINES {
        writeln!(out, "{line}")?;
        thread::sleep(Duration::from_millis(50));
    }
    writeln!(out, "{}", json!({ "type": "result", "is_error": false, "result": "done", "session_id": "s" }))
}

/// A daemon with so many of them.
pub(crate) fn crowd(sheet: &mut Sheet) -> io::Result<()> {
    let home = taught(64, "talker", &[TALK])?;
    let terms = json!({
        "prompt": "talk", "agent": "talker", "permissions": "read-only", "start": "now", "wait": "1h", "max_runs": 1,
    });
    home.add_many(AGENTS, |_| terms.clone())?;
    let store = home.store().map_err(io::Error::other)?;
    let all = i64::try_from(AGENTS).unwrap_or(0);
    let started = "SELECT COUNT(*) FROM events WHERE type = 'run.started'";
    store.wait_for(started, all, Duration::from_millis(10))?;
    let before = Usage::of(home.daemon_pid())?;
    thread::sleep(LENGTH);
    let used = Usage::of(home.daemon_pid())?.since(&before);
    let share = used.cpu.as_secs_f64() / LENGTH.as_secs_f64() * 100.0;
    let from = format!("{AGENTS} agents, 20 lines of a kilobyte a second each");
    sheet.put("daemon beside talking agents: CPU", share, "%", &Beside { from, target: "<= 5" })?;
    let resident = system::kilobytes(home.daemon_pid(), "status", "VmRSS")? / 1024.0;
    let read = "SELECT COUNT(*) FROM attempts WHERE reading IS NOT NULL";
    store.wait_for(read, all, Duration::from_millis(100))?;
    let after = system::kilobytes(home.daemon_pid(), "status", "VmRSS")? / 1024.0;
    let from = format!("{resident:.1} MB while they talk, {after:.1} once all is read");
    sheet.put(
        "daemon beside talking agents: RSS",
        resident.max(after),
        "MB",
        &Beside { from, target: "<= 60" },
    )
}
