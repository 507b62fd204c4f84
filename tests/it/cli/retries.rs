//! Retries of a slot, and what a run is told of those before.

use jiff::Timestamp;
use serde_json::json;

use crate::home::{Home, number, text, until};

#[test]
fn a_failed_run_is_retried_with_a_growing_pause() {
    let home = Home::new();
    let line = "echo x >> tries; [ $(wc -l < tries) -ge 3 ]";
    home.add(&["again", "--cmd", line, "--at", "in 1s", "--retries", "4", "--retry-delay", "1s"]);
    let over = home.over("again");
    assert_eq!((&over["state"], number(&over["runs"])), (&json!("completed"), 1), "{over}");
    let run = home.runs("again").remove(0);
    assert_eq!((&run["state"], number(&run["attempts"])), (&json!("succeeded"), 3));
    let shown = home.show(text(&run["id"]));
    let attempts = shown["attempt_list"].as_array().unwrap();
    let kinds: Vec<&str> = attempts.iter().map(|attempt| text(&attempt["kind"])).collect();
    assert_eq!(kinds, ["first", "retry", "retry"]);
    let instant = |value: &serde_json::Value| text(value).parse::<Timestamp>().unwrap();
    let pause = |before: usize| {
        instant(&attempts[before + 1]["started_at"])
            .duration_since(instant(&attempts[before]["finished_at"]))
            .as_millis()
    };
    // A second and then two, each spread by a half.
    assert!(pause(0) >= 500 && pause(1) >= 1000, "{} then {}", pause(0), pause(1));
}

#[test]
fn retries_end_and_leave_the_run_failed() {
    let home = Home::new();
    home.add(&["end", "--manual", "--cmd", "exit 9", "--retries", "1", "--retry-delay", "1s"]);
    let run = home.run(&["run-now", "end", "--json"]).ended(1).json();
    assert_eq!((number(&run["attempts"]), number(&run["exit_code"])), (2, 9));
    home.run(&["add", "--manual", "--cmd", "true", "--retries", "101"]).refused(&["retries", "100"]);
}

#[test]
fn a_run_is_told_of_the_last_result_and_the_last_failure() {
    let home = Home::new();
    let line = "env | grep ^CONVERGE_LAST | sort > told; cat \"$CONVERGE_LAST_FILE\" > file 2>/dev/null; \
        echo out$CONVERGE_RUN_NUMBER; test $CONVERGE_RUN_NUMBER != 1 || exit 4";
    home.add(&["told", "--manual", "--cmd", line]);
    home.run(&["run-now", "told"]).ended(1);
    assert_eq!(home.text("told"), "", "there is none before the first");
    home.run(&["run-now", "told"]).done();
    let first = home.runs("told").remove(1);
    let id = text(&first["id"]);
    let told = home.text("told");
    for line in [
        "CONVERGE_LAST_EXIT_CODE=4".to_owned(),
        "CONVERGE_LAST_REASON=exit_nonzero".to_owned(),
        "CONVERGE_LAST_STATE=failed".to_owned(),
        format!("CONVERGE_LAST_RUN={id}"),
        format!("CONVERGE_LAST_FAILURE_RUN={id}"),
    ] {
        assert!(told.lines().any(|told| told == line), "`{line}` is not in {told}");
    }
    home.run(&["run-now", "told"]).done();
    let told = home.text("told");
    assert!(told.contains("CONVERGE_LAST_STATE=succeeded"), "{told}");
    assert!(told.contains(&format!("CONVERGE_LAST_FAILURE_RUN={id}")), "{told}");
    let file: serde_json::Value = serde_json::from_str(&home.text("file")).unwrap();
    assert_eq!((number(&file["runs"]), &file["last_failure"]["run"]), (3, &json!(id)), "{file}");
    let (last, failure) = (&file["last"], &file["last_failure"]);
    assert_eq!(
        (&last["state"], &last["reason"], number(&last["exit_code"])),
        (&json!("succeeded"), &json!("exit_zero"), 0)
    );
    assert_eq!((&failure["state"], number(&failure["exit_code"])), (&json!("failed"), 4), "{file}");
    assert!(told.contains(&format!("CONVERGE_LAST_OUTPUT={}\n", text(&last["output"]))), "{told}");
    let output = told.lines().find_map(|line| line.strip_prefix("CONVERGE_LAST_OUTPUT=")).unwrap();
    until(|| std::fs::read_to_string(output).is_ok_and(|text| text == "out2\n"));
}

#[test]
fn the_output_of_each_attempt_can_be_seen() {
    let home = Home::new();
    let line = "echo out $CONVERGE_ATTEMPT; echo err $CONVERGE_ATTEMPT >&2; exit 1";
    home.add(&["twice", "--manual", "--cmd", line, "--retries", "1", "--retry-delay", "1s"]);
    let run = home.run(&["run-now", "twice", "--json"]).ended(1).json();
    let id = run["id"].as_str().unwrap();
    let raw = |flags: &[&str]| home.run(&[&["logs", id, "--raw"], flags].concat()).done().out;
    assert_eq!(raw(&[]), format!("out {id}.2\n"));
    assert_eq!(raw(&["--attempt", "1"]), format!("out {id}.1\n"));
    assert_eq!(raw(&["--stderr"]), format!("err {id}.2\n"));
    assert_eq!(raw(&["--stderr", "--attempt", "1", "--follow"]), format!("err {id}.1\n"));
    let said = home.run(&["logs", "twice", "--attempt", "1"]).done().out;
    assert!(said.contains(&format!("errors of run {id}")) && said.contains(&format!("err {id}.1")), "{said}");
    home.run(&["logs", id, "--attempt", "3"]).refused(&["no attempt 3", "its newest is 2"]);
    home.run(&["logs", id, "--raw", "--attempt", "3"]).refused(&["no attempt 3"]);
    home.run(&["logs", id, "--stderr"]).refused(&["--raw"]);
}
