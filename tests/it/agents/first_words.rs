//! Each client by itself, without a server: it is asked through its model, and told of a server.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::clients::{Allow, Client, codex, gemini, qwen};
use super::installed;
use super::model::Model;
use super::model::script::{Gate, Script};
use super::model::turn::{Failure, Turn};
use super::seat::{DEADLINE, Seat, Server};
use crate::home::{Home, Said, is_alive, program, until};

/// A question that a command line may trip over.
const QUESTION: &str = "-- What is\nthe \"answer\", $HOME? ✓";

every_client!(what_the_model_says_comes_out, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().say("Forty-two, and here is \"why\"."));
    let outcome = Seat::take(client, &home, &model).ask(QUESTION);
    assert_eq!(outcome.answer(), "Forty-two, and here is \"why\".");
    let turns = model.turns();
    assert_eq!(
        turns.iter().map(|turn| (turn.turn, turn.dialect)).collect::<Vec<_>>(),
        [(0, client.dialect())]
    );
    assert!(turns[0].conversation.prompt().contains(QUESTION), "{turns:?}");
    // The key that it was given, and none that this machine may have.
    assert!(turns[0].request.headers.iter().any(|(_, value)| value.ends_with("dummy")), "{turns:?}");
});

every_client!(what_the_service_refuses_is_an_error, |client| {
    let home = Home::new();
    let model = Model::start(Script::new().fail(Failure::invalid("the sky is green")));
    let outcome = Seat::take(client, &home, &model).ask(QUESTION);
    assert_ne!(outcome.said.code, 0, "{outcome:?}");
    assert!(!outcome.is_late && outcome.said.all().contains("the sky is green"), "{outcome:?}");
});

every_client!(a_server_that_is_registered_stands_in_its_home, |client| {
    let home = Home::new();
    let model = Model::start(Script::new());
    let seat = Seat::take(client, &home, &model).with(&Server::converge(&home));
    let written = all_of(&seat.user());
    for part in [program().display().to_string(), "\"mcp\"".to_owned(), home.home().display().to_string()] {
        assert!(written.contains(&part), "`{part}` is not in {written}");
    }
});

#[test]
fn what_nobody_allowed_is_not_trusted() {
    for client in [&gemini::Cli as &dyn Client, &qwen::Cli] {
        installed::with(client, |client| {
            let home = Home::new();
            let model = Model::start(Script::new());
            let seat = Seat::take(client, &home, &model).allowing_nothing().with(&Server::converge(&home));
            let written = all_of(&seat.user());
            assert!(written.contains("\"converge\"") && !written.contains("\"trust\""), "{written}");
        });
    }
}

#[test]
fn a_test_can_act_while_the_model_thinks() {
    installed::with(&codex::Cli, |client| {
        let home = Home::new();
        let gate = Arc::new(Gate::default());
        let held = Arc::clone(&gate);
        let model = Model::start(Script::new().then(move |_| {
            held.pass();
            Turn::say("here I am")
        }));
        let running = Seat::take(client, &home, &model).begin("Where are you?");
        model.asked(0, DEADLINE);
        assert!(is_alive(running.pid()) && !running.written().contains("here I am"));
        gate.open();
        assert_eq!(running.end().answer(), "here I am");
    });
}

#[test]
fn a_client_without_an_answer_ends_at_its_deadline_with_all_that_it_started() {
    installed::with(&codex::Cli, |client| {
        let home = Home::new();
        let model = Model::start(Script::new().hang());
        let seat = Seat::take(client, &home, &model);
        let running = seat.start(&client.prompt("Go.", Allow::Nothing), "", Duration::from_secs(3));
        let outcome = running.end();
        assert!(outcome.is_late && outcome.said.code == -1, "{outcome:?}");
        until(|| home.processes().is_empty());
    });
}

#[test]
fn the_checkers_of_the_protocol_start() {
    for (name, package) in [
        ("mcp-inspector", "@modelcontextprotocol/inspector"),
        ("conformance", "@modelcontextprotocol/conformance"),
    ] {
        installed::with_program(name, package, |mut command| {
            let said = Said::of(&command.arg("--version").output().unwrap()).done();
            assert_eq!(said.out.trim(), installed::version(package));
        });
    }
}

/// The text of all small files below a folder.
fn all_of(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&all_of(&path));
        } else if entry.metadata().is_ok_and(|metadata| metadata.len() < 100_000) {
            text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()));
        }
    }
    text
}
