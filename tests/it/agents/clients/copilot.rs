//! GitHub Copilot CLI, with a provider of one's own.

use std::path::Path;

use super::{Allow, Client, Register, Variables, lines, registration, words};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "copilot"
    }

    fn package(&self) -> &'static str {
        "@github/copilot"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Chat
    }

    fn point(&self, _home: &Path, model: &str) -> Variables {
        vec![
            ("COPILOT_OFFLINE", "true".to_owned()),
            ("COPILOT_PROVIDER_BASE_URL", format!("{model}/v1")),
            ("COPILOT_PROVIDER_API_KEY", "dummy".to_owned()),
            ("COPILOT_MODEL", "scripted".to_owned()),
            // It unpacks a quarter of a gigabyte of itself; once is enough.
            ("COPILOT_PKG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/copilot").to_owned()),
        ]
    }

    fn register(&self, server: &Server, _allow: Allow) -> Register {
        let mut line = registration(&["mcp", "add", "converge"], "--env", &["--"], server);
        line.push(server.program.clone());
        line.extend(server.arguments.iter().cloned());
        Register::Command(line)
    }

    fn prompt(&self, prompt: &str, allow: Allow) -> Vec<String> {
        let mut line = words(["--no-auto-update", "--output-format", "json"]);
        if allow == Allow::Converge {
            line.extend(words(["--allow-tool", "converge"]));
        }
        line.push(format!("--prompt={prompt}"));
        line
    }

    fn answer(&self, out: &str) -> Option<String> {
        lines(out)
            .rev()
            .find(|line| line["type"] == "assistant.message")
            .and_then(|line| Some(line["data"]["content"].as_str()?.to_owned()))
    }
}
