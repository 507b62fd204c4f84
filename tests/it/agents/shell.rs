//! Converge in the shell that an agent opens: what is typed there is the agent's own, in its conversation.

use std::fs;

use converge::agent::invocation::{Input, Invocation, Session};
use converge::agent::manifest::Manifest;
use serde_json::{Value as Json, json};

use super::installed;
use super::model::Model;
use super::model::script::Script;
use super::model::turn::Turn;
use super::seat::{DEADLINE, Seat};
use crate::home::{Home, program};
use crate::recorded;

every_client!(a_job_that_is_typed_in_its_shell_is_for_itself, |client| {
    let home = Home::new();
    let manifest = recorded::manifest(client.name());
    let environment = &manifest.environment;
    let tells = environment.shell.is_some() || environment.conversation.is_some();
    let tells_which = environment.conversation.is_some() && manifest.options.fork.is_some();
    let session = if tells_which { "mine" } else { "fresh" };
    // Some shells begin with a path of the system's.
    let line = format!(
        "PATH='{}' {} --json add typed --prompt 'go on' --manual --permissions full --session {session} > added 2>&1",
        installed::path(),
        program().display(),
    );
    let (tool, arguments) = shell(client.name(), &line);
    let model = Model::start(Script::new().turn(Turn::call_own(tool, arguments)).say("added"));
    let seat = Seat::take(client, &home, &model);
    let file = home.folder().join("prompt.md").display().to_string();
    let outcome = ask(&seat, &manifest, &file);
    let added = home.text("added");
    assert!(added.contains("\"typed\""), "{added}\n{outcome}");
    let definition = home.show("typed")["definition"].clone();
    // What says nothing of itself is asked for like a person's, which the first of the usual ones does.
    let expected = if tells { client.name() } else { "claude" };
    assert_eq!(definition["agent"], expected, "{added}");
    assert_eq!(definition["session"], session, "{added}");
});

/// Has the client run a command in its shell, as a person would let it.
fn ask(seat: &Seat<'_>, manifest: &Manifest, prompt_file: &str) -> String {
    // Claude Code lets nobody go without permissions who is root.
    let is_claude = seat.client.name() == "claude";
    let invocation = Invocation {
        session: Session::Fresh,
        model: None,
        effort: None,
        permissions: if is_claude { "edit" } else { "full" },
        directories: &[],
        tools: if is_claude { &["Bash"] } else { &[] },
        account: None,
        schema: None,
        prompt_file,
        register: None,
    };
    let call = invocation.call(manifest).unwrap();
    let input = match call.input {
        Input::Stdin => "add it",
        Input::File => {
            fs::write(prompt_file, "add it").unwrap();
            ""
        }
    };
    let outcome = seat.start(&call.arguments, input, DEADLINE).end();
    outcome.done();
    format!("{outcome:?}")
}

/// The client's own tool for a line of a shell.
fn shell(client: &str, line: &str) -> (&'static str, Json) {
    match client {
        "claude" | "kimi" => ("Bash", json!({ "command": line, "description": "add" })),
        "codex" => ("exec_command", json!({ "cmd": line })),
        "qwen" | "gemini" => {
            ("run_shell_command", json!({ "command": line, "description": "add", "is_background": false }))
        }
        _ => ("bash", json!({ "command": line, "description": "add" })),
    }
}
