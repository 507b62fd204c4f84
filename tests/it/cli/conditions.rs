//! Conditions: when a loop is done, and what says so.

use serde_json::json;

use crate::home::{Home, number, text};

/// A line that counts its runs in `n` and ends with 0 from the `green`th on.
fn green_from(green: u32) -> String {
    format!("n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; echo run $n; [ $n -ge {green} ]")
}

#[test]
fn red_eleven_times_and_green_on_the_twelfth_completes() {
    let home = Home::new();
    let line = green_from(12);
    home.add(&["dozen", "--cmd", &line, "--until", "exit 0", "--wait", "1s", "--max-runs", "12"]);
    // The pause between runs is the floor of a second, so the runs in between are brought forward.
    while home.json(&["show", "dozen"])["state"] == "active" {
        home.run(&["run-now", "dozen", "--no-wait"]);
        home.run(&["wait", "dozen", "--timeout", "50ms"]);
    }
    let job = home.over("dozen");
    assert_eq!((&job["state"], &job["reason"]), (&json!("completed"), &json!("condition_met")));
    assert_eq!((job["evidence"].as_str(), number(&job["runs"])), (Some("exit code 0"), 12));
    let states = home.states("dozen");
    assert_eq!(states[0], "succeeded");
    assert!(states[1..].iter().all(|state| state == "not_yet"), "{states:?}");
    assert_eq!(home.text("n"), "12\n");
}

