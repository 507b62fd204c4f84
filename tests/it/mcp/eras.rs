//! Both eras of the protocol: the one that begins with `initialize`, and the stateless one.

use serde_json::{Value as Json, json};

use crate::home::{Client, Home, text};

const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

const TOOLS: [&str; 11] = [
    "add_job",
    "update_job",
    "list_jobs",
    "show_job",
    "control_job",
    "remove_job",
    "run_now",
    "run_logs",
    "explain_job",
    "wait",
    "doctor",
];

/// Sends a request without anything that only the newer era knows.
pub(super) fn ask(client: &mut Client, id: u32, method: &str, params: &Json) -> Json {
    client.ask(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

fn names(list: &Json, of: &str) -> Vec<String> {
    list["result"][of].as_array().unwrap().iter().map(|item| text(&item["name"]).to_owned()).collect()
}

#[test]
fn a_session_of_each_older_revision_has_everything() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    for version in VERSIONS {
        let mut client = home.agent();
        let hello = ask(
            &mut client,
            0,
            "initialize",
            &json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
        );
        assert_eq!(hello["result"]["protocolVersion"], version);
        assert_eq!(hello["result"]["serverInfo"]["name"], "converge");
        assert!(text(&hello["result"]["instructions"]).contains("keep trying until"), "{hello}");
        client.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        let tools = ask(&mut client, 1, "tools/list", &json!({}));
        assert_eq!(names(&tools, "tools"), TOOLS);
        assert!(tools["result"].get("resultType").is_none(), "the older era has no such member");
        let called = ask(&mut client, 2, "tools/call", &json!({ "name": "list_jobs", "arguments": {} }));
        assert_eq!(called["result"]["structuredContent"]["jobs"], json!([]), "{called}");
        assert_eq!(ask(&mut client, 3, "ping", &json!({}))["result"], json!({}));
        assert_eq!(names(&ask(&mut client, 4, "resources/list", &json!({})), "resources"), ["jobs"]);
        assert_eq!(names(&ask(&mut client, 5, "prompts/list", &json!({})), "prompts").len(), 3);
    }
}

#[test]
fn the_stateless_era_has_the_same() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let found = client.request("server/discover", json!({}));
    assert!(
        found["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")),
        "{found}"
    );
    let tools = client.request("tools/list", json!({}));
    assert_eq!(names(&tools, "tools"), TOOLS);
    assert!(tools["result"]["ttlMs"].as_u64().unwrap() > 0, "the list changes only with the program");
    for tool in tools["result"]["tools"].as_array().unwrap() {
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{hint} of {}", tool["name"]);
        }
        assert!(
            tool["inputSchema"]["type"] == "object" && tool["outputSchema"]["type"] == "object",
            "{tool}"
        );
    }
    assert_eq!(names(&client.request("resources/list", json!({})), "resources"), ["jobs"]);
    assert_eq!(names(&client.request("prompts/list", json!({})), "prompts").len(), 3);
    assert_eq!(client.call("list_jobs", &json!({}))["reply"]["jobs"], json!([]));
}

#[test]
fn a_plain_client_needs_no_preface_and_has_no_directory() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.dial();
    assert_eq!(client.call("list_jobs", &json!({}))["reply"]["jobs"], json!([]));
    let refused = client.call("add_job", &json!({ "cmd": "true", "manual": true }));
    assert!(text(&refused["error"]["message"]).starts_with("cwd: "), "{refused}");
    let cwd = home.project();
    let added =
        client.call("add_job", &json!({ "cmd": "true", "manual": true, "cwd": cwd, "name": "plain" }));
    assert_eq!(added["reply"]["name"], "plain", "{added}");
}

#[test]
fn the_text_of_a_result_says_what_its_structure_says() {
    let home = Home::new();
    home.add(&["one", "--manual", "--cmd", "true"]);
    let mut client = home.agent();
    let result = client.request("tools/call", json!({ "name": "show_job", "arguments": { "job": "one" } }));
    let said: Json = serde_json::from_str(text(&result["result"]["content"][0]["text"])).unwrap();
    assert_eq!(said, result["result"]["structuredContent"]);
    let refused = client.request("tools/call", json!({ "name": "show_job", "arguments": { "job": "two" } }));
    assert_eq!(refused["result"]["isError"], true);
    let said = text(&refused["result"]["content"][0]["text"]);
    assert!(said.starts_with("no job `two`") && said.contains("`list_jobs"), "{refused}");
    // A structure would have to be the one that was promised.
    assert!(refused["result"].get("structuredContent").is_none(), "{refused}");
}
