//! Schedules: `every`, `at`, loops, `manual`, their floor and their bounds.

use jiff::Timestamp;
use serde_json::json;

use crate::home::{Home, number, text, until};

fn instant(value: &serde_json::Value) -> Timestamp {
    text(value).parse().unwrap()
}

#[test]
fn every_keeps_the_rate_and_skips_what_overlaps() {
    let home = Home::new();
    home.add(&[
        "rate",
        "--cmd",
        "echo x >> ran; sleep 1.2",
        "--every",
        "1s",
        "--start",
        "now",
        "--max-runs",
        "2",
    ]);
    let over = home.over("rate");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("run_limit")));
    let runs = home.runs("rate");
    let slots: Vec<Timestamp> = runs
        .iter()
        .rev()
        .filter(|run| run["state"] == "succeeded")
        .map(|run| instant(&run["slot_at"]))
        .collect();
    assert_eq!(
        slots[1].duration_since(slots[0]).as_millis(),
        2000,
        "on the grid of the first slot: {runs:?}"
    );
    let skipped: Vec<_> = runs.iter().filter(|run| run["state"] == "skipped").collect();
    assert!(skipped.iter().all(|run| run["reason"] == "overlap") && !skipped.is_empty(), "{runs:?}");
    assert_eq!(home.text("ran"), "x\nx\n");
}

#[test]
fn a_plain_schedule_waits_for_its_slot_unless_told_to_start_now() {
    let home = Home::new();
    let next = home.add(&["--cmd", "touch next", "--every", "1h"]);
    assert!(next["next_at"].is_string() && next["active_run"].is_null());
    home.add(&["--cmd", "touch now", "--every", "1h", "--start", "now"]);
    until(|| home.project().join("now").exists());
    assert!(!home.project().join("next").exists());
    home.run(&["add", "--cmd", "true", "--every", "1h", "--start", "soon"]).refused(&["start", "soon"]);
}

#[test]
fn an_instant_fires_once_and_completes() {
    let home = Home::new();
    let job = home.add(&["once", "--cmd", "touch ran", "--at", "in 1s"]);
    assert_eq!(job["unbounded"], false);
    let over = home.over("once");
    assert_eq!((&over["state"], number(&over["runs"])), (&json!("completed"), 1));
    let run = home.runs("once").remove(0);
    assert_eq!(instant(&run["slot_at"]), instant(&job["next_at"]));
    assert!(instant(&run["started_at"]) >= instant(&job["next_at"]));
    home.run(&["add", "--cmd", "true", "--at", "2001-01-01 00:00"]).refused(&["at"]);
}

#[test]
fn a_loop_waits_after_each_end() {
    let home = Home::new();
    home.add(&["loop", "--cmd", "sleep 0.3", "--wait", "1s", "--max-runs", "2"]);
    home.over("loop");
    let runs = home.runs("loop");
    let pause = instant(&runs[0]["started_at"]).duration_since(instant(&runs[1]["finished_at"]));
    assert!((1000..3000).contains(&pause.as_millis()), "{pause}");
}

#[test]
fn every_with_a_goal_counts_from_the_end() {
    let home = Home::new();
    let line = "sleep 0.5; test -e once && exit 0; touch once; exit 1";
    home.add(&["goal", "--cmd", line, "--every", "1s", "--until", "exit 0"]);
    assert_eq!(home.over("goal")["state"], "completed");
    let runs = home.runs("goal");
    let pause = instant(&runs[0]["started_at"]).duration_since(instant(&runs[1]["finished_at"]));
    assert!(pause.as_millis() >= 1000, "{pause}");
    assert!(runs.iter().all(|run| run["state"] != "skipped"));
}

#[test]
fn manual_never_starts_by_itself() {
    let home = Home::new();
    let job = home.add(&["hand", "--manual", "--cmd", "true"]);
    assert_eq!((&job["next_at"], &job["active_run"]), (&json!(null), &json!(null)));
    home.run(&["wait", "hand", "--timeout", "300ms"]).ended(3);
    assert_eq!(home.runs("hand").len(), 0);
}

