//! Mistakes that models make: each is taken as what was meant, or answered with the call to send.

use serde_json::{Value as Json, json};

use crate::command::tests::house::Guest;
use crate::command::{correct, published};
use crate::core::refusal::Refusal;

fn guest() -> Guest {
    Guest::model(|line| (line != "sleep").then(|| (0, String::new())))
}

/// What a reply shows of a job, as far as these tests look.
#[track_caller]
fn check_taken(arguments: Json, field: &str, shown: &Json) {
    let sent = arguments.to_string();
    let told = guest().told("add_job", arguments);
    assert_eq!(&told[field], shown, "{sent}: {told}");
}

/// What was sent is refused for `place` with `words`, and the call that is shown does it.
#[track_caller]
fn check_refused(verb: &str, arguments: Json, place: &str, words: &str) {
    let guest = guest();
    guest.told("add_job", json!({ "name": "nightly-tests", "cmd": "cargo test", "manual": true }));
    guest.told("add_job", json!({ "name": "old-job", "cmd": "true", "manual": true }));
    guest.told("control_job", json!({ "action": "cancel", "jobs": ["old-job"] }));
    let sent = arguments.to_string();
    let refusal = guest.ask(verb, arguments).expect_err("it is a mistake");
    let places: Vec<&str> = refusal.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert!(places.contains(&place), "{sent}: {refusal:?}");
    let said = format!("{refusal:?}");
    assert!(said.contains(words), "{sent}: {said}");
    let call = shown_call(verb, &refusal);
    if let Err(again) = guest.ask(verb, call.clone()) {
        panic!("{sent} was answered with {call}, which is refused: {again:?}");
    }
}

/// The arguments of the call at the end of a refusal.
#[track_caller]
fn shown_call(verb: &str, refusal: &Refusal) -> Json {
    let hint = refusal.hint.as_deref().unwrap_or_default();
    let call = hint.rsplit_once("send `").or_else(|| hint.rsplit_once("for example `"));
    let (_, call) = call.unwrap_or_else(|| panic!("no call in {refusal:?}"));
    let arguments = call.trim_end_matches('`').strip_prefix(verb).unwrap_or_else(|| panic!("{hint}"));
    serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"))
}

#[test]
fn a_wrapping_of_the_arguments_is_taken_off() {
    let name = &json!("x");
    check_taken(json!("{\"name\": \"x\", \"cmd\": \"true\", \"manual\": true}"), "name", name);
    check_taken(json!("```json\n{\"name\": \"x\", \"cmd\": \"true\", \"manual\": true}\n```"), "name", name);
    check_taken(json!({ "arguments": { "name": "x", "cmd": "true", "manual": true } }), "name", name);
    check_taken(json!({ "input": "{\"name\": \"x\", \"cmd\": \"true\", \"manual\": true}" }), "name", name);
    check_taken(json!([{ "name": "x", "cmd": "true", "manual": true }]), "name", name);
}

#[test]
fn other_names_of_fields_are_ours() {
    check_taken(json!({ "command": "ls", "manual": true }), "command", &json!("<data>ls</data>"));
    check_taken(json!({ "cmd": "ls", "interval": "10m" }), "schedule", &json!("every 10m"));
    check_taken(
        json!({ "cmd": "ls", "condition": "exit 0", "maxIterations": 4 }),
        "limits",
        &json!(["4 runs", "3h after its first run"]),
    );
    check_taken(
        json!({ "cmd": "ls", "Max-Runs": 4, "until": "exit 0", "wait": "1m" }),
        "limits",
        &json!(["4 runs", "3h after its first run"]),
    );
    check_taken(
        json!({ "cmd": "ls", "manual": true, "job_name": "x", "wait_for_previous": true, "_meta": {} }),
        "name",
        &json!("x"),
    );
    let guest = guest();
    guest.told("add_job", json!({ "name": "x", "cmd": "ls", "manual": true }));
    for field in ["id", "job_id", "jobId", "name", "job"] {
        assert_eq!(guest.told("show_job", json!({ field: "x" }))["name"], "x", "{field}");
    }
    assert_eq!(
        guest.told("control_job", json!({ "operation": "suspend", "job_id": "x" }))["action"],
        "pause"
    );
}

