//! How soon calls are answered, one after another and many at once.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::figure::{Beside, Samples, Sheet};
use crate::home::Home;
use crate::session::Session;

/// How many reads are measured, after a few that are not.
const READS: u32 = 10_000;
const UNMEASURED: u32 = 500;

/// How many of them are under way at once.
const IN_FLIGHT: u32 = 4;

/// How many writes are made one after another, and how many without waiting.
const WRITES: u32 = 300;
const PIPELINED: u32 = 1_000;

/// `show_job` through the proxy.
pub(crate) fn reads(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(4)?;
    let mut session = Session::open(&home)?;
    session.call("add_job", &job(0))?;
    let show = json!({ "name": "show_job", "arguments": { "job": "job-0" } });
    reading(&mut session, &show, UNMEASURED)?;
    let began = Instant::now();
    let times = Samples::of_times(&reading(&mut session, &show, READS)?);
    let each_second = f64::from(READS) / began.elapsed().as_secs_f64();
    let beside = |target| Beside { from: times.spread(), target };
    sheet.put("show_job, 4 in flight, median", times.median(), "ms", &beside("0.6"))?;
    sheet.put("show_job, 4 in flight, p99", times.percentile(99), "ms", &beside("3"))?;
    let from = format!("{READS} calls");
    sheet.put("show_job, 4 in flight", each_second, "/s", &Beside { from, target: "5000" })
}

fn reading(session: &mut Session, show: &Json, count: u32) -> io::Result<Vec<Duration>> {
    let mut sent_at = BTreeMap::new();
    let send = |session: &mut Session, sent_at: &mut BTreeMap<u64, Instant>| -> io::Result<()> {
        let now = Instant::now();
        sent_at.insert(session.send("tools/call", show)?, now);
        Ok(())
    };
    for _ in 0..IN_FLIGHT {
        send(session, &mut sent_at)?;
    }
    let mut times = Vec::new();
    for number in 0..count {
        let (id, _) = session.read()?;
        times.push(sent_at.remove(&id).expect("it was sent").elapsed());
        if number + IN_FLIGHT < count {
            send(session, &mut sent_at)?;
        }
    }
    Ok(times)
}

/// `add_job`, each answered when it is on the disk.
pub(crate) fn writes(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(4)?;
    let mut session = Session::open(&home)?;
    let mut times = Vec::new();
    for number in 0..WRITES {
        let began = Instant::now();
        session.call("add_job", &job(number))?;
        times.push(began.elapsed());
    }
    let times = Samples::of_times(&times);
    let beside = Beside { from: times.spread(), target: "1.5" };
    sheet.put("add_job, one after another, median", times.median(), "ms", &beside)?;

    let request = |number: u32| {
        let params = json!({ "name": "add_job", "arguments": job(number) });
        format!("{}\n", json!({ "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params }))
    };
    let lines: String = (0..PIPELINED).map(|number| request(100_000 + number)).collect();
    let began = Instant::now();
    session.send_lines(&lines)?;
    for _ in 0..PIPELINED {
        let (_, answer) = session.read()?;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    }
    let took = began.elapsed().as_secs_f64();
    let from = format!("{:.0} a second", f64::from(PIPELINED) / took);
    sheet.put("1000 add_job without waiting", took, "s", &Beside { from, target: "0.6" })
}

fn job(number: u32) -> Json {
    json!({ "name": format!("job-{number}"), "cmd": format!("echo {number}"), "manual": true })
}
