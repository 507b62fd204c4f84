//! Clients: how each agent is told about the MCP server, as its own documentation and program say.
//!
//! In these texts `{program}` is where the program lies.

use serde_json::{Value as Json, json};

/// One agent.
pub(super) struct Client {
    /// What it is called here; the first is its name, the others are understood.
    names: &'static [&'static str],
    /// What it is called.
    title: &'static str,
    /// The command line of its own that adds the server, when it has one.
    add: &'static [&'static str],
    /// The file in which the server then stands, or is to be written.
    file: &'static str,
    /// What stands there, beside what stands there already.
    entry: &'static str,
    /// How it is told that it need not ask a person before each call.
    allow: Allow,
}

/// How calls are allowed.
struct Allow {
    /// Where this is written.
    place: &'static str,
    /// What is written.
    text: &'static str,
}

const CLIENTS: [Client; 7] = [
    Client {
        names: &["claude", "claude-code"],
        title: "Claude Code",
        add: &["claude", "mcp", "add", "--scope", "user", "converge", "--", "{program}", "mcp"],
        file: "~/.claude.json",
        entry: r#"{"mcpServers":{"converge":{"type":"stdio","command":"{program}","args":["mcp"]}}}"#,
        allow: Allow {
            place: "~/.claude/settings.json, or `claude --allowedTools mcp__converge`",
            text: r#"{"permissions":{"allow":["mcp__converge"]}}"#,
        },
    },
    Client {
        names: &["codex", "codex-cli"],
        title: "Codex",
        add: &["codex", "mcp", "add", "converge", "--", "{program}", "mcp"],
        file: "~/.codex/config.toml",
        entry: "[mcp_servers.converge]\ncommand = \"{program}\"\nargs = [\"mcp\"]",
        allow: Allow {
            place: "~/.codex/config.toml, below `[mcp_servers.converge]`",
            text: "default_tools_approval_mode = \"approve\"",
        },
    },
    Client {
        names: &["gemini", "gemini-cli"],
        title: "Gemini CLI",
        add: &["gemini", "mcp", "add", "--scope", "user", "converge", "{program}", "mcp"],
        file: "~/.gemini/settings.json",
        entry: r#"{"mcpServers":{"converge":{"command":"{program}","args":["mcp"]}}}"#,
        allow: Allow {
            place: "~/.gemini/settings.json, inside `converge`, or `gemini mcp add --trust …`",
            text: r#""trust": true"#,
        },
    },
    Client {
        names: &["opencode"],
        title: "opencode",
        add: &["opencode", "mcp", "add", "converge", "--", "{program}", "mcp"],
        file: "~/.config/opencode/opencode.json",
        entry: r#"{"mcp":{"converge":{"type":"local","command":["{program}","mcp"]}}}"#,
        allow: Allow {
            place: "~/.config/opencode/opencode.json; only when other permissions are set to ask",
            text: r#"{"permission":{"converge_*":"allow"}}"#,
        },
    },
    Client {
        names: &["copilot", "copilot-cli", "github-copilot"],
        title: "Copilot CLI",
        add: &["copilot", "mcp", "add", "converge", "--", "{program}", "mcp"],
        file: "~/.copilot/mcp-config.json",
        entry: r#"{"mcpServers":{"converge":{"type":"local","command":"{program}","args":["mcp"],"tools":["*"]}}}"#,
        allow: Allow { place: "the command line", text: "copilot --allow-tool converge" },
    },
    Client {
        names: &["qwen", "qwen-code"],
        title: "Qwen Code",
        add: &["qwen", "mcp", "add", "--scope", "user", "converge", "{program}", "mcp"],
        file: "~/.qwen/settings.json",
        entry: r#"{"mcpServers":{"converge":{"command":"{program}","args":["mcp"]}}}"#,
        allow: Allow {
            place: "~/.qwen/settings.json, inside `converge`, or `qwen mcp add --trust …`",
            text: r#""trust": true"#,
        },
    },
    Client {
        names: &["kimi", "kimi-code", "kimi-cli"],
        title: "Kimi Code",
        add: &[],
        file: "~/.kimi-code/mcp.json",
        entry: r#"{"mcpServers":{"converge":{"command":"{program}","args":["mcp"]}}}"#,
        allow: Allow { place: "the command line; `kimi -p` never asks", text: "kimi --yolo" },
    },
];

/// Everything that a client may be called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CLIENTS.iter().flat_map(|client| client.names).copied()
}

/// The client of this name.
pub(super) fn find(name: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.names.contains(&name))
}

impl Client {
    /// How it is told about the server, for people and their shells.
    pub(super) fn text(&self, program: &str) -> String {
        let entry = inside_quotes(self.entry, program);
        let (title, file, allow) = (self.title, self.file, &self.allow);
        let register = if self.add.is_empty() {
            format!("# {title}: in {file}\n{entry}\n")
        } else {
            let line: Vec<String> = self.add(program).iter().map(|word| quoted(word)).collect();
            format!("# {title}\n{}\n# or in {file}\n{entry}\n", line.join(" "))
        };
        format!("{register}# to be asked less: {}\n{}\n", allow.place, allow.text)
    }

    /// The same, for programs.
    pub(super) fn json(&self, program: &str) -> Json {
        json!({
            "client": self.names[0],
            "title": self.title,
            "add": if self.add.is_empty() { Json::Null } else { json!(self.add(program)) },
            "file": self.file,
            "entry": inside_quotes(self.entry, program),
            "allow": { "place": self.allow.place, "text": self.allow.text },
        })
    }

    fn add(&self, program: &str) -> Vec<String> {
        self.add.iter().map(|word| word.replace("{program}", program)).collect()
    }
}

/// The text with the program in it, which stands there inside the quotes of JSON or TOML.
fn inside_quotes(text: &str, program: &str) -> String {
    let quoted = Json::from(program).to_string();
    text.replace("{program}", &quoted[1..quoted.len() - 1])
}

/// A word as a shell must read it.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./=:@%+".contains(sign));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_how_every_client_is_told() {
        let readme = include_str!("../../../README.md");
        for client in &CLIENTS {
            let text = client.text("/usr/local/bin/converge");
            assert!(readme.contains(&text), "README lacks\n{text}");
        }
    }

    #[test]
    fn a_program_may_lie_anywhere() {
        let strange = r#"/a b/it's "c"\converge"#;
        for client in &CLIENTS {
            let entry = inside_quotes(client.entry, strange);
            if entry.starts_with('{') {
                let read: Json = serde_json::from_str(&entry).expect(client.title);
                assert!(read.to_string().contains(&Json::from(strange).to_string()), "{read}");
            } else {
                // A basic string of TOML has the escapes of JSON.
                let read = r#""/a b/it's \"c\"\\converge""#;
                let expected = format!("[mcp_servers.converge]\ncommand = {read}\nargs = [\"mcp\"]");
                assert_eq!(entry, expected, "{}", client.title);
            }
        }
        assert_eq!(quoted(strange), r#"'/a b/it'\''s "c"\converge'"#);
        assert_eq!(quoted("/usr/bin/converge"), "/usr/bin/converge");
    }

    #[test]
    fn a_name_is_that_of_one_client() {
        let names: Vec<&str> = names().collect();
        for client in &CLIENTS {
            for name in client.names {
                assert_eq!(find(name).map(|found| found.title), Some(client.title));
                assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
            }
        }
    }
}
