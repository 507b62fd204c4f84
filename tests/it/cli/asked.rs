//! Jobs of agents: asked, read, shown and opened again, with a program that speaks as an agent does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value as Json;

use crate::home::{Home, text};

/// What it writes: who it is in which conversation, and at the end what it did and used.
const SCRIPT: &str = r#"#!/bin/sh
cat > asked
echo '{"type":"system","subtype":"init","session_id":"c-1"}'
echo '{"type":"result","is_error":false,"result":"done","session_id":"c-1","num_turns":1,"total_cost_usd":0.42,"usage":{"input_tokens":12345,"output_tokens":4100}}'
"#;

/// A command line that finds that program.
fn with_agent(home: &Home, arguments: &[&str]) -> Command {
    let bin = home.folder().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join("claude");
    if !program.exists() {
        fs::write(&program, SCRIPT).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = home.command(arguments);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command
}

fn json(mut command: Command) -> Json {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_agent_is_asked_and_what_it_used_is_told() {
    let home = Home::new();
    let add = ["add", "tidy", "--prompt", "- tidy {{job.name}}", "--manual", "--permissions", "full"];
    let added = json(with_agent(&home, &add));
    assert_eq!(added["agent"], "claude");
    assert!(added["warnings"].to_string().contains("--permissions full"), "{added}");
    let ran = home.run(&["run-now", "tidy"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(home.text("asked"), "- tidy tidy");
    assert!(home.run(&["ls"]).done().out.contains("[full]"));
    let run = text(&home.runs("tidy")[0]["id"]).to_owned();
    let shown = home.run(&["show", &run]).done().out;
    for words in ["12.3k in, 4.1k out tokens, $0.42", "CONVERSATION", "c-1", "converge open"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let opened = json(with_agent(&home, &["open", &run]));
    assert_eq!(opened["arguments"], serde_json::json!(["--resume", "c-1"]));
    assert_eq!(json(with_agent(&home, &["open", "tidy"])), opened);
}

#[test]
fn a_run_without_a_conversation_is_not_opened() {
    let home = Home::new();
    home.add(&["plain", "--manual", "--cmd", "true"]);
    home.run(&["open", "plain"]).refused(&["`plain` has no conversation"]);
}
