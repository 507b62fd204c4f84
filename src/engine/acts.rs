//! Actions: what is to be done about a task, as it follows from its row.

use std::path::PathBuf;

use serde_json::json;

use crate::core::definition::{Definition, Target};
use crate::core::id::TaskId;
use crate::core::job::Job;
use crate::core::job::verdict::brief;
use crate::core::process::{Bounds, Command, Control, ProcessKey};
use crate::core::span::Span;
use crate::core::task::conclude::Wanted;
use crate::core::task::{End, Phase, State, Task};
use crate::engine::Settings;
use crate::engine::environment;
use crate::engine::ports::{Execute, Inspect, Launch, Stdin, Tidy};
use crate::store::jobs;
use crate::store::tx::{StoreError, Tx};

/// Something to be done after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a process.
    Launch(Box<Launch>),
    /// End one.
    Stop(ProcessKey),
    /// Put one under other bounds.
    Control(ProcessKey, Control),
    /// Find out what became of one.
    Look(ProcessKey),
    /// Find out facts.
    Inspect(Inspect),
    /// Put files in their final form.
    Tidy(Tidy),
    /// Remove files.
    Discard(Vec<TaskId>),
}

/// How long a check may take.
const CHECK_WALL: Span = Span::from_secs(600);

/// How much a check may write to one stream.
const CHECK_OUTPUT_BYTES: u64 = 64 << 20;

/// What is to be done about a task that has just changed.
pub fn of_task(
    tx: &mut dyn Tx,
    task: &Task,
    contract: &Definition,
    settings: &Settings,
) -> Result<Option<Action>, StoreError> {
    let action = match &task.state {
        State::Claimed { .. } => attempt(tx, task, contract, settings)?,
        State::Running { phase: Phase::Evaluating(_), .. } => match task.wanted(contract) {
            Wanted::Facts(needs) => {
                Action::Inspect(Inspect { key: task.attempt_key(), cwd: PathBuf::from(&contract.cwd), needs })
            }
            Wanted::Check { line, .. } => check(tx, task, contract, settings, line)?,
            Wanted::Nothing => return Ok(None),
        },
        State::Running { phase: Phase::Stopping { .. }, .. } => match task.process(contract) {
            Some(key) => Action::Stop(key),
            None => return Ok(None),
        },
        State::Running { phase: Phase::Executing, .. }
        | State::Pending { .. }
        | State::Ended(_)
        | State::Skipped(_) => return Ok(None),
    };
    Ok(Some(action))
}

/// What is to be asked about a task that an earlier engine left under way.
///
/// A process that is being stopped is stopped again, after it was found, and one whose job was updated
/// while it ran is told its bounds again.
pub fn recovery(tx: &mut dyn Tx, task: &Task) -> Result<Vec<Action>, StoreError> {
    let Some(contract) = jobs::definition(tx, task.job, task.revision)? else {
        return Err(StoreError::BadRow {
            table: "revisions",
            problem: format!("{} lacks a revision", task.job),
        });
    };
    let Some(key) = task.process(&contract) else {
        return Ok(match task.wanted(&contract) {
            Wanted::Facts(needs) => {
                vec![Action::Inspect(Inspect {
                    key: task.attempt_key(),
                    cwd: PathBuf::from(&contract.cwd),
                    needs,
                })]
            }
            Wanted::Check { .. } | Wanted::Nothing => Vec::new(),
        });
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

fn attempt(
    tx: &mut dyn Tx,
    task: &Task,
    contract: &Definition,
    settings: &Settings,
) -> Result<Action, StoreError> {
    let stored = job(tx, task)?;
    let execute = match &contract.target {
        Target::Command(command) => Execute::Command(command.clone()),
        Target::Agent(_) => Execute::Nothing { cause: "no agents yet".to_owned() },
    };
    let launch = Launch {
        key: task.attempt_key(),
        execute,
        cwd: PathBuf::from(&contract.cwd),
        env: environment::of_run(task, &stored.job, contract, settings),
        pass: contract.environment.pass.clone(),
        env_file: contract.environment.env_file.as_ref().map(PathBuf::from),
        control: control(&stored),
        last: environment::last_document(&stored.job, settings),
        prompt: None,
        stdin: Stdin::Nothing,
        progress: None,
    };
    Ok(Action::Launch(Box::new(launch)))
}

fn check(
    tx: &mut dyn Tx,
    task: &Task,
    contract: &Definition,
    settings: &Settings,
    line: String,
) -> Result<Action, StoreError> {
    let bounds = Bounds {
        wall: Some(CHECK_WALL),
        idle: None,
        memory_bytes: contract.bounds.memory_bytes,
        output_bytes: CHECK_OUTPUT_BYTES,
        grace: contract.bounds.grace,
    };
    let launch = Launch {
        key: task.process(contract).expect("a wanted check has a name"),
        execute: Execute::Command(Command::Shell(line)),
        cwd: PathBuf::from(&contract.cwd),
        env: environment::of_run(task, &job(tx, task)?.job, contract, settings),
        pass: contract.environment.pass.clone(),
        env_file: contract.environment.env_file.as_ref().map(PathBuf::from),
        control: Control { bounds, cut_at: None },
        last: None,
        prompt: None,
        stdin: Stdin::Nothing,
        progress: None,
    };
    Ok(Action::Launch(Box::new(launch)))
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
    let brief = brief(task.id, task.claims, task.number, end);
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
        "attempts": task.tries,
        "criteria": end.findings.as_ref().map(|findings| &findings.criteria),
        "job_state": job.state.word(),
        "cwd": contract.cwd,
    });
    serde_json::to_string_pretty(&document).expect("a document is plain data")
}
