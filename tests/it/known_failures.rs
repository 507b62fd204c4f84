//! Failures of other loop tools that must not come back here.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use serde_json::{Value as Json, json};

use crate::home::{Home, is_alive, number, program, text, until};

// K2
#[test]
fn a_bad_pattern_is_refused_when_the_job_is_made() {
    let home = Home::new();
    home.run(&["add", "--cmd", "true", "--stop", "output /(unclosed/"]).refused(&["regex"]);
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
}

// K3
#[test]
fn a_job_with_checks_converges() {
    let home = Home::new();
    home.add(&["conv", "--cmd", "touch ok", "--check", "ok: test -e ok", "--wait", "1s"]);
    let over = home.over("conv");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("converged")));
}

// K4
#[test]
fn a_program_that_is_not_there_fails_one_run_and_not_the_job() {
    let home = Home::new();
    home.add(&["absent", "--manual", "--", "/nonexistent/program"]);
    let run = home.run(&["run-now", "absent", "--json"]).ended(1).json();
    assert_eq!((&run["reason"], run["note"].is_string()), (&json!("spawn_failed"), true), "{run}");
    assert_eq!(home.show("absent")["state"], "active");
    home.run(&["update", "absent", "--cmd", "true"]).done();
    home.run(&["run-now", "absent"]).done();
}

// K5
#[test]
fn jobs_that_are_due_at_once_run_side_by_side() {
    let home = Home::new();
    // Each waits until all four are there, which one after another they never are.
    let line = "touch here-$CONVERGE_JOB_NAME; until [ $(ls here-* | wc -l) = 4 ]; do sleep 0.02; done";
    for name in ["a", "b", "c", "d"] {
        home.add(&[name, "--cmd", line, "--wait", "1h", "--timeout", "20s", "--again"]);
    }
    until(|| ["a", "b", "c", "d"].iter().all(|name| home.states(name) == ["succeeded"]));
}

// K8
#[test]
fn a_run_can_be_cancelled_from_its_first_moment() {
    let home = Home::new();
    for round in 0..5 {
        let name = format!("quick-{round}");
        home.add(&[&name, "--cmd", "echo $$ >> pids; sleep 300", "--wait", "1h"]);
        // At once: it may be claimed, starting or running by then.
        home.run(&["cancel", &name]).done();
        assert_eq!(home.over(&name)["state"], "cancelled");
        for run in home.runs(&name) {
            let shown = home.show(text(&run["id"]));
            for attempt in shown["attempt_list"].as_array().unwrap() {
                // It was asked to end and did; only whoever does not is killed, after a while.
                assert!(attempt["signal"] != 9, "{shown}");
            }
        }
    }
    for pid in home.text("pids").lines() {
        assert!(!is_alive(pid.parse().unwrap()));
    }
}

// K9
#[test]
fn a_new_job_fires_by_itself() {
    let home = Home::new();
    let job = home.add(&["fresh", "--cmd", "touch ran", "--every", "1s"]);
    assert_eq!(job["state"], "active");
    until(|| home.project().join("ran").exists());
}

// K9b
#[test]
fn a_run_of_a_daemon_that_crashed_is_closed_and_blocks_nothing() {
    let home = Home::new();
    home.add(&["crash", "--manual", "--cmd", "echo $$ > pid; sleep 300"]);
    let run = home.json(&["run-now", "crash", "--no-wait"]);
    until(|| home.text("pid").ends_with('\n'));
    let daemon = home.daemon_pid().unwrap();
    // Everything of this home at once, as a machine that crashes does it.
    for pid in home.processes() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
    until(|| !is_alive(daemon));
    assert_eq!(home.over(text(&run["id"]))["state"], "lost");
    home.run(&["update", "crash", "--cmd", "true"]).done();
    home.run(&["run-now", "crash"]).done();
}

// K9c
#[test]
fn the_daemon_answers_while_a_run_runs_and_limits_apply() {
    let home = Home::new();
    home.add(&["open", "--manual", "--cmd", "touch began; until test -e go; do sleep 0.02; done"]);
    home.run(&["run-now", "open", "--no-wait"]).done();
    until(|| home.project().join("began").exists());
    for _ in 0..5 {
        assert_eq!(home.json(&["ls"])["jobs"][0]["last"], Json::Null, "it answers before the run is over");
    }
    home.add(&["long", "--manual", "--cmd", "sleep 300", "--timeout", "300ms"]);
    home.run(&["run-now", "long"]).ended(1);
    assert_eq!(
        (home.states("long"), home.states("open")),
        (vec!["timed_out".into()], vec!["running".into()])
    );
    std::fs::write(home.project().join("go"), "").unwrap();
    until(|| home.states("open") == ["succeeded"]);
}

