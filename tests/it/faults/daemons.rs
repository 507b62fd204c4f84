//! Daemons: several at once, one inside a run, a replaced program, sockets that are stale or far away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use serde_json::json;

use crate::home::{Home, Said, program, text, until};

#[test]
fn of_many_started_at_once_there_is_one() {
    let home = Home::new();
    let clients: Vec<_> = (0..12).map(|_| home.spawn(&["daemon", "status", "--json"])).collect();
    let starters: Vec<_> = (0..12).map(|_| home.spawn(&["ls", "--json"])).collect();
    let daemons: Vec<_> = (0..4).map(|_| home.spawn(&["daemon", "run"])).collect();
    for child in starters {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    drop(clients.into_iter().map(|child| child.wait_with_output().unwrap()).collect::<Vec<_>>());
    let pid = home.daemon_pid().unwrap();
    let serving = |pid: i32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.ends_with(b"daemon\0run\0")
    };
    until(|| home.processes().into_iter().filter(|pid| serving(*pid)).collect::<Vec<_>>() == [pid]);
    home.run(&["daemon", "stop"]).done();
    for daemon in daemons {
        assert_eq!(daemon.wait_with_output().unwrap().status.code(), Some(0));
    }
}

/// Runs a command line after others in a shell.
fn by_shell(home: &Home, before: &str, words: &[&str]) {
    let line = format!("{before}; exec {} \"$@\"", program().display());
    let mut shell = std::process::Command::new("/bin/sh");
    for (name, value) in home.command(words).get_envs() {
        shell.env(name, value.unwrap());
    }
    let shell = shell.args(["-c", &line, "sh"]).args(words).current_dir(home.project());
    Said::of(&shell.output().unwrap()).done();
}

#[test]
fn it_may_have_many_descriptors_and_what_it_runs_has_as_many_as_its_starter() {
    let home = Home::new();
    by_shell(&home, "ulimit -Sn 200", &["add", "x", "--manual", "--cmd", "ulimit -Sn; ulimit -Hn"]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", home.daemon_pid().unwrap())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|place| files.split_ascii_whitespace().nth(place).unwrap());
    assert_eq!(soft, hard, "{files}");
    home.run(&["run-now", "x"]).done();
    assert_eq!(home.json(&["logs", "x"])["output"]["stdout"], format!("200\n{hard}"));
}

#[test]
fn it_keeps_nothing_open_that_its_starter_had_open() {
    let home = Home::new();
    by_shell(&home, "exec 9>kept", &["ls"]);
    let kept = home.project().join("kept");
    let folder = format!("/proc/{}/fd", home.daemon_pid().unwrap());
    let open =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_link(entry.unwrap().path()).unwrap_or_default());
    assert_eq!(open.filter(|path| *path == kept).count(), 0);
}

#[test]
fn one_that_is_stopped_is_not_replaced_by_those_that_were_started_beside_it() {
    let home = Home::new();
    for _ in 0..4 {
        let asking: Vec<_> = (0..8).map(|_| home.spawn(&["ls"])).collect();
        for child in asking {
            assert!(child.wait_with_output().unwrap().status.success());
        }
        // Some that lost the race for the lock still wait for it.
        home.run(&["daemon", "stop"]).done();
        assert_eq!(home.run(&["daemon", "status"]).code, 69);
    }
}

#[test]
fn a_stale_socket_is_in_nobodys_way() {
    let home = Home::new();
    fs::create_dir(home.home()).unwrap();
    drop(UnixListener::bind(home.home().join("converge.sock")).unwrap());
    home.run(&["ls"]).done();
    home.kill_daemon();
    assert!(home.home().join("converge.sock").exists(), "a killed daemon leaves its socket");
    home.run(&["ls"]).done();
}

#[test]
fn a_socket_path_may_be_long_or_elsewhere() {
    let home = Home::new();
    let far = home.folder().join("a-directory-with-a-long-name".repeat(4)).join("and-another".repeat(10));
    let run = |words: &[&str], name: &str, path: &std::path::Path| {
        Said::of(&home.command(words).env(name, path).output().unwrap())
    };
    run(&["add", "x", "--manual", "--cmd", "true"], "CONVERGE_HOME", &far).done();
    run(&["run-now", "x"], "CONVERGE_HOME", &far).done();
    run(&["daemon", "restart"], "CONVERGE_HOME", &far).done();
    assert_eq!(run(&["doctor", "--json"], "CONVERGE_HOME", &far).done().json()["ok"], true);
    run(&["daemon", "stop"], "CONVERGE_HOME", &far).done();
    let elsewhere = home.folder().join("elsewhere.sock");
    let status = run(&["daemon", "start", "--json"], "CONVERGE_SOCKET_PATH", &elsewhere).done().json();
    assert_eq!(status["socket"], json!(elsewhere));
    assert_eq!(fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o600);
    run(&["add", "x", "--manual", "--cmd", "true"], "CONVERGE_SOCKET_PATH", &elsewhere).done();
    run(&["run-now", "x"], "CONVERGE_SOCKET_PATH", &elsewhere).done();
    run(&["daemon", "stop"], "CONVERGE_SOCKET_PATH", &elsewhere).done();
}

