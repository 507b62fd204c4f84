//! How attempts ended for the engine, against how they really did.

use converge::core::process::ProcessKey;
use converge::core::reason::EndReason;
use converge::core::task::exit::Exit;
use converge::core::task::{Origin, Phase, State, Task};

use super::process::Life;
use super::world::World;

/// Whether the newest attempt of a task could not do its work, as its agent says.
pub(crate) fn could_not_work(task: &Task) -> bool {
    let State::Running { phase: Phase::Evaluating(evaluating), .. } = &task.state else { return false };
    matches!(
        evaluating.exit.reason,
        EndReason::Quota
            | EndReason::RateLimit
            | EndReason::Overloaded
            | EndReason::Network
            | EndReason::SessionMissing
            | EndReason::ContextFull
            | EndReason::AgentMissing
            | EndReason::Auth
            | EndReason::ModelMissing
    )
}

/// What a task is being ended for.
pub(crate) fn stopped_for(task: &Task) -> Option<EndReason> {
    if let State::Running { phase: Phase::Stopping { reason, .. }, .. } = task.state {
        Some(reason)
    } else {
        None
    }
}

/// An attempt ended for the engine as it ended in the world.
pub(crate) fn exited(
    world: &World,
    key: ProcessKey,
    exit: &Exit,
    (origin, stopped): (Origin, Option<EndReason>),
) {
    let process = world.processes.get(&key);
    let really = match process.map(|process| &process.life) {
        // Whatever is there is of a run that was forgotten, whose id came again.
        _ if origin == Origin::Zero => Exit::without_process(EndReason::ChecksOnly),
        Some(Life::Done(outcome)) => Exit::of(outcome),
        Some(Life::Killed | Life::Wiped) => Exit::without_process(EndReason::Lost),
        other => panic!("{key} ended by {exit:?}, and in the world it is {other:?}"),
    };
    let really = Exit { reason: stopped.unwrap_or(really.reason), ..really };
    assert_eq!(*exit, really, "{key} ended as it really did");
}
