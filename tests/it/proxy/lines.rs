//! What goes through the proxy, and what it answers itself.

use serde_json::{Value as Json, json};

use super::agent::{Agent, notification, request};
use super::fake::Fake;
use crate::home::{Home, until};

#[test]
fn messages_go_through_as_they_are_with_a_key_on_each_request() {
    let home = Home::new();
    let fake = Fake::that_answers(&home);
    let mut agent = Agent::start(&home);
    let call = request(1, "tools/call", &json!({ "name": "add_job", "arguments": { "key": "theirs" } }));
    let answer = agent.ask(&call);
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": 1, "result": { "echo": call["params"] } }));
    agent.say(&notification("notifications/roots/list_changed"));
    agent.ask(&request("two", "ping", &json!({})));
    fake.tell(&notification("notifications/resources/list_changed"));
    assert_eq!(agent.hear(), notification("notifications/resources/list_changed"));
    fake.tell(&request(0, "roots/list", &json!({})));
    assert_eq!(agent.hear(), request(0, "roots/list", &json!({})));
    let roots = json!({ "jsonrpc": "2.0", "id": 0, "result": { "roots": [] } });
    agent.say(&roots);
    until(|| fake.lines().len() == 4);
    let mut lines: Vec<Json> = fake.lines().into_iter().map(|(_, line)| line).collect();
    let keys: Vec<String> =
        [0, 2].map(|place| lines[place].as_object_mut().unwrap().remove("key").unwrap().to_string()).into();
    assert_ne!(keys[0], keys[1]);
    let two = request("two", "ping", &json!({}));
    assert_eq!(lines, [call, notification("notifications/roots/list_changed"), two, roots]);
    agent.leaves();
}

#[test]
fn a_proxy_says_who_started_it_and_nothing_secret() {
    let home = Home::new();
    let fake = Fake::that_answers(&home);
    let variables = [
        ("CLAUDE_CODE_SESSION_ID", "s-1"),
        ("CLAUDE_PROJECT_DIR", "/tmp/elsewhere"),
        ("ANTHROPIC_API_KEY", "secret"),
    ];
    let mut agent = Agent::start_with(&home, &["mcp"], &variables);
    agent.ask(&request(1, "ping", &json!({})));
    let preface = &fake.prefaces()[0];
    assert_eq!(preface["client"], "proxy");
    assert_eq!(preface["cwd"], "/tmp/elsewhere");
    assert_eq!(preface["pid"], agent.pid());
    let told = json!({ "CLAUDE_CODE_SESSION_ID": "s-1", "CLAUDE_PROJECT_DIR": "/tmp/elsewhere" });
    assert_eq!(preface["agent"], told);
    assert!(!preface.to_string().contains("secret"), "{preface}");
    agent.leaves();
    let mut agent = Agent::start_with(&home, &["mcp"], &[("CLAUDE_PROJECT_DIR", "relative")]);
    agent.ask(&request(1, "ping", &json!({})));
    assert_eq!(fake.prefaces()[1]["cwd"], home.project().to_str().unwrap());
    agent.leaves();
}

#[test]
fn a_home_can_be_named_where_the_environment_says_another() {
    let home = Home::new();
    let _fake = Fake::that_answers(&home);
    let folder = home.home();
    let words = ["mcp", "--home", folder.to_str().unwrap()];
    let elsewhere = [("CONVERGE_HOME", "/nonexistent"), ("CONVERGE_SOCKET_PATH", "/nonexistent/socket")];
    let mut agent = Agent::start_with(&home, &words, &elsewhere);
    assert_eq!(agent.ask(&request(1, "ping", &json!({})))["id"], 1);
    agent.leaves();
}

