//! Runs by hand, and what is told of runs: `run-now`, `logs`, `wait`, `explain`, `events`.

use serde_json::json;

use crate::home::{Home, number, text, until};

#[test]
fn a_run_by_hand_waits_and_exits_by_the_run() {
    let home = Home::new();
    home.add(&["good", "--manual", "--cmd", "true"]);
    home.add(&["bad", "--manual", "--cmd", "exit 7"]);
    home.add(&["open", "--cmd", "exit 7", "--until", "exit 0", "--wait", "1h", "--start", "next"]);
    let good = home.run(&["run-now", "good", "--json"]).done().json();
    assert_eq!((&good["state"], &good["source"]), (&json!("succeeded"), &json!("ad_hoc")));
    let bad = home.run(&["run-now", "bad"]).ended(1);
    assert!(bad.out.contains("exit code 7"), "{bad:?}");
    let open = home.run(&["run-now", "open"]).done();
    assert!(open.out.contains("not yet"), "{open:?}");
}

#[test]
fn a_run_by_hand_need_not_be_waited_for() {
    let home = Home::new();
    home.add(&["slow", "--manual", "--cmd", "until test -e go; do sleep 0.02; done"]);
    let said = home.run(&["run-now", "slow", "--no-wait"]).done();
    assert!(said.out.contains("not finished"), "{said:?}");
    let run = home.runs("slow").remove(0);
    assert_eq!(run["finished_at"], json!(null));
    home.run(&["run-now", "slow"]).refused(&["has an active run", text(&run["id"])]);
    home.run(&["wait", text(&run["id"]), "--timeout", "100ms"]).ended(3);
    std::fs::write(home.project().join("go"), "").unwrap();
    home.run(&["wait", text(&run["id"])]).done();
}

#[test]
fn a_run_by_hand_leaves_the_schedule_as_it_was() {
    let home = Home::new();
    let job = home.add(&["hourly", "--cmd", "true", "--every", "1h"]);
    home.run(&["run-now", "hourly"]).done();
    assert_eq!(home.show("hourly")["next_at"], job["next_at"]);
}

