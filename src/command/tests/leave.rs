//! A job that waits for a person's leave: a model is never told to resume it.

use serde_json::{Value as Json, json};

use crate::command::caller::Audience;
use crate::command::tests::house::Guest;
use crate::core::consent::Consent;
use crate::core::process::ProcessKey;
use crate::core::refusal::Code;

#[track_caller]
fn says_whose_leave(told: &Json) {
    let text = told.to_string();
    assert!(text.contains("waits for a person's leave"), "{text}");
    assert!(text.contains("only a person can give it, in a terminal: converge resume"), "{text}");
    assert!(!text.contains("resume\\\""), "{text}");
    assert!(!text.contains("by hand"), "{text}");
}

#[test]
fn every_verb_says_that_a_person_must_give_it() {
    let mut guest = Guest::model(|_| Some((0, String::new())));
    guest.told("add_job", json!({ "name": "before", "cmd": "ls 1", "manual": true }));
    guest.told("control_job", json!({ "action": "pause", "jobs": ["before"] }));
    guest.house.consent = Consent::Ask;
    says_whose_leave(&guest.told("add_job", json!({ "name": "x", "cmd": "ls", "manual": true })));
    for verb in ["show_job", "explain_job", "wait"] {
        says_whose_leave(&guest.told(verb, json!({ "job": "x" })));
    }
    for (verb, arguments) in [
        ("run_now", json!({ "job": "x" })),
        ("control_job", json!({ "action": "pause", "jobs": ["x"] })),
        ("control_job", json!({ "action": "resume", "jobs": ["x"] })),
    ] {
        let refusal = guest.ask(verb, arguments).expect_err("it waits for leave");
        says_whose_leave(&serde_json::to_value(&refusal).expect("plain data"));
    }
    let before = guest.told("add_job", json!({ "name": "before", "cmd": "ls 1", "manual": true }));
    let next = before["next_step"].as_str().expect("text");
    assert!(next.starts_with("It was there already"), "a pause by hand is no wait for leave: {before}");
}

#[test]
fn what_a_person_gave_leave_to_is_not_changed_by_an_agent() {
    let mut guest = Guest::model(|_| Some((0, String::new())));
    guest.told("add_job", json!({ "name": "x", "cmd": "ls", "every": "1h", "max_runs": 3 }));
    guest.house.consent = Consent::Ask;
    for change in [json!({ "cmd": "ls -l" }), json!({ "runs_may": "change" }), json!({ "max_runs": 300 })] {
        let mut update = change.clone();
        update["job"] = json!("x");
        let refusal = guest.ask("update_job", update).expect_err("it needs a person");
        assert_eq!(refusal.code, Code::Denied, "{change}");
    }
    guest.told("update_job", json!({ "job": "x", "every": "2h" }));
}

#[test]
fn nobody_inside_a_run_gives_leave() {
    let mut guest = Guest::model(|_| None);
    let lets = json!({ "name": "lets", "cmd": "ls", "manual": true, "runs_may": "change" });
    guest.told("add_job", lets);
    let run = guest.told("run_now", json!({ "job": "lets" }))["id"].clone();
    guest.house.consent = Consent::Ask;
    guest.told("add_job", json!({ "name": "parked", "cmd": "ls 2", "manual": true }));
    guest.caller.reader = Audience::Person;
    let run = run.as_str().expect("an id").parse().expect("an id");
    guest.caller.inside = Some(ProcessKey::attempt(run, 1));
    let resume = json!({ "action": "resume", "jobs": ["parked"] });
    let refusal = guest.ask("control_job", resume.clone()).expect_err("it needs a person");
    says_whose_leave(&serde_json::to_value(&refusal).expect("plain data"));
    guest.caller.inside = None;
    guest.told("control_job", resume);
}
