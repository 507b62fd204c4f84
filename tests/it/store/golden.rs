//! Databases of released schemas: what was written then is read now.
//!
//! A database is made once, before its schema is released, by the code of that day:
//! `CONVERGE_GOLDEN=1 cargo test --test it golden`. After the release its file never changes.

use std::env;
use std::fs;

use converge::core::id::JobId;
use converge::core::schedule::{Anchor, Schedule, Start};
use converge::core::span::Span;
use converge::engine::input::{Add, Jobs, Name, Update, Write};
use converge::engine::twins::Twin;
use converge::store::migrate::{NEWEST, migrate};
use converge::store::sqlite::Sqlite;
use converge::store::tx::Database;
use converge::store::{attempts, events, jobs, tasks};

use super::golden;
use crate::sim::machine::{Machine, Request};
use crate::sim::scenario::{self, plain, until};
use crate::sim::seeds::run_until_answered;

const MINUTE_MS: u64 = 60_000;

fn ask(machine: &mut Machine, key: &str, write: Write) {
    let at = machine.mono();
    machine.requests.push(Request { write, key: Some(key.to_owned()), at });
    run_until_answered(machine);
}

/// A life of two minutes with a job in every state.
fn life() -> Machine {
    let mut machine = Machine::new(7, 4, scenario::script);
    let rate = Schedule::Every { span: Span::from_secs(30), anchor: Anchor::Rate };
    let looped = Schedule::Loop { wait: Span::from_secs(10) };
    let mut green = plain("make green", looped);
    green.goal = Some(until("any(check \"make test\", all(exit 0, output /done/), file out.txt)"));
    let mut limited = plain("make limited", rate);
    limited.limits.runs = Some(2);
    limited.goal = Some(until("exit 9"));
    limited.retry.most = 2;
    let mut later = plain("make later", looped);
    later.start = Start::Next;
    let definitions =
        [green, limited, plain("make rate", rate), later, plain("make by hand", Schedule::Manual)];
    for (place, definition) in definitions.into_iter().enumerate() {
        let name = Name::Given(format!("job {place}"));
        ask(
            &mut machine,
            &format!("add {place}"),
            Write::Add(Box::new(Add { name, definition, twin: Twin::Avoided, parked: None })),
        );
    }
    while machine.next(MINUTE_MS) {}
    let id = |machine: &Machine, name: &str| -> JobId {
        let named = machine.model.jobs.values().find(|told| told.job.name == name);
        named.expect("it was added").job.id
    };
    let these = |machine: &Machine, name: &str| Jobs::These(vec![id(machine, name)]);
    let note = Some("until the fix is in".to_owned());
    let pause = Write::Pause { jobs: these(&machine, "job 2"), note, until: None };
    ask(&mut machine, "pause", pause);
    let update = Update {
        job: id(&machine, "job 3"),
        from: 1,
        name: "job three".to_owned(),
        definition: plain("make it", rate),
    };
    ask(&mut machine, "update", Write::Update(Box::new(update)));
    let by_hand = id(&machine, "job 4");
    ask(&mut machine, "run", Write::RunNow(by_hand));
    let cancel = Write::Cancel(these(&machine, "job 4"));
    ask(&mut machine, "cancel", cancel);
    while machine.next(2 * MINUTE_MS) {}
    machine
}

#[test]
fn the_database_of_schema_1_reads_as_it_was_written() {
    let path = golden(1);
    if env::var_os("CONVERGE_GOLDEN").is_some() {
        assert_eq!(NEWEST, 1, "the golden database of schema 1 was released");
        let _ = fs::remove_file(&path);
        let machine = life();
        let mut disk = crate::sim::ports::lock(&machine.disk);
        let sql = format!("VACUUM INTO '{}'", path.display());
        disk.sqlite.execute_batch(&sql).expect("it is written");
    }
    let home = tempfile::tempdir().expect("a directory");
    let copy = home.path().join("converge.db");
    fs::copy(&path, &copy).expect("it is copied");
    let mut sqlite = Sqlite::open(&copy).expect("it opens");
    assert_eq!(migrate(&mut sqlite).expect("it is migrated"), 1);
    let tx = sqlite.tx();
    let mut told = Vec::new();
    for stored in jobs::list(tx, jobs::Which::All, None, None, 100).expect("jobs are read") {
        let job = stored.job;
        let runs = tasks::of_job(tx, job.id, None, 1000).expect("runs are read");
        let tries: usize =
            runs.iter().map(|run| attempts::of_task(tx, run.task.id).expect("attempts").len()).sum();
        told.push(format!(
            "{} {} {} runs {} rows {} attempts",
            job.name,
            job.state.word(),
            job.runs,
            runs.len(),
            tries
        ));
    }
    let kept = events::after(tx, 0, None, 10_000).expect("events are read");
    told.push(format!("{} events", kept.len()));
    insta::assert_snapshot!(told.join("\n"), @r"
    job 2 paused 3 runs 3 rows 3 attempts
    job three active 4 runs 5 rows 3 attempts
    job 4 cancelled 1 runs 1 rows 1 attempts
    job 0 completed 2 runs 3 rows 2 attempts
    job 1 active 2 runs 3 rows 2 attempts
    91 events
    ");
}
