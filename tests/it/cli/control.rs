//! Pausing, resuming, cancelling, archiving and removing.

use std::process::Stdio;

use serde_json::json;

use crate::home::{Home, Said, is_alive, text, until};

#[test]
fn a_pause_keeps_its_note_and_starts_nothing() {
    let home = Home::new();
    home.add(&["beat", "--cmd", "echo x >> beats", "--every", "1s", "--start", "now"]);
    until(|| !home.text("beats").is_empty());
    let paused = home.json(&["pause", "beat", "--note", "while I look"]);
    assert_eq!(paused["jobs"][0]["state"], "paused");
    let job = home.show("beat");
    assert_eq!((&job["evidence"], &job["next_at"]), (&json!("while I look"), &json!(null)));
    assert!(home.run(&["explain", "beat"]).done().out.contains("by hand: while I look"));
    let before = home.runs("beat").len();
    home.run(&["run-now", "beat"]).refused(&["beat is paused", "converge resume beat"]);
    home.run(&["wait", "beat", "--timeout", "1500ms"]).ended(2);
    home.run(&["daemon", "restart"]).done();
    home.run(&["resume", "beat"]).done();
    until(|| home.runs("beat").len() > before);
    assert!(home.states("beat").iter().all(|state| state != "skipped"), "paused time is not missed time");
}

#[test]
fn a_pause_until_an_instant_resumes_by_itself() {
    let home = Home::new();
    home.add(&["nap", "--cmd", "touch ran", "--wait", "1s", "--start", "next"]);
    let paused = home.json(&["pause", "nap", "--until", "in 1s"]);
    assert!(paused["jobs"][0]["resumes_at"].is_string(), "{paused}");
    assert_eq!(home.show("nap")["state"], "paused");
    until(|| home.project().join("ran").exists());
    assert_eq!(home.show("nap")["state"], "active");
    let eight = home.json(&["pause", "nap", "--until", "08:00"]);
    assert!(text(&eight["jobs"][0]["resumes_at"]).ends_with("T08:00:00.000Z"), "{eight}");
    home.run(&["pause", "nap", "--until", "2001-01-01 00:00"]).refused(&["until"]);
}

#[test]
fn a_run_that_is_asked_for_comes_after_the_checks_that_are_run_first() {
    let home = Home::new();
    let check = "slow: until test -e go; do sleep 0.05; done; false";
    home.add(&["slow", "--manual", "--cmd", "true", "--check", check]);
    let asked = home.command(&["run-now", "slow", "--no-wait"]).stdout(Stdio::piped()).spawn().unwrap();
    std::fs::write(home.project().join("go"), "").unwrap();
    Said::of(&asked.wait_with_output().unwrap()).done();
    until(|| home.runs("slow").iter().any(|run| run["number"] == 1 && run["state"] == "not_yet"));
}

