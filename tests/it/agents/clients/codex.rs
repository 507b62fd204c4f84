//! Codex.

use std::path::Path;

use super::{Allow, Client, Register, Variables, lines, registration, words, write};
use crate::agents::model::dialect::Dialect;
use crate::agents::seat::Server;

pub(crate) struct Cli;

impl Client for Cli {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn package(&self) -> &'static str {
        "@openai/codex"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Responses
    }

    fn point(&self, home: &Path, model: &str) -> Variables {
        let config = format!(
            "model = \"scripted\"\nmodel_provider = \"scripted\"\ncheck_for_update_on_startup = false\n\
             [analytics]\nenabled = false\n\
             [model_providers.scripted]\nname = \"Scripted\"\nbase_url = \"{model}/v1\"\n\
             wire_api = \"responses\"\nenv_key = \"SCRIPTED_API_KEY\"\n"
        );
        write(home, ".codex/config.toml", &config);
        vec![("SCRIPTED_API_KEY", "dummy".to_owned())]
    }

    fn register(&self, server: &Server, _allow: Allow) -> Register {
        let mut line = registration(&["mcp", "add", "converge"], "--env", &["--"], server);
        line.push(server.program.clone());
        line.extend(server.arguments.iter().cloned());
        Register::Command(line)
    }

    fn prompt(&self, prompt: &str, allow: Allow) -> Vec<String> {
        let mut line = words(["exec", "--json", "--skip-git-repo-check"]);
        if allow == Allow::Converge {
            line.extend(words(["-c", "mcp_servers.converge.default_tools_approval_mode=\"approve\""]));
        }
        line.extend(words(["--", prompt]));
        line
    }

    fn answer(&self, out: &str) -> Option<String> {
        lines(out)
            .rev()
            .find(|line| line["item"]["type"] == "agent_message")
            .and_then(|line| Some(line["item"]["text"].as_str()?.to_owned()))
    }
}
