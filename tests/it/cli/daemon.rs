//! The daemon by hand, and `doctor` with it and without.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use converge::process::lock::Lock;
use serde_json::{Value as Json, json};

use crate::home::{Home, Said, is_alive, number, text, until};

#[test]
fn it_starts_by_itself_and_is_one() {
    let home = Home::new();
    let status = home.run(&["daemon", "status", "--json"]).ended(69).json();
    assert_eq!((&status["running"], &status["pid"]), (&json!(false), &json!(null)));
    assert!(!home.home().exists(), "asking starts none");
    home.run(&["ls"]).done();
    let pid = number(&home.json(&["daemon", "status"])["pid"]);
    home.run(&["ls"]).done();
    assert_eq!(number(&home.json(&["daemon", "start"])["pid"]), pid);
    let second = home.run(&["daemon", "run"]).done();
    assert_eq!(number(&home.json(&["daemon", "status"])["pid"]), pid, "{second:?}");
}

#[test]
fn it_stops_restarts_and_tells_its_log() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let first = home.daemon_pid().unwrap();
    home.run(&["daemon", "restart"]).done();
    let second = home.daemon_pid().unwrap();
    assert!(first != second && !is_alive(first) && is_alive(second));
    let stopped = home.json(&["daemon", "stop"]);
    assert_eq!((&stopped["stopped"], number(&stopped["pid"])), (&json!(true), i64::from(second)));
    until(|| !is_alive(second));
    assert!(!home.home().join("converge.sock").exists());
    assert_eq!(home.json(&["daemon", "stop"])["stopped"], false);
    let log = home.run(&["daemon", "logs"]).done().out;
    assert!(log.contains("started") && log.contains("ended"), "{log}");
    assert_eq!(home.run(&["daemon", "logs", "--lines", "1"]).done().out.lines().count(), 1);
}

#[test]
fn stopping_signals_nobody_who_merely_has_the_pid_of_a_killed_daemon() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    home.kill_daemon();
    let mut bystander = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let path = home.home().join("daemon.lock");
    let mut note: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    note["pid"] = json!(bystander.id());
    note["process"]["pid"] = json!(bystander.id());
    // Ticks are coarse: the two may have started in the same one.
    let started = note["process"]["started_ticks"].as_u64().unwrap();
    note["process"]["started_ticks"] = json!(started - 1);
    fs::write(&path, note.to_string()).unwrap();
    // As a shim does that looks whether there is a daemon.
    let mut probe = None;
    until(|| {
        probe = Lock::try_take(&path).unwrap();
        probe.is_some()
    });
    let stopping = home.spawn(&["daemon", "stop", "--json"]);
    until(|| home.home().join("daemon.stopped").exists());
    // It sleeps between two looks at the note, so by then it has read it, and signalled if it believed it.
    let before = sleeps(stopping.id());
    until(|| sleeps(stopping.id()) >= before + 4);
    drop(probe);
    let said = Said::of(&stopping.wait_with_output().unwrap()).done().json();
    assert_eq!(said["stopped"], false, "{said}");
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