#[test]
fn cancelling_ends_the_whole_tree() {
    let home = Home::new();
    let line = "echo $$ > shell; sleep 300 & echo $! > child; wait";
    home.add(&["tree", "--cmd", line, "--wait", "1s"]);
    until(|| home.text("child").ends_with('\n'));
    let pids: Vec<i32> =
        ["shell", "child"].iter().map(|name| home.text(name).trim().parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    home.run(&["cancel", "tree"]).done();
    let over = home.over("tree");
    assert_eq!((&over["state"], &over["reason"]), (&json!("cancelled"), &json!("cancelled")));
    let run = home.runs("tree").remove(0);
    assert_eq!((&run["state"], &run["reason"]), (&json!("cancelled"), &json!("cancelled")));
    assert!(pids.iter().all(|pid| !is_alive(*pid)));
    home.run(&["cancel", "tree"]).refused(&["too late to cancel"]);
    home.run(&["resume", "tree"]).refused(&["too late to resume"]);
    home.run(&["run-now", "tree"]).refused(&["too late to run"]);
}

#[test]
fn an_archived_job_is_out_of_sight_and_kept() {
    let home = Home::new();
    home.add(&["old", "--manual", "--cmd", "true"]);
    home.run(&["run-now", "old"]).done();
    home.run(&["archive", "old"]).refused(&["old is active", "converge cancel old"]);
    home.run(&["cancel", "old"]).done();
    home.run(&["archive", "old"]).done();
    assert_eq!(home.json(&["ls"])["jobs"], json!([]));
    assert_eq!(home.json(&["ls", "--all"])["jobs"][0]["archived"], true);
    assert_eq!(home.runs("old").len(), 1);
}

#[test]
fn removing_keeps_history_unless_forced() {
    let home = Home::new();
    home.add(&["heavy", "--manual", "--cmd", "echo x"]);
    home.run(&["run-now", "heavy"]).done();
    home.run(&["rm", "heavy"]).refused(&["history of 1 run", "converge archive heavy", "rm --force heavy"]);
    let removed = home.json(&["rm", "--force", "heavy"]);
    assert_eq!(removed["names"], json!(["heavy"]));
    home.run(&["show", "heavy"]).refused(&["no job `heavy`"]);
    until(|| std::fs::read_dir(home.home().join("runs")).unwrap().count() == 0);
    home.add(&["light", "--manual", "--cmd", "true"]);
    home.run(&["rm", "light"]).done();
    home.add(&["busy", "--cmd", "sleep 300", "--wait", "1s"]);
    home.run(&["rm", "--force", "busy"]).refused(&["run under way", "converge cancel busy"]);
}

#[test]
fn everything_at_once() {
    let home = Home::new();
    for name in ["one", "two", "three"] {
        home.add(&[name, "--cmd", &format!("echo {name}"), "--every", "1h"]);
    }
    let names = |reply: &serde_json::Value| {
        let mut names: Vec<String> =
            reply["jobs"].as_array().unwrap().iter().map(|job| text(&job["name"]).to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&home.json(&["pause", "two"])), ["two"]);
    assert_eq!(names(&home.json(&["pause", "--all"])), ["one", "three"], "what is paused stays as it is");
    assert_eq!(names(&home.json(&["resume", "--all"])), ["one", "three", "two"]);
    assert_eq!(names(&home.json(&["cancel", "one", "two"])), ["one", "two"]);
    assert_eq!(names(&home.json(&["cancel", "--all"])), ["three"]);
    assert_eq!(names(&home.json(&["pause", "--all"])), Vec::<String>::new());
    assert!(home.run(&["pause", "--all"]).done().out.contains("no job to pause"));
    home.run(&["archive", "one"]).done();
    assert_eq!(home.json(&["rm", "--all"])["removed"].as_array().unwrap().len(), 3, "the archive goes too");
    home.add(&["four", "--manual", "--cmd", "true"]);
    home.run(&["cancel", "four"]).done();
    assert_eq!(names(&home.json(&["archive", "--all"])), ["four"]);
    home.run(&["pause"]).refused(&["no job is named", "--all"]);
}

#[test]
fn one_update_of_all_live_jobs() {
    let home = Home::new();
    home.add(&["slow", "--manual", "--cmd", "echo slow"]);
    home.add(&["quick", "--manual", "--cmd", "echo quick", "--timeout", "20m"]);
    home.add(&["over", "--manual", "--cmd", "echo over"]);
    home.run(&["cancel", "over"]).done();
    let update = || home.json(&["update", "--all", "--timeout", "20m", "--key", "once"]);
    let reply = update();
    assert_eq!(reply["updated"].as_array().unwrap().len(), 1, "of the live ones that are not so: {reply}");
    assert_eq!((&reply["updated"][0]["name"], &reply["updated"][0]["revision"]), (&json!("slow"), &json!(2)));
    assert_eq!(update()["updated"][0]["revision"], 2, "asked twice, done once");
    assert_eq!(home.show("slow")["definition"]["timeout"], "20m");
    assert!(home.run(&["update", "--all", "--timeout", "20m"]).done().out.contains("no job to change"));
    home.run(&["update", "--all", "--name", "one"]).refused(&["under the name it has"]);
    home.run(&["update", "--all", "--every", "5"]).refused(&["every", "5m"]);
    home.run(&["update", "--timeout", "5m"]).refused(&["no job is named", "--all"]);
}

#[test]
fn one_refusal_of_several_jobs_changes_none() {
    let home = Home::new();
    home.add(&["live", "--manual", "--cmd", "true"]);
    home.add(&["over", "--manual", "--cmd", "false"]);
    home.run(&["cancel", "over"]).done();
    home.run(&["pause", "live", "over"]).refused(&["too late to pause"]);
    assert_eq!(home.show("live")["state"], "active");
}

#[test]
fn a_retry_of_a_paused_job_waits_for_a_person() {
    let home = Home::new();
    home.add(&["held", "--manual", "--cmd", "exit 1", "--retries", "1", "--retry-delay", "1h"]);
    let run = home.json(&["run-now", "held", "--no-wait"]);
    let run = text(&run["id"]);
    until(|| home.show(run)["state"] == "pending" && home.show(run)["attempts"] == 1);
    let paused = home.run(&["pause", "held"]).done().out;
    assert!(paused.contains("waits until") && !paused.contains("finishes"), "{paused}");
    home.run(&["wait", "held"]).ended(2);
    home.run(&["wait", run]).ended(2);
    for words in [&["logs", run, "--follow"], &["logs", "held", "--follow"]] {
        home.run(words).ended(2);
    }
}

#[test]
fn what_was_archived_can_be_seen_again() {
    let home = Home::new();
    home.add(&["old", "--manual", "--cmd", "true"]);
    home.run(&["cancel", "old"]).done();
    home.run(&["archive", "old"]).done();
    assert_eq!(home.json(&["ls"])["jobs"], json!([]));
    assert!(home.run(&["unarchive", "old"]).done().out.contains("old is in `converge ls` again, cancelled"));
    assert_eq!(home.json(&["ls"])["jobs"][0]["name"], "old");
    assert!(home.run(&["unarchive", "--all"]).done().out.contains("no job to unarchive"));
}

#[test]
fn a_pause_with_an_end_is_explained_with_it() {
    let home = Home::new();
    home.add(&["nap", "--every", "1h", "--cmd", "true"]);
    let paused = home.json(&["pause", "nap", "--until", "2099-01-01 08:00"]);
    assert_eq!(paused["jobs"][0]["resumes_at"], "2099-01-01T08:00:00.000Z");
    let said = home.run(&["explain", "nap"]).done().out;
    assert!(said.contains("it resumes by itself at 2099-01-01 08:00:00 UTC"), "{said}");
}

#[test]
fn a_reply_says_whether_its_request_came_before() {
    let home = Home::new();
    let add = || home.json(&["add", "once", "--manual", "--cmd", "true", "--key", "k"]);
    assert_eq!([&add()["replayed"], &add()["replayed"]], [&json!(false), &json!(true)]);
    let said = home.run(&["add", "once", "--manual", "--cmd", "true", "--key", "k"]).done().out;
    assert!(said.contains("nothing was done now"), "{said}");
}
