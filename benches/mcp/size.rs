//! How much agents read: four bytes are counted as a token.

use std::io;

use serde_json::{Value as Json, json};

use crate::figure::{Beside, Samples, Sheet};
use crate::home::Home;
use crate::session::Session;

fn tokens(text: &str) -> f64 {
    f64::from(u32::try_from(text.len()).expect("replies are short")) / 4.0
}

/// What a client shows its model before anything is asked, and what an everyday reply holds.
pub(crate) fn words(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(4)?;
    let mut session = Session::start(&home)?;
    let hello = session.hello()?;
    let tools = session.ask("tools/list", &json!({}))?;
    let list = tools["tools"].to_string();
    let instructions = hello["instructions"].as_str().unwrap_or_default();
    let count = tools["tools"].as_array().map_or(0, Vec::len);
    let from = format!("{count} tools {} bytes, instructions {} bytes", list.len(), instructions.len());
    let all = tokens(&list) + tokens(instructions);
    sheet.put("tools/list and instructions", all, "tokens", &Beside { from, target: "4000" })?;

    let mut sizes = Vec::new();
    for (tool, arguments) in everyday() {
        let result = session.call(tool, &arguments)?;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        sizes.push(tokens(&result["structuredContent"].to_string()));
    }
    let sizes = Samples::new(sizes);
    let beside = Beside { from: sizes.spread(), target: "300" };
    sheet.put("an everyday reply, median", sizes.median(), "tokens", &beside)
}

/// The calls of an everyday conversation.
fn everyday() -> Vec<(&'static str, Json)> {
    let job = json!({ "job": "tests" });
    vec![
        (
            "add_job",
            json!({ "name": "tests", "cmd": "echo 12 passed; false", "until": "exit 0", "wait": "1h", "max_runs": 5 }),
        ),
        ("add_job", json!({ "name": "nightly", "cmd": "echo ok", "every": "1d", "start": "next" })),
        ("list_jobs", json!({})),
        ("wait", json!({ "job": "tests", "timeout": "1s" })),
        ("show_job", job.clone()),
        ("explain_job", job.clone()),
        ("run_logs", job.clone()),
        ("update_job", json!({ "job": "tests", "wait": "30m" })),
        ("run_now", json!({ "job": "nightly" })),
        ("wait", json!({ "job": "nightly", "timeout": "1s" })),
        ("control_job", json!({ "action": "pause", "all": true })),
        ("doctor", json!({})),
        ("control_job", json!({ "action": "cancel", "jobs": ["tests"] })),
        ("remove_job", json!({ "jobs": ["tests"], "force": true })),
    ]
}
