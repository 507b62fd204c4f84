//! Checks: each agent is proven by a real answer, and what keeps it from one is told.

use serde_json::json;

use super::Desk;
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::agents::model::turn::Failure;
use crate::home::{Home, Said};

every_client!(one_that_answers_is_proven, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().say("ready"));
    let desk = Desk::take(client, &home, &model);
    let words = [&["agents", "check", client.name()][..], &desk.passed()].concat();
    let checked = desk.json(&words);
    assert_eq!((&checked["ok"], &checked["said"]), (&json!(true), &json!("ready")), "{checked:#}");
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
});

every_client!(one_that_can_say_that_nobody_is_logged_in_says_so, |client| {
    if crate::recorded::manifest(client.name()).login.is_none() {
        return;
    }
    let home = Home::new();
    let model = Model::start(Script::new());
    let desk = Desk::take(client, &home, &model);
    // Whose service is their own is logged in nowhere, and that is well.
    let _ = std::fs::remove_file(home.user().join(".codex/config.toml"));
    let mut command = desk.command(&["agents", "show", client.name(), "--json"]);
    for key in &crate::recorded::manifest(client.name()).environment.strip {
        command.env_remove(key);
    }
    let shown = Said::of(&command.output().unwrap()).done().json();
    let log_in = shown["log_in"].as_str().unwrap_or_else(|| panic!("{shown:#}"));
    assert!(log_in.starts_with(client.name()) && log_in.ends_with(" login"), "{log_in}");
    // A daemon of another environment, in which there is a key.
    home.run(&["daemon", "stop"]).done();
    let key = if client.name() == "codex" { "CODEX_API_KEY" } else { "ANTHROPIC_API_KEY" };
    let mut command = desk.command(&["agents", "show", client.name(), "--json"]);
    let shown = Said::of(&command.env(key, "dummy").output().unwrap()).done().json();
    assert_eq!(shown["log_in"], serde_json::Value::Null, "{shown:#}");
});

every_client!(one_at_which_nobody_is_logged_in_is_asked_nothing, |client| {
    let manifest = crate::recorded::manifest(client.name());
    if manifest.login.is_none() {
        return;
    }
    let home = Home::new();
    let model = Model::start(Script::new().say("ready"));
    let desk = Desk::take(client, &home, &model);
    let _ = std::fs::remove_file(home.user().join(".codex/config.toml"));
    let strip = &manifest.environment.strip;
    let run = |words: &[&str]| {
        let mut command = desk.command(words);
        for key in strip {
            command.env_remove(key);
        }
        Said::of(&command.output().unwrap())
    };
    let passed: Vec<&str> = desk.passed();
    let passed = passed.chunks(2).filter(|pair| !strip.iter().any(|key| key == pair[1])).flatten().copied();
    let add = ["add", "once", "--agent", client.name(), "--prompt", "do it", "--manual"];
    let added = run(&add.into_iter().chain(passed).collect::<Vec<_>>()).done().all();
    assert!(added.contains("nobody is logged in"), "{added}");
    run(&["run-now", "once"]).ended(1);
    let attempt = desk.attempt("once");
    assert_eq!(attempt["reason"], "auth", "{attempt:#}");
    let expected = format!("nobody is logged in at {}; do it by `{} ", manifest.title, client.name());
    let shown = desk.runs("once").pop().unwrap();
    assert!(shown.to_string().contains(&expected), "{shown:#}");
    assert_eq!(model.turns().len(), 0);
});

every_client!(one_whose_key_is_told_to_log_in, |client| {
    let home = Home::new();
    let failure = Failure::auth("invalid x-api-key").header("x-should-retry", "false");
    let model = Model::start(Script::new().fail(failure));
    let desk = Desk::take(client, &home, &model);
    let words = [&["--json", "agents", "check", client.name()][..], &desk.passed()].concat();
    let checked = desk.run(&words).ended(1).json();
    assert_eq!((&checked["ok"], &checked["class"]), (&json!(false), &json!("auth")), "{checked:#}");
    let fix = checked["fix"].as_str().unwrap();
    assert!(fix.starts_with("log in by starting"), "{checked:#}");
});
