//! What a run is told: the variables of its environment and the document about the runs before.

use std::collections::BTreeMap;

use serde_json::json;

use crate::core::definition::Definition;
use crate::core::job::{Brief, Job};
use crate::core::process::ProcessKey;
use crate::core::process::files::SAID;
use crate::core::task::evidence::Evidence;
use crate::core::task::{Evaluating, Phase, State, Task};
use crate::engine::Settings;

/// The variables of a run's process, and of its checks.
pub fn of_run(
    task: &Task,
    job: &Job,
    contract: &Definition,
    settings: &Settings,
) -> BTreeMap<String, String> {
    let mut env = contract.environment.captured.clone();
    let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
    if let Some(home) = settings.runs_dir.parent() {
        set("CONVERGE_HOME", home.display().to_string());
    }
    set("CONVERGE_JOB", job.id.to_string());
    set("CONVERGE_JOB_NAME", job.name.clone());
    set("CONVERGE_RUN", task.id.to_string());
    set("CONVERGE_RUN_NUMBER", task.number.to_string());
    if let Some(slot) = task.slot {
        set("CONVERGE_SLOT", format!("{slot:.3}"));
    }
    if let State::Running { phase: Phase::Evaluating(Evaluating { exit, .. }), .. } = &task.state
        && let Some(code) = exit.code
    {
        set("CONVERGE_EXIT_CODE", code.to_string());
    }
    if let State::Running { phase: Phase::Evaluating(evaluating), .. } = &task.state
        && evaluating.reading.is_some()
        && evaluating.evidence(contract) == Evidence::Answer
    {
        let said = settings.runs_dir.join(task.attempt_key().directory()).join(SAID);
        set("CONVERGE_RESULT", said.display().to_string());
    }
    for (word, brief) in [("LAST", &job.last), ("LAST_FAILURE", &job.last_failure)] {
        let Some(brief) = brief else { continue };
        set(&format!("CONVERGE_{word}_RUN"), brief.run.to_string());
        set(&format!("CONVERGE_{word}_STATE"), brief.state_word().to_owned());
        set(&format!("CONVERGE_{word}_REASON"), brief.reason.to_string());
        set(&format!("CONVERGE_{word}_OUTPUT"), output_path(brief, settings));
        if let Some(code) = brief.code {
            set(&format!("CONVERGE_{word}_EXIT_CODE"), code.to_string());
        }
        if let Some(unmet) = &brief.unmet {
            set(&format!("CONVERGE_{word}_UNMET"), unmet.clone());
        }
    }
    env
}

/// The runs before, as the document that a run finds at `CONVERGE_LAST_FILE`; it says what the variables say,
/// in the words that every surface has.
pub fn last_document(job: &Job, settings: &Settings) -> Option<String> {
    let last = job.last.as_ref()?;
    let told = |brief: &Brief| {
        json!({
            "run": brief.run,
            "number": brief.number,
            "state": brief.state_word(),
            "reason": brief.reason,
            "exit_code": brief.code,
            "unmet": brief.unmet,
            "output": output_path(brief, settings),
            "finished_at": format!("{:.3}", brief.ended_at),
        })
    };
    let document = json!({
        "last": told(last),
        "last_failure": job.last_failure.as_ref().map(told),
        "runs": job.runs,
    });
    Some(serde_json::to_string_pretty(&document).expect("a document is plain data"))
}

/// What the names in a prompt stand for, but for what the run before said.
pub fn prompt_values(task: &Task, job: &Job, contract: &Definition) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut set = |name: &str, value: String| values.insert(name.to_owned(), value);
    set("job.name", job.name.clone());
    set("job.id", job.id.to_string());
    set("run.id", task.id.to_string());
    set("run.number", task.number.to_string());
    if let Some(slot) = task.slot {
        set("slot", format!("{slot:.0}"));
    }
    let criteria = contract.goal.iter().flat_map(|goal| &goal.criteria);
    let criteria: Vec<String> =
        criteria.map(|criterion| format!("{}: {}", criterion.name, criterion.condition)).collect();
    set("goal", criteria.join("\n"));
    if let Some(feedback) = feedback(job) {
        set("feedback", feedback);
    }
    if let Some(last) = &job.last {
        set("last.state", last.state_word().replace('_', " "));
        set("last.reason", last.reason.word().replace('_', " "));
        set("last.exit_code", last.code.map(|code| code.to_string()).unwrap_or_default());
        set("last.unmet", last.unmet.clone().unwrap_or_default());
    }
    values
}

/// What the checks found lacking after the run before.
pub fn feedback(job: &Job) -> Option<String> {
    let last = job.last.as_ref()?;
    let unmet = last.unmet.as_ref()?;
    let by = if last.number == 0 {
        "Before the first run".to_owned()
    } else {
        format!("After run {}, the one before this", last.number)
    };
    Some(format!("{by}, checks that are not yours to change found: {unmet}"))
}

/// The attempt that a run ended with.
pub fn attempt_of(brief: &Brief) -> ProcessKey {
    ProcessKey::attempt(brief.run, brief.attempt)
}

fn output_path(brief: &Brief, settings: &Settings) -> String {
    let directory = attempt_of(brief).directory();
    settings.runs_dir.join(directory).join("stdout").display().to_string()
}
