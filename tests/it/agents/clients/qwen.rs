//! Qwen Code.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Allow, Client, Register, Variables, registration, words, write};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "qwen"
    }

    fn package(&self) -> &'static str {
        "@qwen-code/qwen-code"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Chat
    }

    fn point(&self, home: &Path, model: &str) -> Variables {
        let settings = json!({
            "security": { "auth": { "selectedType": "openai" } },
            "privacy": { "usageStatisticsEnabled": false },
            "general": { "enableAutoUpdate": false },
            "memory": { "enableManagedAutoMemory": false },
        });
        write(home, ".qwen/settings.json", &settings.to_string());
        vec![
            ("OPENAI_API_KEY", "dummy".to_owned()),
            ("OPENAI_BASE_URL", format!("{model}/v1")),
            ("OPENAI_MODEL", "scripted".to_owned()),
        ]
    }

    fn register(&self, server: &Server, allow: Allow) -> Register {
        let trust: &[&str] = if allow == Allow::Converge { &["--trust"] } else { &[] };
        let before = [&["mcp", "add", "--scope", "user"], trust].concat();
        let mut line = registration(&before, "-e", &["converge", &server.program], server);
        if !server.arguments.is_empty() {
            line.push("--".to_owned());
            line.extend(server.arguments.iter().cloned());
        }
        Register::Command(line)
    }

    fn prompt(&self, _prompt: &str, _allow: Allow) -> Vec<String> {
        words(["--output-format", "json", "--auth-type", "openai"])
    }

    /// It would take a prompt that begins with a dash for a flag, whatever stands before it.
    fn input<'a>(&self, prompt: &'a str) -> &'a str {
        prompt
    }

    fn answer(&self, out: &str) -> Option<String> {
        let events: Json = serde_json::from_str(out.trim()).ok()?;
        let result = events.as_array()?.iter().rev().find(|event| event["type"] == "result")?;
        Some(result["result"].as_str()?.to_owned())
    }
}