#[test]
fn values_of_another_type_are_what_they_mean() {
    check_taken(json!({ "cmd": "ls", "manual": "true" }), "schedule", &json!("only by `run_now`"));
    check_taken(
        json!({ "cmd": "ls", "until": "exit 0", "max_runs": "20" }),
        "limits",
        &json!(["20 runs", "3h after its first run"]),
    );
    check_taken(
        json!({ "cmd": "ls", "until": "exit 0", "max_runs": 20.0, "max_hours": 1 }),
        "limits",
        &json!(["20 runs", "1h after its first run"]),
    );
    check_taken(json!({ "cmd": "ls", "every": "PT5M" }), "schedule", &json!("every 5m"));
    check_taken(json!({ "cmd": "ls", "every": "every 5 minutes" }), "schedule", &json!("every 5m"));
    check_taken(json!({ "cmd": "ls", "interval_seconds": 300 }), "schedule", &json!("every 5m"));
    check_taken(json!({ "cmd": "ls", "every": "1d", "tz": "Tokyo" }), "schedule", &json!("every 1d"));
    check_taken(json!({ "cmd": ["ls", "-l"], "manual": true }), "command", &json!("<data>ls -l</data>"));
    check_taken(
        json!({ "argv": "[\"ls\", \"-l\"]", "manual": true }),
        "command",
        &json!("<data>ls -l</data>"),
    );
    check_taken(
        json!({ "cmd": "ls", "until": { "type": "exitCode", "code": 0 } }),
        "until",
        &json!(["<data>exit 0</data>"]),
    );
    check_taken(
        json!({ "cmd": "ls", "checks": { "tests": "cargo test" } }),
        "until",
        &json!(["<data>tests: check \"cargo test\"</data>"]),
    );
    check_taken(
        json!({ "cmd": "ls", "every": "5m", "at": null, "more": { "start": "now" } }),
        "schedule",
        &json!("every 5m"),
    );
    check_taken(
        json!({ "cmd": "ls", "every": "5m", "more": "{\"max_runs\": 3}" }),
        "limits",
        &json!(["3 runs"]),
    );
}

#[test]
fn words_in_another_case_or_of_another_tool_are_ours() {
    for (word, action) in [("PAUSE", "pause"), ("Pause ", "pause"), ("hold", "pause"), ("suspend", "pause")] {
        let guest = guest();
        guest.told("add_job", json!({ "name": "x", "cmd": "ls", "manual": true }));
        assert_eq!(
            guest.told("control_job", json!({ "action": word, "jobs": "x" }))["action"],
            action,
            "{word}"
        );
    }
    assert_eq!(guest().told("list_jobs", json!({ "state": "Done", "limit": "5" }))["jobs"], json!([]));
}

#[test]
fn ids_and_names_are_found_however_they_are_written() {
    let guest = guest();
    let added = guest.told("add_job", json!({ "name": "nightly-tests", "cmd": "ls", "manual": true }));
    let id = added["id"].as_str().expect("an id");
    for written in [
        format!(" {id} "),
        format!("`{id}`"),
        format!("\"{id}\""),
        "Nightly Tests".to_owned(),
        id.to_uppercase(),
    ] {
        assert_eq!(guest.told("show_job", json!({ "job": written }))["id"], id, "{written}");
    }
}

