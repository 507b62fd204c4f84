//! How soon a client that was just started is answered.

use std::io;
use std::time::{Duration, Instant};

use crate::figure::{Beside, Samples, Sheet};
use crate::home::Home;
use crate::session::Session;

/// Samples of each.
const COUNT: usize = 20;

/// With a daemon there, and without.
pub(crate) fn run(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(4)?;
    let with: Vec<Duration> = (0..COUNT).map(|_| first_answer(&home)).collect::<io::Result<_>>()?;
    let with = Samples::of_times(&with);
    let beside = Beside { from: with.spread(), target: "15" };
    sheet.put("mcp start to initialize answered", with.median(), "ms", &beside)?;
    drop(home);

    let mut without = Vec::new();
    for _ in 0..COUNT {
        let home = Home::new(4)?;
        without.push(first_answer(&home)?);
        home.command(&["daemon", "stop"]).status()?;
    }
    let without = Samples::of_times(&without);
    let beside = Beside { from: without.spread(), target: "60" };
    sheet.put("the same, starting the daemon", without.median(), "ms", &beside)
}

fn first_answer(home: &Home) -> io::Result<Duration> {
    let began = Instant::now();
    let mut session = Session::start(home)?;
    session.hello()?;
    Ok(began.elapsed())
}
