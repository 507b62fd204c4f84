//! `add` and `update`: what is made, what is there already, and what is said back.

use serde_json::json;

use crate::home::{Home, Said, number, text};

#[test]
fn adding_echoes_what_will_happen_and_every_default() {
    let home = Home::new();
    let said = home.run(&["add", "tests", "--cmd", "false", "--until", "exit 0", "--start", "next"]).done();
    for words in [
        "Added tests",
        "in a loop, 5m after each end",
        "until       exit 0",
        "10 runs, 3h after its first run",
        "UTC",
        "--wait 5m",
        "--max-runs 10",
        "--max-hours 3h",
        "--timeout 10m",
        "--retries 0",
        "converge logs tests --follow",
    ] {
        assert!(said.out.contains(words), "`{words}` is not in {}", said.out);
    }
}

#[test]
fn the_zone_is_the_callers_and_is_echoed() {
    let home = Home::new();
    let mut command = home.command(&["add", "--cmd", "true", "--at", "2040-07-01 08:00", "--json"]);
    let output = command.env("TZ", "Europe/Berlin").output().unwrap();
    let job: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(job["zone"], "Europe/Berlin");
    assert_eq!(job["next_at"], "2040-07-01T06:00:00.000Z");
    let named = home.add(&["--cmd", "true", "--at", "2040-07-01 08:00", "--tz", "America/New_York"]);
    assert_eq!(named["next_at"], "2040-07-01T12:00:00.000Z");
    home.run(&["add", "--cmd", "true", "--at", "08:00", "--tz", "Mars/Base"]).refused(&["tz", "Mars/Base"]);
}

#[test]
fn the_same_live_definition_is_the_job_that_is_there() {
    let home = Home::new();
    let first = home.add(&["twin", "--manual", "--cmd", "true"]);
    let second = home.add(&["twin", "--manual", "--cmd", "true"]);
    assert_eq!((&first["existed"], &second["existed"]), (&json!(false), &json!(true)));
    assert_eq!(first["id"], second["id"]);
    let said = home.run(&["add", "twin", "--manual", "--cmd", "true"]).done();
    assert!(said.out.contains("Already there"), "{said:?}");
    let unnamed = [home.add(&["--manual", "--cmd", "true"]), home.add(&["--manual", "--cmd", "true"])];
    assert_eq!(unnamed[0]["id"], unnamed[1]["id"]);
    home.run(&["cancel", "twin"]).done();
    assert_ne!(home.add(&["twin", "--manual", "--cmd", "true"])["id"], first["id"], "only a live one counts");
}

#[test]
fn the_same_thing_under_another_name_is_made_only_when_a_second_is_wanted() {
    let home = Home::new();
    let first = home.add(&["tests", "--manual", "--cmd", "true"]);
    let said = home.json(&["add", "nightly", "--manual", "--cmd", "true"]);
    assert_eq!((&said["id"], &said["name"], &said["existed"]), (&first["id"], &json!("tests"), &json!(true)));
    let warning = text(&said["warnings"][0]);
    assert!(warning.contains("`nightly` was not added") && warning.contains("`--again`"), "{warning}");
    let second = home.add(&["nightly", "--again", "--manual", "--cmd", "true"]);
    assert_eq!((&second["name"], &second["existed"]), (&json!("nightly"), &json!(false)));
    assert_ne!(second["id"], first["id"]);
    // The same words again: of two that are the same, the one that is named so.
    let third = home.add(&["nightly", "--again", "--manual", "--cmd", "true"]);
    assert_eq!((&third["id"], &third["existed"]), (&second["id"], &json!(true)));
    assert!(text(&third["warnings"][0]).contains("give the second another"), "{third}");
    assert_eq!(home.add(&["nightly", "--manual", "--cmd", "true"])["warnings"], json!([]));
    assert_eq!(home.add(&["--manual", "--cmd", "true"])["id"], first["id"]);
    // The second of two is found too once it is alone.
    home.run(&["cancel", "tests"]).done();
    assert_eq!(home.add(&["third", "--manual", "--cmd", "true"])["id"], second["id"]);
}

#[test]
fn an_update_may_make_two_jobs_the_same() {
    let home = Home::new();
    let first = home.add(&["one", "--manual", "--cmd", "echo one"]);
    home.add(&["two", "--manual", "--cmd", "echo two"]);
    home.run(&["update", "two", "--cmd", "echo one"]).done();
    assert_eq!(home.add(&["three", "--manual", "--cmd", "echo one"])["id"], first["id"]);
    home.run(&["update", "one", "--cmd", "echo two"]).done();
    assert_eq!(home.add(&["three", "--manual", "--cmd", "echo one"])["name"], "two");
}

