//! Runs as tasks of MCP, for clients that follow them.

use serde_json::{Value as Json, json};

use crate::home::{Client, Home, PATIENCE, text, until};

fn started(client: &mut Client, job: &str) -> String {
    client.follows_tasks = true;
    let started = client.request("tools/call", json!({ "name": "run_now", "arguments": { "job": job } }));
    assert_eq!(started["result"]["resultType"], "task", "{started}");
    assert_eq!(started["result"]["status"], "working", "{started}");
    let created: jiff::Timestamp = text(&started["result"]["createdAt"]).parse().unwrap();
    assert!(created <= jiff::Timestamp::now(), "{started}");
    text(&started["result"]["taskId"]).to_owned()
}

fn status(client: &mut Client, task: &str) -> Json {
    client.request("tasks/get", json!({ "taskId": task }))["result"].clone()
}

#[track_caller]
fn ended(client: &mut Client, task: &str) -> Json {
    let give_up_at = std::time::Instant::now() + PATIENCE;
    loop {
        let status = status(client, task);
        if status["status"] != "working" {
            return status;
        }
        assert!(std::time::Instant::now() < give_up_at, "{status}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_run_is_a_task_whose_result_is_how_it_ended() {
    let home = Home::new();
    home.add(&["good", "--manual", "--cmd", "echo fine"]);
    home.add(&["bad", "--manual", "--cmd", "exit 3"]);
    let mut client = home.agent();
    let task = started(&mut client, "good");
    let done = ended(&mut client, &task);
    assert_eq!((&done["status"], &done["result"]["isError"]), (&json!("completed"), &json!(false)), "{done}");
    assert_eq!(done["result"]["structuredContent"]["id"], task.as_str());
    let task = started(&mut client, "bad");
    let done = ended(&mut client, &task);
    assert_eq!((&done["status"], &done["result"]["isError"]), (&json!("completed"), &json!(true)), "{done}");
    assert!(text(&done["statusMessage"]).starts_with("failed"), "{done}");
}

#[test]
fn a_task_outlives_the_daemon() {
    let home = Home::new();
    home.add(&["long", "--manual", "--cmd", "until [ -e go ]; do sleep 0.02; done"]);
    let task = started(&mut home.agent(), "long");
    until(|| home.show(&task)["state"] == "running");
    home.kill_daemon();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    client.follows_tasks = true;
    assert_eq!(status(&mut client, &task)["status"], "working");
    std::fs::write(home.project().join("go"), "").unwrap();
    assert_eq!(ended(&mut client, &task)["status"], "completed");
}

#[test]
fn cancelling_a_task_ends_its_run_and_not_its_job() {
    let home = Home::new();
    home.add(&["long", "--every", "1h", "--cmd", "sleep 60"]);
    let mut client = home.agent();
    let task = started(&mut client, "long");
    until(|| home.show(&task)["state"] == "running");
    let cancelled = client.request("tasks/cancel", json!({ "taskId": task }));
    assert!(cancelled["result"].is_object(), "{cancelled}");
    assert_eq!(ended(&mut client, &task)["status"], "cancelled");
    assert_eq!(home.show("long")["state"], "active");
}

#[test]
fn clients_without_tasks_get_a_run_and_no_method() {
    let home = Home::new();
    home.add(&["one", "--manual", "--cmd", "true"]);
    let mut client = home.agent();
    let run = client.call("run_now", &json!({ "job": "one" }))["reply"]["id"].clone();
    let refused = client.request("tasks/get", json!({ "taskId": run }));
    assert!(refused["error"].is_object(), "{refused}");
    client.follows_tasks = true;
    let unknown = client.request("tasks/get", json!({ "taskId": "r00000000" }));
    assert!(text(&unknown["error"]["message"]).contains("r00000000"), "{unknown}");
}