#[test]
fn messages_may_come_in_any_pieces() {
    let home = Home::new();
    let _fake = Fake::that_answers(&home);
    let mut agent = Agent::start(&home);
    for byte in format!("{}\r\n", request(1, "ping", &json!({ "text": "grüß\ndich" }))).bytes() {
        agent.write(&[byte]);
    }
    assert_eq!(agent.hear()["result"]["echo"]["text"], "grüß\ndich");
    let many: Vec<String> = (2..50).map(|id| request(id, "ping", &json!({})).to_string()).collect();
    agent.write(format!("{}\n", many.join("\n\n")).as_bytes());
    for id in 2..50 {
        assert_eq!(agent.hear()["id"], id);
    }
    let large = "x".repeat(1 << 20);
    let answer = agent.ask(&request(50, "tools/call", &json!({ "large": large })));
    assert!(answer["result"]["echo"]["large"] == large, "it came back otherwise");
    // The last line needs no end.
    agent.write(request(51, "ping", &json!({})).to_string().as_bytes());
    agent.close();
    let (status, rest, _) = agent.ended();
    assert!(status.success());
    assert_eq!(rest.iter().map(|answer| &answer["id"]).collect::<Vec<_>>(), [51]);
}

#[test]
fn what_is_no_message_is_answered_and_the_session_goes_on() {
    let home = Home::new();
    let fake = Fake::that_answers(&home);
    let mut agent = Agent::start(&home);
    let mut check = |line: &[u8], id: Json, code: i32| {
        agent.write(line);
        agent.write(b"\n");
        let answer = agent.hear();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{answer}");
        assert_eq!(agent.ask(&request(0, "ping", &json!({})))["id"], 0);
    };
    check(b"nonsense", Json::Null, -32700);
    check(b"\xff\xfe", Json::Null, -32700);
    check(br#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"#, json!(9), -32700);
    check(br#"{"jsonrpc":"2.0","id":9,"method":"x","params":"\ud800"}"#, json!(9), -32700);
    check(b"[]", Json::Null, -32600);
    check(br#"[{"jsonrpc":"2.0","id":9,"method":"ping"}]"#, Json::Null, -32600);
    check(b"7", Json::Null, -32600);
    check(br#"{"jsonrpc":"2.0","id":9}"#, json!(9), -32600);
    let long = format!(r#"{{"jsonrpc":"2.0","id":"long","method":"x","params":"{}"}}"#, "x".repeat(17 << 20));
    check(long.as_bytes(), json!("long"), -32600);
    let seen = fake.lines();
    assert!(seen.iter().all(|(connection, line)| *connection == 0 && line["method"] == "ping"), "{seen:?}");
    agent.leaves();
}

#[test]
fn a_flood_is_answered_whole_though_nobody_reads_meanwhile() {
    let home = Home::new();
    let fake = Fake::that_answers(&home);
    let mut agent = Agent::start(&home);
    let text = "x".repeat(2000);
    for id in 0..1000 {
        agent.say(&request(id, "tools/call", &json!({ "text": text })));
    }
    for id in 0..1000 {
        assert_eq!(agent.hear()["id"], id);
    }
    assert_eq!(fake.lines().len(), 1000);
    agent.leaves();
}

#[test]
fn two_hundred_sessions_work_at_once() {
    let home = Home::new();
    let fake = Fake::that_answers(&home);
    let mut agents: Vec<Agent> = (0..200).map(|_| Agent::start(&home)).collect();
    for round in 0..3 {
        for (id, agent) in agents.iter_mut().enumerate() {
            agent.say(&request(id, "tools/call", &json!({ "round": round })));
        }
        for (id, agent) in agents.iter_mut().enumerate() {
            let answer = agent.hear();
            assert_eq!((&answer["id"], &answer["result"]["echo"]["round"]), (&json!(id), &json!(round)));
        }
        fake.hang_up();
    }
    let mut keys: Vec<String> = fake.lines().iter().map(|(_, line)| line["key"].to_string()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 600, "keys of two requests are the same");
    agents.iter_mut().for_each(Agent::close);
    for agent in agents {
        assert!(agent.ended().0.success());
    }
}
