//! Requests whose answers matter to the letter, told to a machine on which nothing goes wrong.

use converge::core::process::Ending;
use converge::core::refusal::Code;
use converge::core::schedule::{Schedule, Start};
use converge::core::span::Span;
use converge::engine::input::{Add, Answer, Name, Reply, Source, Write};
use converge::engine::ports::Launch;
use converge::engine::twins::Twin;

use super::machine::{Machine, Request};
use super::ports::lock;
use super::process::{Says, Script};
use super::scenario::plain;
use super::seeds;

const LOOP: Schedule = Schedule::Loop { wait: Span::from_secs(10) };

/// A process that takes a minute and fails.
fn fails(_: u64, _: &Launch) -> Script {
    Script {
        lock_ms: 1,
        start_ms: 1,
        runs_ms: 60_000,
        ending: Ending::Exited(1),
        cut: None,
        shim_dies_ms: None,
        grace_ms: 1,
        output: "",
        says: Says::done(),
    }
}

fn ask(machine: &mut Machine, key: &str, write: Write) -> Reply {
    let at = machine.mono();
    machine.requests.push(Request { write, key: Some(key.to_owned()), at });
    seeds::run_until_answered(machine);
    machine.newest_reply.take().expect("it was answered")
}

fn add(name: &str, schedule: Schedule) -> Write {
    let mut definition = plain(name, schedule);
    definition.retry.most = 1;
    definition.retry.delay = Span::from_secs(600);
    definition.start = Start::Next;
    Write::Add(Box::new(Add {
        name: Name::Given(name.to_owned()),
        definition,
        twin: Twin::Avoided,
        parked: None,
    }))
}

fn added(reply: &Reply) -> converge::core::id::JobId {
    match reply {
        Ok(Answer::Added(id)) => *id,
        other => panic!("{other:?} adds no job"),
    }
}

fn source(reply: &Reply) -> Source {
    match reply {
        Ok(Answer::Started { source, .. }) => *source,
        other => panic!("{other:?} starts no run"),
    }
}

#[test]
fn a_run_now_is_beside_the_schedule_or_what_waits_already() {
    let mut machine = Machine::new(1, 1, fails);
    let first = added(&ask(&mut machine, "first", add("first", Schedule::Manual)));
    let second = added(&ask(&mut machine, "second", add("second", LOOP)));
    assert_eq!(source(&ask(&mut machine, "by hand", Write::RunNow(first))), Source::AdHoc);
    let busy = ask(&mut machine, "again", Write::RunNow(first)).expect_err("it runs");
    assert_eq!(busy.code, Code::Conflict);
    // The second job is due after ten seconds, and the only lane is taken for a minute.
    while machine.next(20_000) {}
    assert_eq!(source(&ask(&mut machine, "due", Write::RunNow(second))), Source::DueSlot);
    // The first run failed and waits ten minutes for its second try, unless somebody wants it now.
    while machine.next(130_000) {}
    assert_eq!(source(&ask(&mut machine, "retry", Write::RunNow(first))), Source::RetrySlot);
    let told = &machine.model.jobs[&first].job;
    assert_eq!((told.runs, lock(&machine.world).processes.len()), (1, 3), "one run with two tries");
}

#[test]
fn a_key_is_for_one_request() {
    let mut machine = Machine::new(1, 1, fails);
    let first = ask(&mut machine, "key", add("first", Schedule::Manual));
    assert_eq!(ask(&mut machine, "key", add("first", Schedule::Manual)), first);
    let refused = ask(&mut machine, "key", add("second", Schedule::Manual)).expect_err("another request");
    assert_eq!(refused.code, Code::KeyReused);
    assert_eq!(machine.model.jobs.len(), 1);
    let again = ask(&mut machine, "another key", add("first", Schedule::Manual));
    assert_eq!(again, Ok(Answer::Exists(added(&first))), "the same live definition is the same job");
}

#[test]
fn more_jobs_than_one_transaction_takes_are_all_run() {
    let mut machine = Machine::new(1, 400, fails);
    let at = Span::from_secs(60).after(machine.now());
    machine.next(0);
    for place in 0..300 {
        let write = add(&format!("job {place}"), Schedule::At(at));
        machine.requests.push(Request { write, key: None, at: 0 });
    }
    while machine.next(61_000) {}
    let starts: u32 = lock(&machine.world).processes.values().map(|process| process.starts).sum();
    assert_eq!(starts, 300);
}