#[test]
fn what_is_not_certain_is_refused_with_the_call_to_send() {
    check_refused("add_job", json!({ "cmd": "ls", "every": 300 }), "every", "`300` has no unit");
    check_refused("add_job", json!({ "cmd": "ls", "every": "5" }), "every", "write `5s`, `5m` or `5h`");
    check_refused("add_job", json!({ "cmd": "ls", "cron": "*/5 * * * *" }), "cron", "`every`: `5m`");
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "schedule": "0 0 8 * * *" }),
        "schedule",
        "`starts_at`: `08:00`",
    );
    check_refused("add_job", json!({ "cmd": "ls", "evry": "5m" }), "evry", "did you mean `every`?");
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "manual": true, "colour": "red" }),
        "colour",
        "no field `colour`",
    );
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "manual": true, "name": "my job!" }),
        "name",
        "write `my-job`",
    );
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "5m", "at": "08:00" }),
        "every",
        "more than one schedule",
    );
    check_refused("add_job", json!({ "cmd": "ls", "argv": ["ls"], "manual": true }), "cmd", "either");
    check_refused("add_job", json!({ "cmd": "ls" }), "every", "no schedule and no condition");
    check_refused("add_job", json!({ "every": "5m" }), "cmd", "nothing to run");
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "*/10 * * * *" }),
        "every",
        "send `add_job {\\\"cmd\\\": \\\"ls\\\", \\\"every\\\": \\\"10m\\\"}`",
    );
    check_refused("add_job", json!({ "cmd": "ls", "cron": "0 9 * * 1-5" }), "cron", "such as `every`: `1h`");
    check_refused("add_job", json!({ "cmd": "ls", "every": "5m", "tz": "Atlantis" }), "tz", "no time zone");
    check_refused("add_job", json!({ "cmd": "ls", "at": "soon" }), "at", "no instant");
    check_refused("add_job", json!({ "cmd": "ls", "until": "tests pass" }), "until.column 1", "exit 0");
    check_refused("add_job", json!({ "cmd": "ls", "checks": "cargo test" }), "checks", "has no name");
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "checks": ["a: true", "cargo test"] }),
        "checks[1]",
        "has no name",
    );
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "5m", "max_runs": "many" }),
        "max_runs",
        "no whole number",
    );
    check_refused("add_job", json!({ "cmd": "ls", "manual": "perhaps" }), "manual", "neither true nor false");
    check_refused("add_job", json!({ "argv": "ls -l", "manual": true }), "argv", "text, not a list");
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "5m", "memory": "2" }),
        "memory",
        "write a number with a unit",
    );
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "5m", "env": "TOKEN=x" }),
        "env",
        "only names are kept",
    );
    check_refused("add_job", json!({ "cmd": "ls", "every": "5m", "interval": "6m" }), "every", "given twice");
    check_refused("add_job", json!({ "prompt": "x", "agent": "tset", "every": "5m" }), "agent", "`test`");
    check_refused(
        "update_job",
        json!({ "job": "nightly-tests", "evrey": "5m" }),
        "evrey",
        "did you mean `every`?",
    );
    check_refused(
        "control_job",
        json!({ "action": "pauze", "jobs": ["nightly-tests"] }),
        "action",
        "did you mean `pause`?",
    );
    check_refused("control_job", json!({ "jobs": ["nightly-tests"] }), "action", "missing");
    check_refused(
        "control_job",
        json!({ "action": "cancel", "jobs": ["nightly-tests"], "note": "x" }),
        "note",
        "leave it out",
    );
    check_refused("list_jobs", json!({ "state": "actve" }), "state", "did you mean `active`?");
    check_refused("show_job", json!({}), "job", "no job is named");
    check_refused("show_job", json!(7), "", "are an object");
    check_refused("wait", json!({ "job": "old-job", "timeout": 1 }), "timeout", "`1` has no unit");
    check_refused("run_logs", json!({ "job": "nightly-tests", "lines": -5 }), "lines", "no whole number");
    check_refused("list_jobs", json!({ "limit": 5_000_000_000_u64 }), "limit", "no whole number");
    check_refused("control_job", json!({ "action": "pause" }), "jobs", "no job is named");
}

#[test]
fn what_may_mean_one_of_several_is_refused_with_the_choices() {
    check_refused(
        "add_job",
        json!({ "cmd": "ls", "every": "1h", "manual": true }),
        "every",
        "more than one schedule",
    );
    check_refused(
        "control_job",
        json!({ "action": "Stop", "jobs": ["nightly-tests"] }),
        "action",
        "write `pause`, or `cancel`, which is final",
    );
    check_refused("list_jobs", json!({ "state": "running" }), "state", "write `active`");
    check_refused("add_job", json!({ "cmd": "ls", "manual": true, "path": "/tmp" }), "path", "such as `cwd`");
}

#[test]
fn a_refusal_that_is_about_no_field_names_a_call_too() {
    let guest = guest();
    let refusal = guest.ask("show_job", json!({ "job": "nobody" })).expect_err("there is none");
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("`list_jobs`")), "{refusal:?}");
    let refusal = guest.ask("ad_job", json!({})).expect_err("there is no such verb");
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("`add_job`")), "{refusal:?}");
    guest.told("add_job", json!({ "name": "x", "cmd": "sleep", "manual": true }));
    guest.told("run_now", json!({ "job": "x" }));
    let refusal = guest.ask("run_now", json!({ "job": "x" })).expect_err("it runs");
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("`wait {\"job\": ")), "{refusal:?}");
    let refusal = guest.ask("remove_job", json!({ "jobs": ["x"] })).expect_err("it runs");
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("`control_job {")), "{refusal:?}");
}

