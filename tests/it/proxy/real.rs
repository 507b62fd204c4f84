//! The proxy before the real daemon, which is killed, stopped and replaced in the middle of calls.

use std::collections::HashSet;
use std::fs;

use nix::unistd::{Pid, getsid};
use serde_json::{Value as Json, json};

use super::agent::{Agent, notification, request};
use crate::home::{Home, is_alive, program, text, until};

/// A session of an older era that has begun.
fn begun(home: &Home) -> Agent {
    let mut agent = Agent::start(home);
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let answer = agent.ask(&request("begin", "initialize", &params));
    assert_eq!(answer["result"]["serverInfo"]["name"], "converge", "{answer}");
    agent.say(&notification("notifications/initialized"));
    agent
}

fn call(id: impl Into<Json>, tool: &str, arguments: &Json) -> Json {
    request(id, "tools/call", &json!({ "name": tool, "arguments": arguments }))
}

/// The same in the stateless era.
fn stateless(id: impl Into<Json>, tool: &str, arguments: &Json) -> Json {
    let mut call = call(id, tool, arguments);
    call["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    call
}

/// The next answer; what else is told is passed over.
#[track_caller]
fn answer(agent: &mut Agent) -> Json {
    loop {
        let message = agent.hear();
        if message["method"].is_null() {
            return message;
        }
    }
}

fn kill_whoever_is_there(home: &Home) {
    until(|| home.daemon_pid().is_some_and(is_alive));
    home.kill_daemon();
}

/// Adds jobs, many at once, while daemons are killed; each is added once, and its true answer comes once.
fn adds_survive_kills(mut agent: Agent, home: &Home, call: fn(u32, &str, &Json) -> Json) {
    const WAVES: u32 = 5;
    const WAVE: u32 = 12;
    let mut heard = HashSet::new();
    for wave in 0..WAVES {
        for id in wave * WAVE..(wave + 1) * WAVE {
            let arguments =
                json!({ "name": format!("job-{id}"), "manual": true, "cmd": format!("exit {id}") });
            agent.say(&call(id, "add_job", &arguments));
        }
        // There is one, or there will be: somebody waits for its answers.
        kill_whoever_is_there(home);
        for _ in 0..WAVE {
            let message = answer(&mut agent);
            let added = &message["result"]["structuredContent"];
            assert_eq!(added["name"], format!("job-{}", message["id"]), "{message}");
            assert_eq!(added["existed"], false, "it was added twice: {message}");
            assert!(heard.insert(message["id"].to_string()), "{message} came twice");
        }
    }
    assert_eq!(home.json(&["ls"])["jobs"].as_array().unwrap().len(), heard.len());
    agent.close();
    let (status, rest, err) = agent.ended();
    assert!(status.success(), "{err}");
    assert!(rest.iter().all(|message| message["id"].is_null()), "{rest:?}");
}

#[test]
fn writes_of_an_older_era_survive_kills() {
    let home = Home::new();
    adds_survive_kills(begun(&home), &home, call);
}

#[test]
fn writes_of_the_stateless_era_survive_kills() {
    let home = Home::new();
    adds_survive_kills(Agent::start(&home), &home, stateless);
}

#[test]
fn who_waits_for_a_run_hears_its_end_though_the_daemon_is_killed() {
    let home = Home::new();
    let mut agent = begun(&home);
    agent.say(&call(
        1,
        "add_job",
        &json!({ "name": "slow", "manual": true, "cmd": "until test -e go; do sleep 0.05; done; exit 7" }),
    ));
    answer(&mut agent);
    agent.say(&call(2, "run_now", &json!({ "job": "slow" })));
    let run = answer(&mut agent)["result"]["structuredContent"].clone();
    agent.say(&call(3, "wait", &json!({ "job": text(&run["id"]), "timeout": "20s" })));
    kill_whoever_is_there(&home);
    fs::write(home.project().join("go"), "").unwrap();
    let waited = answer(&mut agent);
    assert_eq!(waited["id"], 3);
    assert_eq!(waited["result"]["structuredContent"]["exit_code"], 7, "{waited}");
    agent.close();
    assert!(agent.ended().0.success());
}

#[test]
fn two_hundred_proxies_share_one_daemon() {
    let home = Home::new();
    let mut agents: Vec<Agent> = (0..200).map(|_| Agent::start(&home)).collect();
    for (id, agent) in agents.iter_mut().enumerate() {
        agent.say(&stateless(id, "list_jobs", &json!({})));
    }
    for (id, agent) in agents.iter_mut().enumerate() {
        let message = answer(agent);
        assert_eq!(message["id"], id);
        assert_eq!(message["result"]["structuredContent"]["jobs"], json!([]), "{message}");
    }
    agents.iter_mut().for_each(Agent::close);
    for agent in agents {
        assert!(agent.ended().0.success());
    }
}

#[test]
fn a_daemon_that_a_person_stopped_is_started_by_the_next_request_in_a_session_of_its_own() {
    let home = Home::new();
    let mut agent = begun(&home);
    home.run(&["daemon", "stop"]).done();
    agent.say(&call(1, "list_jobs", &json!({})));
    assert_eq!(answer(&mut agent)["id"], 1);
    let daemon = Pid::from_raw(home.daemon_pid().unwrap());
    assert_eq!(getsid(Some(daemon)).unwrap(), daemon);
    agent.close();
    assert!(agent.ended().0.success());
}

/// A session in which somebody waits, as said beside it, for a run that does not end before the file `go`
/// is there.
fn waiting(home: &Home) -> (Agent, Json) {
    let mut agent = begun(home);
    let cmd = "until test -e go; do sleep 0.05; done; exit 7";
    agent.say(&call(1, "add_job", &json!({ "name": "slow", "manual": true, "cmd": cmd })));
    answer(&mut agent);
    agent.say(&call(2, "run_now", &json!({ "job": "slow" })));
    let run = answer(&mut agent)["result"]["structuredContent"].clone();
    let arguments = json!({ "job": text(&run["id"]), "timeout": "20s" });
    agent.say(&call(3, "wait", &arguments));
    // Answered after it, so that it is under way as well.
    agent.say(&call(4, "list_jobs", &json!({})));
    assert_eq!(answer(&mut agent)["id"], 4);
    (agent, arguments)
}

#[test]
fn who_waits_does_not_undo_that_a_person_stopped_the_daemon() {
    let home = Home::new();
    let (mut agent, arguments) = waiting(&home);
    home.run(&["daemon", "stop"]).done();
    let refused = answer(&mut agent);
    assert_eq!((&refused["id"], &refused["error"]["data"]["code"]), (&json!(3), &json!("unavailable")));
    let said = text(&refused["error"]["message"]);
    assert!(said.contains("stopped by a person") && said.contains("ask again"), "{said}");
    home.run(&["daemon", "status"]).ended(69);
    fs::write(home.project().join("go"), "").unwrap();
    agent.say(&call(5, "wait", &arguments));
    let waited = answer(&mut agent);
    assert_eq!(waited["id"], 5, "{waited}");
    assert_eq!(waited["result"]["structuredContent"]["exit_code"], 7, "{waited}");
    agent.close();
    assert!(agent.ended().0.success());
}

#[test]
fn who_waits_goes_on_waiting_when_a_person_restarts_the_daemon() {
    let home = Home::new();
    let (mut agent, _) = waiting(&home);
    home.run(&["daemon", "restart"]).done();
    fs::write(home.project().join("go"), "").unwrap();
    let waited = answer(&mut agent);
    assert_eq!(waited["id"], 3);
    assert_eq!(waited["result"]["structuredContent"]["exit_code"], 7, "{waited}");
    agent.close();
    assert!(agent.ended().0.success());
}

#[test]
fn an_upgrade_puts_another_program_in_the_same_place() {
    let home = Home::new();
    let place = home.folder().join("converge");
    let put = || {
        let fresh = home.folder().join("fresh");
        // Where a link is not possible, a copy is.
        if fs::hard_link(program(), &fresh).is_err() {
            fs::copy(program(), &fresh).unwrap();
        }
        fs::rename(&fresh, &place).unwrap();
    };
    put();
    let mut agent = Agent::start_program(&home, &place);
    agent.say(&stateless(1, "list_jobs", &json!({})));
    assert_eq!(answer(&mut agent)["id"], 1);
    fs::remove_file(&place).unwrap();
    put();
    kill_whoever_is_there(&home);
    agent.say(&stateless(2, "list_jobs", &json!({})));
    assert_eq!(answer(&mut agent)["id"], 2);
    let started = fs::read_link(format!("/proc/{}/exe", home.daemon_pid().unwrap())).unwrap();
    assert_eq!(started, place);
    agent.close();
    assert!(agent.ended().0.success());
}

#[test]
fn a_stopped_daemon_leaves_one_file_though_agents_are_connected() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut agent = home.agent();
    agent.call("add_job", &json!({ "name": "kept", "cmd": "true", "manual": true }));
    home.run(&["daemon", "stop"]).done();
    let log = std::fs::metadata(home.home().join("converge.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "all of it is in the store's own file");
}
