//! Kimi Code.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Allow, Client, Register, Variables, document, lines, words, write};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "kimi"
    }

    fn package(&self) -> &'static str {
        "@moonshot-ai/kimi-code"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Chat
    }

    fn point(&self, home: &Path, model: &str) -> Variables {
        let config = format!(
            "default_model = \"scripted\"\ntelemetry = false\n\
             [providers.scripted]\ntype = \"openai\"\nbase_url = \"{model}/v1\"\napi_key = \"dummy\"\n\
             [models.scripted]\nprovider = \"scripted\"\nmodel = \"m\"\nmax_context_size = 200000\n"
        );
        write(home, ".kimi-code/config.toml", &config);
        vec![("KIMI_DISABLE_TELEMETRY", "1".to_owned())]
    }

    fn register(&self, server: &Server, _allow: Allow) -> Register {
        let text = json!({ "mcpServers": { "converge": document(server) } }).to_string();
        Register::File { path: PathBuf::from(".kimi-code/mcp.json"), text }
    }

    fn prompt(&self, prompt: &str, _allow: Allow) -> Vec<String> {
        words(["--prompt", prompt, "--output-format", "stream-json"])
    }

    fn answer(&self, out: &str) -> Option<String> {
        lines(out)
            .rev()
            .find(|line| line["role"] == "assistant")
            .and_then(|line| Some(line["content"].as_str()?.to_owned()))
    }
}
