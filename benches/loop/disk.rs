//! Disk: what one simple run leaves in the store, and how often it waits for the platter.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::figure::{Beside, Sheet, real};
use crate::home::{Home, Store};

/// Bytes of content: of rows alone, and with the indexes over them.
const ROWS: &str =
    "SELECT SUM(payload) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE type = 'table')";
const ROWS_AND_INDEXES: &str = "SELECT SUM(payload) FROM dbstat";

const ENDED: &str = "SELECT COUNT(*) FROM tasks WHERE state = 'ended'";

/// A job that runs a no-op once a second.
pub(crate) fn run(sheet: &mut Sheet) -> io::Result<()> {
    const RUNS: i64 = 20;
    let home = Home::started(16)?;
    let terms = json!({ "argv": ["true"], "every": "1s", "start": "now", "max_runs": 1000 });
    home.connect()?.add(&home.project(), "ticker", &terms)?;
    let store = home.store().map_err(io::Error::other)?;
    let syncs = Syncs::watch(home.daemon_pid(), home.project().join("syncs"));
    let wait = |count| store.wait_for(ENDED, count, Duration::from_millis(100));
    wait(3)?;
    let synced = syncs.as_ref().map_or(Ok(0), Syncs::count)?;
    let before = Bytes::of(&store)?;
    wait(before.runs + RUNS)?;
    let after = Bytes::of(&store)?;
    let synced = syncs.as_ref().map_or(Ok(0), Syncs::count)? - synced;

    let runs = real(after.runs - before.runs);
    let rows = real(after.rows - before.rows) / runs;
    let all = real(after.all - before.all) / runs;
    let from = format!("{runs} runs; {all:.0} bytes with indexes");
    sheet.put("rows of a simple run", rows, "bytes", &Beside { from, target: "<= 1500" })?;
    if syncs.is_some() && synced > 0 {
        let beside = Beside { from: format!("{synced} in {runs} runs, by strace"), target: "<= 2" };
        sheet.put("fsyncs of a simple run", f64::from(synced) / runs, "", &beside)?;
    } else {
        sheet.not_measured("fsyncs of a simple run", "<= 2", "strace is not here, or may not watch")?;
    }
    Ok(())
}

struct Bytes {
    runs: i64,
    rows: i64,
    all: i64,
}

impl Bytes {
    fn of(store: &Store) -> io::Result<Self> {
        let number = |sql| store.number(sql).map_err(io::Error::other);
        Ok(Self { runs: number(ENDED)?, rows: number(ROWS)?, all: number(ROWS_AND_INDEXES)? })
    }
}

/// Counts the times a process syncs, by strace.
struct Syncs {
    strace: Child,
    log: PathBuf,
}

impl Syncs {
    fn watch(pid: u32, log: PathBuf) -> Option<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range", "-o"]).arg(&log);
        command
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Some(Self { strace: command.spawn().ok()?, log })
    }

    fn count(&self) -> io::Result<u32> {
        let text = match fs::read_to_string(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let syncs = text.lines().filter(|line| line.contains("sync") && !line.contains("resumed>"));
        Ok(u32::try_from(syncs.count()).unwrap_or(u32::MAX))
    }
}

impl Drop for Syncs {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.strace.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
        let _ = self.strace.wait();
    }
}