/// How often a process has gone to sleep of its own accord.
fn sleeps(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn in_the_foreground_it_ends_by_a_signal() {
    let home = Home::new();
    let mut daemon = home.spawn(&["daemon", "run"]);
    until(|| home.run(&["daemon", "status"]).code == 0);
    assert_eq!(home.daemon_pid().map(i32::unsigned_abs), Some(daemon.id()));
    let pid = nix::unistd::Pid::from_raw(home.daemon_pid().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_keeps_is_private() {
    let home = Home::new();
    home.add(&["job", "--manual", "--cmd", "echo x"]);
    home.run(&["run-now", "job"]).done();
    let mode = |path: &std::path::Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let mut folders = vec![home.home()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert_eq!(mode(&path) & 0o177, 0, "{}", path.display());
            }
        }
    }
    assert!(files >= 5, "{files}");
}

#[track_caller]
fn finding(reply: &Json, subject: &str) -> Json {
    let findings = reply["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| panic!("{reply}")).clone()
}

#[test]
fn doctor_looks_at_everything() {
    let home = Home::new();
    home.add(&["job", "--manual", "--cmd", "true"]);
    home.run(&["run-now", "job"]).done();
    let reply = home.json(&["doctor", "--deep"]);
    assert_eq!(reply["ok"], true, "{reply}");
    for subject in ["daemon", "home", "socket", "disk", "store", "clock", "leftovers"] {
        assert_eq!(finding(&reply, subject)["state"], "good", "{reply}");
    }
    fs::create_dir(home.home().join("runs/r00000000")).unwrap();
    let stray = finding(&home.json(&["doctor"]), "leftovers");
    assert_eq!(stray["state"], "warn", "{stray}");
    fs::set_permissions(home.home(), fs::Permissions::from_mode(0o755)).unwrap();
    let open = finding(&home.json(&["doctor"]), "home");
    assert!(text(&open["fix"]).contains("chmod 700"), "{open}");
}

#[test]
fn doctor_works_without_a_daemon_and_starts_none() {
    let home = Home::new();
    let nothing = home.run(&["doctor", "--json"]).done().json();
    assert_eq!(finding(&nothing, "daemon")["state"], "warn");
    assert!(!home.home().exists());
    home.add(&["job", "--manual", "--cmd", "true"]);
    home.run(&["daemon", "stop"]).done();
    let reply = home.json(&["doctor", "--deep"]);
    assert_eq!((&reply["ok"], &finding(&reply, "store")["state"]), (&json!(true), &json!("good")));
    assert_eq!(home.run(&["daemon", "status"]).code, 69, "it was not started");
}

#[test]
fn doctor_says_what_is_wrong_with_a_store_that_keeps_the_daemon_from_starting() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    home.run(&["daemon", "stop"]).done();
    fs::write(home.home().join("converge.db"), "this is not a database, whatever its name says").unwrap();
    for side in ["converge.db-wal", "converge.db-shm"] {
        let _ = fs::remove_file(home.home().join(side));
    }
    let said = home.run(&["ls"]).ended(69);
    assert!(said.err.contains("converge doctor"), "{said:?}");
    let reply = home.run(&["doctor", "--json"]).ended(1).json();
    let bad = finding(&reply, "store");
    assert_eq!((&bad["state"], bad["fix"].is_string()), (&json!("bad"), true), "{bad}");
    assert!(home.run(&["doctor"]).ended(1).out.contains("BAD"));
}

#[test]
fn settings_are_read_and_strangers_among_them_refused() {
    let home = Home::new();
    fs::create_dir(home.home()).unwrap();
    let config = home.home().join("config.json");
    fs::write(&config, r#"{"lanse": 3}"#).unwrap();
    let said = home.run(&["ls"]).ended(69);
    assert!(said.err.contains("lanse") && said.err.contains("lanes"), "{said:?}");
    fs::write(&config, r#"{"lanes": 3}"#).unwrap();
    assert_eq!(home.json(&["daemon", "start"])["lanes"], 3);
}

#[test]
fn settings_that_were_changed_are_told_until_a_restart_makes_them_count() {
    let home = Home::new();
    fs::create_dir(home.home()).unwrap();
    let config = home.home().join("config.json");
    fs::write(&config, r#"{"lanes": 3}"#).unwrap();
    assert_eq!(home.json(&["daemon", "start"])["settings"], Json::Null);
    // Written otherwise, and the same.
    fs::write(&config, r#"{ "lanes": 3, "keep": "30d" }"#).unwrap();
    assert_eq!(home.json(&["daemon", "status"])["settings"], Json::Null);
    fs::write(&config, r#"{"lanes": 4}"#).unwrap();
    let status = home.run(&["daemon", "status"]).done().out;
    assert!(status.contains("changed since it started; `converge daemon restart`"), "{status}");
    assert_eq!(finding(&home.json(&["doctor"]), "config")["state"], "warn");
    fs::write(&config, r#"{"lanes": 0}"#).unwrap();
    let reply = home.run(&["doctor", "--json"]).ended(1).json();
    let wrong = finding(&reply, "config");
    assert!(wrong["message"].as_str().unwrap().contains("`lanes` is a number from 1"), "{wrong}");
    fs::write(&config, r#"{"lanes": 4}"#).unwrap();
    let restarted = home.json(&["daemon", "restart"]);
    assert_eq!((&restarted["lanes"], &restarted["settings"]), (&json!(4), &Json::Null));
}
