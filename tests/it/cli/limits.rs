//! Limits: what bounds a loop, a run, and how many run at once.

use serde_json::json;

use crate::home::{Home, number, text, until};

#[test]
fn as_many_runs_as_allowed() {
    let home = Home::new();
    home.add(&["two", "--cmd", "exit 1", "--until", "exit 0", "--wait", "1s", "--max-runs", "2"]);
    let over = home.over("two");
    assert_eq!(
        (&over["state"], &over["reason"], number(&over["runs"])),
        (&json!("failed"), &json!("run_limit"), 2)
    );
    assert!(text(&over["evidence"]).contains("exit code 1, not 0"), "{over}");
}

#[test]
fn succeeding_on_the_last_permitted_run_is_success() {
    let home = Home::new();
    let line = "test -e once && exit 0; touch once; exit 1";
    home.add(&["last", "--cmd", line, "--until", "exit 0", "--wait", "1s", "--max-runs", "2"]);
    let over = home.over("last");
    assert_eq!((&over["state"], number(&over["runs"])), (&json!("completed"), 2));
}

#[test]
fn the_span_and_the_deadline_cut_a_run_under_way() {
    let home = Home::new();
    home.add(&["span", "--cmd", "sleep 300", "--until", "exit 0", "--wait", "1s", "--max-hours", "1s"]);
    home.add(&["dead", "--cmd", "sleep 300", "--until", "exit 0", "--wait", "1s", "--deadline", "in 1s"]);
    for job in ["span", "dead"] {
        let over = home.over(job);
        assert_eq!((&over["state"], &over["reason"]), (&json!("failed"), &json!("time_limit")), "{over}");
        assert_eq!(number(&over["runs"]), 1);
    }
    assert!(text(&home.show("span")["evidence"]).contains("1s since the first run"));
}

#[test]
fn five_in_a_row_that_could_not_do_their_work_pause_the_job() {
    let home = Home::new();
    home.add(&["broken", "--manual", "--", "/nonexistent/program"]);
    for _ in 0..5 {
        let run = home.run(&["run-now", "broken", "--json"]).ended(1).json();
        assert_eq!(run["reason"], "spawn_failed", "{run}");
    }
    let job = home.show("broken");
    assert_eq!((&job["state"], &job["reason"]), (&json!("paused"), &json!("circuit_breaker")));
    assert!(home.run(&["explain", "broken"]).done().out.contains("5 runs in a row"));
    home.run(&["wait", "broken"]).ended(2);
    home.run(&["resume", "broken"]).done();
    home.run(&["run-now", "broken"]).ended(1);
    assert_eq!(home.show("broken")["state"], "active", "the count starts anew");
}

#[test]
fn with_a_goal_an_exit_code_is_evidence_and_breaks_no_circuit() {
    let home = Home::new();
    home.add(&["red", "--cmd", "exit 1", "--until", "exit 0", "--wait", "1h", "--max-failures", "2"]);
    until(|| home.states("red") == ["not_yet"]);
    for _ in 0..3 {
        home.run(&["run-now", "red"]).done();
    }
    assert_eq!(home.show("red")["state"], "active");
    home.add(&["plain", "--manual", "--cmd", "exit 1", "--max-failures", "2"]);
    for _ in 0..2 {
        home.run(&["run-now", "plain"]).ended(1);
    }
    assert_eq!(home.show("plain")["reason"], "circuit_breaker");
}

#[test]
fn a_run_is_bounded_by_wall_idle_and_memory() {
    let home = Home::new();
    home.add(&["wall", "--manual", "--cmd", "sleep 300", "--timeout", "300ms"]);
    home.add(&["idle", "--manual", "--cmd", "echo x; sleep 300", "--idle-timeout", "300ms"]);
    let hungry = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 300";
    home.add(&["memory", "--manual", "--cmd", hungry, "--memory", "64M"]);
    for (job, state, reason) in [
        ("wall", "timed_out", "timeout"),
        ("idle", "timed_out", "idle_timeout"),
        ("memory", "failed", "resource_limit"),
    ] {
        let run = home.run(&["run-now", job, "--json"]).ended(1).json();
        assert_eq!((&run["state"], &run["reason"]), (&json!(state), &json!(reason)), "{run}");
    }
    home.run(&["add", "--manual", "--cmd", "true", "--memory", "64"]).refused(&["memory", "512M"]);
}

#[test]
fn what_a_run_used_is_kept_with_its_attempt() {
    let home = Home::new();
    let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    home.add(&["used", "--manual", "--cmd", busy]);
    let run = home.run(&["run-now", "used", "--json"]).done().json();
    let attempt = &run["attempt_list"][0];
    assert!(number(&attempt["cpu_ms"]) > 0 && number(&attempt["peak_kb"]) > 0, "{run}");
}

#[test]
fn lanes_bound_how_many_run_at_once_and_the_rest_wait_in_due_order() {
    let home = Home::new();
    std::fs::create_dir(home.home()).unwrap();
    std::fs::write(home.home().join("config.json"), r#"{"lanes": 2}"#).unwrap();
    let line = "echo $CONVERGE_JOB_NAME >> order; until test -e go; do sleep 0.02; done";
    for name in ["a", "b", "c", "d"] {
        home.add(&[name, "--cmd", line, "--wait", "1h", "--again"]);
    }
    until(|| home.text("order").lines().count() == 2);
    let states: Vec<String> = ["a", "b", "c", "d"].iter().map(|name| home.states(name).remove(0)).collect();
    assert_eq!(states[2..], ["pending", "pending"]);
    assert_eq!(home.text("order").lines().count(), 2, "no more than two");
    std::fs::write(home.project().join("go"), "").unwrap();
    until(|| ["a", "b", "c", "d"].iter().all(|name| home.states(name)[0] == "succeeded"));
    let order = home.text("order");
    let mut first: Vec<&str> = order.lines().take(2).collect();
    first.sort_unstable();
    assert_eq!(first, ["a", "b"], "the longest due come first: {order}");
}

#[test]
fn an_update_changes_the_limits_of_the_run_under_way() {
    let home = Home::new();
    home.add(&["long", "--cmd", "echo up; exec sleep 300", "--manual"]);
    let started = home.json(&["run-now", "long", "--no-wait"]);
    let run = text(&started["id"]);
    until(|| home.show(run)["phase"] == "executing");
    let said = home.run(&["update", "long", "--every", "1h"]).done().out;
    assert!(said.contains(&format!("Run {run} goes on under the revision before.")), "{said}");
    let said = home.run(&["update", "long", "--timeout", "2h"]).done().out;
    assert!(said.contains(&format!("Run {run} goes on as it began, and now ends after 2h.")), "{said}");
    // So does a daemon that did not start the run.
    home.kill_daemon();
    let said = home.json(&["update", "long", "--timeout", "1s"]);
    assert_eq!(said["run_bounds"], json!(["after 1s"]));
    let over = home.over(run);
    assert_eq!((&over["state"], &over["reason"]), (&json!("timed_out"), &json!("timeout")), "{over}");
}
