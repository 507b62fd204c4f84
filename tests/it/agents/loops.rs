//! A whole conversation about loops, by every client, registered and allowed as the README says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::clients::Client;
use super::installed;
use super::model::Model;
use super::model::conversation::{Conversation, Message, SEARCH};
use super::model::script::Script;
use super::model::turn::Turn;
use super::printed::Way;
use super::running::Running;
use super::seat::{Outcome, Seat};
use crate::home::{Home, is_alive, text};

/// The longest reply that every client shows its model whole.
const REPLY_CHARACTERS_MAX: usize = 10_000;

/// How long a daemon lives that is killed again and again: long enough to get something done.
const LIFE: Duration = Duration::from_millis(250);

/// What stands in the instructions of the server, and in nothing that a client says by itself.
const INSTRUCTION: &str = "Converge runs durable loops that outlive this conversation";

/// A loop that is never done, a job for every hour, and what people ask about them.
fn script() -> Script {
    let flaky = json!({
        "name": "flaky", "cmd": "echo try $CONVERGE_RUN_NUMBER; exit 3",
        "checks": ["made: test -f made.txt"], "wait": "1s", "max_runs": 2,
    });
    let probe = json!({
        "name": "probe", "cmd": "seq 1 20000; echo from the probe; pwd", "until": ["output /never/"],
        "every": "1h", "more": { "start": "next" }, "max_runs": 5,
    });
    Script::new()
        .call("add_job", flaky)
        .call("wait", json!({ "job": "flaky", "timeout": "15s" }))
        .call("explain_job", json!({ "job": "flaky" }))
        .call("add_job", probe)
        .call("list_jobs", json!({}))
        .call("run_now", json!({ "job": "probe" }))
        .then(|ask| Turn::call("wait", json!({ "job": document(ask.conversation, "run_now")["id"] })))
        .call("run_logs", json!({ "job": "probe", "lines": 10000 }))
        .call("control_job", json!({ "action": "pause", "all": true, "note": "quiet" }))
        .call("update_job", json!({ "job": "probe", "every": "30m" }))
        .call("remove_job", json!({ "jobs": ["flaky"] }))
        .call("remove_job", json!({ "jobs": ["flaky"], "force": true }))
        .call("control_job", json!({ "action": "cancel", "jobs": ["probe"] }))
        .call("list_jobs", json!({}))
        .say("all is well")
}

every_client!(a_conversation_about_loops_does_what_it_says, |client| converse(client, |_, asked| asked
    .end()));

every_client!(it_does_so_too_when_the_daemon_is_killed_again_and_again, |client| {
    converse(client, |home, asked| {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let killer = scope.spawn(|| kill_until(home, &is_over));
            let outcome = asked.end();
            is_over.store(true, Ordering::Release);
            assert!(killer.join().unwrap() > 1, "too few were killed");
            outcome
        })
    });
});

/// Has the conversation, and checks all that came of it.
fn converse(client: &'static dyn Client, meanwhile: impl FnOnce(&Home, Running) -> Outcome) {
    let home = Home::of_the_user();
    let model = Model::start(script());
    let seat = Seat::take(client, &home, &model).with_printed(Way::Line);
    let outcome = meanwhile(&home, seat.begin("keep an eye on it"));
    let shown = model.last();
    assert_eq!(outcome.answer(), "all is well", "{shown:#?}");
    what_the_model_was_shown(client, &shown, &home);
    what_was_done(&home, &actor(client, &outcome));
    // A client that passes the server's instructions on does so before anything is asked.
    let told = model.turns()[0].conversation.prompt();
    let passes_on = !["copilot", "kimi"].contains(&client.name());
    assert_eq!(told.contains(INSTRUCTION), passes_on, "{told}");
}

