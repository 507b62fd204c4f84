//! Inside a run: each agent finds Converge registered, without its user having done so, and may look.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Desk;
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::home::Home;
use crate::recorded::{self, Recording};

every_client!(an_agent_inside_a_run_finds_converge_and_may_look, |client| {
    let manifest = recorded::manifest(client.name());
    let home = Home::new();
    let script = Script::new()
        .call("list_jobs", json!({}))
        .call("show_job", json!({ "job": "probe" }))
        .call("control_job", json!({ "action": "pause", "jobs": ["probe"] }))
        .say("seen");
    let model = Model::start(script);
    let desk = Desk::take(client, &home, &model);
    desk.run(&["add", "probe", "--manual", "--cmd", "true"]).done();
    let settings = settings(&home.user());
    desk.add(&["inside", "--prompt", "look at the jobs", "--manual"]);
    let run = desk.start("inside");
    let over = desk.over(&run);
    assert_eq!(over["state"], "succeeded", "{over:#}");
    let shown = model.last();
    let answer = |tool: &str| shown.result_of(tool).unwrap_or_else(|| panic!("{tool}: {shown:#?} {over:#}"));
    assert!(answer("list_jobs").contains("probe"), "{shown:#?}");
    assert!(answer("show_job").contains("probe"), "{shown:#?}");
    // Its mark went all the way, and took the right to change anything.
    assert!(answer("control_job").contains(&format!("inside run {run}")), "{shown:#?}");
    assert_eq!(home.show("probe")["state"], "active");
    // What its user has set stands as it stood.
    assert_eq!(self::settings(&home.user()), settings);
    // What it wrote is understood, and every call that began has ended.
    let raw = |words: &[&str]| {
        desk.run(&[&["logs", &run, "--raw"], words].concat()).done().out.clone().into_bytes()
    };
    let said = Recording { stdout: raw(&[]), stderr: raw(&["--stderr"]), exit: Some(0) };
    assert_eq!(said.read(&manifest).signals.result.as_deref(), Some("seen"));
    let [began, ended] = said.tools(&manifest);
    let expected = if manifest.output.tool_starts.is_empty() { [0, 0] } else { [began.max(3); 2] };
    assert_eq!([began, ended], expected, "{}", String::from_utf8_lossy(&said.stdout));
});

/// What stands in a user's settings, as the client was pointed at its model by them.
fn settings(user: &Path) -> BTreeMap<PathBuf, String> {
    let files = [".gemini/settings.json", ".kimi-code/config.toml", ".kimi-code/mcp.json"];
    let read = |file: &str| Some((PathBuf::from(file), fs::read_to_string(user.join(file)).ok()?));
    files.into_iter().filter_map(read).collect()
}
