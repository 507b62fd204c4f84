//! The fault walk: for each main flow, the daemon dies at the first commit or action, at the second, and
//! so on to the last; then the next daemon dies too, soon after; and all of that with every action done twice.
//!
//! Whatever the point, the flow ends as it does without a death, and as many children really ran.

use converge::core::actor::Voice;
use converge::core::definition::{Definition, Target};
use converge::core::process::Command;
use converge::core::process::Ending;
use converge::core::schedule::{Anchor, Schedule, Start};
use converge::core::span::Span;
use converge::engine::input::{Add, Jobs, Name, Update, Write};
use converge::engine::ports::{Execute, Launch};
use converge::engine::twins::Twin;
use jiff::Timestamp;

use super::machine::{Machine, Request};
use super::ports::lock;
use super::process::{Says, Script};
use super::scenario::{plain, until};
use super::seeds;
use super::world::Scripts;

/// One thing that is asked in a flow, so many milliseconds after its beginning.
#[derive(Debug, Clone)]
enum Ask {
    Update(Box<Definition>),
    Cancel,
    CancelRun,
    Pause,
    Resume,
    RunNow,
}

/// A job, what is asked about it, and what its processes do.
struct Flow {
    definition: Definition,
    asks: Vec<(u64, Ask)>,
    scripts: Scripts,
}

/// What came of a flow: the word of the job's state, how many runs, how many children really ran.
type Came = (String, u32, u32);

const LOOP: Schedule = Schedule::Loop { wait: Span::from_secs(10) };

/// A process that takes a second and exits with `code`.
fn exits(code: i32) -> Script {
    Script {
        lock_ms: 3,
        start_ms: 3,
        runs_ms: 1000,
        ending: Ending::Exited(code),
        cut: None,
        shim_dies_ms: None,
        grace_ms: 20,
        output: "",
        says: Says::done(),
    }
}

fn succeeds(_: u64, _: &Launch) -> Script {
    exits(0)
}

/// Green from the third run on.
fn third_time(_: u64, launch: &Launch) -> Script {
    let number: u32 = launch.env["CONVERGE_RUN_NUMBER"].parse().expect("a number");
    exits(i32::from(number < 3))
}

/// Only the command `worn` fails.
fn worn_fails(_: u64, launch: &Launch) -> Script {
    let worn = launch.execute == Execute::Command(Command::Shell("worn".to_owned()));
    exits(i32::from(worn))
}

/// Checks that are green from the beginning.
fn green_checks(_: u64, launch: &Launch) -> Script {
    exits(i32::from(launch.key.check.is_none()))
}

fn takes_long(_: u64, _: &Launch) -> Script {
    Script { runs_ms: 600_000, ..exits(0) }
}

fn came_of(machine: &Machine) -> Came {
    let told = machine.model.jobs.values().next().expect("the job of the flow");
    let starts = lock(&machine.world).processes.values().map(|process| process.starts).sum();
    (told.job.state.word().to_owned(), told.job.runs, starts)
}

/// Lives `flow` with a death at point `dies_at`, if that is reached; answers whether it was.
///
/// The daemon after it dies after `again` points more.
fn live(flow: &Flow, dies_at: u64, again: Option<u64>, twice: bool) -> (Came, bool) {
    let mut machine = Machine::new(dies_at, 2, flow.scripts);
    lock(&machine.world).twice = twice;
    machine.fuse.light(dies_at);
    machine.dies_again = again;
    let definition = flow.definition.clone();
    let add = Add { name: Name::Given("flow".to_owned()), definition, twin: Twin::Avoided, parked: None };
    let ask = |machine: &mut Machine, write, name: &str| {
        let at = machine.mono();
        machine.requests.push(Request { write, key: Some(name.to_owned()), at });
    };
    ask(&mut machine, Write::Add(Box::new(add)), "add");
    seeds::run_until_answered(&mut machine);
    for (place, (at, wanted)) in flow.asks.iter().enumerate() {
        while machine.next(*at) {}
        let told = machine.model.jobs.values().next().expect("it was acknowledged");
        let (id, revision) = (told.job.id, told.job.revision);
        let these = Jobs::These(vec![id]);
        let write = match wanted {
            Ask::Update(definition) => Write::Update(Box::new(Update {
                job: id,
                from: revision,
                name: "flow".to_owned(),
                definition: (**definition).clone(),
            })),
            Ask::Cancel => Write::Cancel(these),
            Ask::CancelRun => Write::CancelRuns(vec![told.job.active.expect("a run is under way")]),
            Ask::Pause => Write::Pause { jobs: these, note: None, until: None },
            Ask::Resume => Write::Resume { jobs: these, by: Voice::Person },
            Ask::RunNow => Write::RunNow(id),
        };
        ask(&mut machine, write, &format!("ask {place}"));
        seeds::run_until_answered(&mut machine);
    }
    seeds::come_to_rest(&mut machine);
    let died = machine.dies_again != again || !machine.fuse.douse();
    (came_of(&machine), died)
}

