//! What is looked at once, at the end of a life.

use std::collections::BTreeMap;

use converge::core::class::Class;
use converge::core::id::JobId;
use converge::core::process::ProcessKey;
use converge::core::reason::EndReason;
use converge::core::task::exit::Exit;
use converge::store::attempts::{self, Attempt};
use converge::store::tx::Database;
use jiff::Timestamp;

use super::machine::Machine;
use super::ports::lock;
use super::process::Life;
use super::truth;
use super::world::World;

/// Looks at all that was kept about runs that are over.
pub(crate) fn check(machine: &Machine) {
    slots_are_apart(machine);
    let world = lock(&machine.world);
    let mut disk = lock(&machine.disk);
    let gone = |life: &Life| !matches!(life, Life::Launched | Life::Locked | Life::Alive);
    for (key, process) in &world.processes {
        assert!(gone(&process.life), "{key} is still there: {process:?}");
    }
    for task in machine.model.tasks.values() {
        let kept = attempts::of_task(disk.sqlite.tx(), task.id).expect("attempts are read");
        let kept: BTreeMap<u32, _> = kept.into_iter().map(|attempt| (attempt.number, attempt)).collect();
        assert!(task.claims == 0 || world.results.contains(&task.id), "{} has no result.json", task.id);
        for number in 1..=task.claims {
            let key = ProcessKey::attempt(task.id, number);
            let really = truth::outcome(&world, key).map(|outcome| {
                let exit = Exit::of(outcome);
                let exit = kept.get(&number).and_then(|kept| read(&world, key, &exit, kept)).unwrap_or(exit);
                (exit.reason.word().to_owned(), exit.code.map(i64::from), outcome.cpu_ms)
            });
            let is_killed = world
                .processes
                .get(&key)
                .is_some_and(|process| matches!(process.life, Life::Killed | Life::Wiped));
            let really = really.or_else(|| is_killed.then(|| ("lost".to_owned(), None, 0)));
            let told = kept.get(&number);
            let told = told.map(|kept| (kept.reason.clone(), kept.exit_code, kept.cpu_ms));
            // What was wiped before its start was told looks as if it had never started.
            let is_wiped = world.processes.get(&key).is_some_and(|process| process.life == Life::Wiped);
            if is_wiped && told.is_none() {
                continue;
            }
            assert_eq!(told, really, "the record of {key}");
        }
    }
}

/// How an attempt ended once what its agent wrote was read, which must be what it really wrote.
fn read(world: &World, key: ProcessKey, exit: &Exit, kept: &Attempt) -> Option<Exit> {
    let reading = kept.reading.as_ref()?;
    // It may have been told to end when it just had.
    let is_told = kept.reason == EndReason::Cancelled.word();
    let by_itself = exit.cut().is_none() && exit.code.is_some() && !is_told;
    let says = world.processes[&key].script.says.class;
    assert_eq!(reading.class, if by_itself { says } else { Class::Crashed }, "what {key} says");
    let after = exit.after(reading);
    Some(if is_told { Exit { reason: EndReason::Cancelled, ..after } } else { after })
}

/// No slot of a job has two rows, counting each that a skipped row stands for.
fn slots_are_apart(machine: &Machine) {
    let mut slots: BTreeMap<JobId, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
    for task in machine.model.tasks.values() {
        slots.entry(task.job).or_default().extend(task.slot.map(|slot| (slot, slot)));
    }
    for ((job, first), skipped) in &machine.model.skips {
        slots.entry(*job).or_default().push((*first, skipped.last));
    }
    for (job, mut slots) in slots {
        slots.sort();
        for pair in slots.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{job} has slots twice: {pair:?}");
        }
    }
}
