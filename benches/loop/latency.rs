//! Latency: how long one thing takes when nothing else goes on.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use crate::figure::{Beside, Samples, Sheet, real};
use crate::home::{Home, from_now};

/// The first argument that makes this program write the time to the file named by the second.
pub(crate) const STAMP: &str = "stamp";

/// Writes the time: a command that says itself when it was started.
pub(crate) fn stamp(path: &str) -> io::Result<()> {
    let at = Timestamp::now();
    fs::write(path, at.as_microsecond().to_string())
}

/// `converge ls` beside a daemon that runs: the whole process.
pub(crate) fn list(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(16)?;
    home.add_many(10, |_| json!({ "argv": ["true"], "every": "1d" }))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        let status = home.command(&["ls"]).status()?;
        times.push(begun.elapsed());
        assert!(status.success(), "`converge ls` answers");
    }
    let samples = Samples::of_times(&times);
    let beside = Beside { from: samples.spread(), target: "<= 8" };
    sheet.put("`converge ls`, whole process, median", samples.median(), "ms", &beside)?;
    Ok(())
}

/// From the start of a daemon to its first answer, with an empty store.
pub(crate) fn start(sheet: &mut Sheet) -> io::Result<()> {
    let (mut served, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let mut home = Home::new(16)?;
        let begun = Instant::now();
        home.start()?;
        served.push(begun.elapsed());

        let home = Home::new(16)?;
        let begun = Instant::now();
        let status = home.command(&["ls"]).status()?;
        cold.push(begun.elapsed());
        assert!(status.success(), "`converge ls` starts a daemon");
        home.command(&["daemon", "stop"]).status()?;
    }
    let samples = Samples::of_times(&served);
    let beside = Beside { from: samples.spread(), target: "<= 40" };
    sheet.put("daemon start -> first answer, median", samples.median(), "ms", &beside)?;
    let samples = Samples::of_times(&cold);
    let beside = Beside { from: samples.spread(), target: "" };
    sheet.put("  `converge ls` that starts the daemon", samples.median(), "ms", &beside)?;
    Ok(())
}

/// From the instant a job is due to its process, which says itself when it runs.
pub(crate) fn due(sheet: &mut Sheet) -> io::Result<()> {
    const RUNS: usize = 200;
    const APART: Duration = Duration::from_millis(70);
    let home = Home::started(16)?;
    let own = std::env::current_exe()?;
    let first = from_now(Duration::from_secs(2));
    let slot = |number: usize| first + APART * u32::try_from(number).expect("a few");
    let file = |number: usize| home.project().join(number.to_string());
    home.add_many(
        RUNS,
        |number| json!({ "argv": [own, STAMP, file(number)], "at": slot(number).to_string() }),
    )?;
    let store = home.store().map_err(io::Error::other)?;
    store.wait_for(
        "SELECT COUNT(*) FROM attempts",
        i64::try_from(RUNS).unwrap_or(0),
        Duration::from_millis(500),
    )?;

    let said = |number| {
        stamped(&file(number)).map(|at| at - slot(number).as_microsecond()).map(|us| real(us) / 1000.0)
    };
    let samples = Samples::new((0..RUNS).map(said).collect::<io::Result<_>>()?);
    let beside = Beside { from: samples.spread(), target: "<= 15" };
    sheet.put("due -> process runs, one job, p99", samples.percentile(99), "ms", &beside)?;
    let sql = "SELECT attempts.started_at - tasks.slot FROM attempts JOIN tasks ON tasks.id = attempts.task";
    let starts = store.numbers(sql).map_err(io::Error::other)?;
    let samples = Samples::new(starts.into_iter().map(real).collect());
    let beside = Beside { from: samples.spread(), target: "" };
    sheet.put("  due -> `started` as stored, p99", samples.percentile(99), "ms", &beside)?;
    Ok(())
}

fn stamped(file: &Path) -> io::Result<i64> {
    fs::read_to_string(file)?.parse().map_err(io::Error::other)
}
