//! The words that users of other loop tools know.

use serde_json::json;

use crate::home::{Home, text};

#[test]
fn a_job_is_made_as_users_of_other_tools_make_it() {
    let home = Home::new();
    let job = home.json(&[
        "create",
        "command",
        "mine",
        "--interval",
        "5m",
        "--stop",
        "exit 0",
        "--cmd",
        "true",
        "--start",
        "next",
    ]);
    assert_eq!((&job["name"], &job["until"]), (&json!("mine"), &json!(["exit 0"])));
    assert!(text(&job["schedule"]).contains("5m"), "{job}");
    let plain = home.json(&["create", "other", "--manual", "--cmd", "true", "--max-iterations", "3"]);
    assert_eq!(plain["limits"][0], "3 runs");
}

#[test]
fn commands_answer_to_the_names_that_users_know() {
    let home = Home::new();
    let id = text(&home.add(&["job", "--manual", "--cmd", "true"])["id"]).to_owned();
    for name in ["status", "get", "inspect", "show"] {
        assert_eq!(home.json(&[name, "job"])["id"], *id, "{name}");
    }
    assert_eq!(home.json(&["list"])["jobs"][0]["id"], *id);
    home.run(&["trigger", "job"]).done();
    assert_eq!(home.json(&["runs", "job"])["runs"].as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["edit", "job", "--timeout", "1m"])["revision"], 2);
    home.run(&["why", "job"]).done();
    assert_eq!(home.json(&["stop", "job"])["jobs"][0]["state"], "cancelled");
    assert_eq!(home.json(&["remove", "job", "--force"])["names"], json!(["job"]));
}

#[test]
fn help_shows_none_of_them() {
    let home = Home::new();
    let help = home.run(&["--help"]).done().out;
    for name in ["create", "trigger", "remove", "inspect"] {
        assert!(!help.contains(name), "{name}");
    }
}
