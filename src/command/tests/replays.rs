//! Requests that come again under their key: what was done is told again, whatever has changed since.

use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::command::REPLAYED;
use crate::command::tests::house::Guest;
use crate::core::consent::Consent;
use crate::core::refusal::Code;

/// A house in which `sleep` goes on until it is ended, with a job `x`.
fn guest() -> Guest {
    let guest = Guest::model(|line| (line != "sleep").then(|| (0, String::new())));
    guest.told("add_job", json!({ "name": "x", "cmd": "sleep", "manual": true }));
    guest
}

/// Sends a request twice, with `between` between, and gives back what it was answered first and then.
#[track_caller]
fn twice(guest: &mut Guest, verb: &str, arguments: &Json, between: impl FnOnce(&mut Guest)) -> (Json, Json) {
    let first = guest.ask_as("k", verb, arguments.clone()).expect("it can be done");
    between(guest);
    let again = guest.ask_as("k", verb, arguments.clone());
    let again = again.unwrap_or_else(|refusal| panic!("{verb} {arguments} was done: {refusal:?}"));
    assert_eq!((first.get(REPLAYED), &again[REPLAYED]), (None, &json!(true)), "{again}");
    (first, again)
}

#[test]
fn a_job_that_was_added_is_told_again_where_agents_may_make_none_by_now() {
    let mut guest = guest();
    let add = json!({ "name": "y", "cmd": "ls", "manual": true });
    let (first, again) = twice(&mut guest, "add_job", &add, |guest| guest.house.consent = Consent::Deny);
    assert_eq!((&first["id"], &first["existed"]), (&again["id"], &again["existed"]), "{again}");
    assert_eq!(first["defaults"], again["defaults"]);
}

#[test]
fn a_job_for_an_instant_is_told_again_when_that_has_passed() {
    let mut guest = guest();
    let at = guest.house.engine.now() + Duration::from_millis(1500);
    let add = json!({ "name": "y", "cmd": "ls", "at": format!("{at:.3}") });
    let (first, again) = twice(&mut guest, "add_job", &add, |guest| pass(guest, at));
    assert_eq!(first["id"], again["id"]);
}

#[test]
fn a_pause_is_told_again_when_its_end_has_passed() {
    let mut guest = guest();
    let until = guest.house.engine.now() + Duration::from_millis(1500);
    let pause = json!({ "action": "pause", "jobs": ["x"], "until": format!("{until:.3}") });
    let (_, again) = twice(&mut guest, "control_job", &pause, |guest| pass(guest, until));
    assert_eq!(again["jobs"][0]["name"], "x", "{again}");
}

/// Lets the clock of the house get beyond an instant.
fn pass(guest: &Guest, at: jiff::Timestamp) {
    while guest.house.engine.now() <= at {
        thread::yield_now();
    }
}

#[test]
fn a_run_that_was_started_is_told_again_when_its_job_has_another_name() {
    let mut guest = guest();
    let (first, again) = twice(&mut guest, "run_now", &json!({ "job": "x" }), |guest| {
        guest.told("update_job", json!({ "job": "x", "name": "z" }));
    });
    assert_eq!(first["id"], again["id"]);
    assert_eq!(guest.told("run_logs", json!({ "job": "z" }))["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_update_is_told_again_when_the_job_has_another_name() {
    let mut guest = guest();
    let (first, again) =
        twice(&mut guest, "update_job", &json!({ "job": "x", "name": "z", "every": "1h" }), |_| {});
    assert_eq!((&first["id"], &again["name"], &again["changed"]), (&again["id"], &json!("z"), &json!(true)));
}

#[test]
fn what_was_controlled_is_told_again_as_far_as_it_is_there() {
    let mut guest = guest();
    guest.told("add_job", json!({ "name": "y", "cmd": "ls", "manual": true }));
    let (_, again) =
        twice(&mut guest, "control_job", &json!({ "action": "cancel", "jobs": ["x", "y"] }), |guest| {
            guest.told("remove_job", json!({ "jobs": ["y"] }));
        });
    assert_eq!(again["jobs"].as_array().map(Vec::len), Some(1), "{again}");
    guest.told("remove_job", json!({ "jobs": ["x"] }));
    let gone = guest.ask_as("k", "control_job", json!({ "action": "cancel", "jobs": ["x", "y"] }));
    let gone = gone.expect_err("there is nothing left to tell of");
    assert_eq!(gone.code, Code::NotFound);
    assert!(gone.message.starts_with("this was done when the key came first; "), "{gone:?}");
}

#[test]
fn a_run_that_is_ended_twice_in_one_request_is_ended_once_and_told_again() {
    let mut guest = guest();
    let run = guest.told("run_now", json!({ "job": "x" }))["id"].clone();
    let cancel = json!({ "action": "cancel", "jobs": [run, run] });
    let (first, again) = twice(&mut guest, "control_job", &cancel, |guest| {
        assert_eq!(guest.wait(run.as_str().expect("an id"))["state"], "cancelled");
    });
    assert_eq!((&first["runs"], &again["runs"]), (&json!([run]), &json!([run])));
}

#[test]
fn jobs_that_were_removed_are_told_again_by_their_names() {
    let mut guest = guest();
    guest.told("control_job", json!({ "action": "cancel", "jobs": ["x"] }));
    let (first, again) = twice(&mut guest, "remove_job", &json!({ "jobs": ["x"] }), |_| {});
    assert_eq!((&first["removed"], &first["names"]), (&again["removed"], &again["names"]));
    assert_eq!(again["names"], json!(["x"]));
}

#[test]
fn a_pending_run_can_be_named_twice() {
    let guest = Guest::model(|_| Some((1, String::new())));
    guest.told("add_job", json!({ "name": "y", "cmd": "ls", "manual": true, "retries": 3 }));
    let run = guest.told("run_now", json!({ "job": "y" }))["id"].clone();
    let give_up = guest.house.engine.now() + Duration::from_secs(10);
    while guest.told("show_job", json!({ "job": run }))["state"] != "pending" {
        assert!(guest.house.engine.now() < give_up, "it waits for its retry");
        thread::yield_now();
    }
    let told = guest.told("control_job", json!({ "action": "cancel", "jobs": [run, run] }));
    assert_eq!(told["runs"], json!([run]));
    assert_eq!(guest.wait(run.as_str().expect("an id"))["state"], "cancelled");
}
