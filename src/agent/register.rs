//! Registering: how an agent finds Converge among its servers of MCP for the time of one run.
//!
//! What it takes is data of its manifest: words for the command line, private files and variables, in which a
//! few names stand for what differs from run to run, or an overlay of the agent's home. Nothing of it is secret,
//! and no file of the agent's user says anything of it.

mod overlay;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::agent::document::Table;
use crate::agent::manifest::is_variable;
use crate::agent::register::overlay::OverlayRule;
use crate::core::overlay::Overlay;
use crate::core::process::files::AGENT;
use crate::core::process::{PrivateFile, ProcessKey};
use crate::core::refusal::Problem;

/// What a manifest says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Words in the place of `{converge}` in the command line.
    pub arguments: Vec<Text>,
    /// Private files, by their names.
    pub files: BTreeMap<String, Text>,
    /// Variables.
    pub set: BTreeMap<String, Text>,
    /// An overlay of its home, for an agent that takes servers from files of its user alone.
    pub overlay: Option<OverlayRule>,
}

/// What is registered for one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register<'a> {
    /// The program of Converge, which must still lie there when the agent starts it.
    pub program: &'a Path,
    /// The home whose daemon it asks.
    pub home: &'a Path,
    /// The run directory of the attempt.
    pub run_dir: &'a Path,
    /// The attempt.
    pub attempt: ProcessKey,
}

/// A text with names in it that stand for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    /// What a name stands for; inside quotation marks with the escapes that JSON and TOML share.
    Named {
        name: Name,
        is_quoted: bool,
    },
}

/// What stands for something.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Program,
    Home,
    Attempt,
    File(String),
}

/// Every name, as it is told where another is written.
const KNOWN: &str = "{program}, {home}, {attempt} or {file:NAME}";

impl Register<'_> {
    /// What of it cannot be said in a command line or a document.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let is_plain = |path: &Path| {
            path.is_absolute() && path.to_str().is_some_and(|text| !text.contains(char::is_control))
        };
        let problem = |path: &Path| {
            let path = path.display().to_string();
            let message = format!("Converge cannot be registered with the path `{}`", path.escape_debug());
            Problem::new("agent", message).fix("use an absolute path of plain text")
        };
        let paths = [self.program, self.home, self.run_dir];
        paths.into_iter().filter(|path| !is_plain(path)).map(problem).collect()
    }

    fn value(&self, name: &Name) -> String {
        match name {
            Name::Program => self.program.display().to_string(),
            Name::Home => self.home.display().to_string(),
            Name::Attempt => self.attempt.to_string(),
            Name::File(file) => self.run_dir.join(AGENT).join(file).display().to_string(),
        }
    }
}

