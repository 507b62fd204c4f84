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

/// Files that a user may have, with servers that are not there.
const OWN: [(&str, &str); 3] = [
    (".kimi-code/mcp.json", "{\"mcpServers\":{\"other\":{\"command\":\"/no/such\"}}}"),
    (".kimi-code/mcp.json.new", "a draft"),
    (".gemini/settings.json.new", "a draft"),
];

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
    let user = home.user();
    for (file, text) in OWN.iter().filter(|(file, _)| user.join(file).parent().is_some_and(Path::exists)) {
        fs::write(user.join(file), text).unwrap();
    }
    let settings = settings(&user);
    desk.add(&["inside", "--prompt", "look at the jobs", "--manual"]);
    let run = desk.start("inside");
    let over = desk.over(&run);
    assert_eq!(over["state"], "succeeded", "{over:#}");
    let shown = model.last();
    let answer = |tool: &str| shown.result_of(tool).unwrap_or_else(|| panic!("{tool}: {shown:#?} {over:#}"));
    assert!(answer("list_jobs").contains("probe"), "{shown:#?}");
    assert!(answer("show_job").contains("probe"), "{shown:#?}");
    // It may change nothing.
    assert!(answer("control_job").contains(&format!("inside run {run}")), "{shown:#?}");
    assert_eq!(home.show("probe")["state"], "active");
    // What its user has set stands as it stood.
    let now = self::settings(&user);
    let changed: Vec<_> = settings.iter().filter(|(file, text)| now.get(*file) != Some(text)).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(now.keys().all(|file| !file.ends_with("mcp.json") || settings.contains_key(file)), "{now:?}");
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

/// Every file of a user who has used the client before, in what an overlay is made of.
fn settings(user: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = [".gemini", ".kimi-code"].map(|folder| user.join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let plain = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
    plain.map(|file| (file.path(), fs::read(file.path()).unwrap())).collect()
}
