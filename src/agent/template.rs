//! Templates: the words of a command line, with slots for what differs from run to run.

use std::fmt;

use crate::agent::document::Table;

/// A slot that stands for any number of words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// What the permission profile needs.
    Permissions,
    /// Which model.
    Model,
    /// How hard it thinks.
    Effort,
    /// Directories beside the working directory.
    Directories,
    /// Tools that it may use without asking.
    Tools,
    /// Which account, for a CLI that keeps several.
    Account,
    /// Which conversation goes on.
    Session,
    /// What its result is to fit.
    Schema,
    /// How the agent finds Converge.
    Converge,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 9] = [
        Self::Permissions,
        Self::Model,
        Self::Effort,
        Self::Directories,
        Self::Tools,
        Self::Account,
        Self::Session,
        Self::Schema,
        Self::Converge,
    ];

    /// The word in braces that stands for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permissions => "{permissions}",
            Self::Model => "{model}",
            Self::Effort => "{effort}",
            Self::Directories => "{directories}",
            Self::Tools => "{tools}",
            Self::Account => "{account}",
            Self::Session => "{session}",
            Self::Schema => "{schema}",
            Self::Converge => "{converge}",
        }
    }
}

/// Where the prompt's private file is named, within a word.
pub const PROMPT_FILE: &str = "{prompt_file}";

/// What stands for the schema of a result: its text, or its private file.
pub(super) const SCHEMA: [&str; 2] = ["{schema}", "{schema_file}"];

/// A part of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A word, which may name the prompt's file.
    Word(String),
    /// Words that depend on the run.
    Slot(Slot),
}

impl Part {
    /// Reads the parts of a command line; a word that names an unknown slot is a mistake of the table.
    pub(super) fn read(table: &mut Table<'_, '_>, name: &'static str) -> Vec<Self> {
        let words = table.words(name).unwrap_or_default();
        let part = |word: String| match Slot::ALL.into_iter().find(|slot| slot.name() == word) {
            Some(slot) => Self::Slot(slot),
            None => Self::Word(word),
        };
        let parts: Vec<Self> = words.into_iter().map(part).collect();
        for part in &parts {
            if let Self::Word(word) = part
                && let Some(strange) = braced(word).find(|braced| *braced != PROMPT_FILE)
            {
                let known: Vec<&str> = Slot::ALL.iter().map(|slot| slot.name()).collect();
                let message = format!("has the word `{word}`, and nothing stands for `{strange}`");
                let fix = format!("write {} as a word, or {PROMPT_FILE} in one", known.join(", "));
                table.mistake(name, &message, &fix);
            }
        }
        parts
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Slot(slot) => f.write_str(slot.name()),
        }
    }
}

/// Words that are said with one value, such as `--model {model}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    words: Vec<String>,
    hole: &'static str,
}

impl Phrase {
    /// Reads a phrase whose value goes where `hole` stands.
    pub(super) fn read(table: &mut Table<'_, '_>, name: &'static str, hole: &'static str) -> Option<Self> {
        let words = table.words(name)?;
        Some(Self::of(table, name, words, hole))
    }

    /// Reads a phrase whose value goes where one of two holes stands.
    pub(super) fn read_either(
        table: &mut Table<'_, '_>,
        name: &'static str,
        holes: [&'static str; 2],
    ) -> Option<Self> {
        let words = table.words(name)?;
        let [usual, other] = holes;
        let hole = if words.iter().any(|word| word.contains(other)) { other } else { usual };
        Some(Self::of(table, name, words, hole))
    }

    fn of(table: &Table<'_, '_>, name: &str, words: Vec<String>, hole: &'static str) -> Self {
        if let Some(strange) = words.iter().flat_map(|word| braced(word)).find(|braced| *braced != hole) {
            table.mistake(name, &format!("has `{strange}`"), &format!("the value is `{hole}`"));
        } else if !words.iter().any(|word| word.contains(hole)) {
            table.mistake(name, "does not say where the value goes", &format!("write {hole} in a word"));
        }
        Self { words, hole }
    }

    /// Whether the value goes where this stands.
    pub(super) fn has(&self, hole: &str) -> bool {
        self.hole == hole
    }

    /// The words with the value in its place.
    pub fn say(&self, value: &str) -> impl Iterator<Item = String> {
        self.words.iter().map(move |word| word.replace(self.hole, value))
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

/// The names in braces within a word; braces around anything else, as in JSON, mean nothing.
fn braced(word: &str) -> impl Iterator<Item = &str> {
    word.match_indices('{').filter_map(|(start, _)| {
        let length = word[start..].find('}')?;
        let inner = &word[start + 1..start + length];
        let is_name =
            !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_name.then(|| &word[start..=start + length])
    })
}
