//! Each client driven by its own manifest: what it does is what is recorded of it.
//!
//! With `CONVERGE_RECORD=1` the recordings are made anew instead of being compared.

use std::fs;

use converge::agent::invocation::{Input, Invocation, Schema, Session};
use converge::agent::manifest::Manifest;
use serde_json::{Value as Json, json};

use super::clients::Client;
use super::installed;
use super::model::Model;
use super::model::dialect::Dialect;
use super::model::script::Script;
use super::model::turn::{Failure, Turn};
use super::quotas::used_up;
use super::seat::{DEADLINE, Seat};
use crate::home::Home;
use crate::recorded::{self, Recording};

/// What may trip over on its way.
const PROMPT: &str = "-- Do \"it\",\n$HOME ✓\n";

/// What each client does within seconds; some try again for a minute in the other cases.
const CASES: [&str; 9] =
    ["first", "resume", "denied", "invalid", "auth", "limit", "context", "model", "unknown"];

/// What clients do that take a schema: a result that fits it, and none.
const STRUCTURED: [&str; 2] = ["schema", "misfit"];

/// What a result is to fit.
pub(crate) const SCHEMA: &str = r#"{"additionalProperties":false,"properties":{"n":{"type":"integer"},"ok":{"type":"boolean"}},"required":["n","ok"],"type":"object"}"#;

every_client!(it_does_what_is_recorded, |client| {
    let manifest = recorded::manifest(client.name());
    assert_eq!(manifest.seen, Some(installed::version(client.package())), "seen is what is installed");
    let structured = STRUCTURED.into_iter().filter(|_| manifest.options.schema.is_some());
    for case in CASES.into_iter().chain(structured) {
        let home = Home::new();
        let model = Model::start(script(client, case));
        let done = drive(client, &manifest, case, (&home, &model));
        if case == "resume" {
            assert_eq!(model.last().turns(), 1, "the model is shown what it said before");
        }
        if std::env::var_os("CONVERGE_RECORD").is_some_and(|value| value == "1") {
            done.keep(&manifest, case);
            continue;
        }
        let (now, then) = (done.read(&manifest), Recording::of(&manifest, case).read(&manifest));
        assert_eq!(now.outcome.class, then.outcome.class, "{case}: {now:#?}");
        assert_eq!(now.outcome.reset.is_some(), then.outcome.reset.is_some(), "{case}: {now:#?}");
        assert_eq!(now.signals.result, then.signals.result, "{case}");
        assert_eq!(now.signals.structured, then.signals.structured, "{case}");
        assert_eq!(now.signals.denials, then.signals.denials, "{case}");
        assert!(!now.signals.is_strange() || case == "unknown", "{case}: {:?}", now.signals.lines);
    }
});

/// One run, or one and a second that goes on.
fn drive(
    client: &'static dyn Client,
    manifest: &Manifest,
    case: &str,
    (home, model): (&Home, &Model),
) -> Recording {
    let seat = Seat::take(client, home, model);
    let seat = if case == "limit" { seat.subscribed() } else { seat };
    let port = model.url().rsplit(':').next().unwrap().to_owned();
    let file = home.folder().join("prompt.md").display().to_string();
    let schema = home.folder().join("schema.json").display().to_string();
    fs::write(&schema, SCHEMA).unwrap();
    let run = |session: Session<'_>| {
        let permissions = if manifest.permissions.contains_key("edit") { "edit" } else { "full" };
        let invocation = Invocation {
            session,
            model: None,
            effort: None,
            permissions,
            directories: &[],
            tools: &[],
            account: None,
            prompt_file: &file,
            schema: STRUCTURED.contains(&case).then_some(Schema { text: SCHEMA, file: &schema }),
            register: None,
        };
        let call = invocation.call(manifest).unwrap();
        let input = match call.input {
            Input::Stdin => PROMPT.to_owned(),
            Input::File => {
                fs::write(&file, PROMPT).unwrap();
                String::new()
            }
        };
        let outcome = seat.start(&call.arguments, &input, DEADLINE).end();
        let plain = |text: &str| {
            let text = text.replace(&home.folder().display().to_string(), "/home/user");
            let text = text.replace(&installed::folder().display().to_string(), "/usr/lib");
            text.replace(&port, "8801").into_bytes()
        };
        let exit = (!outcome.is_late).then_some(outcome.said.code);
        Recording { stdout: plain(&outcome.said.out), stderr: plain(&outcome.said.err), exit }
    };
    match case {
        "resume" => {
            let first = run(Session::Fresh).read(manifest);
            run(Session::Resume(&first.signals.session.expect("a conversation")))
        }
        "unknown" if client.name() == "opencode" => run(Session::Resume("ses_doesnotexist000000000000")),
        "unknown" => run(Session::Resume("c5920b44-09dc-410f-a5a8-eedb7d70fdec")),
        _ => run(Session::Fresh),
    }
}

