//! Loops: an agent is asked again until a check says that it is done, in one conversation or in many.

use serde_json::Value as Json;

use super::Desk;
use crate::agents::clients::Client;
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::agents::model::turn::Turn;
use crate::home::{Home, number, text};

/// Met by the third run.
const THIRD: &str = "third: test \"$CONVERGE_RUN_NUMBER\" -ge 3";

/// The model says how often it was asked, and what that takes.
fn counting() -> Script {
    (0..6).fold(Script::new(), |script, turn| {
        script.turn(Turn::say(format!("turn {turn}")).with_tokens(1000 + turn, 30 + turn))
    })
}

/// Whether the agent tells its tokens.
fn tells_tokens(client: &dyn Client) -> bool {
    !matches!(client.name(), "copilot" | "kimi")
}

every_client!(it_is_asked_in_one_conversation_until_a_check_says_that_it_is_done, |client| {
    let home = Home::new();
    let model = Model::start(counting());
    let desk = Desk::take(client, &home, &model);
    desk.add(&[
        "loop",
        "--prompt",
        "-- Do \"it\",\n$HOME {{run.number}}\n",
        "--session",
        "resume",
        "--check",
        THIRD,
        "--wait",
        "1s",
    ]);
    let job = desk.over("loop");
    assert_eq!(job["state"], "completed", "{job:#}");
    assert_eq!(model.last().turns(), 2, "the model is shown what it said before");
    let runs = desk.runs("loop");
    let states: Vec<&str> = runs.iter().map(|run| text(&run["state"])).collect();
    assert_eq!(states, ["not_yet", "not_yet", "succeeded"], "{runs:#?}");
    let readings: Vec<&Json> = runs.iter().map(|run| &run["attempt_list"][0]).collect();
    let version = serde_json::json!(crate::recorded::manifest(client.name()).seen);
    assert!(readings.iter().all(|reading| reading["version"] == version), "{readings:#?}");
    let sessions: Vec<&Json> = readings.iter().map(|reading| &reading["conversation"]).collect();
    assert!(sessions.windows(2).all(|pair| pair[0] == pair[1] && pair[0].is_string()), "{sessions:?}");
    if tells_tokens(client) {
        // Each run's own, also where the agent counts for the whole conversation.
        let told: Vec<i64> = readings.iter().map(|reading| number(&reading["tokens"]["output"])).collect();
        // Gemini asks another model first which one to ask, and tells the tokens of both.
        let router = if client.name() == "gemini" { 20 } else { 0 };
        assert_eq!(told, [30, 31, 32].map(|own| own + router), "{readings:#?}");
        let spent = &job["spent"];
        assert_eq!(number(&spent["tokens"]["output"]), told.iter().sum::<i64>(), "{job:#}");
    } else {
        assert!(readings.iter().all(|reading| reading["tokens"].is_null()), "{readings:#?}");
    }
    if client.name() == "claude" {
        // What it tells is the conversation's; what is shown is the run's, and adds up.
        let costs: Vec<f64> =
            readings.iter().map(|reading| reading["cost"]["dollars"].as_f64().unwrap()).collect();
        assert!(costs.iter().all(|cost| *cost > 0.0), "{costs:?}");
        let all = job["spent"]["dollars"].as_f64().unwrap();
        assert!((all - costs.iter().sum::<f64>()).abs() < 1e-9, "{all} of {costs:?}");
    }
    let prompts = model.turns();
    let asked = format!("{:?}", prompts.last().unwrap().conversation);
    assert!(client.name() == "kimi" || asked.contains("$HOME 3"), "{asked}");
});

every_client!(a_prompt_of_a_megabyte_reaches_the_model_whole, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().say("read"));
    let desk = Desk::take(client, &home, &model);
    let prompt = format!("--begin\n{}\nthe very end of it\n", "0123456789abcde\n".repeat(62_500));
    std::fs::write(home.project().join("PROMPT.md"), &prompt).unwrap();
    desk.add(&["big", "--prompt-file", "PROMPT.md", "--manual"]);
    let run = desk.start("big");
    let job = desk.over(&run);
    let attempt = desk.attempt("big");
    if matches!(client.name(), "copilot" | "qwen") {
        // They know that no model reads so much, and say so before they ask one.
        assert_eq!(attempt["reason"], "context_full", "{attempt:#}");
        return;
    }
    assert_eq!(attempt["reason"], "exit_zero", "{job:#} {attempt:#}");
    // Kimi is told where it lies, and reads it by itself if it likes.
    if client.name() != "kimi" {
        let asked = model.turns().last().unwrap().request.body.to_string();
        assert!(asked.contains("--begin") && asked.contains("the very end of it"), "not whole");
    }
    let leaks = home.processes().len();
    assert!(leaks <= 2, "nothing but the daemon is left");
});
