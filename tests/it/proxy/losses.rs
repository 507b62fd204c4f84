//! Daemons that go away: nothing is lost, and nothing is done or answered twice.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::agent::{Agent, notification, request};
use super::fake::{Act, Fake, Writes, answer, answered};
use crate::home::{Home, until};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What marks a process as one of a run, and so keeps it from starting a daemon.
const INSIDE: [(&str, &str); 1] = [("CONVERGE_ATTEMPT", "r0abc1234.1")];

#[test]
fn every_request_is_done_once_and_answered_once_however_often_the_daemon_dies() {
    let home = Home::new();
    let writes = Arc::new(Writes::default());
    let doing = Arc::clone(&writes);
    let _fake = Fake::start(&home, VERSION, move |_, line, message| {
        let answer = doing.act(message);
        // It dies before the answer, in the middle of it, and right after it.
        match line % 150 {
            50 => Act::HangUp(String::new()),
            100 => Act::HangUp(answer.to_string()[..20].to_owned()),
            149 => Act::HangUp(format!("{answer}\n{{\"jsonrpc\"")),
            _ => Act::Say(vec![answer]),
        }
    });
    let mut agent = Agent::start(&home);
    let ids: HashSet<String> = (0..300).map(|id: u32| id.to_string()).collect();
    for id in 0..300 {
        agent.say(&request(id, "tools/call", &json!({ "id": id })));
    }
    let mut numbers = HashSet::new();
    let mut heard = HashSet::new();
    for _ in 0..300 {
        let answer = agent.hear();
        assert_eq!(answer["result"]["echo"]["id"], answer["id"]);
        assert!(heard.insert(answer["id"].to_string()), "{answer} was heard twice");
        assert!(numbers.insert(answer["result"]["number"].to_string()), "{answer}");
    }
    assert_eq!(heard, ids);
    assert_eq!(writes.ids(), (300, ids));
    agent.leaves();
}

#[test]
fn a_session_goes_on_with_a_daemon_of_another_version() {
    let home = Home::new();
    let legacy = |_: usize, _: usize, message: &Json| match message["method"].as_str() {
        Some("initialize") => {
            let can = json!({ "capabilities": { "tools": { "listChanged": true } } });
            Act::Say(vec![json!({ "jsonrpc": "2.0", "id": message["id"], "result": can })])
        }
        Some("hold") => Act::Say(vec![]),
        Some(_) | None => answered(message),
    };
    let old = Fake::start(&home, "0.0.1", legacy);
    let mut agent = Agent::start_with(&home, &["mcp"], &INSIDE);
    let begin = request(0, "initialize", &json!({ "protocolVersion": "2025-06-18" }));
    assert_eq!(agent.ask(&begin)["id"], 0);
    agent.say(&notification("notifications/initialized"));
    agent.say(&request(1, "hold", &json!({})));
    until(|| old.asked("hold").len() == 1);
    drop(old);
    let new = Fake::start(&home, "99.0.0", |_, _, message| match message["method"].as_str() {
        Some("hold") => Act::Say(vec![answer(message)]),
        Some(_) | None => answered(message),
    });
    let heard = [agent.hear(), agent.hear()];
    assert!(heard.contains(&notification("notifications/tools/list_changed")), "{heard:?}");
    assert!(heard.iter().any(|message| message["id"] == 1), "{heard:?}");
    let methods: Vec<Json> = new.lines().into_iter().map(|(_, line)| line["method"].clone()).collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "hold"]);
    assert_eq!(new.asked("initialize")[0]["params"], begin["params"]);
    assert_eq!(agent.ask(&request(2, "ping", &json!({})))["id"], 2);
    agent.leaves();
}

#[test]
fn requests_wait_for_a_daemon_that_comes_late() {
    let home = Home::new();
    let mut agent = Agent::start_with(&home, &["mcp"], &INSIDE);
    for id in 0..100 {
        agent.say(&request(id, "ping", &json!({})));
    }
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 50 } });
    agent.say(&cancel);
    // Answered by the proxy itself, so all before it were read.
    agent.write(b"[]\n");
    assert_eq!(agent.hear()["error"]["code"], -32600);
    let fake = Fake::that_answers(&home);
    for id in (0..100).filter(|id| *id != 50) {
        assert_eq!(agent.hear()["id"], id);
    }
    assert_eq!(fake.lines().len(), 99);
    agent.leaves();
}

#[test]
fn inside_a_run_no_daemon_is_started_and_requests_are_told_so() {
    let home = Home::new();
    let mut agent = Agent::start_with(&home, &["mcp"], &INSIDE);
    let refused = agent.ask(&request(1, "initialize", &json!({})));
    assert_eq!(refused["id"], 1);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("a process inside a run starts none"), "{message}");
    assert_eq!(refused["error"]["data"]["code"], "unavailable");
    assert!(!home.home().join("daemon.lock").exists());
    agent.close();
    let (status, rest, err) = agent.ended();
    assert_eq!((status.code(), rest.len()), (Some(69), 0), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn a_daemon_that_cannot_start_is_no_reason_to_leave() {
    let home = Home::new();
    std::fs::create_dir(home.home()).unwrap();
    std::fs::write(home.home().join("config.json"), "nonsense").unwrap();
    let mut agent = Agent::start(&home);
    let refused = agent.ask(&request(1, "tools/list", &json!({})));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("the daemon does not start") && message.contains("config.json"), "{message}");
    let fake = Fake::that_answers(&home);
    assert_eq!(agent.ask(&request(2, "tools/list", &json!({})))["id"], 2);
    assert_eq!(fake.asked("tools/list").len(), 1);
    agent.close();
    assert!(agent.ended().0.success());
}
