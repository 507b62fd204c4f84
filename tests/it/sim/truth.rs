//! Whether a goal is met, by what really happened; a second opinion on the core's evaluation.

use converge::core::class::Class;
use converge::core::condition::fact::Need;
use converge::core::condition::{Condition, Operator};
use converge::core::goal::Goal;
use converge::core::process::{CheckTry, Cut, Ending, Outcome, ProcessKey};

use super::process::Life;
use super::world::World;

/// Whether attempt `key` met `goal`. `zero` says that the attempt was never to run anything.
pub(crate) fn is_met(goal: &Goal, world: &World, key: ProcessKey, zero: bool) -> bool {
    let looked_at = zero || outcome(world, key).is_some_and(was_looked_at) && is_looked_at(world, key);
    let needs = goal.needs();
    let met = |condition| holds(condition, world, key, &needs) == Some(true);
    looked_at && goal.criteria.iter().all(|criterion| met(&criterion.condition))
}

/// Whether the attempt could do its work, as its agent says.
fn is_looked_at(world: &World, key: ProcessKey) -> bool {
    let Some(class) = class(world, key) else { return true };
    !matches!(
        class,
        Class::Auth
            | Class::Quota
            | Class::RateLimit
            | Class::Overloaded
            | Class::Network
            | Class::ModelMissing
            | Class::SessionMissing
    )
}

/// What the agent of an attempt came to, when it is one and ended by itself.
fn class(world: &World, key: ProcessKey) -> Option<Class> {
    let process = world.processes.get(&key).filter(|process| process.is_agent)?;
    match outcome(world, key)? {
        Outcome { ending: Ending::Exited(_), cut: None, .. } => Some(process.script.says.class),
        Outcome { .. } => None,
    }
}

fn was_looked_at(outcome: &Outcome) -> bool {
    outcome.ending.hindrance().is_none() && outcome.cut != Some(Cut::Told)
}

/// How the process of `key` ended, if it did.
pub(crate) fn outcome(world: &World, key: ProcessKey) -> Option<&Outcome> {
    match &world.processes.get(&key)?.life {
        Life::Done(outcome) => Some(outcome),
        Life::Launched
        | Life::Locked
        | Life::Alive
        | Life::Killed
        | Life::Wiped
        | Life::Gone
        | Life::Revoked => None,
    }
}

fn exit(world: &World, key: ProcessKey) -> Option<i32> {
    match outcome(world, key)? {
        Outcome { ending: Ending::Exited(code), cut: None, .. } => match class(world, key) {
            // With another class an exit code says nothing, and one that says success contradicts a failure.
            None | Some(Class::Done) => Some(*code),
            Some(Class::Failed) if *code != 0 => Some(*code),
            Some(_) => None,
        },
        Outcome { .. } => None,
    }
}

/// Whether a condition holds, if anybody can know.
fn holds(condition: &Condition, world: &World, key: ProcessKey, needs: &[Need]) -> Option<bool> {
    let wrote = |text: &str| exit(world, key).map(|_| world.output(key).contains(text));
    match condition {
        Condition::ExitCode(code) => exit(world, key).map(|exit| exit == *code),
        Condition::Matches(pattern) => wrote(pattern.source()),
        Condition::Contains(text) => wrote(text),
        Condition::File(path) => Some(world.file_exists(key, path)),
        Condition::Check(line) => {
            let place = needs.iter().position(|need| *need == Need::Check(line.clone()))?;
            let need = u16::try_from(place).expect("few needs");
            let tries = (1..=9).map(|number| ProcessKey { check: Some(CheckTry { need, number }), ..key });
            let mut ended = tries.filter_map(|key| outcome(world, key).map(|_| key));
            exit(world, ended.next()?).map(|code| code == 0)
        }
        Condition::Not(inner) => holds(inner, world, key, needs).map(|held| !held),
        Condition::Compound { operator, conditions } => {
            let decides = *operator == Operator::Any;
            let members: Vec<_> = conditions.iter().map(|member| holds(member, world, key, needs)).collect();
            if members.contains(&Some(decides)) {
                Some(decides)
            } else {
                members.iter().all(Option::is_some).then_some(!decides)
            }
        }
    }
}
