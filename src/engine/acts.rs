//! Actions: what is to be done about a task, as it follows from its row.

use std::path::PathBuf;

use serde_json::json;

use crate::core::definition::Definition;
use crate::core::id::TaskId;
use crate::core::job::{Brief, Job};
use crate::core::process::{Control, ProcessKey};
use crate::core::task::conclude::Wanted;
use crate::core::task::{End, Evaluating, Phase, State, Task};
use crate::engine::launch::{self, Known};
use crate::engine::ports::{Inspect, Launch, Read, Tidy};
use crate::store::tx::{StoreError, Tx};
use crate::store::{attempts, jobs};

/// Something to be done after the commit.
#[derive(Debug, Clone)]
pub enum Action {
    /// Start a process.
    Launch(Box<Launch>),
    /// End one.
    Stop(ProcessKey),
    /// Put one under other bounds.
    Control(ProcessKey, Control),
    /// Find out what became of one.
    Look(ProcessKey),
    /// Find out what an agent's output says.
    Read(Box<Read>),
    /// Find out facts.
    Inspect(Inspect),
    /// Put files in their final form.
    Tidy(Tidy),
    /// Remove files.
    Discard(Vec<TaskId>),
}

/// What is to be done about a task that has just changed.
pub fn of_task(
    tx: &mut dyn Tx,
    task: &Task,
    contract: &Definition,
    known: Known<'_>,
) -> Result<Option<Action>, StoreError> {
    let action = match &task.state {
        State::Claimed { .. } => {
            Action::Launch(Box::new(launch::attempt(task, &job(tx, task)?, contract, known)))
        }
        State::Running { phase: Phase::Evaluating(evaluating), .. } => match task.wanted(contract) {
            Wanted::Check { line, .. } => {
                Action::Launch(Box::new(launch::check(task, &job(tx, task)?, contract, (known, line))))
            }
            // It is being read already.
            Wanted::Reading if evaluating.recalled.is_some() => return Ok(None),
            Wanted::Reading | Wanted::Facts(_) | Wanted::Nothing => {
                return of_files(tx, task, contract, known);
            }
        },
        State::Running { phase: Phase::Stopping { .. }, .. } => match task.process(contract) {
            Some(key) => Action::Stop(key),
            None => return Ok(None),
        },
        State::Running { phase: Phase::Executing, .. }
        | State::Pending { .. }
        | State::Waiting { .. }
        | State::Ended(_)
        | State::Skipped(_) => return Ok(None),
    };
    Ok(Some(action))
}

/// What is to be found out about an attempt from its files.
fn of_files(
    tx: &mut dyn Tx,
    task: &Task,
    contract: &Definition,
    known: Known<'_>,
) -> Result<Option<Action>, StoreError> {
    let key = task.attempt_key();
    Ok(match task.wanted(contract) {
        Wanted::Facts(needs) => {
            let State::Running { phase: Phase::Evaluating(evaluating), .. } = &task.state else {
                return Ok(None);
            };
            let evidence = evaluating.evidence(contract);
            Some(Action::Inspect(Inspect { key, evidence, cwd: PathBuf::from(&contract.cwd), needs }))
        }
        Wanted::Reading => {
            let (State::Running { phase: Phase::Evaluating(Evaluating { exit, .. }), .. }, Some(assignment)) =
                (&task.state, contract.target.assignment())
            else {
                return Ok(None);
            };
            let candidate = task.course.candidate(assignment);
            let ended = attempts::of_task(tx, task.id)?.pop();
            Some(Action::Read(Box::new(Read {
                key,
                manifest: known.agents.find(&candidate.agent),
                prices: known.agents.prices(),
                from: task.course.continued(candidate).cloned(),
                candidate: candidate.clone(),
                schema: assignment.schema.clone(),
                ending: exit.ending(),
                cut: exit.cut(),
                ended_at: ended.map_or(known.now, |ended| ended.ended_at),
            })))
        }
        Wanted::Check { .. } | Wanted::Nothing => None,
    })
}