#[test]
fn the_floor_is_a_second_and_spans_have_units() {
    let home = Home::new();
    for (words, said) in [
        (["--every", "999ms"], "floor of 1s"),
        (["--wait", "0s"], "floor of 1s"),
        (["--every", "5"], "`5s`, `5m` or `5h`"),
        (["--every", "5 parsecs"], "every"),
        (["--every", "-5m"], "every"),
        (["--wait", ""], "wait"),
        (["--timeout", "10"], "no unit"),
    ] {
        let rest: &[&str] = if words[0] == "--timeout" { &["--manual"] } else { &[] };
        // The equals sign, so that a leading dash belongs to the value.
        let flag = format!("{}={}", words[0], words[1]);
        home.run(&[&["add", "--cmd", "true", &flag], rest].concat()).refused(&[said]);
    }
    home.run(&["add", "--cmd", "true", "--every", "1h", "--wait", "1h"]).refused(&["more than one schedule"]);
    home.run(&["add", "--cmd", "true"]).refused(&["no schedule and no condition"]);
    assert_eq!(home.json(&["ls"])["jobs"], json!([]));
}

#[test]
fn bounds_hold_the_first_and_the_last_start() {
    let home = Home::new();
    let job =
        home.add(&["begin", "--cmd", "true", "--every", "1s", "--start", "now", "--starts-at", "in 1h"]);
    let ahead = instant(&job["next_at"]).duration_since(Timestamp::now());
    assert!((3500..3601).contains(&ahead.as_secs()), "{job}");
    home.add(&["end", "--cmd", "true", "--every", "1s", "--start", "now", "--ends-at", "in 2s"]);
    let over = home.over("end");
    assert_eq!((&over["state"], &over["reason"]), (&json!("expired"), &json!("expired")));
    assert!((1..=3).contains(&number(&over["runs"])), "{over}");
    let words = ["add", "--cmd", "true", "--every", "1s", "--starts-at", "in 2h", "--ends-at", "in 1h"];
    home.run(&words).refused(&["--ends-at", "not after"]);
}

#[test]
fn slots_missed_without_a_daemon_are_one_row_and_one_run() {
    let home = Home::new();
    home.add(&["gap", "--cmd", "true", "--every", "1s", "--start", "now"]);
    until(|| home.states("gap").contains(&"succeeded".to_owned()));
    home.run(&["pause", "gap"]).done();
    home.run(&["resume", "gap"]).done();
    home.run(&["daemon", "stop"]).done();
    let stopped_at = Timestamp::now();
    until(|| Timestamp::now().duration_since(stopped_at).as_millis() > 3200);
    home.run(&["daemon", "start"]).done();
    until(|| home.runs("gap").iter().any(|run| run["reason"] == "missed"));
    let runs = home.runs("gap");
    let missed: Vec<_> = runs.iter().filter(|run| run["reason"] == "missed").collect();
    assert_eq!(missed.len(), 1, "{runs:?}");
    assert!(number(&missed[0]["slots"]) >= 2, "{runs:?}");
}

#[test]
fn words_that_contradict_the_schedule_are_refused() {
    let home = Home::new();
    for (flag, value) in [("--start", "now"), ("--starts-at", "in 1h"), ("--ends-at", "in 1h")] {
        home.run(&["add", "--manual", "--cmd", "true", flag, value])
            .refused(&[flag, "a manual job starts nothing by itself"]);
    }
    home.run(&["add", "--cmd", "true", "--at", "in 2h", "--ends-at", "in 1h"])
        .refused(&["--ends-at", "nothing would ever start"]);
    home.add(&["later", "--cmd", "true", "--at", "in 2h"]);
    home.run(&["update", "later", "--ends-at", "in 1h"]).refused(&["--ends-at"]);
    home.run(&["update", "later", "--manual", "--start", "now"]).refused(&["--start"]);
}

#[test]
fn a_zone_that_means_nothing_is_refused_wherever_it_comes_from() {
    let home = Home::new();
    home.run(&["add", "--manual", "--cmd", "true", "--tz", "Europe/Berln"])
        .refused(&["no time zone `Europe/Berln`", "`Europe/Berlin`"]);
    let mut client = home.dial();
    let preface = json!({ "converge": env!("CARGO_PKG_VERSION"), "cwd": home.project(), "pid": 1, "zone": "Mars/Base", "env": {} });
    client.ask(&preface);
    let refused = client.call("add_job", &json!({ "manual": true, "cmd": "true" }));
    assert_eq!(refused["error"]["problems"][0]["place"], "zone", "{refused}");
    let named = client.call("add_job", &json!({ "manual": true, "cmd": "true", "tz": "UTC" }));
    assert!(named["error"].is_null(), "{named}");
}

#[test]
fn no_time_at_all_is_no_limit() {
    let home = Home::new();
    let limits = ["--timeout", "0s", "--idle-timeout", "0s"];
    home.add(&[&["free", "--manual", "--cmd", "true"], limits.as_slice()].concat());
    let said = home.run(&["show", "free"]).done().out;
    assert!(said.contains("no time limit for a run") && !said.contains("silence"), "{said}");
}
