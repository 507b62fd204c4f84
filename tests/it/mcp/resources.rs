//! Resources: read, completed and watched.

use serde_json::{Value as Json, json};

use crate::home::{Client, Home, text};

fn contents(client: &mut Client, uri: &str) -> String {
    let read = client.request("resources/read", json!({ "uri": uri }));
    text(&read["result"]["contents"][0]["text"]).to_owned()
}

/// Reads messages until a notification of this method comes.
fn told(client: &mut Client, method: &str) -> Json {
    loop {
        let message = client.read().expect("a message");
        if message["method"] == method {
            return message;
        }
    }
}

#[test]
fn jobs_runs_and_logs_are_read() {
    let home = Home::new();
    let job = home.add(&["one", "--manual", "--cmd", "echo hello; echo bye"]);
    home.run(&["run-now", "one"]).done();
    let run = text(&home.runs("one")[0]["id"]).to_owned();
    let mut client = home.agent();
    let listed = client.request("resources/list", json!({}));
    let uri = text(&listed["result"]["resources"][1]["uri"]).to_owned();
    assert_eq!(uri, format!("converge://jobs/{}", text(&job["id"])));
    assert!(contents(&mut client, &uri).contains("\"name\":\"one\""));
    assert!(contents(&mut client, "converge://jobs").contains("\"name\":\"one\""));
    assert!(contents(&mut client, &format!("converge://runs/{run}")).contains("\"state\":\"succeeded\""));
    let log = format!("converge://runs/{run}/log");
    assert!(contents(&mut client, &log).contains("hello\nbye"));
    assert!(!contents(&mut client, &format!("{log}?from=6")).contains("hello"));
    let templates = client.request("resources/templates/list", json!({}));
    assert_eq!(templates["result"]["resourceTemplates"].as_array().unwrap().len(), 3);
}

#[test]
fn ids_are_completed() {
    let home = Home::new();
    let job = home.add(&["nightly", "--manual", "--cmd", "true"]);
    let mut client = home.agent();
    let mut complete = |reference: Json, argument: &str, value: &str| -> Json {
        let asked = json!({ "ref": reference, "argument": { "name": argument, "value": value } });
        client.request("completion/complete", asked)["result"]["completion"]["values"].clone()
    };
    let job_template = json!({ "type": "ref/resource", "uri": "converge://jobs/{id}" });
    assert_eq!(complete(job_template.clone(), "id", "j"), json!([job["id"]]));
    assert_eq!(complete(job_template, "id", "night"), json!(["nightly"]));
    let prompt = json!({ "type": "ref/prompt", "name": "triage_failure" });
    assert_eq!(complete(prompt, "job", "ni"), json!(["nightly"]));
}

#[test]
fn a_client_of_the_newer_era_is_told_what_it_asked_for() {
    let home = Home::new();
    let job = home.add(&["one", "--manual", "--cmd", "true"]);
    let mut client = home.agent();
    client.call("list_jobs", &json!({}));
    let uri = format!("converge://jobs/{}", text(&job["id"]));
    let params = json!({
        "notifications": { "resourcesListChanged": true, "resourceSubscriptions": [uri] },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let listen = json!({ "jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": params });
    client.send(format!("{listen}\n").as_bytes());
    told(&mut client, "notifications/subscriptions/acknowledged");
    home.run(&["pause", "one"]).done();
    let update = told(&mut client, "notifications/resources/updated");
    assert_eq!(update["params"]["uri"], uri.as_str());
    assert_eq!(update["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "L", "{update}");
    home.add(&["two", "--manual", "--cmd", "echo two"]);
    told(&mut client, "notifications/resources/list_changed");
}

#[test]
fn a_client_of_the_older_era_subscribes() {
    let home = Home::new();
    home.add(&["one", "--manual", "--cmd", "echo a; until [ -e go ]; do sleep 0.02; done; echo b"]);
    let mut client = home.agent();
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    client.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }));
    client.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    let mut subscribe = |id: u32, uri: &str| {
        let params = json!({ "uri": uri });
        client.ask(&json!({ "jsonrpc": "2.0", "id": id, "method": "resources/subscribe", "params": params }))
    };
    assert!(subscribe(2, "converge://jobs/one")["result"].is_object());
    assert!(subscribe(3, "converge://jobs/none")["error"].is_object());
    home.run(&["run-now", "one", "--no-wait"]).done();
    assert_eq!(told(&mut client, "notifications/resources/updated")["params"]["uri"], "converge://jobs/one");
    let run = text(&home.runs("one")[0]["id"]).to_owned();
    let log = format!("converge://runs/{run}/log");
    let params = json!({ "uri": log });
    let subscribed = json!({ "jsonrpc": "2.0", "id": 4, "method": "resources/subscribe", "params": params });
    client.send(format!("{subscribed}\n").as_bytes());
    std::fs::write(home.project().join("go"), "").unwrap();
    while told(&mut client, "notifications/resources/updated")["params"]["uri"] != log.as_str() {}
}