/// What is to be asked about a task that an earlier engine left under way.
///
/// A process that is being stopped is stopped again, after it was found, and one whose job was updated
/// while it ran is told its bounds again.
pub fn recovery(tx: &mut dyn Tx, task: &Task, known: Known<'_>) -> Result<Vec<Action>, StoreError> {
    let Some(contract) = jobs::definition(tx, task.job, task.revision)? else {
        return Err(StoreError::BadRow {
            table: "revisions",
            problem: format!("{} lacks a revision", task.job),
        });
    };
    let Some(key) = task.process(&contract) else {
        return Ok(of_files(tx, task, &contract, known)?.into_iter().collect());
    };
    let stop = matches!(task.state, State::Running { phase: Phase::Stopping { .. }, .. })
        .then_some(Action::Stop(key));
    let updated = match jobs::get(tx, task.job)? {
        Some(stored) if stored.job.revision != task.revision => of_update(task, &stored),
        Some(_) | None => None,
    };
    Ok([Some(Action::Look(key)), stop, updated].into_iter().flatten().collect())
}

/// What is to be done about a task whose job was updated: an attempt under way gets the new bounds.
pub fn of_update(task: &Task, stored: &jobs::Stored) -> Option<Action> {
    match &task.state {
        State::Claimed { .. } | State::Running { phase: Phase::Executing, .. } => {
            Some(Action::Control(task.attempt_key(), control(stored)))
        }
        State::Running { phase: Phase::Evaluating(_) | Phase::Stopping { .. }, .. }
        | State::Pending { .. }
        | State::Waiting { .. }
        | State::Ended(_)
        | State::Skipped(_) => None,
    }
}

/// What bounds an attempt of this job: always as its newest revision says, whatever the attempt follows else.
///
/// The job's own limits are in it, so that they cut a run even when no daemon is there to see it.
pub fn control(stored: &jobs::Stored) -> Control {
    let jobs::Stored { job, definition, .. } = stored;
    Control { bounds: definition.bounds.clone(), cut_at: job.cut_at(definition) }
}

/// What was to be done about a run that is over, and may not have been.
pub fn recovery_of_ended(tx: &mut dyn Tx, task: &Task) -> Result<Option<Action>, StoreError> {
    let contract = jobs::definition(tx, task.job, task.revision)?;
    let job = jobs::get(tx, task.job)?;
    let (Some(contract), Some(stored)) = (contract, job) else { return Ok(None) };
    Ok((task.claims > 0).then(|| Action::Tidy(tidy(task, &contract, Some(&stored.job)))))
}

fn job(tx: &mut dyn Tx, task: &Task) -> Result<jobs::Stored, StoreError> {
    match jobs::get(tx, task.job)? {
        Some(stored) => Ok(stored),
        None => Err(StoreError::BadRow { table: "tasks", problem: format!("{} has no job", task.id) }),
    }
}

/// What is to be done with the files of a task's last attempt; `over` is its job once the task is.
pub fn tidy(task: &Task, contract: &Definition, over: Option<&Job>) -> Tidy {
    let result = match (&task.state, over) {
        (State::Ended(end), Some(job)) => Some(result_document(task, end, job, contract)),
        _ => None,
    };
    Tidy { key: task.attempt_key(), result }
}

fn result_document(task: &Task, end: &End, job: &Job, contract: &Definition) -> String {
    let brief = Brief::of(task, end);
    let document = json!({
        "run": task.id,
        "job": job.id,
        "name": job.name,
        "number": task.number,
        "slot_at": task.slot.map(|slot| format!("{slot:.3}")),
        "state": brief.state_word(),
        "reason": brief.reason,
        "exit_code": brief.code,
        "signal": end.exit.signal,
        "finished_at": format!("{:.3}", end.at),
        "attempts": task.attempts(),
        "spent": (!task.course.spent.is_nothing()).then_some(&task.course.spent),
        "session": task.course.latest.as_ref().map(|latest| &latest.id),
        "criteria": end.findings.as_ref().map(|findings| &findings.criteria),
        "job_state": job.state.word(),
        "cwd": contract.cwd,
    });
    serde_json::to_string_pretty(&document).expect("a document is plain data")
}
