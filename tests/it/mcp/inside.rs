//! Callers inside a run: they look and wait, and change nothing.

use serde_json::json;

use crate::home::{Home, program, text, until};

#[test]
fn a_process_inside_a_run_looks_and_changes_nothing() {
    let home = Home::new();
    home.add(&["other", "--manual", "--cmd", "true"]);
    let converge = program();
    let converge = converge.display();
    // Without anything in its environment that would tell: its ancestors do.
    let inside = format!(
        "env -u CONVERGE_ATTEMPT {converge} ls > listed; env -u CONVERGE_ATTEMPT {converge} pause other 2> refused; echo $? > code"
    );
    home.add(&["inner", "--manual", "--cmd", &inside]);
    home.run(&["run-now", "inner"]).done();
    assert!(home.text("listed").contains("other"), "{}", home.text("listed"));
    assert!(home.text("refused").contains("inside run"), "{}", home.text("refused"));
    assert_ne!(home.text("code").trim(), "0");
    assert_eq!(home.show("other")["state"], "active");
    assert_eq!(home.agent().call("list_jobs", &json!({}))["reply"]["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn the_runs_of_a_job_that_lets_them_make_and_start_jobs() {
    let home = Home::new();
    let converge = program();
    let converge = converge.display();
    let inside =
        format!("{converge} add next --manual --cmd true > added && {converge} run-now next --no-wait");
    home.add(&["usual", "--manual", "--cmd", &inside]);
    home.run(&["run-now", "usual"]).ended(1);
    home.add(&["trusted", "--manual", "--runs-may", "change", "--cmd", &inside]);
    home.run(&["run-now", "trusted"]).done();
    home.over(text(&home.runs("next")[0]["id"]));
    assert_eq!(home.states("next"), ["succeeded"]);
    let added = home.json(&["events", "next", "--limit", "50"]).to_string();
    let run = text(&home.runs("trusted")[0]["id"]).to_owned();
    assert!(added.contains(&format!("run {run}")), "the run is told to have made it: {added}");
    home.run(&["add", "odd", "--manual", "--cmd", "true", "--runs-may", "chance"]).refused(&["--runs-may"]);
}

#[test]
fn who_says_that_it_is_inside_a_run_is_believed() {
    let home = Home::new();
    home.add(&["other", "--manual", "--cmd", "true"]);
    let pause = |mark: &str| {
        let mut agent = home.greeted_with(&json!({ "client": "proxy", "attempt": mark }));
        assert_eq!(agent.call("list_jobs", &json!({}))["reply"]["jobs"].as_array().unwrap().len(), 1);
        agent.call("control_job", &json!({ "action": "pause", "jobs": ["other"] }))
    };
    // Nothing of this process is in a run, as the system has it.
    let refused = pause("r0abc1234.1");
    assert!(text(&refused["error"]["message"]).contains("inside run r0abc1234"), "{refused}");
    assert_eq!(home.show("other")["state"], "active");
    // What marks no run takes nothing away.
    pause("no mark");
    assert_eq!(home.show("other")["state"], "paused");
}

/// A home whose daemon has this setting.
fn with_create(consent: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir(home.home()).unwrap();
    std::fs::write(home.home().join("config.json"), format!("{{\"mcp.create\": \"{consent}\"}}")).unwrap();
    home.run(&["daemon", "start"]).done();
    home
}

#[test]
fn a_job_of_an_agent_waits_for_a_person_where_that_is_asked_for() {
    let home = with_create("ask");
    let mut agent = home.agent();
    let add = json!({ "name": "mine", "cmd": "touch ran", "every": "1h", "start": "now" });
    let added = agent.call("add_job", &add);
    assert_eq!(added["reply"]["state"], "paused", "{added}");
    assert!(text(&added["reply"]["next_step"]).contains("converge resume mine"), "{added}");
    for (verb, arguments) in [
        ("control_job", json!({ "action": "resume", "jobs": ["mine"] })),
        ("control_job", json!({ "action": "pause", "jobs": ["mine"], "until": "in 1m" })),
        ("run_now", json!({ "job": "mine" })),
        ("update_job", json!({ "job": "mine", "cmd": "touch other" })),
    ] {
        let refused = agent.call(verb, &arguments);
        assert!(refused["error"]["message"].is_string(), "{verb}: {refused}");
    }
    let all = agent.call("control_job", &json!({ "action": "resume", "all": true }));
    assert_eq!(all["reply"]["jobs"], json!([]), "{all}");
    assert!(home.run(&["explain", "mine"]).done().out.contains("an agent made it"));
    assert_eq!(home.text("ran"), "");
    home.run(&["resume", "mine"]).done();
    until(|| home.project().join("ran").exists());
    home.add(&["own", "--manual", "--cmd", "true"]);
    assert_eq!(home.show("own")["state"], "active", "a person's own job asks nobody");
}

#[test]
fn agents_make_no_jobs_where_that_is_denied() {
    let home = with_create("deny");
    let mut agent = home.agent();
    let refused = agent.call("add_job", &json!({ "name": "mine", "cmd": "true", "manual": true }));
    assert!(text(&refused["error"]["message"]).starts_with("agents may not "), "{refused}");
    home.add(&["own", "--manual", "--cmd", "true"]);
    let refused = agent.call("update_job", &json!({ "job": "own", "cmd": "false" }));
    assert!(text(&refused["error"]["message"]).starts_with("agents may not "), "{refused}");
    assert_eq!(agent.call("update_job", &json!({ "job": "own", "timeout": "3m" }))["reply"]["changed"], true);
}

#[test]
fn a_run_does_not_take_the_daemon_away_from_the_others() {
    let home = Home::new();
    let converge = program();
    for word in ["stop", "restart"] {
        let inside = format!("{} daemon {word} 2> refused", converge.display());
        home.add(&[word, "--manual", "--cmd", &inside]);
        let pid = home.daemon_pid();
        assert_eq!(home.run(&["run-now", word]).code, 1, "{word}");
        assert!(home.text("refused").contains("stops no daemon"), "{}", home.text("refused"));
        assert_eq!(home.daemon_pid(), pid);
    }
}

#[test]
fn a_task_is_not_cancelled_from_inside_a_run() {
    let home = Home::new();
    home.add(&["long", "--manual", "--cmd", "sleep 60"]);
    let run = home.json(&["run-now", "long", "--no-wait"])["id"].clone();
    let asked = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tasks/cancel",
        "params": { "taskId": run, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities":
                { "extensions": { "io.modelcontextprotocol/tasks": {} } },
        } },
    });
    let inside = format!("echo '{asked}' | {} mcp > answer", program().display());
    home.add(&["inner", "--manual", "--cmd", &inside]);
    home.run(&["run-now", "inner"]);
    assert!(home.text("answer").contains("inside run"), "{}", home.text("answer"));
    assert_eq!(home.show(text(&run))["state"], "running");
}
