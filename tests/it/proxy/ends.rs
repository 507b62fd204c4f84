//! A proxy ends with its client, and not before.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use super::agent::{Agent, request};
use super::fake::{Act, Fake, answer};
use crate::home::{Home, until};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A daemon that answers when it is told to.
fn slow(home: &Home) -> Fake {
    Fake::start(home, VERSION, |_, _, _| Act::Say(vec![]))
}

#[test]
fn what_is_in_flight_when_the_client_leaves_is_answered() {
    let home = Home::new();
    let fake = slow(&home);
    let mut agent = Agent::start(&home);
    let call = request(1, "tools/call", &json!({}));
    agent.say(&call);
    agent.close();
    until(|| fake.lines().len() == 1);
    fake.tell(&answer(&call));
    let (status, rest, _) = agent.ended();
    assert!(status.success());
    assert_eq!(rest, [answer(&call)]);
}

#[test]
fn a_client_that_left_keeps_nobody_waiting_for_long() {
    let home = Home::new();
    let fake = slow(&home);
    let mut agent = Agent::start(&home);
    agent.say(&request("l", "subscriptions/listen", &json!({})));
    until(|| fake.lines().len() == 1);
    let begun = Instant::now();
    agent.leaves();
    assert!(begun.elapsed() < Duration::from_secs(4), "it waited for what never ends");
    let mut agent = Agent::start(&home);
    agent.say(&request(1, "tools/call", &json!({})));
    agent.close();
    let (status, rest, _) = agent.ended();
    assert_eq!((status.code(), rest.len()), (Some(0), 0));
}

#[test]
fn signals_that_end_a_process_end_it_and_an_interrupt_does_not() {
    let home = Home::new();
    let fake = slow(&home);
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut agent = Agent::start(&home);
        let call = request(1, "tools/call", &json!({}));
        let before = fake.lines().len();
        agent.say(&call);
        until(|| fake.lines().len() > before);
        agent.signal(Signal::SIGINT);
        fake.tell(&answer(&call));
        assert_eq!(agent.hear(), answer(&call), "an interrupt is meant for the client");
        let call = request(2, "tools/call", &json!({}));
        agent.say(&call);
        until(|| fake.lines().len() > before + 1);
        agent.signal(signal);
        fake.tell(&answer(&call));
        let (status, rest, _) = agent.ended();
        assert!(status.success(), "{signal}: {status}");
        assert_eq!(rest, [answer(&call)]);
    }
}

#[test]
fn a_client_that_dies_takes_its_proxy_along() {
    let home = Home::new();
    let fake = slow(&home);
    let mut agent = Agent::start(&home);
    agent.say(&request(1, "tools/call", &json!({})));
    until(|| fake.lines().len() == 1);
    // The thread that reads for the test ends at the next line, and closes the pipe.
    agent.stop_listening();
    fake.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/x" }));
    assert!(agent.ended().0.success());
}

#[test]
fn in_a_terminal_it_says_what_it_is_for() {
    let home = Home::new();
    let _fake = slow(&home);
    let said = home.on_terminal(&["mcp"], &[]);
    assert!(said.contains("converge mcp --print-config claude"), "{said}");
}
