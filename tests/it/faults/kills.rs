//! `kill -9` of the daemon, of the shim, of both.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};

use crate::home::{Home, is_alive, text, until};

/// A run that goes on until `go` is there, and its shim.
fn under_way(home: &Home) -> (String, i32) {
    let line = "echo $$ > pid; echo begun; until test -e go; do sleep 0.02; done; echo ended; exit 7";
    home.add(&["work", "--manual", "--cmd", line]);
    let run = home.json(&["run-now", "work", "--no-wait"]);
    until(|| home.text("pid").ends_with('\n'));
    let id = text(&run["id"]).to_owned();
    let started = std::fs::read_dir(home.home().join("runs").join(&id))
        .unwrap()
        .flatten()
        .map(|entry| entry.path().join("started"))
        .find(|path| path.exists())
        .unwrap();
    let started: Json = serde_json::from_slice(&std::fs::read(started).unwrap()).unwrap();
    (id, i32::try_from(started["shim"]["pid"].as_i64().unwrap()).unwrap())
}

fn child(home: &Home) -> i32 {
    home.text("pid").trim().parse().unwrap()
}

#[test]
fn a_run_outlives_its_daemon_and_is_adopted() {
    let home = Home::new();
    let (run, _) = under_way(&home);
    home.kill_daemon();
    home.run(&["ls"]).done();
    assert!(is_alive(child(&home)));
    std::fs::write(home.project().join("go"), "").unwrap();
    let over = home.over(&run);
    assert_eq!(
        (&over["state"], &over["exit_code"], &over["attempts"]),
        (&json!("failed"), &json!(7), &json!(1))
    );
    assert_eq!(home.json(&["logs", "work"])["output"]["stdout"], "begun\nended");
}

#[test]
fn a_run_that_ends_without_a_daemon_brings_one_back() {
    let home = Home::new();
    let (run, _) = under_way(&home);
    let killed = home.daemon_pid();
    home.kill_daemon();
    std::fs::write(home.project().join("go"), "").unwrap();
    until(|| home.run(&["daemon", "status"]).code == 0);
    assert_ne!(home.daemon_pid(), killed);
    assert_eq!(home.over(&run)["exit_code"], 7);
}

#[test]
fn without_its_shim_a_run_is_lost_and_nothing_of_it_is_left() {
    let home = Home::new();
    let (run, shim) = under_way(&home);
    let child = child(&home);
    kill(Pid::from_raw(shim), Signal::SIGKILL).unwrap();
    let over = home.over(&run);
    assert_eq!((&over["state"], &over["reason"]), (&json!("lost"), &json!("lost")), "{over}");
    assert!(!is_alive(child), "before a run is called lost, its tree is ended");
}

#[test]
fn without_both_a_run_is_lost_and_nothing_of_it_is_left() {
    let home = Home::new();
    let (run, shim) = under_way(&home);
    let child = child(&home);
    kill(Pid::from_raw(home.daemon_pid().unwrap()), Signal::SIGKILL).unwrap();
    kill(Pid::from_raw(shim), Signal::SIGKILL).unwrap();
    let over = home.over(&run);
    assert_eq!(over["state"], "lost");
    assert!(!is_alive(child));
    home.run(&["run-now", "work", "--no-wait"]).done();
}

#[test]
fn a_cancel_survives_the_daemon() {
    let home = Home::new();
    let line = "trap 'touch asked' TERM; echo $$ > pid; until test -e go; do sleep 0.02; done";
    home.add(&["stubborn", "--manual", "--cmd", line]);
    let run = home.json(&["run-now", "stubborn", "--no-wait"]);
    until(|| home.text("pid").ends_with('\n'));
    home.run(&["cancel", "stubborn"]).done();
    until(|| home.project().join("asked").exists());
    home.kill_daemon();
    std::fs::write(home.project().join("go"), "").unwrap();
    let over = home.over(text(&run["id"]));
    assert_eq!(over["state"], "cancelled", "{over}");
    assert!(!is_alive(child(&home)));
}

#[test]
fn checks_that_were_under_way_are_run_again() {
    let home = Home::new();
    let check = "slow: echo x >> checked; until test -e go; do sleep 0.02; done; test -e ran";
    home.add(&["checked", "--cmd", "touch ran", "--check", check, "--wait", "1s"]);
    until(|| !home.text("checked").is_empty());
    home.kill_daemon();
    home.run(&["ls"]).done();
    std::fs::write(home.project().join("go"), "").unwrap();
    assert_eq!(home.over("checked")["state"], "completed");
}

#[test]
fn a_schedule_goes_on_where_it_was() {
    let home = Home::new();
    let job = home.add(&["later", "--cmd", "touch ran", "--at", "in 1s"]);
    home.kill_daemon();
    home.run(&["ls"]).done();
    assert_eq!(home.over("later")["state"], "completed");
    assert_eq!(home.runs("later")[0]["slot_at"], job["next_at"]);
}