#[test]
fn every_kind_of_condition_ends_a_loop_with_its_evidence() {
    let home = Home::new();
    std::fs::write(home.project().join("done.txt"), "yes").unwrap();
    for (condition, line) in [
        ("exit 3", "exit 3"),
        ("output /all [0-9]+ passed/", "echo 'all 12 passed'; exit 1"),
        ("output \"passed\"", "echo passed"),
        ("file done.txt", "exit 1"),
        ("check \"test -f done.txt\"", "exit 1"),
        ("not output /FAIL/", "echo fine"),
        (r#"{"type":"exitCode","code":4}"#, "exit 4"),
        (r#"{"type":"stdoutMatches","pattern":"ok$"}"#, "printf 'is ok'"),
        (
            r#"{"type":"compound","operator":"all","conditions":[{"type":"exitCode","code":0},{"type":"not","condition":{"type":"file","path":"never"}}]}"#,
            "true",
        ),
    ] {
        // Not met before the first run, where it is looked at too, or else met at no cost: both complete.
        let job = home.add(&["--cmd", line, "--until", condition]);
        let over = home.over(text(&job["id"]));
        assert_eq!(over["state"], "completed", "{condition}: {over}");
        assert!(!text(&over["evidence"]).is_empty(), "{condition}: {over}");
        assert!(["condition_met", "converged"].contains(&text(&over["reason"])), "{condition}: {over}");
    }
}

#[test]
fn a_condition_is_shown_in_its_text_form_which_reads_back() {
    let home = Home::new();
    // So that it is not met before the first run, which would end the job.
    std::fs::write(home.project().join("x"), "").unwrap();
    for (written, shown) in [
        (r#"{"type":"exitCode","code":0}"#, "exit 0"),
        (r#"{"type":"stdoutMatches","pattern":"a b"}"#, "output /a b/"),
        (r#"{"type":"check","command":"cargo test"}"#, "check \"cargo test\""),
        (r#"{"type":"not","condition":{"type":"file","path":"x"}}"#, "not file x"),
    ] {
        let first = home.add(&["--cmd", "exit 9", "--wait", "1h", "--start", "next", "--until", written]);
        assert_eq!(first["until"], json!([shown]));
        let again = home.add(&["--cmd", "exit 9", "--wait", "1h", "--start", "next", "--until", shown]);
        assert_eq!(again["id"], first["id"], "{shown} means the same");
    }
}

#[test]
fn all_checks_must_hold_and_any_condition_will_do() {
    let home = Home::new();
    let line = "n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; [ $n = 1 ] && touch one || touch two";
    let checks = ["--check", "first: test -f one", "--check", "second: test -f two"];
    home.add(&[&["both", "--cmd", line, "--wait", "1s"], &checks[..]].concat());
    let over = home.over("both");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("converged")));
    let runs = home.runs("both");
    let truths = |run: &serde_json::Value| {
        run["criteria"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| text(&one["truth"]).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(truths(&runs[0]), ["met", "met"]);
    assert_eq!(truths(&runs[1]), ["met", "not_met"]);
    let any = home.add(&["--cmd", "exit 7", "--until", "exit 0", "--until", "exit 7"]);
    assert_eq!(home.over(text(&any["id"]))["state"], "completed");
}

#[test]
fn what_is_met_before_the_first_run_costs_nothing() {
    let home = Home::new();
    home.add(&["done", "--cmd", "touch ran; exit 1", "--check", "there: true", "--wait", "1s"]);
    let over = home.over("done");
    assert_eq!((&over["state"], number(&over["runs"])), (&json!("completed"), 0), "{over}");
    assert!(!home.project().join("ran").exists());
    let runs = home.runs("done");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["origin"], "zero");
}

#[test]
fn what_is_met_in_part_before_the_first_run_is_warned_about() {
    let home = Home::new();
    let checks = ["--check", "already: true", "--check", "later: test -f ran"];
    home.add(&[&["part", "--cmd", "sleep 0.3; touch ran", "--wait", "1s"], &checks[..]].concat());
    crate::home::until(|| {
        home.show("part")["active_run"].is_string() && number(&home.show("part")["runs"]) == 1
    });
    let job = home.show("part");
    assert!(job["warnings"].to_string().contains("already"), "{job}");
    assert_eq!(home.over("part")["state"], "completed");
}

#[test]
fn a_bad_condition_is_refused_whole_with_the_place_and_the_fix() {
    let home = Home::new();
    for (condition, words) in [
        ("exitt 0", &["exitt"][..]),
        ("output /a(/", &["bad regex", "unclosed group"]),
        (r#"{"type":"exit_kode"}"#, &["exit_kode"]),
        (r#"{"type":"exitCode","code":0,"colour":1}"#, &["colour"]),
        (r#"{"type":"compound","operator":"any","conditions":[]}"#, &["conditions"]),
        (r#"{"type":"exitCode","code":"#, &["JSON"]),
        (
            r#"{"type":"compound","operator":"all","conditions":[{"type":"exitCode","code":0},{"type":"stdoutMatches","pattern":"["}]}"#,
            &["conditions[1]"],
        ),
        ("", &["until"]),
    ] {
        let said = home.run(&["add", "--cmd", "true", "--until", condition, "--json"]).ended(64);
        let error = &said.json()["error"];
        assert_eq!(error["code"], "invalid", "{condition}: {error}");
        assert!(text(&error["problems"][0]["place"]).starts_with("until"), "{condition}: {error}");
        assert!(!error["problems"][0]["fix"].is_null(), "{condition}: {error}");
        for word in words {
            assert!(said.out.contains(word), "{condition}: `{word}` is not in {}", said.out);
        }
    }
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
}

#[test]
fn a_condition_is_tried_on_a_past_run() {
    let home = Home::new();
    home.add(&["past", "--manual", "--cmd", "echo 12 passed; exit 3"]);
    let run = home.run(&["run-now", "past", "--json"]).ended(1).json();
    let id = text(&run["id"]);
    let truth = |condition: &str| {
        let tested = home.json(&["condition", "test", condition, "--run", id]);
        assert!(!text(&tested["evidence"]).is_empty(), "{tested}");
        text(&tested["truth"]).to_owned()
    };
    assert_eq!(truth("output /[0-9]+ passed/"), "met");
    assert_eq!(truth("exit 0"), "not_met");
    assert_eq!(truth("not exit 0"), "met");
    assert_eq!(truth("check true"), "unknown");
    home.run(&["condition", "test", "exit zero", "--run", id]).refused(&["condition"]);
    home.run(&["condition", "test", "exit 0", "--run", "r00000000"]).refused(&["no run"]);
}

#[test]
fn an_unknown_is_never_done() {
    let home = Home::new();
    // Killed by a signal there is no exit code, so that neither `exit 0` nor its opposite holds.
    let job = home.add(&["--cmd", "kill -9 $$", "--until", "not exit 0", "--wait", "1s", "--max-runs", "1"]);
    let over = home.over(text(&job["id"]));
    assert_eq!((&over["state"], &over["reason"]), (&json!("failed"), &json!("run_limit")), "{over}");
}
