//! Ends: a run that is cut, cancelled, or outlives its daemon.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Desk;
use crate::agents::model::Model;
use crate::agents::model::script::{Gate, Script};
use crate::agents::model::turn::Turn;
use crate::home::{Home, text, until};

/// The longest until an agent asks its model.
const START: Duration = Duration::from_secs(90);

every_client!(one_that_says_nothing_any_more_is_ended_and_nothing_of_it_is_left, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().hang());
    let desk = Desk::take(client, &home, &model);
    desk.add(&["idle", "--prompt", "do it", "--manual", "--idle-timeout", "20s"]);
    let run = desk.start("idle");
    desk.over(&run);
    let attempt = desk.attempt("idle");
    assert_eq!(attempt["reason"], "idle_timeout", "{attempt:#}");
    until(|| home.processes().len() <= 1);
});

every_client!(one_that_is_cancelled_is_ended_with_all_that_it_started, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().hang());
    let desk = Desk::take(client, &home, &model);
    desk.add(&["cut", "--prompt", "do it", "--manual"]);
    let run = desk.start("cut");
    model.asked(0, START);
    desk.run(&["cancel", "cut"]).done();
    desk.over(&run);
    let attempt = desk.attempt("cut");
    assert_eq!(attempt["reason"], "cancelled", "{attempt:#}");
    until(|| home.processes().len() <= 1);
});

every_client!(one_whose_daemon_is_killed_works_on_and_its_true_result_is_recorded, |client| {
    let home = Home::new();
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let script = Script::new().then(move |_| {
        held.pass();
        Turn::say("I worked on.").with_tokens(2000, 77)
    });
    let model = Model::start(script);
    let desk = Desk::take(client, &home, &model);
    desk.add(&["orphan", "--prompt", "do it", "--manual"]);
    let run = desk.start("orphan");
    model.asked(0, START);
    home.kill_daemon();
    gate.open();
    desk.over(&run);
    let attempt = desk.attempt("orphan");
    assert_eq!(attempt["reason"], "exit_zero", "{attempt:#}");
    let tokens = &attempt["tokens"];
    // Gemini asks another model first which one to ask, and tells the tokens of both.
    let expected = if client.name() == "gemini" { 97 } else { 77 };
    assert!(tokens.is_null() || tokens["output"] == json!(expected), "{attempt:#}");
    let said = desk.json(&["logs", "orphan"]);
    assert!(said.to_string().contains("I worked on."), "{said:#}");
    assert_eq!(text(&desk.runs("orphan").pop().unwrap()["state"]), "succeeded");
});