/// Walks `flow` from its first point to its last.
fn check(flow: &Flow, ends: &str, runs: u32, starts: u32) {
    let wanted = (ends.to_owned(), runs, starts);
    let ways = [None, Some(0), Some(1), Some(3)].map(|again| [(again, false), (again, true)]);
    for (again, twice) in ways.into_iter().flatten() {
        for dies_at in 0.. {
            assert!(dies_at < 1000, "the walk has an end");
            let (came, died) = live(flow, dies_at, again, twice);
            assert_eq!(came, wanted, "died at point {dies_at} and again {again:?}, actions twice: {twice}");
            if !died {
                assert!(dies_at > 8, "a flow has more points than {dies_at}");
                break;
            }
        }
    }
}

fn flow(definition: Definition, scripts: Scripts) -> Flow {
    Flow { definition, asks: Vec::new(), scripts }
}

fn bounded(schedule: Schedule, runs: u32) -> Definition {
    let mut definition = plain("work", schedule);
    definition.limits.runs = Some(runs);
    definition
}

#[test]
fn a_run_is_done_once_wherever_the_daemon_dies() {
    let hour = Schedule::Every { span: Span::from_secs(3600), anchor: Anchor::Rate };
    check(&flow(bounded(hour, 1), succeeds), "completed", 1, 1);
}

#[test]
fn a_loop_with_a_check_runs_until_it_is_green() {
    let mut definition = bounded(LOOP, 9);
    definition.goal = Some(until("all(exit 0, check \"make test\")"));
    // The check of run zero, two runs that exit with 1, the third and its check.
    check(&flow(definition, third_time), "completed", 3, 5);
}

#[test]
fn a_run_that_fails_is_tried_again_until_no_try_is_left() {
    let mut definition = bounded(LOOP, 1);
    definition.retry.most = 2;
    check(&flow(definition.clone(), |_, _| exits(1)), "completed", 1, 3);
    // With an update while it waits for its second try, that one has the new command.
    definition.target = Target::Command(Command::Shell("worn".to_owned()));
    definition.retry.delay = Span::from_secs(600);
    let mut better = definition.clone();
    better.target = Target::Command(Command::Shell("better".to_owned()));
    let mut updated = flow(definition, worn_fails);
    updated.asks = vec![(20_000, Ask::Update(Box::new(better))), (21_000, Ask::RunNow)];
    check(&updated, "completed", 1, 2);
}

#[test]
fn a_run_under_way_follows_new_limits() {
    let mut long = bounded(LOOP, 1);
    long.goal = Some(until("exit 0"));
    let mut short = long.clone();
    short.bounds.wall = Some(Span::from_secs(90));
    let mut updated = flow(long, takes_long);
    updated.asks = vec![(60_000, Ask::Update(Box::new(short)))];
    check(&updated, "failed", 1, 1);
}

#[test]
fn a_run_that_is_cancelled_ends() {
    let mut cancelled = flow(bounded(LOOP, 3), takes_long);
    cancelled.asks = vec![(60_000, Ask::Cancel)];
    check(&cancelled, "cancelled", 1, 1);
}

/// Only the first run takes long.
fn first_takes_long(seed: u64, launch: &Launch) -> Script {
    let first = launch.env["CONVERGE_RUN_NUMBER"] == "1";
    if first { takes_long(seed, launch) } else { exits(0) }
}

#[test]
fn a_run_that_is_cancelled_alone_ends_and_its_loop_goes_on() {
    let mut cancelled = flow(bounded(LOOP, 3), first_takes_long);
    cancelled.asks = vec![(60_000, Ask::CancelRun)];
    check(&cancelled, "completed", 3, 3);
}

#[test]
fn an_instant_has_one_run() {
    let begin = Timestamp::from_second(1_767_225_600).expect("the first instant of every world");
    let definition = plain("work", Schedule::At(Span::from_secs(90).after(begin)));
    check(&flow(definition, succeeds), "completed", 1, 1);
}

#[test]
fn what_is_done_already_is_never_run() {
    let mut definition = bounded(LOOP, 3);
    definition.goal = Some(until("check \"make test\""));
    check(&flow(definition, green_checks), "completed", 0, 1);
}

#[test]
fn a_paused_loop_goes_on_where_it_was() {
    let mut definition = bounded(LOOP, 3);
    definition.start = Start::Next;
    let mut paused = flow(definition, succeeds);
    paused.asks = vec![(10_500, Ask::Pause), (100_000, Ask::Resume)];
    check(&paused, "completed", 3, 3);
}
