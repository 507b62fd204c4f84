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
