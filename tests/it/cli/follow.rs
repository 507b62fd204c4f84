//! Following: what happens is shown as it happens, in plain lines when nobody watches a terminal.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;

use crate::home::{Home, text, until};

/// The next line of a command that is still running.
fn lines(child: &mut Child) -> BufReader<std::process::ChildStdout> {
    BufReader::new(child.stdout.take().unwrap())
}

fn read_until(reader: &mut impl BufRead, wanted: &str) -> String {
    let mut all = String::new();
    while !all.contains(wanted) {
        assert_ne!(reader.read_line(&mut all).unwrap(), 0, "`{wanted}` never came: {all}");
    }
    all
}

#[test]
fn adding_follows_the_loop_to_its_end() {
    let home = Home::new();
    let line = "echo out$CONVERGE_RUN_NUMBER; echo err >&2; test $CONVERGE_RUN_NUMBER = 2";
    let said =
        home.run(&["add", "seen", "--cmd", line, "--until", "exit 0", "--wait", "1s", "--follow"]).done();
    let place = |words: &str| said.out.find(words).unwrap_or_else(|| panic!("no `{words}`: {}", said.out));
    let order =
        [place("Added seen"), place("out1"), place("not yet"), place("out2"), place("seen is completed")];
    assert!(order.is_sorted(), "{}", said.out);
    assert!(said.out.contains("err"), "{}", said.out);
    assert!(!said.all().contains(['\r', '\u{1b}']), "no spinner without a terminal: {said:?}");
    let failed = home.run(&["add", "--cmd", "exit 1", "--until", "exit 0", "--max-runs", "1", "--follow"]);
    failed.ended(1);
}

#[test]
fn on_a_terminal_a_spinner_shows_the_time() {
    let home = Home::new();
    home.add(&["slow", "--manual", "--cmd", "echo one; sleep 0.5; echo two"]);
    let shown = home.on_terminal(&["run-now", "slow", "--follow"], &[]);
    assert!(shown.contains("one\r\n") && shown.contains("two\r\n"), "{shown:?}");
    assert!(shown.contains("\u{1b}[K") && shown.contains("0s"), "{shown:?}");
    let plain = home.on_terminal(&["run-now", "slow", "--follow"], &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}') && plain.contains("two"), "{plain:?}");
}

#[test]
fn a_run_by_hand_is_followed_while_it_runs() {
    let home = Home::new();
    home.add(&[
        "live",
        "--manual",
        "--cmd",
        "echo one; until test -e go; do sleep 0.02; done; echo two; exit 5",
    ]);
    let mut child = home.spawn(&["run-now", "live", "--follow"]);
    let mut out = lines(&mut child);
    let before = read_until(&mut out, "one\n");
    assert!(!before.contains("two"));
    std::fs::write(home.project().join("go"), "").unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("two\n") && rest.contains("exit code 5"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn logs_follow_a_run_and_its_retries() {
    let home = Home::new();
    let line = "echo x >> tries; echo try $(wc -l < tries); [ $(wc -l < tries) -ge 2 ]";
    home.add(&["tries", "--manual", "--cmd", line, "--retries", "1", "--retry-delay", "1s"]);
    let run = home.json(&["run-now", "tries", "--no-wait"]);
    let said = home.run(&["logs", text(&run["id"]), "--follow"]).done();
    assert!(said.out.contains("try 1\n") && said.out.contains("try 2\n"), "{said:?}");
}

#[test]
fn raw_bytes_are_followed_to_the_end_of_the_run() {
    let home = Home::new();
    home.add(&["raw", "--manual", "--cmd", "printf a; until test -e go; do sleep 0.02; done; printf b"]);
    home.run(&["run-now", "raw", "--no-wait"]).done();
    until(|| home.run(&["logs", "raw", "--raw"]).out == "a");
    let mut child = home.spawn(&["logs", "raw", "--raw", "--follow"]);
    let mut out = child.stdout.take().unwrap();
    let mut first = [0];
    out.read_exact(&mut first).unwrap();
    std::fs::write(home.project().join("go"), "").unwrap();
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).unwrap();
    assert_eq!((&first[..], &rest[..]), (&b"a"[..], &b"b"[..]));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn events_are_followed_across_a_restart_of_the_daemon() {
    let home = Home::new();
    home.add(&["seen", "--manual", "--cmd", "true"]);
    let mut child = home.spawn(&["events", "--follow", "--json"]);
    let mut out = lines(&mut child);
    read_until(&mut out, "job.added");
    home.kill_daemon();
    home.run(&["run-now", "seen"]).done();
    read_until(&mut out, "run.ended");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nothing_of_an_attempt_is_lost_when_the_next_one_starts() {
    let home = Home::new();
    let line =
        "test -e tried && exec echo second; touch tried; printf half; yes e | head -c 200000 >&2; exit 1";
    let words = ["--manual", "--cmd", line, "--retries", "1", "--retry-delay", "1s"];
    home.add(&[&["again"], &words[..]].concat());
    let shown = home.run(&["run-now", "again", "--follow"]).done().out;
    let order: Vec<&str> = shown.lines().filter(|line| ["half", "second"].contains(line)).collect();
    assert_eq!(order, ["half", "second"]);
    assert_eq!(shown.lines().filter(|line| *line == "e").count(), 100_000);
    std::fs::remove_file(home.project().join("tried")).unwrap();
    home.json(&["run-now", "again", "--no-wait"]);
    until(|| home.runs("again")[0]["attempt"] == 1);
    assert_eq!(home.run(&["logs", "again", "--raw", "--follow"]).done().out, "halfsecond\n");
}

#[test]
fn following_a_job_that_starts_nothing_by_itself_ends_at_once() {
    let home = Home::new();
    let said = home.run(&["add", "hand", "--cmd", "true", "--manual", "--follow"]).done();
    assert!(said.out.contains("nothing is scheduled"), "{}", said.out);
}

#[test]
fn whoever_follows_does_not_undo_a_stop_and_outlives_a_restart() {
    let home = Home::new();
    home.add(&["long", "--manual", "--cmd", "echo up; until test -e go; do sleep 0.02; done; echo end"]);
    let run = home.json(&["run-now", "long", "--no-wait"]);
    let run = text(&run["id"]);
    let follow = || {
        let mut child = home.spawn(&["logs", run, "--follow"]);
        let mut out = lines(&mut child);
        read_until(&mut out, "up\n");
        (child, out)
    };
    let (mut child, mut out) = follow();
    home.run(&["daemon", "restart"]).done();
    home.run(&["daemon", "stop"]).done();
    assert_eq!(child.wait().unwrap().code(), Some(69));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("the daemon was stopped") && said.contains("converge daemon start"), "{said}");
    home.run(&["daemon", "status"]).ended(69);
    out.read_to_string(&mut said).unwrap();
    home.run(&["daemon", "start"]).done();
    let (mut child, mut out) = follow();
    home.run(&["daemon", "restart"]).done();
    std::fs::write(home.project().join("go"), "").unwrap();
    read_until(&mut out, "end\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