#[test]
fn a_due_run_and_a_retry_are_brought_forward_rather_than_doubled() {
    let home = Home::new();
    std::fs::create_dir(home.home()).unwrap();
    std::fs::write(home.home().join("config.json"), r#"{"lanes": 1}"#).unwrap();
    home.add(&["first", "--cmd", "until test -e go; do sleep 0.02; done", "--wait", "1h"]);
    until(|| home.show("first")["active_run"].is_string());
    home.add(&["second", "--cmd", "true", "--wait", "1h"]);
    until(|| home.show("second")["active_run"].is_string());
    let due = home.json(&["run-now", "second", "--no-wait"]);
    assert_eq!(due["source"], "due_slot", "{due}");
    assert!(home.run(&["explain", "second"]).done().out.contains("waits for a lane"));
    std::fs::write(home.project().join("go"), "").unwrap();
    home.over(text(&due["id"]));
    assert_eq!(home.runs("second").len(), 1);

    home.add(&["third", "--cmd", "exit 1", "--wait", "1h", "--retries", "1", "--retry-delay", "1h"]);
    until(|| home.states("third") == ["pending"] && number(&home.runs("third")[0]["attempts"]) == 1);
    assert!(home.run(&["explain", "third"]).done().out.contains("waits: the next try of a failed run"));
    let retry = home.run(&["run-now", "third", "--json"]).ended(1).json();
    assert_eq!((&retry["source"], number(&retry["attempts"])), (&json!("retry_slot"), 2), "{retry}");
    assert_eq!(home.runs("third").len(), 1);
}

#[test]
fn logs_are_newest_first_with_the_end_of_the_newest_output() {
    let home = Home::new();
    home.add(&["talk", "--manual", "--cmd", "seq 1 30; echo n$CONVERGE_RUN_NUMBER; echo oops >&2"]);
    for _ in 0..3 {
        home.run(&["run-now", "talk"]).done();
    }
    let logs = home.json(&["logs", "talk", "--lines", "2", "--limit", "2"]);
    let numbers: Vec<i64> =
        logs["runs"].as_array().unwrap().iter().map(|run| number(&run["number"])).collect();
    assert_eq!(numbers, [3, 2]);
    assert_eq!(logs["output"]["stdout"], "30\nn3");
    assert_eq!(logs["output"]["stderr"], "oops");
    assert_eq!(logs["output"]["cut"], true);
    let one = home.json(&["logs", text(&logs["runs"][1]["id"])]);
    assert_eq!(one["runs"].as_array().unwrap().len(), 1);
    assert!(text(&one["output"]["stdout"]).ends_with("n2"));
    let shown = home.run(&["logs", "talk"]).done();
    assert!(shown.out.contains("n3") && shown.out.contains("oops"), "{shown:?}");
    let aliased = home.json(&["runs", "talk", "--limit", "1"]);
    assert_eq!(aliased["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn raw_logs_are_the_bytes_of_standard_output_alone() {
    let home = Home::new();
    home.add(&["bytes", "--manual", "--cmd", r"printf '\377\000\033[1mx'; echo err >&2"]);
    home.run(&["run-now", "bytes"]).done();
    let output = home.command(&["logs", "bytes", "--raw"]).output().unwrap();
    assert_eq!(output.stdout, b"\xff\0\x1b[1mx");
    let shown = home.run(&["logs", "bytes"]).done();
    assert!(
        !shown.out.contains('\u{1b}') && !shown.out.contains('\0'),
        "nothing moves the cursor: {shown:?}"
    );
    home.add(&["never", "--manual", "--cmd", "true"]);
    home.run(&["logs", "never", "--raw"]).refused(&["has not run yet", "converge explain never"]);
}

#[test]
fn neither_lists_nor_views_print_output() {
    let home = Home::new();
    home.add(&["quiet", "--manual", "--cmd", "echo s3'cr'et"]);
    home.run(&["run-now", "quiet"]).done();
    for words in [&["ls"][..], &["show", "quiet"], &["explain", "quiet"], &["events"], &["daemon", "status"]]
    {
        let said = home.run(words).done();
        assert!(!said.all().contains("s3cret"), "{words:?}: {said:?}");
    }
}

#[test]
fn waiting_exits_by_what_it_came_to() {
    let home = Home::new();
    home.add(&["ok", "--cmd", "true", "--until", "exit 0", "--wait", "1s"]);
    home.add(&["no", "--cmd", "false", "--until", "exit 0", "--wait", "1s", "--max-runs", "1"]);
    home.add(&["person", "--manual", "--cmd", "true"]);
    home.run(&["pause", "person"]).done();
    home.add(&["later", "--cmd", "true", "--every", "1h"]);
    for (job, code, result) in
        [("ok", 0, "ok"), ("no", 1, "failed"), ("person", 2, "needs_person"), ("later", 3, "waiting")]
    {
        let said = home.run(&["wait", job, "--timeout", if code == 3 { "200ms" } else { "20s" }, "--json"]);
        assert_eq!(said.ended(code).json()["result"], result, "{job}");
    }
    // Without a condition a job is completed by its last run, however that ended.
    home.add(&["once", "--cmd", "exit 3", "--at", "in 1s"]);
    assert_eq!(home.run(&["wait", "once", "--json"]).ended(1).json()["state"], "completed");
    home.run(&["wait", "later", "--timeout", "5"]).refused(&["timeout", "no unit"]);
    home.run(&["wait", "nobody"]).refused(&["no job `nobody`"]);
}

#[test]
fn events_tell_everything_in_order_with_an_actor() {
    let home = Home::new();
    home.add(&["told", "--manual", "--cmd", "exit 1"]);
    home.run(&["run-now", "told"]).ended(1);
    home.run(&["cancel", "told"]).done();
    let reply = home.json(&["events", "told"]);
    let events = reply["events"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(kinds.first(), Some(&"job.added"));
    assert_eq!(kinds.last(), Some(&"job.closed"));
    for kind in ["job.fired", "run.claimed", "run.ended"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    assert!(events.windows(2).all(|pair| number(&pair[0]["seq"]) < number(&pair[1]["seq"])));
    assert!(events.iter().all(|event| !text(&event["actor"]).is_empty() && event["at"].is_string()));
    assert_eq!(events[0]["actor"], "cli");
    let after = number(&events[0]["seq"]).to_string();
    let rest = home.json(&["events", "told", "--after", &after]);
    assert_eq!(rest["events"].as_array().unwrap().len(), events.len() - 1);
}

#[test]
fn every_stop_is_explained() {
    let home = Home::new();
    home.add(&["why", "--cmd", "exit 1", "--until", "exit 0", "--wait", "1h", "--max-runs", "2"]);
    until(|| home.states("why") == ["not_yet"]);
    let waits = home.run(&["explain", "why"]).done();
    for words in ["waits for its next run", "exit code 1, not 0", "2 runs", "exit 0"] {
        assert!(waits.out.contains(words), "`{words}` is not in {}", waits.out);
    }
    home.run(&["run-now", "why"]).done();
    let stopped = home.run(&["explain", "why"]).done();
    assert!(stopped.out.contains("run limit: 2 runs, as many as allowed"), "{}", stopped.out);
    let manual = home.add(&["--manual", "--cmd", "true"]);
    assert!(home.run(&["why", text(&manual["id"])]).done().out.contains("converge run-now"));
}