// K9d and K10
#[test]
fn a_run_is_one_however_long_it_takes_and_nothing_has_to_be_renewed() {
    let home = Home::new();
    let line = "echo x >> began; until test -e go; do sleep 0.02; done";
    home.add(&["hold", "--cmd", line, "--every", "1s", "--start", "now"]);
    until(|| home.text("began") == "x\n");
    for _ in 0..3 {
        home.kill_daemon();
        home.run(&["run-now", "hold", "--no-wait"]).refused(&["has an active run"]);
    }
    until(|| home.runs("hold").iter().any(|run| run["reason"] == "overlap"));
    assert_eq!(home.text("began"), "x\n", "no lapse of anything starts a second one");
    std::fs::write(home.project().join("go"), "").unwrap();
}

// K9f
#[test]
fn a_run_by_hand_is_a_child_of_the_daemon_and_not_of_the_client() {
    let home = Home::new();
    home.add(&["whose", "--manual", "--cmd", "echo $$ > pid; until test -e go; do sleep 0.02; done"]);
    let mut client = home.spawn(&["run-now", "whose"]);
    until(|| home.text("pid").ends_with('\n'));
    client.kill().unwrap();
    client.wait().unwrap();
    let pid: i32 = home.text("pid").trim().parse().unwrap();
    assert!(is_alive(pid), "the run goes on without the one who asked");
    std::fs::write(home.project().join("go"), "").unwrap();
    until(|| home.states("whose") == ["succeeded"]);
}

// K9g
#[test]
fn status_and_logs_speak_json_and_the_daemon_names_its_true_socket() {
    let home = Home::new();
    home.add(&["job", "--manual", "--cmd", "true"]);
    assert_eq!(home.json(&["status", "job"])["name"], "job");
    assert_eq!(home.json(&["logs", "job"])["runs"], json!([]));
    let socket = home.json(&["daemon", "status"])["socket"].clone();
    assert!(std::os::unix::net::UnixStream::connect(text(&socket)).is_ok(), "{socket}");
}

// K9h
#[test]
fn a_daemon_that_is_told_to_end_leaves_runs_running_and_known() {
    let home = Home::new();
    home.add(&["stay", "--manual", "--cmd", "echo $$ > pid; until test -e go; do sleep 0.02; done; exit 3"]);
    let run = home.json(&["run-now", "stay", "--no-wait"]);
    until(|| home.text("pid").ends_with('\n'));
    home.run(&["daemon", "stop"]).done();
    assert!(is_alive(home.text("pid").trim().parse().unwrap()));
    home.run(&["daemon", "start"]).done();
    until(|| home.show(text(&run["id"]))["state"] == "running");
    std::fs::write(home.project().join("go"), "").unwrap();
    let over = home.over(text(&run["id"]));
    assert_eq!((number(&over["exit_code"]), number(&over["attempts"])), (3, 1));
}

// K9i
#[test]
fn a_job_that_is_done_is_told_from_one_that_is_paused_by_its_state() {
    let home = Home::new();
    home.add(&["done", "--cmd", "true", "--until", "exit 0", "--wait", "1s"]);
    home.over("done");
    home.add(&["paused", "--cmd", "true", "--every", "1h"]);
    home.run(&["pause", "paused"]).done();
    home.add(&["broken", "--manual", "--max-failures", "1", "--", "/nonexistent"]);
    home.run(&["run-now", "broken"]).ended(1);
    let known = |name: &str| (home.show(name)["state"].clone(), home.show(name)["reason"].clone());
    assert_eq!(known("done"), (json!("completed"), json!("condition_met")));
    assert_eq!(known("paused"), (json!("paused"), Json::Null));
    assert_eq!(known("broken"), (json!("paused"), json!("circuit_breaker")));
}

// K9g, too: the program under test is the one that is run.
#[test]
fn the_daemon_is_of_the_version_of_its_client() {
    let home = Home::new();
    home.run(&["ls"]).done();
    assert_eq!(home.json(&["daemon", "status"])["version"], env!("CARGO_PKG_VERSION"));
    let pid = home.daemon_pid().unwrap();
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/exe")).unwrap(), program().canonicalize().unwrap());
}
