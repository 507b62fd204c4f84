//! `open`: this terminal becomes the agent's, in the conversation of a run.

use std::io::{IsTerminal, stdin, stdout};
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value as Json;

use crate::command::Entry;
use crate::command::open_run::Opened;
use crate::core::refusal::{Code, Refusal};
use crate::surface::cli::Session;
use crate::surface::cli::exit::Exit;

/// Becomes the agent where a person is at the terminal; elsewhere says how it is done.
pub(super) fn run(session: &Session, entry: &Entry, reply: &Json) -> Result<Exit, Refusal> {
    if session.terminal.is_json() || !stdin().is_terminal() || !stdout().is_terminal() {
        session.terminal.show(entry, reply);
        return Ok(Exit::Ok);
    }
    let opened: Opened = serde_json::from_value(reply.clone())
        .map_err(|error| Refusal::new(Code::Unknown, format!("the reply cannot be read: {error}")))?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this process becomes the agent, and nothing of it is left"
    )]
    let mut agent = Command::new(&opened.program);
    let error = agent.args(&opened.arguments).envs(opened.home.clone()).current_dir(&opened.cwd).exec();
    let refusal = Refusal::new(Code::Unavailable, format!("{} cannot be started: {error}", opened.program));
    Err(refusal.hint(format!("it would go on with conversation {} in {}", opened.conversation, opened.cwd)))
}