/// Kills every daemon a moment after it came, and answers how many those were.
fn kill_until(home: &Home, is_over: &AtomicBool) -> usize {
    let mut killed = 0;
    while !is_over.load(Ordering::Acquire) {
        if let Some(pid) = home.daemon_pid().filter(|pid| is_alive(*pid)) {
            // No condition tells a moment in the middle of something from any other.
            thread::sleep(LIFE);
            // It may have ended by itself, and its number be another's by now: a kill asks the lock again.
            if home.daemon_pid() == Some(pid) && is_alive(pid) {
                home.kill_daemon();
                killed += 1;
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    killed
}

/// Checks every answer, whole and as this client passes it on.
#[track_caller]
fn what_the_model_was_shown(client: &dyn Client, shown: &Conversation, home: &Home) {
    let answers: Vec<&str> = shown
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Result { tool, text } if tool != SEARCH => Some(text.as_str()),
            Message::User(_) | Message::Model { .. } | Message::Result { .. } => None,
        })
        .collect();
    assert_eq!(answers.len(), 14, "{answers:#?}");
    for answer in &answers {
        assert!(answer.chars().count() < REPLY_CHARACTERS_MAX, "{answer}");
    }
    let refused = answers[10];
    assert!(is_refusal(client, refused), "{refused}");
    let replies: Vec<Json> = answers
        .iter()
        .filter(|answer| **answer != refused)
        .map(|answer| {
            let bare = bare(client, answer);
            serde_json::from_str(bare).unwrap_or_else(|error| panic!("{error}: {answer}"))
        })
        .collect();
    let says = |step: usize, more: Json| {
        for (name, value) in more.as_object().unwrap() {
            assert_eq!(replies[step][name], *value, "{name} of {}", replies[step]);
        }
    };
    says(0, json!({ "name": "flaky", "existed": false, "limits": ["2 runs", "3h after its first run"] }));
    says(1, json!({ "over": true, "result": "failed", "state": "failed", "reason": "run_limit", "runs": 2 }));
    says(2, json!({ "name": "flaky", "state": "failed", "reason": "run_limit", "ends_when": [] }));
    let because = text(&replies[2]["because"][0]);
    assert!(because.contains("2 runs, as many as allowed; made: `test -f made.txt` exited 1"), "{because}");
    assert!(text(&replies[2]["next_step"]).contains("run_logs"), "{}", replies[2]);
    says(3, json!({ "name": "probe", "state": "active", "existed": false, "runs": 0 }));
    let names = |list: &Json| -> Vec<String> {
        let jobs = list["jobs"].as_array().unwrap();
        jobs.iter().map(|job| format!("{} {}", text(&job["name"]), text(&job["state"]))).collect()
    };
    assert_eq!(names(&replies[4]), ["flaky failed", "probe active"]);
    assert!(text(&replies[5]["next_step"]).starts_with("Started, not finished: `wait "), "{}", replies[5]);
    says(6, json!({ "over": true, "id": replies[5]["id"], "exit_code": 0, "state": "not_yet" }));
    // Every client starts its servers where it works, and so a job runs there.
    let wrote = format!("\nfrom the probe\n{}\n", home.project().display());
    assert!(text(&replies[7]["output"]).contains(&wrote), "{}", replies[7]);
    assert_eq!(names(&replies[8]), ["probe paused"]);
    says(9, json!({ "name": "probe", "state": "paused", "schedule": "every 30m after each end" }));
    assert_eq!(replies[10]["count"], 1, "{}", replies[10]);
    assert_eq!(names(&replies[11]), ["probe cancelled"]);
    assert_eq!(names(&replies[12]), ["probe cancelled"]);
}

/// A reply without what its client puts round it.
fn bare<'a>(client: &dyn Client, answer: &'a str) -> &'a str {
    let inner = match client.name() {
        "codex" => answer.split_once("\nOutput:\n"),
        "kimi" => answer.split_once('\n'),
        "gemini" => answer.strip_suffix("\n</untrusted_context>").and_then(|inner| inner.split_once('\n')),
        _ => Some(("", answer)),
    };
    inner.unwrap_or_else(|| panic!("{answer}")).1
}

/// Whether it says what is wrong, and what to send instead, and says it as a text.
fn is_refusal(client: &dyn Client, answer: &str) -> bool {
    // Two clients put it into JSON of their own.
    let plain = answer.replace('\\', "");
    let begins = match client.name() {
        "codex" => answer.contains("\nOutput:flaky has"),
        "copilot" => answer.starts_with("MCP server 'converge': flaky has"),
        "gemini" | "kimi" | "qwen" => true,
        _ => answer.starts_with("flaky has"),
    };
    begins
        && plain.contains("flaky has a history of 3 runs")
        && plain.contains(r#"`remove_job {"jobs": ["flaky"], "force": true}`"#)
}

/// Checks what is left of it in the home, and who did what.
#[track_caller]
fn what_was_done(home: &Home, actor: &str) {
    assert_eq!(home.json(&["ls"])["jobs"][0]["name"], "probe");
    assert_eq!(home.states("probe"), ["not_yet"]);
    let events = home.json(&["events", "probe", "--limit", "100"]);
    let done: Vec<(&str, &str)> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["actor"] != "daemon")
        .map(|event| (text(&event["type"]), text(&event["actor"])))
        .collect();
    let kinds = ["job.added", "job.fired", "job.paused", "job.updated", "job.closed"];
    assert_eq!(done, kinds.map(|kind| (kind, actor)));
}

/// Who a client is in the record: its name and version, and its conversation where it tells its servers.
#[track_caller]
fn actor(client: &dyn Client, outcome: &Outcome) -> String {
    let version = installed::version(client.package());
    let said = |name: &str| {
        let place = format!("\"{name}\":\"");
        let (_, rest) =
            outcome.said.out.split_once(&place).unwrap_or_else(|| panic!("no {name} in {outcome:?}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    match client.name() {
        "claude" => format!("claude-code {version} (session {})", said("session_id")),
        "codex" => format!("codex-mcp-client {version} (session {})", said("thread_id")),
        "copilot" => format!("copilot-cli {version} (session {})", said("sessionId")),
        "gemini" => format!("gemini-cli-mcp-client {version}"),
        "qwen" => "qwen-cli-mcp-client-converge 0.0.1".to_owned(),
        "kimi" => "kimi-code 0.0.0".to_owned(),
        name => format!("{name} {version}"),
    }
}

/// The document in the newest answer of a tool, as the model sees it; null where there is none.
pub(super) fn document(conversation: &Conversation, tool: &str) -> Json {
    let text = conversation.result_of(tool).unwrap_or_default();
    let begins_at = text.find('{').unwrap_or(text.len());
    let mut documents = serde_json::Deserializer::from_str(&text[begins_at..]).into_iter();
    documents.next().and_then(Result::ok).unwrap_or_default()
}
