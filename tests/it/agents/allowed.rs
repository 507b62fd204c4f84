//! What each client lets its model do with tools that nobody allowed.

use serde_json::json;

use super::clients::Client;
use super::model::Model;
use super::model::conversation::Conversation;
use super::model::script::Script;
use super::printed::Way;
use super::seat::Seat;
use crate::home::Home;

/// What became of a call.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It was made.
    Runs,
    /// The model was told that it may not.
    Denied,
    /// The model was not told that there is such a tool.
    Hidden,
}

use Fate::{Denied, Hidden, Runs};

/// What a client does with a tool that only reads, one that starts programs, and one that changes what is ours
/// alone - without being told that it may.
fn by_itself(client: &dyn Client) -> [Fate; 3] {
    match client.name() {
        // It goes by the hints: what starts programs is to be asked about.
        "codex" => [Runs, Denied, Runs],
        // It goes by the first of them.
        "copilot" => [Runs, Denied, Denied],
        "gemini" => [Hidden, Hidden, Hidden],
        "claude" | "qwen" => [Denied, Denied, Denied],
        _ => [Runs, Runs, Runs],
    }
}

/// What became of the call of a tool, by its answer.
fn fate(shown: &Conversation, tool: &str) -> Fate {
    let answer = shown.result_of(tool).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| answer.contains(word));
    if says(&["not found"]) {
        Hidden
    } else if says(&[
        "requested permissions",
        "requires approval",
        "Permission denied",
        "requires permission",
    ]) {
        Denied
    } else {
        assert!(says(&["next_step", "\"jobs\""]), "{tool}: {answer}");
        Runs
    }
}

every_client!(without_being_allowed_each_does_what_it_allows_by_itself, |client| {
    let home = Home::of_the_user();
    let script = Script::new()
        .call("list_jobs", json!({}))
        .call("add_job", json!({ "name": "unasked", "cmd": "true", "manual": true }))
        .call("control_job", json!({ "action": "pause", "all": true }))
        .say("so it is");
    let model = Model::start(script);
    let seat = Seat::take(client, &home, &model).allowing_nothing().with_printed(Way::File);
    assert_eq!(seat.ask("do as you may").answer(), "so it is");
    let shown = model.last();
    let fates = ["list_jobs", "add_job", "control_job"].map(|tool| fate(&shown, tool));
    let expected = by_itself(client);
    assert_eq!(fates, expected, "{shown:#?}");
    // What was denied was not done.
    let count = home.json(&["ls"])["jobs"].as_array().map(Vec::len);
    assert_eq!(count, Some(usize::from(expected[1] == Runs)));
});
