//! opencode.

use std::path::Path;

use serde_json::json;

use super::{Allow, Client, Register, Variables, lines, registration, words, write};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn package(&self) -> &'static str {
        "opencode-ai"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Chat
    }

    fn point(&self, home: &Path, model: &str) -> Variables {
        let config = json!({
            "autoupdate": false,
            "share": "disabled",
            "model": "scripted/m",
            "small_model": "scripted/m",
            "enabled_providers": ["scripted"],
            "provider": { "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "options": { "baseURL": format!("{model}/v1"), "apiKey": "dummy" },
                "models": { "m": { "limit": { "context": 200_000, "output": 8192 } } },
            } },
        });
        write(home, ".config/opencode/opencode.json", &config.to_string());
        vec![
            ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
            ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
            // Else it installs a package for plugins into an empty home.
            ("OPENCODE_PURE", "1".to_owned()),
        ]
    }

    fn register(&self, server: &Server, _allow: Allow) -> Register {
        let mut line = registration(&["mcp", "add", "converge"], "--env", &["--"], server);
        line.push(server.program.clone());
        line.extend(server.arguments.iter().cloned());
        Register::Command(line)
    }

    fn prompt(&self, _prompt: &str, _allow: Allow) -> Vec<String> {
        words(["run", "--format", "json"])
    }

    /// It would put quotation marks round a prompt of several words.
    fn input<'a>(&self, prompt: &'a str) -> &'a str {
        prompt
    }

    fn answer(&self, out: &str) -> Option<String> {
        lines(out)
            .rev()
            .find(|line| line["type"] == "text")
            .and_then(|line| Some(line["part"]["text"].as_str()?.to_owned()))
    }
}
