//! Seeds: one number decides a scenario and everything that goes wrong in it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering::Relaxed;

use converge::core::actor::Voice;
use converge::core::id::{JobId, TaskId};
use converge::core::job;
use converge::core::span::Span;
use converge::engine::input::{Jobs, Write};
use jiff::Timestamp;

use super::disk::Trouble;
use super::machine::{Machine, Request};
use super::ports::lock;
use super::rng::Rng;
use super::scenario;
use super::world::Messengers;

const HOUR_MS: u64 = 3_600_000;

/// What may go wrong in one seed, in percent of its steps.
#[derive(Debug, Clone, Copy)]
struct Mix {
    deaths: u64,
    reboots: u64,
    clock: u64,
    disk: u64,
}

/// Lives one seed to its end; panics when something does not hold.
pub(crate) fn live(seed: u64, trace: bool) {
    let mut rng = Rng::of(seed, "seed");
    let lanes = rng.pick(&[1, 2, 4, 16]);
    let mut machine = Machine::new(seed, lanes, scenario::script);
    machine.trace = trace;
    let rough = rng.chance(70);
    machine.keep = rng.chance(8).then(|| Span::from_secs(rng.pick(&[3600, 86_400])));
    let mix = |rng: &mut Rng, most| if rough && rng.chance(60) { rng.below(most) } else { 0 };
    let faults = Mix {
        deaths: mix(&mut rng, 20),
        reboots: mix(&mut rng, 3),
        clock: mix(&mut rng, 10),
        disk: mix(&mut rng, 15),
    };
    {
        let mut world = lock(&machine.world);
        world.messengers =
            Messengers { twice: mix(&mut rng, 40), slow: mix(&mut rng, 20), stale: mix(&mut rng, 100) };
        world.twice = rough && rng.chance(10);
        world.fuzz_ns = if rng.chance(30) { 456_789 } else { 0 };
    }
    machine.mint.repeats.store(mix(&mut rng, 10), Relaxed);
    ask(&mut machine, &mut rng);
    for _ in 0..60 + rng.below(100) {
        go_wrong(&mut machine, &mut rng, faults);
        if rng.chance(25) {
            ask(&mut machine, &mut rng);
        }
        machine.next(machine.mono() + HOUR_MS);
    }
    settle(&mut machine);
}

/// Somebody asks for something soon, sometimes twice.
fn ask(machine: &mut Machine, rng: &mut Rng) {
    // Mostly about jobs that live, since the others refuse everything.
    let any = rng.chance(15);
    let told = machine.model.jobs.values().filter(|told| any || told.job.is_live());
    let jobs: Vec<(JobId, u32)> = told.map(|told| (told.job.id, told.job.revision)).collect();
    let now = Timestamp::from_millisecond(machine.now().as_millisecond()).expect("an instant");
    let open = machine.model.tasks.values().filter(|task| task.is_open());
    let open: Vec<TaskId> = open.map(|task| task.id).collect();
    let write = if jobs.len() < 2 {
        scenario::add(rng, now)
    } else if !open.is_empty() && rng.chance(6) {
        Write::CancelRuns(vec![rng.pick(&open)])
    } else {
        scenario::write(rng, &jobs, now)
    };
    let key = rng.chance(80).then(|| format!("key {}", rng.bits()));
    let at = machine.mono() + rng.pick(&[0, 0, 10, 1000, 30_000]);
    let request = Request { write, key, at };
    if request.key.is_some() && rng.chance(15) {
        let again = at + rng.pick(&[0, 5, 5000]);
        machine.requests.push(Request { at: again, ..request.clone() });
    }
    machine.requests.push(request);
}

fn go_wrong(machine: &mut Machine, rng: &mut Rng, faults: Mix) {
    if rng.chance(faults.deaths) {
        machine.fuse.light(rng.below(12));
    }
    if rng.chance(faults.deaths / 4) && machine.is_up() {
        machine.kill(rng.pick(&[0, 100, 10_000, 600_000]));
    }
    if rng.chance(faults.reboots) {
        machine.say(|| "the machine reboots".to_owned());
        machine.kill(20_000);
        if rng.chance(30) {
            lock(&machine.world).power_cut(rng);
        } else {
            lock(&machine.world).reboot();
        }
    }
    if rng.chance(faults.clock) {
        // A suspended machine looks like a clock that was put forward.
        let step = rng.pick(&[-3_600_000, -60_000, -1000, 500, 1000, 60_000, 3_600_000, 700_000_000]);
        machine.say(|| format!("the clock steps by {step} ms"));
        lock(&machine.world).skew += step;
        if machine.is_up() {
            machine.step(true);
        }
    }
    if rng.chance(faults.disk) {
        let places = rng.below(8);
        let trouble = rng.pick(&[
            Trouble::BusyBegin(2),
            Trouble::BusyBegin(9),
            Trouble::BusyCommit,
            Trouble::FullAt(u32::try_from(places).expect("small")),
            Trouble::FullCommit,
            Trouble::UnsureDone,
            Trouble::UnsureUndone,
        ]);
        machine.say(|| format!("the disk: {trouble:?}"));
        machine.trouble(Some(trouble));
    }
}