impl Registration {
    /// Reads it; every name that stands for nothing is a mistake, and so is a file that nothing names.
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let mut inner = table.table("register")?;
        let words = inner.words("arguments").unwrap_or_default();
        let arguments: Vec<Text> = words.into_iter().map(Text::of).collect();
        let files = inner.table("files").map(Table::texts).unwrap_or_default();
        let set = inner.table("set").map(Table::texts).unwrap_or_default();
        let named = |texts: BTreeMap<String, String>| -> BTreeMap<String, Text> {
            texts.into_iter().map(|(name, text)| (name, Text::of(text))).collect()
        };
        let overlay = OverlayRule::read(&mut inner);
        let registration = Self { arguments, files: named(files), set: named(set), overlay };
        registration.check(&inner);
        inner.finish();
        Some(registration)
    }

    fn check(&self, table: &Table<'_, '_>) {
        let parts = [
            ("arguments", self.arguments.iter().collect::<Vec<_>>()),
            ("files", self.files.values().collect()),
            ("set", self.set.values().collect()),
            ("overlay", self.overlay.iter().map(|rule| &rule.adds).collect()),
        ];
        for (place, texts) in &parts {
            for strange in texts.iter().flat_map(|text| text.strange()) {
                let message = format!("has `{strange}`, and nothing stands for that");
                table.mistake(place, &message, &format!("write {KNOWN}"));
            }
            for file in
                texts.iter().flat_map(|text| text.files()).filter(|file| !self.files.contains_key(*file))
            {
                let message = format!("names a file `{file}`, which is not there");
                table.mistake(place, &message, "write it below `register.files`");
            }
        }
        for name in self.set.keys().filter(|name| !is_variable(name)) {
            table.mistake("set", &format!("names `{name}`"), "name a variable that is not Converge's own");
        }
        let all: Vec<&str> =
            parts.iter().flat_map(|(_, texts)| texts).flat_map(|text| text.files()).collect();
        for name in self.files.keys() {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            if name.starts_with('.') || name.is_empty() || !name.bytes().all(is_plain) {
                table.mistake("files", &format!("has `{name}`"), "use letters, digits, dots and dashes");
            } else if !all.contains(&name.as_str()) {
                let fix = format!("name it as {{file:{name}}}, or leave it out");
                table.mistake("files", &format!("has `{name}`, which nothing names"), &fix);
            }
        }
    }

    /// The words for the command line.
    pub fn arguments(&self, register: &Register<'_>) -> Vec<String> {
        self.arguments.iter().map(|text| text.say(register)).collect()
    }

    /// The files, each for its owner's eyes alone.
    pub fn files(&self, register: &Register<'_>) -> Vec<PrivateFile> {
        let file =
            |(name, text): (&String, &Text)| PrivateFile { name: name.clone(), text: text.say(register) };
        self.files.iter().map(file).collect()
    }

    /// The overlay.
    pub fn overlay(&self, register: &Register<'_>) -> Option<Overlay> {
        self.overlay.as_ref().map(|rule| rule.overlay(register))
    }

    /// The variables.
    pub fn set(&self, register: &Register<'_>) -> BTreeMap<String, String> {
        self.set.iter().map(|(name, text)| (name.clone(), text.say(register))).collect()
    }
}

impl Text {
    /// Takes a text apart.
    fn of(source: String) -> Self {
        let mut pieces = Vec::new();
        let mut rest = source.as_str();
        let mut is_quoted = false;
        while let Some((before, inner, after)) = next(rest) {
            is_quoted ^= flips(before);
            let plain = |text: &str| Piece::Plain(text.to_owned());
            pieces.push(plain(before));
            match Name::of(inner) {
                Some(name) => pieces.push(Piece::Named { name, is_quoted }),
                None => pieces.push(plain(&format!("{{{inner}}}"))),
            }
            rest = after;
        }
        pieces.push(Piece::Plain(rest.to_owned()));
        Self { source, pieces }
    }

    /// As its manifest has it.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn say(&self, register: &Register<'_>) -> String {
        let said = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Named { name, is_quoted: false } => register.value(name),
            Piece::Named { name, is_quoted: true } => {
                let quoted = Json::from(register.value(name)).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        };
        self.pieces.iter().map(said).collect()
    }

    /// What looks like a name and is none.
    fn strange(&self) -> impl Iterator<Item = String> {
        let mut rest = self.source.as_str();
        std::iter::from_fn(move || {
            let (_, inner, after) = next(rest)?;
            rest = after;
            Some(inner)
        })
        .filter(|inner| Name::of(inner).is_none())
        .map(|inner| format!("{{{inner}}}"))
    }

    /// The files that it names.
    fn files(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Named { name: Name::File(file), .. } => Some(file.as_str()),
            Piece::Named { name: Name::Program | Name::Home | Name::Attempt, .. } | Piece::Plain(_) => None,
        })
    }
}

impl Name {
    fn of(text: &str) -> Option<Self> {
        match text {
            "program" => Some(Self::Program),
            "home" => Some(Self::Home),
            "attempt" => Some(Self::Attempt),
            _ => text.strip_prefix("file:").map(|file| Self::File(file.to_owned())),
        }
    }
}

/// The next name in braces, with what is before and after it; braces around anything else, as in JSON, mean
/// nothing.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(start, _)| {
        let (before, behind) = (&text[..start], &text[start + 1..]);
        let (inner, after) = behind.split_once('}')?;
        let (word, _) = inner.split_once(':').unwrap_or((inner, ""));
        let is_name = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_name.then_some((before, inner, after))
    })
}

/// Whether it opens quotation marks that it does not close, or closes ones that it did not open.
fn flips(text: &str) -> bool {
    let (mut is_odd, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        is_odd ^= byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
    }
    is_odd
}

#[cfg(test)]
mod tests;
