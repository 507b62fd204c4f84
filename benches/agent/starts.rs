//! Starts: what it costs that an agent is started and not a plain command.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::figure::{Beside, Samples, Sheet, real};
use crate::home::from_now;
use crate::taught::taught;

/// The first argument that makes this program write the time to the file that the second names, or its prompt.
pub(crate) const STAMP: &str = "stamp";

/// How many are started of each kind.
const RUNS: usize = 100;

/// Writes the time: a process that says itself when it was started.
pub(crate) fn stamp(path: &str) -> io::Result<()> {
    let at = Timestamp::now();
    fs::write(path.trim(), at.as_microsecond().to_string())
}

/// From the instant a job is due to its process, for commands and agents in turn.
pub(crate) fn starts(sheet: &mut Sheet) -> io::Result<()> {
    const APART: Duration = Duration::from_millis(100);
    let home = taught(16, "stamper", &[STAMP])?;
    let own = std::env::current_exe()?;
    let first = from_now(Duration::from_secs(3));
    let slot = |number: usize| first + APART * u32::try_from(number).expect("a few");
    let file = |number: usize| home.project().join(number.to_string());
    let job = |number: usize| -> Json {
        let at = slot(number).to_string();
        if number.is_multiple_of(2) {
            json!({ "argv": [own, STAMP, file(number)], "at": at })
        } else {
            json!({ "prompt": file(number), "agent": "stamper", "permissions": "read-only", "at": at })
        }
    };
    home.add_many(2 * RUNS, job)?;
    let store = home.store().map_err(io::Error::other)?;
    let most = i64::try_from(2 * RUNS).unwrap_or(0);
    store.wait_for("SELECT COUNT(*) FROM attempts", most, Duration::from_millis(500))?;

    let said =
        |number: usize| stamped(&file(number)).map(|at| real(at - slot(number).as_microsecond()) / 1000.0);
    let of = |odd: usize| -> io::Result<Samples> {
        let numbers = (0..RUNS).map(|number| 2 * number + odd);
        Ok(Samples::new(numbers.map(said).collect::<io::Result<_>>()?))
    };
    let (commands, agents) = (of(0)?, of(1)?);
    let beside = Beside { from: commands.spread(), target: "" };
    sheet.put("due -> command runs, median", commands.median(), "ms", &beside)?;
    let beside = Beside { from: agents.spread(), target: "" };
    sheet.put("due -> agent runs, median", agents.median(), "ms", &beside)?;
    let more = agents.median() - commands.median();
    let from = format!("p99 {:.3} against {:.3}", agents.percentile(99), commands.percentile(99));
    sheet.put("an agent's start over a command's", more, "ms", &Beside { from, target: "<= 10" })
}

fn stamped(file: &Path) -> io::Result<i64> {
    fs::read_to_string(file)?.parse().map_err(io::Error::other)
}