/// Nothing goes wrong any more: everything that is bounded ends, and everything that was asked is answered.
fn settle(machine: &mut Machine) {
    machine.say(|| "from here on nothing goes wrong".to_owned());
    machine.fuse.douse();
    machine.mint.repeats.store(0, Relaxed);
    machine.trouble(None);
    lock(&machine.world).messengers = Messengers::default();
    run_until_answered(machine);
    if let Some(keep) = machine.keep {
        grow_old(machine, keep);
    }
    let last_word = |machine: &mut Machine, name: &str, write| {
        let at = machine.mono();
        machine.requests.push(Request { write, key: Some(name.to_owned()), at });
        run_until_answered(machine);
    };
    last_word(machine, "resume", Write::Resume { jobs: Jobs::All, by: Voice::Person });
    // One by one: whichever ends by itself in that moment is too late to cancel, and would keep the others.
    for job in endless(machine) {
        last_word(machine, &format!("cancel {job}"), Write::Cancel(Jobs::These(vec![job])));
    }
    come_to_rest(machine);
}

/// Lives on for a while, and then so long after it that what is over is forgotten.
///
/// The daemon that comes next keeps everything: one that forgets is woken for ever.
fn grow_old(machine: &mut Machine, keep: Span) {
    for _ in 0..400 {
        machine.next(machine.mono() + HOUR_MS);
    }
    lock(&machine.world).skew += 2 * i64::try_from(keep.as_ms()).expect("a few days");
    for _ in 0..4 {
        machine.next(machine.mono() + HOUR_MS);
    }
    machine.keep = None;
    machine.kill(0);
}

/// Lives on until nothing happens any more, and looks at what is left.
pub(crate) fn come_to_rest(machine: &mut Machine) {
    for round in 0.. {
        assert!(round < 20_000, "it does not come to rest: {:#?}", machine.model);
        if !machine.next(machine.mono() + 40 * 86_400_000) {
            break;
        }
        // A breaker that opened is closed by hand, so that the job comes to its end.
        let paused: Vec<JobId> = standing(machine, |told| matches!(told.job.state, job::State::Paused(_)));
        if !paused.is_empty() && machine.requests.is_empty() {
            let key = Some(format!("again {round}"));
            let at = machine.mono();
            machine.requests.push(Request { write: Write::Cancel(Jobs::These(paused)), key, at });
        }
    }
    let live = standing(machine, |told| told.job.is_live());
    assert!(live.is_empty(), "{live:?} never end: {:#?}", machine.model);
    let open: Vec<_> = machine.model.tasks.values().filter(|task| task.is_open()).collect();
    assert!(open.is_empty(), "{open:#?} stay open");
    super::history::check(machine);
}

pub(crate) fn run_until_answered(machine: &mut Machine) {
    for round in 0.. {
        assert!(round < 20_000, "nobody answers");
        if machine.requests.is_empty() && machine.is_up() {
            return;
        }
        machine.next(machine.mono() + HOUR_MS);
    }
}

fn standing(machine: &Machine, which: impl Fn(&super::model::Told) -> bool) -> Vec<JobId> {
    machine.model.jobs.iter().filter(|(_, told)| which(told)).map(|(id, _)| *id).collect()
}

/// The jobs that only a person ends.
fn endless(machine: &Machine) -> Vec<JobId> {
    standing(machine, |told| {
        let definition = told.definition();
        let limits = &definition.limits;
        let timed = limits.deadline.is_some() || definition.ends_at.is_some();
        let idle = !definition.schedule.repeats() && !definition.schedule.is_once();
        told.job.is_live() && !timed && (definition.is_unbounded() || idle)
    })
}

/// Lives every seed of `seeds`; answers the first that fails and why.
pub(crate) fn live_all(seeds: impl Iterator<Item = u64>) -> Option<(u64, String)> {
    for seed in seeds {
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| live(seed, false))) {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            return Some((seed, text.unwrap_or_else(|| "a panic without words".to_owned())));
        }
    }
    None
}