#[test]
fn a_call_of_the_model_is_shown_as_it_wrote_it() {
    let cmd = "a `b --all` c; converge rm --force x";
    let refusal = guest().ask("add_job", json!({ "cmd": cmd, "evry": "5m" })).expect_err("it is a mistake");
    assert_eq!(shown_call("add_job", &refusal), json!({ "cmd": cmd, "every": "5m" }));
}

#[test]
fn a_job_that_nothing_starts_is_not_waited_for() {
    let guest = guest();
    let started = |told: &Json| {
        let next = told["next_step"].as_str().expect("text");
        assert!(next.contains("`run_now {\"job\": \"") && !next.contains("`wait"), "{next}");
    };
    started(&guest.told("add_job", json!({ "name": "x", "cmd": "ls", "manual": true })));
    started(&guest.told("wait", json!({ "job": "x" })));
    let added = guest.told("add_job", json!({ "name": "y", "cmd": "sleep", "every": "1h" }));
    assert!(added["next_step"].as_str().is_some_and(|next| next.starts_with("`wait ")), "{added}");
    guest.told("add_job", json!({ "name": "z", "cmd": "sleep", "manual": true }));
    guest.told("run_now", json!({ "job": "z" }));
    let waited = guest.told("wait", json!({ "job": "z", "timeout": "10ms" }));
    assert!(waited["next_step"].as_str().is_some_and(|next| next.starts_with("Not over")), "{waited}");
}

#[test]
fn a_refusal_that_no_call_gets_around_shows_none() {
    let mut guest = guest();
    guest.house.consent = crate::core::consent::Consent::Deny;
    let add = json!({ "cmd": "ls", "manual": true });
    let refusal = guest.ask("add_job", add).expect_err("agents may make none");
    assert!(refusal.hint.as_deref().is_some_and(|hint| !hint.contains('`')), "{refusal:?}");
}

#[test]
fn a_call_that_would_be_refused_again_is_not_shown() {
    for arguments in [
        json!({ "prompt": "x", "manual": true, "agent": "test@../etc" }),
        json!({ "prompt": "x", "manual": true, "agent": "test:opus@nope" }),
        json!({ "prompt": "x", "manual": true, "agent": "claude", "session": "mine" }),
        json!({ "prompt": "hi {{foo}}", "manual": true, "agent": "test" }),
        json!({ "prompt": "hi {{Feedback}}", "manual": true, "agent": "test" }),
        json!({ "prompt": ["a", "b"], "manual": true, "agent": "test" }),
        json!({ "prompt": "x".repeat(5 << 20), "manual": true, "agent": "test" }),
        json!({ "prompt": "hi {{foo}}", "every": "5", "agent": "test" }),
    ] {
        let sent = format!("{:.100}", arguments.to_string());
        let refusal = guest().ask("add_job", arguments).expect_err(&sent);
        let hint = refusal.hint.as_deref().unwrap_or_default();
        assert!(!hint.contains("`add_job {"), "{sent}: {hint}");
        let is_told = |problem: &crate::core::refusal::Problem| problem.fix.is_some();
        assert!(refusal.problems.iter().all(is_told), "{sent}: {refusal:?}");
    }
}

#[test]
fn a_person_is_refused_in_commands() {
    let mut guest = guest();
    guest.caller.reader = crate::command::caller::Audience::Person;
    let refusal = guest.ask("show_job", json!({ "job": "nobody" })).expect_err("there is none");
    assert_eq!(
        refusal.hint.as_deref(),
        Some("`converge ls` shows the jobs, `converge ls --all` also the archived ones")
    );
}

#[test]
fn the_call_in_the_words_of_a_verb_can_be_sent() {
    for entry in published::entries() {
        let example = correct::example(entry.name);
        let read = crate::command::arguments::read(entry.name, Json::Object(example.clone()));
        assert!(read.problems.is_empty(), "{}: {:?}", entry.name, read.problems);
        assert_eq!(read.request, example, "{}", entry.name);
    }
}
