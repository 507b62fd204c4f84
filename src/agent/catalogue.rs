//! The catalogue: every agent that is known, the built-in ones and those of the user.
//!
//! A file of the user adds an agent, or takes the place of a built-in one of the same name. One that is
//! refused changes nothing: what it meant to replace stays as it was.

use std::borrow::Cow;
use std::sync::Arc;

use crate::agent::document::Mistake;
use crate::agent::manifest::Manifest;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// The name and the text of each manifest that comes along.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("manifests/", $name, ".toml"))),)*];
    };
}

built_in!(
    "claude",
    "codex",
    "gemini",
    "opencode",
    "copilot",
    "qwen",
    "kimi",
    "cursor-agent",
    "codewith",
    "aicopilot",
    "test",
);

/// A file of the user, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFile {
    /// Its name with its folder, as people are told it.
    pub path: String,
    /// Its name without folder and ending, which the agent must have too.
    pub stem: String,
    /// Its text, or why there is none.
    pub text: Result<String, String>,
}

/// All agents.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Those that can be used.
    pub agents: Vec<Known>,
    /// Files that were refused.
    pub refused: Vec<Refused>,
}

/// An agent that can be used.
#[derive(Debug, Clone)]
pub struct Known {
    /// How it is driven.
    pub manifest: Arc<Manifest>,
    /// The text that says so.
    pub text: Cow<'static, str>,
    /// Where that is from.
    pub origin: Origin,
}

/// Where a manifest is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It comes along.
    BuiltIn,
    /// This file of the user adds it.
    Added(String),
    /// This file of the user takes the place of a built-in one.
    Replaced(String),
}

/// A file that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which file.
    pub path: String,
    /// Everything that is wrong with it.
    pub mistakes: Vec<Mistake>,
}

impl Catalogue {
    /// The built-in agents with the user's files over them.
    pub fn of(files: Vec<UserFile>) -> Self {
        let built_in = BUILT_IN.iter().map(|(name, text)| Known {
            manifest: Arc::new(
                Manifest::parse(text)
                    .unwrap_or_else(|mistakes| panic!("the manifest of {name} is wrong: {mistakes:?}")),
            ),
            text: Cow::Borrowed(text),
            origin: Origin::BuiltIn,
        });
        let mut catalogue = Self { agents: built_in.collect(), refused: Vec::new() };
        for file in files {
            match read(&file) {
                Ok((manifest, text)) => catalogue.put(manifest, text.to_owned(), file.path),
                Err(mistakes) => catalogue.refused.push(Refused { path: file.path, mistakes }),
            }
        }
        catalogue
    }

    /// The agent of this name.
    pub fn find(&self, name: &str) -> Option<&Known> {
        self.agents.iter().find(|known| known.manifest.name == name)
    }

    fn put(&mut self, manifest: Manifest, text: String, path: String) {
        let (manifest, text) = (Arc::new(manifest), Cow::Owned(text));
        match self.agents.iter_mut().find(|known| known.manifest.name == manifest.name) {
            Some(known) => *known = Known { manifest, text, origin: Origin::Replaced(path) },
            None => self.agents.push(Known { manifest, text, origin: Origin::Added(path) }),
        }
    }
}

/// The manifest in a file, and its text.
fn read(file: &UserFile) -> Result<(Manifest, &str), Vec<Mistake>> {
    let mistake = |line, place: &str, message: String, fix: &str| {
        vec![Mistake { line, place: place.to_owned(), message, fix: fix.to_owned() }]
    };
    let text = file.text.as_ref().map_err(|why| {
        mistake(
            1,
            "",
            format!("cannot be read: {why}"),
            "make it a text file of at most 256 KiB that you may read",
        )
    })?;
    let manifest = Manifest::parse(text)?;
    if manifest.name == file.stem {
        return Ok((manifest, text));
    }
    let line = text.lines().position(|line| line.trim_start().starts_with("name")).unwrap_or_default() + 1;
    let message = format!("is `{}` in a file named `{}`", manifest.name, file.stem);
    Err(mistake(line, "name", message, "give both the same name"))
}

#[cfg(test)]
mod tests;
