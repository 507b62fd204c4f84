//! Results: documents that fit a schema, where an agent can be held to one.

use serde_json::json;

use super::Desk;
use super::failures::once;
use crate::agents::driven::{self, SCHEMA};
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::home::Home;
use crate::recorded;

/// The result that the model gives, as Converge writes it.
const RESULT: &str = r#"{"n":3,"ok":true}"#;

every_client!(a_structured_result_is_what_conditions_and_checks_see, |client| {
    let home = Home::new();
    let script = Script::new().turn(driven::structured(client.name(), &json!({ "n": 3, "ok": true })));
    let model = Model::start(script);
    let desk = Desk::take(client, &home, &model);
    if recorded::manifest(client.name()).options.schema.is_none() {
        let refused = desk.run(&[
            "add",
            "--prompt",
            "do it",
            "--agent",
            client.name(),
            "--permissions",
            "full",
            "--schema",
            "{}",
        ]);
        assert_eq!(refused.code, 64, "{refused:?}");
        assert!(refused.err.contains("name agents that do: `claude`, `codex`, `qwen`"), "{refused:?}");
        return;
    }
    std::fs::write(home.project().join("result.json"), SCHEMA).unwrap();
    let check = format!(r#"result: [ "$(cat "$CONVERGE_RESULT")" = '{RESULT}' ]"#);
    let until = r#"output /^\{"n":\d,"ok":true\}$/"#;
    let words = ["one", "--prompt", "do it", "--schema", "result.json", "--check", &check, "--until", until];
    desk.add(&[words.as_slice(), &["--max-runs", "1", "--wait", "1s"]].concat());
    let over = desk.over("one");
    assert_eq!((&over["state"], &over["reason"]), (&json!("completed"), &json!("converged")), "{over:#}");
    assert_eq!(desk.attempt("one")["reason"], "exit_zero");
    let shown = desk.run(&["show", "one"]).done().out;
    // However wide the terminal is.
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains("each result fits {"), "{shown}");
});

every_client!(a_result_that_does_not_fit_its_schema_is_a_failure, |client| {
    if recorded::manifest(client.name()).options.schema.is_none() {
        return;
    }
    let (reason, attempt) = once(client, driven::misfit(client.name()), &["--schema", SCHEMA]);
    assert_eq!(reason, "schema_error", "{attempt:#}");
    let said = attempt["message"].as_str().unwrap();
    assert!(said.contains("boolean") || said.contains("structured"), "{said}");
});
