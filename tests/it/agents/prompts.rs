//! Prompts as commands: a person types a line, and the model reads what the server makes of it.

use super::clients::{Client, claude, gemini};
use super::installed;
use super::model::Model;
use super::model::script::Script;
use super::printed::Way;
use super::seat::Seat;
use crate::home::Home;

/// Types a line, and checks that the model reads all of these words.
fn check(client: &'static dyn Client, line: &str, words: &[&str]) {
    installed::with(client, |client| {
        let home = Home::of_the_user();
        let model = Model::start(Script::new().say("so be it"));
        let outcome = Seat::take(client, &home, &model).with_printed(Way::Line).ask(line);
        assert_eq!(outcome.answer(), "so be it");
        let told = model.last().prompt();
        for word in words {
            assert!(told.contains(word), "`{word}` is not in {told}");
        }
    });
}

#[test]
fn a_prompt_is_a_command_with_named_arguments() {
    check(
        &gemini::Cli,
        "/until --goal=\"the tests pass\" --command=\"cargo test\"",
        &["goes on until this holds: the tests pass", "Run this each time: cargo test"],
    );
    check(&claude::Cli, "/mcp__converge__triage_failure nightly", &["It is the job nightly."]);
}

#[test]
fn a_line_that_a_client_cuts_apart_is_there_whole() {
    // Claude Code fills the arguments with one word each, quotation marks or not, and drops what is left.
    let line = "/mcp__converge__until the tests pass, by cargo test";
    let words = [
        "goes on until this holds: the\n",
        "Run this each time: tests\n",
        "go by my whole line",
        "the tests pass, by cargo test",
    ];
    check(&claude::Cli, line, &words);
}