/// What the model does in a case.
fn script(client: &dyn Client, case: &str) -> Script {
    let failure = match case {
        "denied" => {
            let (tool, arguments) = command(client.name());
            return Script::new()
                .turn(Turn::call_own(tool, arguments).with_tokens(1000, 40))
                .turn(Turn::say("I could not do that.").with_tokens(1100, 10));
        }
        "schema" => return Script::new().turn(structured(client.name(), &json!({ "n": 3, "ok": true }))),
        "misfit" => return misfit(client.name()),
        "invalid" => Failure::invalid("the sky is green"),
        "auth" => Failure::auth("invalid x-api-key"),
        "limit" => used_up(client).failure,
        "context" => Failure::invalid(match client.dialect() {
            Dialect::Anthropic => "prompt is too long: 250000 tokens > 200000 maximum",
            Dialect::Gemini => {
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
            }
            Dialect::Responses | Dialect::Chat => {
                "This model's maximum context length is 200000 tokens. However, your messages resulted in 250000 tokens."
            }
        }),
        "model" => {
            let message = "model: no-such-model";
            let error = match client.dialect() {
                Dialect::Anthropic => json!({ "type": "not_found_error", "message": message }),
                Dialect::Gemini => json!({ "code": 404, "status": "NOT_FOUND", "message": message }),
                Dialect::Responses | Dialect::Chat => {
                    json!({ "type": "invalid_request_error", "code": "model_not_found", "message": message })
                }
            };
            let body = json!({ "type": "error", "error": error });
            Failure { status: 404, ..Failure::invalid(message) }.body(body)
        }
        _ => {
            return Script::new()
                .turn(Turn::say("The tests pass.").with_tokens(1200, 34))
                .turn(Turn::say("Still passing.").with_tokens(1300, 21));
        }
    };
    let failure = match (case, client.dialect()) {
        ("context", Dialect::Responses) => failure.body(json!({ "error": {
            "type": "invalid_request_error", "code": "context_length_exceeded", "message": "too long",
        } })),
        _ => failure,
    };
    Script::new().fail(failure.header("x-should-retry", "false"))
}

/// How its model gives a structured result to a client that asked for one.
pub(crate) fn structured(client: &str, result: &Json) -> Turn {
    match client {
        "claude" => Turn::call_own("StructuredOutput", result.clone()),
        "qwen" => Turn::call_own("structured_output", result.clone()),
        _ => Turn::say(result.to_string()),
    }
}

/// A model that never gives the structured result that was asked for.
pub(crate) fn misfit(client: &str) -> Script {
    let wrong = json!({ "n": 3, "ok": "perhaps" });
    match client {
        // It asks several times, and ends well where its model does not even try.
        "claude" => (0..8).fold(Script::new(), |script, _| script.turn(structured(client, &wrong))),
        "qwen" => Script::new().say("I would rather not."),
        _ => Script::new().turn(structured(client, &wrong)),
    }
}

/// The client's own way to run a command that would have to be allowed.
pub(crate) fn command(client: &str) -> (&'static str, Json) {
    match client {
        "claude" => {
            ("Bash", json!({ "command": "curl -s http://127.0.0.1:9/x > y", "description": "fetch" }))
        }
        "codex" => ("exec_command", json!({ "cmd": "touch /home/forbidden" })),
        "opencode" => ("bash", json!({ "command": "touch /etc/y", "description": "d", "workdir": "/etc" })),
        "qwen" | "gemini" => {
            ("run_shell_command", json!({ "command": "touch y", "description": "d", "is_background": false }))
        }
        "kimi" => ("Bash", json!({ "command": "touch y" })),
        _ => ("bash", json!({ "command": "touch y", "description": "d" })),
    }
}
