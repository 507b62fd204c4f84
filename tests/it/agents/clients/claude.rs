//! Claude Code.

use std::path::Path;

use serde_json::Value as Json;

use super::{Allow, Client, Register, Variables, registration, words};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn package(&self) -> &'static str {
        "@anthropic-ai/claude-code"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Anthropic
    }

    fn point(&self, _home: &Path, model: &str) -> Variables {
        vec![
            ("ANTHROPIC_BASE_URL", model.to_owned()),
            ("ANTHROPIC_API_KEY", "dummy".to_owned()),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
            ("DISABLE_TELEMETRY", "1".to_owned()),
            ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ]
    }

    fn subscription(&self) -> Option<[&'static str; 2]> {
        Some(["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"])
    }

    fn register(&self, server: &Server, _allow: Allow) -> Register {
        // The name comes before the variables, since `-e` takes all words that follow it.
        let mut line = registration(&["mcp", "add", "--scope", "user", "converge"], "-e", &["--"], server);
        line.push(server.program.clone());
        line.extend(server.arguments.iter().cloned());
        Register::Command(line)
    }

    fn prompt(&self, prompt: &str, allow: Allow) -> Vec<String> {
        let mut line = words(["--print", "--output-format", "json"]);
        if allow == Allow::Converge {
            line.extend(words(["--allowedTools", "mcp__converge"]));
        }
        line.extend(words(["--", prompt]));
        line
    }

    fn answer(&self, out: &str) -> Option<String> {
        let result: Json = serde_json::from_str(out.trim()).ok()?;
        Some(result["result"].as_str()?.to_owned())
    }
}
