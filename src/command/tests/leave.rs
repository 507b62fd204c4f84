//! A job that waits for a person's leave: a model is never told to resume it.

use serde_json::{Value as Json, json};

use crate::command::tests::house::Guest;
use crate::core::consent::Consent;

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
