//! The daemon is killed in the middle of calls, and the agent is none the wiser.

use std::fs;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::loops::document;
use super::model::Model;
use super::model::script::{Gate, Script};
use super::model::turn::Turn;
use super::printed::Way;
use super::seat::{DEADLINE, Seat};
use crate::home::{Home, is_alive, program, until};

/// The least that a call of a tool is on the wire.
const CALL_BYTES: u64 = 100;

/// A turn of the model that waits until the test lets it pass.
fn held(script: Script, gate: &Arc<Gate>, turn: impl Fn() -> Turn + Send + Sync + 'static) -> Script {
    let gate = Arc::clone(gate);
    script.then(move |_| {
        gate.pass();
        turn()
    })
}

/// The proxies of a home.
fn proxies(home: &Home) -> Vec<i32> {
    let line = format!("{}\0mcp\0", program().canonicalize().unwrap().display());
    let mine = home.processes();
    let is_proxy =
        |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words == line.as_bytes());
    mine.into_iter().filter(is_proxy).collect()
}

/// How many bytes a process has read.
fn bytes_read(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Whether a process waits for something.
fn sleeps(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')))
}

/// Lets the model make its call, and returns when the call is on its way to a daemon.
fn send(home: &Home, gate: &Gate) {
    let proxies = proxies(home);
    assert!(!proxies.is_empty(), "no proxy");
    let read = || proxies.iter().map(|pid| bytes_read(*pid)).sum::<u64>();
    let before = read();
    gate.open();
    until(|| read() >= before + CALL_BYTES && proxies.iter().all(|pid| sleeps(*pid)));
}

/// Kills the daemon while it holds a call that it has not looked at.
fn kill_before_it_acts(home: &Home, gate: &Gate) {
    until(|| home.daemon_pid().is_some_and(is_alive));
    let daemon = Pid::from_raw(home.daemon_pid().unwrap());
    kill(daemon, Signal::SIGSTOP).unwrap();
    send(home, gate);
    home.kill_daemon();
}

every_client!(what_is_under_way_when_the_daemon_is_killed_is_done_once_and_truly_answered, |client| {
    let home = Home::of_the_user();
    let gates = [(); 3].map(|()| Arc::new(Gate::default()));
    let job = json!({
        "name": "steady", "manual": true,
        "cmd": "echo begun >> runs.txt; while ! [ -e go ]; do sleep 0.05; done; echo at last; exit 7",
    });
    let script = held(Script::new(), &gates[0], move || Turn::call("add_job", job.clone()));
    let script = held(script, &gates[1], || Turn::call("run_now", json!({ "job": "steady" })));
    let gate = Arc::clone(&gates[2]);
    let script = script
        .then(move |ask| {
            gate.pass();
            Turn::call("wait", json!({ "job": document(ask.conversation, "run_now")["id"] }))
        })
        .call("run_logs", json!({ "job": "steady" }))
        .say("there it is");
    let model = Model::start(script);
    let seat = Seat::take(client, &home, &model).with_printed(Way::Line);
    let running = seat.begin("run it once");

    model.asked(0, DEADLINE);
    kill_before_it_acts(&home, &gates[0]);
    model.asked(1, DEADLINE);
    kill_before_it_acts(&home, &gates[1]);
    model.asked(2, DEADLINE);
    until(|| home.text("runs.txt") == "begun\n");
    let daemon = home.daemon_pid();
    send(&home, &gates[2]);
    home.kill_daemon();
    fs::write(home.project().join("go"), "").unwrap();

    let outcome = running.end();
    let shown = model.last();
    assert_eq!(outcome.answer(), "there it is", "{shown:#?}");
    let of = |tool| document(&shown, tool);
    assert_eq!((&of("add_job")["name"], &of("add_job")["existed"]), (&json!("steady"), &json!(false)));
    let waited = of("wait");
    assert_eq!(
        (&waited["over"], &waited["state"], &waited["exit_code"], &waited["id"]),
        (&json!(true), &json!("failed"), &json!(7), &of("run_now")["id"]),
        "{shown:#?}"
    );
    assert!(shown.result_of("run_logs").unwrap().contains("at last"), "{shown:#?}");
    // One job and one run, by whomever the calls were answered in the end.
    assert_ne!(home.daemon_pid(), daemon);
    assert_eq!(home.json(&["ls", "--all"])["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(home.states("steady"), ["failed"]);
    assert_eq!(home.text("runs.txt"), "begun\n");
});
