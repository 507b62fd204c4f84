//! What agents see of the server before they call anything, as files: a change of it is seen in review.
//!
//! `CONVERGE_GOLDEN=1 cargo test --test it published` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::eras::ask;
use crate::home::{Home, text};

/// How many tokens the tools and the instructions may cost in all.
const TOKENS_MAX: usize = 4_000;

/// As good a guess as any that needs no model.
fn tokens(bytes: &str) -> usize {
    bytes.len() / 4
}

/// Compares what is sent with what was accepted, with what each part of it costs.
fn check(file: &str, instructions: &Json, list: &Json) {
    let tools = list["tools"].as_array().unwrap();
    let costs: BTreeMap<&str, usize> =
        tools.iter().map(|tool| (text(&tool["name"]), tokens(&tool.to_string()))).collect();
    let total = tokens(&list.to_string()) + tokens(text(instructions));
    assert!(total <= TOKENS_MAX, "{total} tokens: {costs:?}");
    let seen = json!({
        "tokens": { "total": total, "instructions": tokens(text(instructions)), "tools": costs },
        "instructions": instructions,
        "list": list,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("CONVERGE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{seen:#}\n")).unwrap();
    }
    let accepted: Json = serde_json::from_slice(&fs::read(&path).unwrap_or_default()).unwrap_or_default();
    similar(&seen, &accepted, file);
}

/// Says where the two first differ.
fn similar(seen: &Json, accepted: &Json, place: &str) {
    match (seen, accepted) {
        (Json::Object(new), Json::Object(old)) => {
            for name in new.keys().chain(old.keys()) {
                similar(&seen[name], &accepted[name], &format!("{place}.{name}"));
            }
        }
        (Json::Array(new), Json::Array(old)) if new.len() == old.len() => {
            for (index, (new, old)) in new.iter().zip(old).enumerate() {
                similar(new, old, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(seen, accepted, "{place} is not what was accepted; CONVERGE_GOLDEN=1 accepts it"),
    }
}

#[test]
fn an_agent_of_the_older_era_sees_what_was_accepted() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let hello = ask(
        &mut client,
        0,
        "initialize",
        &json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
    );
    client.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    let list = ask(&mut client, 1, "tools/list", &json!({}));
    check("tools-legacy.json", &hello["result"]["instructions"], &list["result"]);
}

#[test]
fn an_agent_of_the_newer_era_sees_what_was_accepted() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.agent();
    let found = client.request("server/discover", json!({}));
    let list = client.request("tools/list", json!({}));
    check("tools-modern.json", &found["result"]["instructions"], &list["result"]);
}
