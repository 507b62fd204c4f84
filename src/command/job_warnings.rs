//! Warnings about jobs: what somebody should know who sees one.

use crate::command::page::{Page, Tone};
use crate::command::view::JobView;
use crate::command::{assign, target};
use crate::core::condition::Condition;
use crate::core::definition::Definition;
use crate::core::job::Job;

impl JobView {
    /// Its state on a page, with a mark when its agent may do anything.
    pub fn state_on(&self, page: &Page) -> String {
        let state = page.state(&self.state);
        if self.permissions.as_deref() == Some(assign::FULL) {
            format!("{state} {}", page.tone("[full]", Tone::Bad))
        } else {
            state
        }
    }
}

/// What somebody should know about a job that is live.
pub fn of(job: &Job, definition: &Definition) -> Vec<String> {
    let mut warnings = Vec::new();
    if job.is_live() && definition.is_unbounded() {
        let ends = if definition.goal.is_some() {
            "only its condition ends it"
        } else {
            "it runs until it is cancelled"
        };
        warnings.push(format!("unbounded: {ends}; bound it with --max-runs, --max-hours or --ends-at"));
    }
    if job.is_live() && target::is_full(&definition.target) {
        warnings.push("its agent may do anything, unasked (`--permissions full`)".to_owned());
    }
    if job.is_live() && definition.target.assignment().is_some() && is_only_exit(definition) {
        warnings.push(
            "`exit 0` says that the agent worked, not that the work is done: add a check, such as \
             `--check 'tests: cargo test'`"
                .to_owned(),
        );
    }
    warnings
}

/// Whether nothing but the exit of the run itself says that the job is done.
fn is_only_exit(definition: &Definition) -> bool {
    let mut criteria =
        definition.goal.iter().flat_map(|goal| &goal.criteria).map(|criterion| &criterion.condition);
    matches!((criteria.next(), criteria.next()), (Some(Condition::ExitCode(0)), None))
}