#[test]
fn two_homes_do_not_share_a_socket() {
    let (first, second) = (Home::new(), Home::new());
    let socket = first.folder().join("shared.sock");
    let run = |home: &Home, words: &[&str]| {
        Said::of(&home.command(words).env("CONVERGE_SOCKET_PATH", &socket).output().unwrap())
    };
    run(&first, &["add", "x", "--manual", "--cmd", "true"]).done();
    for words in [&["ls"] as &[_], &["daemon", "start"], &["daemon", "run"]] {
        let said = run(&second, words).ended(69);
        for home in [&first, &second] {
            assert!(said.err.contains(&home.home().display().to_string()), "{said:?}");
        }
    }
    run(&first, &["show", "x"]).done();
    // The same home by another path is no other one.
    let link = first.folder().join("link");
    std::os::unix::fs::symlink(first.home(), &link).unwrap();
    let mut by_link = first.command(&["show", "x"]);
    by_link.env("CONVERGE_HOME", &link).env("CONVERGE_SOCKET_PATH", &socket);
    Said::of(&by_link.output().unwrap()).done();
    run(&first, &["daemon", "stop"]).done();
    run(&second, &["ls"]).done();
    run(&second, &["daemon", "stop"]).done();
}

#[test]
fn a_daemon_from_inside_a_run_is_refused() {
    let home = Home::new();
    let program = program().display().to_string();
    let other = home.folder().join("other");
    fs::create_dir(&other).unwrap();
    let line = format!(
        "export CONVERGE_HOME={}; {program} daemon run; echo run $?; {program} daemon start; echo start $?; setsid {program} daemon run; echo setsid $?",
        other.display()
    );
    home.add(&["inside", "--manual", "--cmd", &line]);
    home.run(&["run-now", "inside"]).done();
    let output = home.json(&["logs", "inside"])["output"].clone();
    assert_eq!(output["stdout"], "run 69\nstart 69\nsetsid 69", "{output}");
    assert!(text(&output["stderr"]).contains("inside a run"), "{output}");
    assert!(!other.join("converge.db").exists());
}

#[test]
fn a_run_may_ask_the_daemon_it_runs_under() {
    let home = Home::new();
    let line = format!("CONVERGE_HOME={} {} show me --json", home.home().display(), program().display());
    home.add(&["me", "--manual", "--cmd", &line]);
    home.run(&["run-now", "me"]).done();
    let output = home.command(&["logs", "me", "--raw"]).stderr(Stdio::inherit()).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["name"], "me");
}

#[test]
fn a_replaced_program_keeps_running_what_it_runs() {
    let home = Home::new();
    let copy = home.folder().join("converge-copy");
    fs::copy(program(), &copy).unwrap();
    let with_copy = |words: &[&str]| {
        let mut command = std::process::Command::new(&copy);
        for (name, value) in home.command(words).get_envs() {
            command.env(name, value.unwrap());
        }
        Said::of(&command.args(words).current_dir(home.project()).output().unwrap())
    };
    with_copy(&["add", "kept", "--manual", "--cmd", "echo ran; exit 3"]).done();
    // As an upgrade does it, and then worse: there is nothing at its place.
    fs::remove_file(&copy).unwrap();
    home.run(&["run-now", "kept"]).ended(1);
    fs::write(&copy, "#!/bin/sh\nexit 99\n").unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let run = home.run(&["run-now", "kept", "--json"]).ended(1).json();
    assert_eq!((&run["exit_code"], &run["reason"]), (&json!(3), &json!("exit_nonzero")));
}

#[test]
fn a_stopped_daemon_stays_stopped_until_somebody_asks() {
    let home = Home::new();
    home.add(&["long", "--manual", "--cmd", "until test -e go; do sleep 0.02; done; exit 6"]);
    let run = home.json(&["run-now", "long", "--no-wait"]);
    until(|| home.show("long")["active_run"].is_string() && home.states("long") == ["running"]);
    home.run(&["daemon", "stop"]).done();
    fs::write(home.project().join("go"), "").unwrap();
    until(|| home.processes().is_empty());
    assert_eq!(home.run(&["daemon", "status"]).code, 69);
    let over = home.over(text(&run["id"]));
    assert_eq!((&over["state"], &over["exit_code"]), (&json!("failed"), &json!(6)), "its true end was kept");
}
