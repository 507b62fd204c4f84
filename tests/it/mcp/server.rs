//! What every client may count on: an answer to every line, in an order that makes sense.

use serde_json::{Value as Json, json};

use crate::home::{Home, text};

/// A call of a tool as a line.
fn line(id: u32, name: &str, arguments: &Json) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": id,
    });
    let params = json!({ "name": name, "arguments": arguments, "_meta": meta });
    format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
}

#[test]
fn whatever_comes_is_answered_and_the_session_goes_on() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    client.call("list_jobs", &json!({}));
    for (line, id, code) in [
        ("nonsense", Json::Null, -32700),
        ("[]", Json::Null, -32600),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", Json::Null, -32600),
        ("{\"id\":7}", json!(7), -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":3}", json!(8), -32600),
    ] {
        client.send(format!("{line}\n").as_bytes());
        let answer = client.read().expect("an answer");
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{line}: {answer}");
    }
    assert_eq!(client.request("no/method", json!({}))["error"]["code"], -32601);
    assert_eq!(client.request("tools/call", json!({ "nam": "x" }))["error"]["code"], -32602);
    let unknown = client.request("tools/call", json!({ "name": "ad_job", "arguments": {} }));
    assert!(text(&unknown["error"]["message"]).contains("add_job"), "{unknown}");
    assert_eq!(client.request("tools/call", json!({ "name": "list_events" }))["error"]["code"], -32602);
    assert_eq!(client.request("prompts/get", json!({ "name": "untl" }))["error"]["code"], -32602);
    let unread = client.request("resources/read", json!({ "uri": "converge://x" }));
    assert_eq!(
        (&unread["error"]["code"], &unread["error"]["data"]["uri"]),
        (&json!(-32602), &json!("converge://x"))
    );
    for gone in ["initialize", "resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(client.request(gone, json!({}))["error"]["code"], -32601, "{gone}");
    }
    assert_eq!(client.call("list_jobs", &json!({}))["reply"]["jobs"], json!([]));
}

#[test]
fn messages_are_cut_and_joined_as_the_client_likes() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let both =
        |id: u32| format!("{}{}", line(id, "list_jobs", &json!({})), line(id + 1, "doctor", &json!({})));
    for byte in both(1).as_bytes() {
        client.send(&[*byte]);
    }
    client.send(both(3).as_bytes());
    let mut ids: Vec<u64> =
        (0..4).map(|_| client.read().expect("an answer")["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[test]
fn calls_sent_without_waiting_see_each_other_in_turn() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let rounds = 30;
    let mut lines = String::new();
    for round in 0..rounds {
        let name = format!("job-{round}");
        let cmd = format!("echo {round}");
        lines += &line(round * 4, "add_job", &json!({ "name": name, "cmd": cmd, "manual": true }));
        lines += &line(round * 4 + 1, "update_job", &json!({ "job": name, "timeout": "3m" }));
        lines += &line(round * 4 + 2, "control_job", &json!({ "action": "cancel", "jobs": [name] }));
        lines += &line(round * 4 + 3, "show_job", &json!({ "job": name }));
    }
    client.send(lines.as_bytes());
    for _ in 0..rounds * 4 {
        let answer = client.read().expect("an answer");
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        if answer["id"].as_u64().unwrap() % 4 == 3 {
            assert_eq!(answer["result"]["structuredContent"]["state"], "cancelled", "{answer}");
        }
    }
}

#[test]
fn a_megabyte_is_an_argument_like_any_other() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let cmd = format!("wc -c <<'END'\n{}\nEND", "x".repeat(1 << 20));
    let added = client.call("add_job", &json!({ "name": "big", "cmd": cmd, "manual": true }));
    assert_eq!(added["reply"]["name"], "big", "{}", &added.to_string()[..300]);
    for verb in ["show_job", "explain_job", "run_logs"] {
        let reply = client.call(verb, &json!({ "job": "big" })).to_string();
        assert!(reply.len() < 10_000, "{verb} answers {} characters", reply.len());
    }
    assert!(client.call("list_jobs", &json!({})).to_string().len() < 10_000);
}

#[test]
fn the_same_key_is_the_same_write() {
    let home = Home::new();
    home.add(&["one", "--manual", "--cmd", "sleep 5"]);
    let mut client = home.agent();
    let call = line(5, "run_now", &json!({ "job": "one" })).replacen('{', "{\"key\":\"p-1\",", 1);
    client.send(call.as_bytes());
    let first = client.read().expect("an answer");
    client.send(call.as_bytes());
    let second = client.read().expect("an answer");
    let run = |answer: &Json| answer["result"]["structuredContent"]["id"].clone();
    assert!(run(&first).is_string(), "{first}");
    assert_eq!(run(&first), run(&second));
    assert_eq!(home.runs("one").len(), 1);
}

#[test]
fn waiting_tells_how_it_goes_and_ends_alone() {
    let home = Home::new();
    home.add(&["slow", "--manual", "--cmd", "read line < pipe"]);
    nix::unistd::mkfifo(&home.project().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut client = home.agent();
    let run = client.call("run_now", &json!({ "job": "slow" }))["reply"]["id"].clone();
    client.send(line(900, "wait", &json!({ "job": run })).as_bytes());
    let news = client.read().expect("news");
    assert_eq!(news["method"], "notifications/progress", "{news}");
    assert_eq!(news["params"]["progressToken"], 900);
    assert!(text(&news["params"]["message"]).contains("running"), "{news}");
    client.send(
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":900}}\n",
    );
    assert_eq!(client.call("show_job", &json!({ "job": run }))["reply"]["state"], "running");
    let short = client.call("wait", &json!({ "job": run, "timeout": "1s" }));
    assert_eq!(short["reply"]["result"], "waiting", "{short}");
    std::fs::write(home.project().join("pipe"), "go\n").unwrap();
    assert_eq!(client.call("wait", &json!({ "job": run }))["reply"]["result"], "ok");
}

#[test]
fn every_change_names_who_made_it() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    client.call("add_job", &json!({ "name": "mine", "cmd": "true", "manual": true }));
    let params = json!({
        "name": "control_job", "arguments": { "action": "pause", "jobs": ["mine"] },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "codex-mcp-client", "version": "0.169.0" },
            "io.modelcontextprotocol/clientCapabilities": {}, "threadId": "t-17",
        },
    });
    client.ask(&json!({ "jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": params }));
    let events = home.json(&["events", "mine"]);
    let actors: Vec<&str> =
        events["events"].as_array().unwrap().iter().map(|event| text(&event["actor"])).collect();
    assert_eq!(actors, ["tester 1.0", "codex-mcp-client 0.169.0 (session t-17)"], "{events}");
}
