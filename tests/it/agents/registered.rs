//! Converge registered for one run: each client finds it by its own manifest, and nothing else says of it.

use std::collections::BTreeMap;
use std::fs;

use converge::agent::invocation::{Input, Invocation, Session};
use converge::agent::register::Register;
use converge::core::process::ProcessKey;
use converge::core::process::files::AGENT;
use serde_json::json;

use super::model::Model;
use super::model::script::Script;
use super::seat::{DEADLINE, Seat, Server};
use crate::home::{Home, program};
use crate::recorded::{self, Recording};

/// What it is asked.
const PROMPT: &str = "look at the jobs";

/// An attempt that no process around this test belongs to, so that only its mark can tell.
const ATTEMPT: &str = "r0abc1234.1";

every_client!(an_agent_inside_a_run_finds_converge_and_may_look, |client| {
    let manifest = recorded::manifest(client.name());
    let home = Home::new();
    // Nothing inside a run starts a daemon, so this does.
    home.add(&["probe", "--manual", "--cmd", "true"]);
    let script = Script::new()
        .call("list_jobs", json!({}))
        .call("show_job", json!({ "job": "probe" }))
        .call("control_job", json!({ "action": "pause", "jobs": ["probe"] }))
        .say("seen");
    let model = Model::start(script);
    let mut seat = Seat::take(client, &home, &model);
    let mut variables = BTreeMap::new();
    if manifest.register.is_none() {
        // These two take servers from files of their users alone. One that is registered there, as the README
        // has it, works inside a run too, since they hand the variables of a run on.
        assert!(["gemini", "kimi"].contains(&client.name()));
        seat = seat.with(&Server::new(&program().display().to_string(), &["mcp"]));
        variables.insert("CONVERGE_HOME".to_owned(), home.home().display().to_string());
        variables.insert("CONVERGE_ATTEMPT".to_owned(), ATTEMPT.to_owned());
    }
    let run_dir = home.folder().join("run");
    let prompt_file = home.folder().join("prompt.md").display().to_string();
    let (attempt, program, place) = (ATTEMPT.parse::<ProcessKey>().unwrap(), program(), home.home());
    let invocation = Invocation {
        session: Session::Fresh,
        model: None,
        effort: None,
        permissions: if manifest.permissions.contains_key("edit") { "edit" } else { "full" },
        directories: &[],
        tools: &[],
        account: None,
        prompt_file: &prompt_file,
        schema: None,
        register: Some(Register { program: &program, home: &place, run_dir: &run_dir, attempt }),
    };
    let call = invocation.call(&manifest).unwrap();
    fs::create_dir_all(run_dir.join(AGENT)).unwrap();
    for file in &call.files {
        fs::write(run_dir.join(AGENT).join(&file.name), &file.text).unwrap();
    }
    let input = match call.input {
        Input::Stdin => PROMPT.to_owned(),
        Input::File => {
            fs::write(&prompt_file, PROMPT).unwrap();
            String::new()
        }
    };
    variables.extend(call.set);
    let outcome = seat.for_run(&variables).start(&call.arguments, &input, DEADLINE).end();
    outcome.done();
    let shown = model.last();
    let answer =
        |tool: &str| shown.result_of(tool).unwrap_or_else(|| panic!("{tool}: {shown:#?} {outcome:#?}"));
    assert!(answer("list_jobs").contains("probe"), "{shown:#?}");
    assert!(answer("show_job").contains("probe"), "{shown:#?}");
    // Its mark went all the way, and took the right to change anything.
    assert!(answer("control_job").contains("inside run r0abc1234"), "{shown:#?}");
    assert_eq!(home.show("probe")["state"], "active");
    // What it wrote is understood, and every call that began has ended.
    let said = Recording {
        stdout: outcome.said.out.into_bytes(),
        stderr: outcome.said.err.into_bytes(),
        exit: Some(outcome.said.code),
    };
    assert_eq!(said.read(&manifest).signals.result.as_deref(), Some("seen"));
    let [began, ended] = said.tools(&manifest);
    let expected = if manifest.output.tool_starts.is_empty() { [0, 0] } else { [began.max(3); 2] };
    assert_eq!([began, ended], expected, "{}", String::from_utf8_lossy(&said.stdout));
});
