//! The seven agent CLIs: how each is pointed at a model, told of a server, and asked.
//!
//! All that differs between them is here, one file each; everything else treats them alike.

pub(crate) mod claude;
pub(crate) mod codex;
pub(crate) mod copilot;
pub(crate) mod gemini;
pub(crate) mod kimi;
pub(crate) mod opencode;
pub(crate) mod qwen;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::model::dialect::Dialect;
use super::seat::Server;

/// Variables of a client beyond those that all have.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// One agent CLI.
pub(crate) trait Client: Sync {
    /// Its name, and its program's.
    fn name(&self) -> &'static str;

    /// Its package, whose version `tests/agents/package.json` says.
    fn package(&self) -> &'static str;

    /// How it speaks with its model.
    fn dialect(&self) -> Dialect;

    /// Writes what it needs into an empty home so that it asks this model, and answers its variables.
    fn point(&self, home: &Path, model: &str) -> Variables;

    /// The variables for a key and for a subscription, where a used-up quota has an end with the latter alone.
    fn subscription(&self) -> Option<[&'static str; 2]> {
        None
    }

    /// How it is told of a server.
    fn register(&self, server: &Server, allow: Allow) -> Register;

    /// The words that ask it one thing.
    fn prompt(&self, prompt: &str, allow: Allow) -> Vec<String>;

    /// What stands on its standard input: nothing, unless its words cannot carry a prompt as it is.
    fn input<'a>(&self, _prompt: &'a str) -> &'a str {
        ""
    }

    /// The last thing the model said, from its standard output.
    fn answer(&self, out: &str) -> Option<String>;
}

/// What it may do without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allow {
    /// Call the tools of Converge.
    Converge,
    /// What it allows by itself.
    Nothing,
}

/// A way to register a server.
#[derive(Debug)]
pub(crate) enum Register {
    /// The client's own command.
    Command(Vec<String>),
    /// A file below the home, for a client without such a command.
    File { path: PathBuf, text: String },
}

impl fmt::Debug for dyn Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The words of a command line.
fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// `before NAME … -- PROGRAM ARGUMENTS`, with each variable behind a flag.
fn registration(before: &[&str], flag: &str, middle: &[&str], server: &Server) -> Vec<String> {
    let mut line: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
    for (name, value) in &server.environment {
        line.push(flag.to_owned());
        line.push(format!("{name}={value}"));
    }
    line.extend(middle.iter().map(|word| (*word).to_owned()));
    line
}

/// The server as most files of clients write it.
fn document(server: &Server) -> Json {
    let environment: serde_json::Map<String, Json> =
        server.environment.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({ "command": server.program, "args": server.arguments, "env": environment })
}

/// Writes a file below the home.
fn write(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).unwrap();
    fs::write(path, text).unwrap();
}

/// The lines that are JSON.
fn lines(out: &str) -> impl DoubleEndedIterator<Item = Json> {
    out.lines().filter_map(|line| serde_json::from_str(line).ok())
}
