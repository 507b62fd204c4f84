//! What a run is told: the variables of its environment and the document about the runs before.

use std::collections::BTreeMap;

use serde_json::json;

use crate::core::definition::Definition;
use crate::core::job::{Brief, Job};
use crate::core::process::ProcessKey;
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

fn output_path(brief: &Brief, settings: &Settings) -> String {
    let directory = ProcessKey::attempt(brief.run, brief.attempt).directory();
    settings.runs_dir.join(directory).join("stdout").display().to_string()
}
