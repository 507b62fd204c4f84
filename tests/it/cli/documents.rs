//! `--json`: the documents that programs rely on.

use serde_json::{Value as Json, json};

use crate::home::{Home, text};

#[track_caller]
fn has(document: &Json, fields: &[&str]) {
    let object = document.as_object().unwrap();
    let missing: Vec<_> = fields.iter().filter(|field| !object.contains_key(**field)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {document}");
}

const JOB: [&str; 7] = ["id", "name", "state", "reason", "next_at", "unbounded", "warnings"];

const RUN: [&str; 8] =
    ["id", "slot_at", "state", "reason", "exit_code", "started_at", "finished_at", "attempts"];

#[test]
fn documents_have_the_fields_that_were_promised() {
    let home = Home::new();
    has(&home.add(&["doc", "--manual", "--cmd", "exit 3"]), &JOB);
    has(&home.json(&["status", "doc"]), &JOB);
    has(&home.json(&["show", "doc"]), &JOB);
    let list = home.json(&["ls"]);
    has(&list["jobs"][0], &JOB);
    home.run(&["run-now", "doc"]).ended(1);
    let logs = home.json(&["logs", "doc"]);
    has(&logs["runs"][0], &RUN);
    has(&home.json(&["show", text(&logs["runs"][0]["id"])]), &RUN);
    has(&home.json(&["daemon", "status"]), &["pid", "version", "uptime", "counts"]);
    has(&home.json(&["explain", "doc"]), &["id", "because", "ends_when", "recent"]);
    has(&home.json(&["events"]), &["events", "next"]);
    has(&home.json(&["doctor"])["findings"][0], &["subject", "state", "message", "fix"]);
    has(&home.json(&["pause", "doc"]), &["action", "jobs"]);
    has(&home.json(&["update", "doc", "--timeout", "1m"]), &JOB);
    has(&home.json(&["rm", "doc", "--force"]), &["removed", "names"]);
    has(&home.json(&["daemon", "logs"]), &["path", "lines"]);
    has(&home.json(&["daemon", "stop"]), &["stopped", "pid"]);
}

#[test]
fn a_refusal_is_a_document_too() {
    let home = Home::new();
    for (words, code) in [
        (&["show", "nobody"][..], "not_found"),
        (&["add", "--cmd", "true", "--every", "5"], "invalid"),
        (&["add", "--nosuch"], "invalid"),
        (&["frobnicate"], "invalid"),
        (&["pause"], "invalid"),
    ] {
        let said = home.run(&[words, &["--json"]].concat()).ended(64);
        let error = &said.json()["error"];
        has(error, &["code", "message", "problems", "hint"]);
        assert_eq!(error["code"], code, "{words:?}: {error}");
        assert!(said.err.is_empty(), "{said:?}");
    }
    let several = home.run(&["add", "--cmd", "true", "--every", "5", "--timeout", "x", "--json"]);
    let problems = several.ended(64).json()["error"]["problems"].clone();
    let places: Vec<&str> =
        problems.as_array().unwrap().iter().map(|problem| text(&problem["place"])).collect();
    assert_eq!(places, ["every", "timeout"], "every problem is told at once");
    for problem in problems.as_array().unwrap() {
        has(problem, &["place", "message", "fix"]);
    }
}

#[test]
fn json_may_stand_anywhere_before_the_program() {
    let home = Home::new();
    let said = home.run(&["--json", "add", "one", "--manual", "--", "echo", "--json"]).done();
    assert_eq!(said.json()["command"], "echo --json");
    let said = home.run(&["add", "two", "--manual", "--", "printf", "--json"]).done();
    assert!(said.out.starts_with("Added two"), "what belongs to the program is not ours: {said:?}");
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    let refused = client.call("add_job", &json!({ "cmd": "true", "evry": "5m" }));
    assert_eq!(refused["error"]["problems"][0]["place"], "evry");
    assert!(text(&refused["error"]["problems"][0]["fix"]).contains("`every`"), "{refused}");
    let refused = client.call("ad_job", &json!({}));
    assert!(text(&refused["error"]["message"]).contains("add_job"), "{refused}");
    let refused = client.call("add_job", &json!({ "cmd": { "a": 1 }, "manual": true }));
    assert_eq!(refused["error"]["code"], "invalid", "{refused}");
    let listed = client.call("list_jobs", &Json::Null);
    assert_eq!(listed["reply"]["jobs"], json!([]));
}

#[test]
fn a_list_is_one_document_however_many_there_are() {
    let home = Home::new();
    home.add(&["first", "--cmd", "true", "--manual"]);
    let mut client = home.greeted();
    for number in 0..101 {
        let name = format!("n{number}");
        let added =
            client.call("add_job", &json!({ "cmd": format!("echo {name}"), "name": name, "manual": true }));
        assert!(added["error"].is_null(), "{added}");
    }
    home.run(&["cancel", "n100"]).done();
    let names = |words: &[&str]| -> Vec<String> {
        let list = home.json(words);
        list["jobs"].as_array().unwrap().iter().map(|job| text(&job["name"]).to_owned()).collect()
    };
    assert_eq!(names(&["ls"]).len(), 102);
    assert_eq!(home.json(&["ls"])["next"], Json::Null);
    assert_eq!(names(&["ls", "--limit", "3"]), names(&["ls"])[..3]);
    assert_eq!(names(&["ls", "--state", "cancelled", "--limit", "1"]), ["n100"]);
}

#[test]
fn the_version_and_completions_are_documents_too() {
    let home = Home::new();
    assert_eq!(home.json(&["--version"])["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(home.run(&["--version"]).done().out, format!("converge {}\n", env!("CARGO_PKG_VERSION")));
    let document = home.json(&["completions", "bash"]);
    assert_eq!(document["shell"], "bash");
    assert_eq!(text(&document["script"]), home.run(&["completions", "bash"]).done().out);
}

#[test]
fn instants_are_told_to_the_millisecond_all_of_them() {
    let home = Home::new();
    home.add(&["once", "--manual", "--cmd", "true"]);
    let run = home.run(&["run-now", "once", "--json"]).done().json();
    let (job, attempt) = (home.show("once"), &run["attempt_list"][0]);
    for at in [&job["created_at"], &run["started_at"], &run["finished_at"], &attempt["started_at"]] {
        let at = text(at);
        assert_eq!((at.len(), &at[19..20], &at[23..]), (24, ".", "Z"), "{at}");
    }
}
