//! The official inspector on `converge mcp`, by standard input and output, in both eras.

use std::ffi::OsString;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::agents::installed;
use crate::home::{Home, Said, program, text};

/// The inspector with a home to look into.
struct Inspector<'a> {
    home: &'a Home,
    program: OsString,
    era: &'static str,
}

impl Inspector<'_> {
    /// What it says to these words. The server comes first, since some flags take all words that follow.
    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(&self.program);
        command.arg("--cli").arg(program()).args(["mcp", "--protocol-era", self.era]).args(words);
        command
            .env_clear()
            .envs(self.home.command::<&str>(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", installed::path()).current_dir(self.home.project());
        Said::of(&command.output().unwrap())
    }

    /// What a method answers, without complaint.
    #[track_caller]
    fn ask(&self, method: &str, words: &[&str]) -> Json {
        let said = self.run(&[&["--method", method], words].concat()).done();
        assert_eq!(said.err, "", "{method}");
        said.json()
    }

    /// What a tool answers.
    #[track_caller]
    fn call(&self, tool: &str, arguments: &Json) -> Json {
        let arguments = arguments.to_string();
        self.ask("tools/call", &["--tool-name", tool, "--tool-args-json", &arguments])["structuredContent"]
            .clone()
    }
}

/// Runs a check in both eras, where the inspector is installed.
fn inspect(check: fn(&Inspector<'_>)) {
    installed::with_program("mcp-inspector", "@modelcontextprotocol/inspector", |command| {
        for era in ["legacy", "modern"] {
            let home = Home::of_the_user();
            check(&Inspector { home: &home, program: command.get_program().to_owned(), era });
        }
    });
}

#[test]
fn the_tools_are_portable() {
    inspect(|inspector| {
        // An error ends it with 6, and each problem is a line on its standard error.
        let list = inspector.ask("tools/list", &["--strict"]);
        assert_eq!(list["tools"].as_array().unwrap().len(), 11);
    });
}

#[test]
fn tools_resources_and_prompts_are_as_the_protocol_has_them() {
    inspect(|inspector| {
        let added =
            inspector.call("add_job", &json!({ "name": "seen", "cmd": "echo hello", "manual": true }));
        assert_eq!((&added["name"], &added["existed"]), (&json!("seen"), &json!(false)));
        let id = text(&added["id"]);
        let listed = inspector.ask("resources/list", &[]);
        let uri = format!("converge://jobs/{id}");
        assert_eq!(listed["resources"][1]["uri"], uri, "{listed}");
        let read = inspector.ask("resources/read", &["--uri", &uri]);
        assert!(text(&read["contents"][0]["text"]).contains("\"name\":\"seen\""), "{read}");
        let templates = inspector.ask("resources/templates/list", &[]);
        assert_eq!(templates["resourceTemplates"].as_array().unwrap().len(), 3);
        assert_eq!(inspector.ask("prompts/list", &[])["prompts"].as_array().unwrap().len(), 3);
        let prompt =
            inspector.ask("prompts/get", &["--prompt-name", "until", "--prompt-args", "goal=the tests pass"]);
        let said = text(&prompt["messages"][0]["content"]["text"]);
        assert!(said.contains("goes on until this holds: the tests pass"), "{prompt}");
    });
}

#[test]
fn a_refusal_is_an_error_of_the_tool() {
    inspect(|inspector| {
        let words = ["--tool-name", "show_job", "--tool-args-json", r#"{"job": "nobody"}"#];
        let said = inspector.run(&[&["--method", "tools/call"], &words[..]].concat()).ended(5);
        assert!(said.out.contains("no job `nobody`") && said.out.contains("list_jobs"), "{said:?}");
    });
}

#[test]
fn many_calls_at_once_are_all_answered() {
    inspect(|inspector| {
        let words =
            ["--tool-name", "list_jobs", "--load", "--load-requests", "200", "--load-concurrency", "8"];
        let load = inspector.ask("tools/call", &words);
        assert_eq!((&load["ok"], &load["toolErrors"], &load["errors"]), (&json!(200), &json!(0), &json!(0)));
    });
}
