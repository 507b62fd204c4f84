//! Load: many runs at once.

use std::io;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use crate::figure::{Beside, Samples, Sheet, real};
use crate::home::{Home, Store, from_now};

/// Does nothing, successfully.
const NO_OP: &str = "/bin/true";

/// How often each is measured.
const ROUNDS: usize = 5;

/// Many jobs due in the same instant, each with a lane.
pub(crate) fn herd(sheet: &mut Sheet) -> io::Result<()> {
    const JOBS: u16 = 200;
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let home = Home::started(200)?;
        let (due, store) = due_at_once(&home, JOBS)?;
        let number = |sql| store.number(sql).map_err(io::Error::other);
        firsts.push(real(number("SELECT MIN(started_at) FROM attempts")? - due.as_millisecond()));
        lasts.push(real(number("SELECT MAX(started_at) FROM attempts")? - due.as_millisecond()));
    }
    let samples = Samples::new(lasts);
    let beside = Beside { from: samples.spread(), target: "<= 300" };
    sheet.put("200 jobs due at once, last one started", samples.median(), "ms", &beside)?;
    let samples = Samples::new(firsts);
    let beside = Beside { from: samples.spread(), target: "" };
    sheet.put("  first one started", samples.median(), "ms", &beside)?;
    Ok(())
}

/// Runs in a second, through everything and without anything.
pub(crate) fn rate(sheet: &mut Sheet) -> io::Result<()> {
    const RUNS: u16 = 600;
    const LANES: u32 = 16;
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare_rate = f64::from(RUNS) / spawn_and_wait(RUNS, LANES)?.as_secs_f64();
        let home = Home::started(LANES)?;
        let (due, store) = due_at_once(&home, RUNS)?;
        let sql = "SELECT MAX(at) FROM events WHERE type = 'run.ended'";
        let ended = store.number(sql).map_err(io::Error::other)?;
        let our_rate = f64::from(RUNS) * 1000.0 / real(ended - due.as_millisecond());
        ours.push(our_rate);
        bare.push(bare_rate);
        ratios.push(our_rate / bare_rate);
    }
    let (ours, bare) = (Samples::new(ours).median(), Samples::new(bare).median());
    let samples = Samples::new(ratios);
    let from = format!("{ours:.0} of {bare:.0} runs/s, {LANES} at once; {}", samples.spread());
    sheet.put(
        "runs/s of a no-op, against bare spawning",
        samples.median(),
        "ratio",
        &Beside { from, target: ">= 0.2" },
    )?;
    Ok(())
}

/// Has so many no-op jobs due in one instant, and waits until all of them are over.
fn due_at_once(home: &Home, count: u16) -> io::Result<(Timestamp, Store)> {
    // Far enough for all of them to be added before.
    let due = from_now(Duration::from_secs(2));
    home.add_many(count.into(), |_| json!({ "argv": [NO_OP], "at": due.to_string() }))?;
    assert!(Timestamp::now() < due, "all jobs are added before they are due");
    let store = home.store().map_err(io::Error::other)?;
    store.wait_for(
        "SELECT COUNT(*) FROM tasks WHERE state = 'ended'",
        count.into(),
        Duration::from_millis(500),
    )?;
    Ok((due, store))
}

/// Spawns so many no-ops, `lanes` at a time, and says how long it took.
fn spawn_and_wait(count: u16, lanes: u32) -> io::Result<Duration> {
    let left = AtomicU16::new(count);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let lane = || -> io::Result<()> {
        while take() {
            let mut command = Command::new(NO_OP);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status()?;
        }
        Ok(())
    };
    let begun = Instant::now();
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().expect("a lane does not panic"))
    })?;
    Ok(begun.elapsed())
}
