//! Results: documents that fit a schema, where an agent can be held to one.

use serde_json::json;

use super::Desk;
use super::failures::once;
use crate::agents::clients::Client;
use crate::agents::driven::{self, SCHEMA};
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::home::{Home, text};
use crate::recorded;

/// Whether a client can be held to a schema.
fn is_structured(client: &dyn Client) -> bool {
    recorded::manifest(client.name()).options.schema.is_some()
}

every_client!(a_structured_result_is_what_conditions_checks_and_the_next_prompt_see, |client| {
    if !is_structured(client) {
        return;
    }
    let home = Home::new();
    let result = |ok: bool| driven::structured(client.name(), &json!({ "n": 3, "ok": ok }));
    let model = Model::start(Script::new().turn(result(false)).turn(result(true)));
    let desk = Desk::take(client, &home, &model);
    std::fs::write(home.project().join("result.json"), SCHEMA).unwrap();
    let job =
        ["one", "--prompt", "Before: {{last.result}}.", "--schema", "result.json", "--session", "resume"];
    let check = r#"result: [ "$(cat "$CONVERGE_RESULT")" = '{"n":3,"ok":true}' ]"#;
    let goal = ["--check", check, "--until", r#"output /^\{"n":\d,"ok":true\}$/"#, "--max-runs", "2"];
    desk.add(&[job.as_slice(), &goal, &["--wait", "1s"]].concat());
    let over = desk.over("one");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("converged")), "{over:#}");
    let runs = desk.runs("one");
    let states: Vec<&str> = runs.iter().map(|run| text(&run["state"])).collect();
    assert_eq!(states, ["not_yet", "succeeded"], "{runs:#?}");
    let asked = model.last();
    assert!(asked.prompt().contains(r#"Before: {"n":3,"ok":false}."#), "{asked:#?}");
    let shown = desk.run(&["show", "one"]).done().out;
    // However wide the terminal is.
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains("each result fits {"), "{shown}");
});

every_client!(a_condition_on_output_is_about_the_answer_and_not_about_the_prompt, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().say("not there yet").say("ALL IS WELL"));
    let desk = Desk::take(client, &home, &model);
    let goal =
        ["--until", "output \"ALL IS WELL\"", "--max-runs", "3", "--wait", "1s", "--session", "resume"];
    desk.add(&[&["word", "--prompt", "Say ALL IS WELL once that is so."][..], &goal].concat());
    let over = desk.over("word");
    assert_eq!(over["reason"], "condition_met", "{over:#}");
    let states: Vec<String> = desk.runs("word").iter().map(|run| text(&run["state"]).to_owned()).collect();
    assert_eq!(states, ["not_yet", "succeeded"]);
});

every_client!(an_agent_that_gives_no_structured_results_is_refused, |client| {
    if is_structured(client) {
        return;
    }
    let home = Home::new();
    let model = Model::start(Script::new());
    let desk = Desk::take(client, &home, &model);
    let words =
        ["add", "--prompt", "do it", "--permissions", "full", "--schema", "{}", "--agent", client.name()];
    let refused = desk.run(&words);
    assert_eq!(refused.code, 64, "{refused:?}");
    assert!(refused.err.contains("name agents that do: `claude`, `codex`, `qwen`"), "{refused:?}");
});

every_client!(a_result_that_does_not_fit_its_schema_is_a_failure, |client| {
    if !is_structured(client) {
        return;
    }
    let (reason, attempt) = once(client, driven::misfit(client.name()), &["--schema", SCHEMA]);
    assert_eq!(reason, "schema_error", "{attempt:#}");
    let said = attempt["message"].as_str().unwrap();
    assert!(said.contains("boolean") || said.contains("structured"), "{said}");
});

every_client!(a_check_sees_no_result_that_does_not_fit, |client| {
    if !is_structured(client) {
        return;
    }
    let home = Home::new();
    let model = Model::start(driven::misfit(client.name()));
    let desk = Desk::take(client, &home, &model);
    let goal = ["--check", "any: test -n \"$CONVERGE_RESULT\"", "--max-runs", "1", "--wait", "1s"];
    desk.add(&[&["one", "--prompt", "do it", "--schema", SCHEMA][..], &goal].concat());
    let over = desk.over("one");
    assert_eq!((&over["state"], &over["reason"]), (&json!("failed"), &json!("run_limit")), "{over:#}");
});