#[test]
fn another_definition_under_a_live_name_is_refused_with_the_update_to_make() {
    let home = Home::new();
    home.add(&["build", "--manual", "--cmd", "true"]);
    home.run(&["add", "build", "--manual", "--cmd", "false"]).refused(&["build", "converge update build"]);
    assert_eq!(home.json(&["ls"])["jobs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_name_is_derived_and_made_unique() {
    let home = Home::new();
    let names: Vec<String> = ["/usr/bin/printf hi", "printf hi there", "printf hi you"]
        .iter()
        .map(|line| text(&home.add(&["--manual", "--cmd", line])["name"]).to_owned())
        .collect();
    assert_eq!(names, ["printf-hi", "printf-hi-2", "printf-hi-3"]);
}

#[test]
fn a_key_makes_asking_twice_asking_once() {
    let home = Home::new();
    let add = |line: &str| home.run(&["add", "--manual", "--cmd", line, "--key", "one", "--json"]);
    let first = add("true").done().json();
    assert_eq!(add("true").done().json()["id"], first["id"]);
    let refused = add("false").ended(64).json();
    assert_eq!(refused["error"]["code"], "key_reused", "{refused}");
    let id = text(&first["id"]).to_owned();
    let run = |key: &str| home.run(&["run-now", &id, "--no-wait", "--key", key, "--json"]).done().json();
    let (first, again) = (run("two"), run("two"));
    assert_eq!(first["id"], again["id"]);
    home.over(text(&first["id"]));
    assert_eq!(home.runs(&id).len(), 1);
}

#[test]
fn a_key_makes_removing_twice_removing_once() {
    let home = Home::new();
    home.add(&["gone", "--manual", "--cmd", "true"]);
    let remove = || home.run(&["rm", "gone", "--key", "away", "--json"]).done().json();
    let (first, again) = (remove(), remove());
    assert_eq!((&first["removed"], &first["names"]), (&again["removed"], &again["names"]));
    assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
}

#[test]
fn an_update_is_a_new_revision_that_keeps_the_history() {
    let home = Home::new();
    let job = home.add(&["thing", "--manual", "--cmd", "echo old"]);
    home.run(&["run-now", "thing"]).done();
    let updated = home.json(&["update", "thing", "--cmd", "echo new", "--timeout", "5s"]);
    assert_eq!((&updated["id"], &updated["changed"]), (&job["id"], &json!(true)));
    assert_eq!((number(&updated["revision"]), text(&updated["command"])), (2, "echo new"));
    home.run(&["run-now", "thing"]).done();
    let logs = home.json(&["logs", "thing"]);
    assert_eq!(logs["runs"].as_array().unwrap().len(), 2);
    assert_eq!(logs["output"]["stdout"], "new");
    let again = home.json(&["update", "thing", "--cmd", "echo new"]);
    assert_eq!((&again["changed"], number(&again["revision"])), (&json!(false), 2));
    assert_eq!(home.json(&["update", "thing", "--name", "other"])["name"], "other");
    home.run(&["show", "thing"]).refused(&["no job `thing`"]);
}

#[test]
fn an_update_takes_a_schedule_a_goal_and_limits() {
    let home = Home::new();
    home.add(&["loop", "--cmd", "exit 1", "--until", "exit 0", "--wait", "1h", "--max-runs", "5"]);
    crate::home::until(|| home.states("loop") == ["not_yet"]);
    let updated = home.json(&["update", "loop", "--until", "exit 1", "--wait", "1s", "--max-runs", "7"]);
    assert_eq!(updated["until"], json!(["exit 1"]));
    assert!(text(&updated["schedule"]).contains("1s after"), "{updated}");
    let over = home.over("loop");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("condition_met")));
    assert_eq!(home.states("loop"), ["succeeded", "not_yet"]);
    home.run(&["update", "loop", "--wait", "2s"]).refused(&["completed", "too late to update"]);
}

#[test]
fn the_directory_is_the_callers_unless_named_and_never_too_wide() {
    let home = Home::new();
    let project = home.project().display().to_string();
    assert_eq!(home.add(&["here", "--manual", "--cmd", "pwd"])["cwd"], *project);
    home.run(&["run-now", "here"]).done();
    assert_eq!(home.json(&["logs", "here"])["output"]["stdout"], *project);
    std::fs::create_dir(home.project().join("inner")).unwrap();
    let inner = home.add(&["there", "--manual", "--cmd", "pwd", "--cwd", "inner"]);
    assert_eq!(inner["cwd"], format!("{project}/inner"));
    for wide in ["/", home.folder().join("user").to_str().unwrap()] {
        home.run(&["add", "--manual", "--cmd", "pwd", "--cwd", wide]).refused(&["cwd", "too wide"]);
    }
    home.run(&["add", "--manual", "--cmd", "pwd", "--cwd", "nowhere"]).refused(&["no directory"]);
}

#[test]
fn an_unbounded_job_says_so_and_how_to_bound_it() {
    let home = Home::new();
    let job = home.add(&["--cmd", "true", "--every", "1h"]);
    assert_eq!(job["unbounded"], true);
    assert!(text(&job["warnings"][0]).contains("--max-runs"), "{job}");
    assert_eq!(home.add(&["--cmd", "true", "--every", "1h", "--max-runs", "2"])["unbounded"], false);
}

