//! Gemini CLI.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Allow, Client, Register, Variables, registration, words, write};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn package(&self) -> &'static str {
        "@google/gemini-cli"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Gemini
    }

    fn point(&self, home: &Path, model: &str) -> Variables {
        let settings = json!({
            "security": { "auth": { "selectedType": "gemini-api-key" } },
            "privacy": { "usageStatisticsEnabled": false },
            "general": { "enableAutoUpdate": false },
        });
        write(home, ".gemini/settings.json", &settings.to_string());
        vec![
            ("GEMINI_API_KEY", "dummy".to_owned()),
            ("GOOGLE_GEMINI_BASE_URL", model.to_owned()),
            ("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned()),
        ]
    }

    fn register(&self, server: &Server, allow: Allow) -> Register {
        // Without it, no tool that would have to ask is shown to the model at all.
        let trust: &[&str] = if allow == Allow::Converge { &["--trust"] } else { &[] };
        let before = [&["mcp", "add", "--scope", "user"], trust].concat();
        let mut line = registration(&before, "-e", &["converge", &server.program], server);
        if !server.arguments.is_empty() {
            line.push("--".to_owned());
            line.extend(server.arguments.iter().cloned());
        }
        Register::Command(line)
    }

    fn prompt(&self, prompt: &str, _allow: Allow) -> Vec<String> {
        words(["--output-format", "json", &format!("--prompt={prompt}")])
    }

    fn answer(&self, out: &str) -> Option<String> {
        let result: Json = serde_json::from_str(out.trim()).ok()?;
        Some(result["response"].as_str()?.to_owned())
    }
}
