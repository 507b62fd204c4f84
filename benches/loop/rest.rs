//! Rest: what it costs that nothing happens.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::figure::{Beside, Sheet};
use crate::home::{Home, from_now};
use crate::system::{self, Usage};

/// A daemon with many jobs, none of them due.
pub(crate) fn idle(sheet: &mut Sheet) -> io::Result<()> {
    const JOBS: usize = 10_000;
    const LENGTH: Duration = Duration::from_secs(30);
    let home = Home::started(16)?;
    let begun = Instant::now();
    let tomorrow = from_now(Duration::from_hours(24));
    home.add_many(JOBS, |number| {
        let at = tomorrow + Duration::from_secs(u64::try_from(number).unwrap_or(0));
        json!({ "argv": ["true"], "at": at.to_string() })
    })?;
    let beside =
        Beside { from: format!("{JOBS} jobs in {:.1} s", begun.elapsed().as_secs_f64()), target: "" };
    let rate = f64::from(u32::try_from(JOBS).unwrap_or(0)) / begun.elapsed().as_secs_f64();
    sheet.put("  jobs added in a second, 16 clients", rate, "jobs/s", &beside)?;

    // What adding them left to do is over by then, and threads that were only needed for it are gone.
    thread::sleep(Duration::from_secs(5));
    let before = Usage::of(home.daemon_pid())?;
    thread::sleep(LENGTH);
    let used = Usage::of(home.daemon_pid())?.since(&before);
    let from = || format!("{LENGTH:?} with {JOBS} future jobs");
    let cpu = used.cpu.as_secs_f64();
    sheet.put("idle daemon: CPU", cpu, "s", &Beside { from: from(), target: "<= 0.03" })?;
    let wakes = f64::from(used.wakes) / LENGTH.as_secs_f64();
    sheet.put("idle daemon: wake-ups", wakes, "/s", &Beside { from: from(), target: "<= 1" })?;
    let resident = system::kilobytes(home.daemon_pid(), "status", "VmRSS")? / 1024.0;
    let anonymous = system::kilobytes(home.daemon_pid(), "status", "RssAnon")? / 1024.0;
    let from = format!("of which {anonymous:.1} MB its own");
    sheet.put("idle daemon: RSS", resident, "MB", &Beside { from, target: "<= 30" })?;
    Ok(())
}

/// The process beside every process.
pub(crate) fn shim(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(16)?;
    home.connect()?.add(
        &home.project(),
        "sleeper",
        &json!({ "argv": ["sleep", "600"], "start": "now", "wait": "1h" }),
    )?;
    let store = home.store().map_err(io::Error::other)?;
    let running = "SELECT COUNT(*) FROM events WHERE type = 'run.started'";
    store.wait_for(running, 1, Duration::from_millis(10))?;
    let shims = system::children(home.daemon_pid())?;
    let [shim] = shims.as_slice() else {
        return Err(io::Error::other(format!("one shim was expected, not {shims:?}")));
    };
    let anonymous = system::kilobytes(*shim, "smaps_rollup", "Anonymous")?;
    let resident = system::kilobytes(*shim, "smaps_rollup", "Rss")?;
    let from = format!("{anonymous:.0} kB of {resident:.0} kB resident");
    sheet.put(
        "shim: private anonymous memory",
        anonymous / 1024.0,
        "MB",
        &Beside { from, target: "<= 1" },
    )?;
    home.connect()?.call("control_job", &json!({ "action": "cancel", "jobs": ["sleeper"] }))?;
    store.wait_for("SELECT COUNT(*) FROM tasks WHERE state = 'ended'", 1, Duration::from_millis(10))
}