#[test]
fn a_program_with_arguments_needs_no_shell() {
    let home = Home::new();
    home.run(&["add", "exact", "--manual", "--", "printf", "%s|", "a b", "$HOME", "--x", "'"]).done();
    home.run(&["run-now", "exact"]).done();
    assert_eq!(home.json(&["logs", "exact"])["output"]["stdout"], "a b|$HOME|--x|'|");
}

#[test]
fn an_env_file_is_read_at_each_start_and_its_values_are_not_kept() {
    let home = Home::new();
    std::fs::write(home.project().join("secrets"), "TOKEN=s3cret\n").unwrap();
    let line = r#"echo "$TOKEN/$OTHER/$LANG/$CONVERGE_JOB_NAME/$CONVERGE_RUN_NUMBER""#;
    home.add(&["env", "--manual", "--cmd", line, "--env-file", "secrets"]);
    home.run(&["run-now", "env"]).done();
    assert_eq!(home.json(&["logs", "env"])["output"]["stdout"], "s3cret//C.UTF-8/env/1");
    let database = std::fs::read(home.home().join("converge.db-wal")).unwrap();
    assert!(!database.windows(6).any(|window| window == b"s3cret"));
    home.run(&["add", "--manual", "--cmd", "true", "--env", "TOKEN=x"]).refused(&["env", "only names"]);
}

#[test]
fn of_many_who_ask_at_once_each_gets_the_one_job_and_one_the_run() {
    let home = Home::new();
    let ask = |words: &[&str]| (0..8).map(|_| home.spawn(words)).collect::<Vec<_>>();
    let line = "until test -e go; do sleep 0.02; done";
    let adding = ask(&["--json", "add", "one", "--manual", "--cmd", line]);
    let replies = adding.into_iter().map(|child| Said::of(&child.wait_with_output().unwrap()).done().json());
    let mut ids: Vec<String> = replies.map(|reply| text(&reply["id"]).to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let running = ask(&["--json", "run-now", "one", "--no-wait"]);
    let said = running.into_iter().map(|child| Said::of(&child.wait_with_output().unwrap()));
    let mut runs: Vec<String> =
        said.filter(|said| said.code == 0).map(|said| text(&said.json()["id"]).to_owned()).collect();
    runs.dedup();
    assert_eq!(runs.len(), 1, "all are promised the same run, or told of it: {runs:?}");
    std::fs::write(home.project().join("go"), "").unwrap();
    crate::home::until(|| home.states("one") == ["succeeded"]);
}

#[test]
fn a_key_makes_updating_twice_updating_once() {
    let home = Home::new();
    home.add(&["kept", "--manual", "--cmd", "true"]);
    let update = |span: &str| home.run(&["update", "kept", "--timeout", span, "--key", "one", "--json"]);
    let (first, mut again) = (update("1m").done().json(), update("1m").done().json());
    assert_eq!(again["replayed"].take(), json!(true));
    again["replayed"] = json!(false);
    assert_eq!((&first["changed"], &first["revision"]), (&json!(true), &json!(2)));
    assert_eq!(again, first);
    assert_eq!(update("2m").ended(64).json()["error"]["code"], "key_reused");
    let settle = || {
        home.run(&["update", "kept", "--timeout", "1m", "--key", "two", "--json"]).done().json()["changed"]
            .clone()
    };
    assert_eq!(settle(), false);
    home.run(&["update", "kept", "--timeout", "3m"]).done();
    assert_eq!((settle(), home.show("kept")["revision"].clone()), (json!(false), json!(3)));
}

#[test]
fn an_update_of_the_condition_leaves_the_checks_and_the_other_way_round() {
    let home = Home::new();
    home.add(&[
        "both", "--cmd", "true", "--start", "next", "--until", "exit 0", "--check", "a: true", "--wait", "1h",
    ]);
    let update = |words: &[&str]| home.json(&[&["update", "both"], words].concat())["until"].clone();
    let until = |words: &[&str]| update(words).as_array().unwrap().len();
    let said = update(&["--until", "exit 1"]).to_string();
    assert!(said.contains("a: ") && said.contains("exit 1"), "{said}");
    let said = update(&["--check", "b: true", "--check", "c: true"]).to_string();
    assert!(said.contains("exit 1") && said.contains("b: ") && !said.contains("a: "), "{said}");
    assert_eq!(until(&["--until", "none"]), 2);
    assert_eq!(until(&["--check", "none", "--until", "exit 0"]), 1);
    assert_eq!(until(&["--until", "none"]), 0);
    home.run(&["update", "both", "--starts-at", "in 2h", "--ends-at", "in 1h"]).refused(&["--ends-at"]);
}

#[test]
fn what_is_too_long_is_refused_and_not_cut() {
    let home = Home::new();
    home.add(&["job", "--manual", "--cmd", "true"]);
    let note = "x".repeat(500);
    assert_eq!(home.json(&["pause", "job", "--note", &note])["jobs"][0]["evidence"], note);
    home.run(&["pause", "job", "--note", &format!("{note}x")]).refused(&["note", "500"]);
    home.run(&["resume", "job", "--key", &"k".repeat(201)]).refused(&["key", "200"]);
}
