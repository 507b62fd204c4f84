//! The caller: the agent in whose shell a command is typed, as it tells by its variables.
#![expect(
    clippy::disallowed_methods,
    reason = "what an agent tells those whom it starts is in the environment"
)]

use crate::client::preface::Own;
use crate::command::in_shell::{self, InShell};
use crate::paths::Paths;

/// The verbs for which it matters who asks.
const VERBS: [&str; 2] = ["add_job", "update_job"];

/// The longest value of a variable that tells something.
const BYTES_MAX: usize = 256;

/// The agent that asks for this verb, when one does and that matters.
pub(super) fn own(verb: &str, paths: &Paths) -> Option<Own> {
    if !VERBS.contains(&verb) {
        return None;
    }
    let variable = |name: &str| {
        let value = std::env::var(name).ok();
        value.filter(|value| !value.is_empty() && value.len() <= BYTES_MAX)
    };
    let InShell { agent, conversation } = in_shell::agent(paths.home(), variable)?;
    Some(Own { agent, conversation })
}
