//! Inside a run: what a process there may do about jobs.
//!
//! This bounds mistakes of agents; a hostile process of the same user could do without us.

use crate::command::Context;
use crate::core::definition::RunsMay;
use crate::core::refusal::{Code, Refusal};
use crate::store::{jobs, tasks};

/// Refuses a change from inside a run, unless the run's job lets its runs change jobs.
pub fn refuse(cx: &Context<'_>) -> Result<(), Refusal> {
    let Some(key) = cx.caller.inside else { return Ok(()) };
    let definition = cx.read(|tx| {
        let task = tasks::get(tx, key.task)?.map(|stored| stored.task);
        task.map(|task| jobs::definition(tx, task.job, task.revision)).transpose()
    })?;
    if definition.flatten().is_some_and(|definition| definition.runs_may == RunsMay::Change) {
        return Ok(());
    }
    let message =
        format!("this comes from inside run {}, which may look and wait, and not change jobs", key.task);
    let hint = "say in your result what should be changed; a person lets runs do it with `--runs-may change`";
    Err(Refusal::new(Code::Denied, message).hint(hint))
}
