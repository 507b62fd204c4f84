//! Checks: each agent is proven by a real answer, and what keeps it from one is told.

use serde_json::json;

use super::Desk;
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::agents::model::turn::Failure;
use crate::home::Home;

every_client!(one_that_answers_is_proven, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().say("ready"));
    let desk = Desk::take(client, &home, &model);
    let words = [&["agents", "check", client.name()][..], &desk.passed()].concat();
    let checked = desk.json(&words);
    assert_eq!((&checked["ok"], &checked["said"]), (&json!(true), &json!("ready")), "{checked:#}");
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
});

every_client!(one_whose_key_is_wrong_is_told_to_log_in, |client| {
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
