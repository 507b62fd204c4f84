//! A home for one run: how an agent is registered with that takes servers from files of its user alone.

use std::path::Path;

use serde_json::Value as Json;

use crate::agent::document::Table;
use crate::agent::manifest::is_variable;
use crate::agent::register::{Register, Text};
use crate::core::id::TaskId;
use crate::core::process::{Overlay, ProcessKey};

/// What a manifest says about it; each part is one of [`Overlay`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The variable that names it.
    pub variable: String,
    usual: String,
    folder: String,
    beside: Vec<String>,
    keeps: Vec<String>,
    /// The document that says more.
    pub document: String,
    /// What it says beyond what it says already: a JSON object.
    pub adds: Text,
}

impl Home {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let mut inner = table.table("home")?;
        let variable = inner.required("variable");
        let usual = inner.text("usual").unwrap_or_default();
        let folder = inner.text("folder").unwrap_or_default();
        let beside = inner.words("beside").unwrap_or_default();
        let keeps = inner.words("keeps").unwrap_or_default();
        let document = inner.required("document");
        let adds = inner.required("adds").map(Text::of);
        if let Some(name) = variable.as_ref().filter(|name| !is_variable(name)) {
            inner.mistake("variable", &format!("is `{name}`"), "name a variable that is not Converge's own");
        }
        let at = |place: &'static str| move |path: &String| (place, path.clone());
        let single = [("usual", &usual), ("folder", &folder)].map(|(place, path)| (place, path.clone()));
        let single = single.into_iter().filter(|(_, path)| !path.is_empty());
        for (place, path) in single.chain(keeps.iter().map(at("keeps"))).filter(|(_, path)| !is_within(path))
        {
            inner.mistake(place, &format!("has `{path}`"), "write where it is within the home");
        }
        // What is in a folder that is a link would be the user's own.
        let names = beside.iter().map(at("beside")).chain(document.iter().map(at("document")));
        for (place, name) in names.filter(|(_, name)| !is_within(name) || name.contains('/')) {
            inner.mistake(place, &format!("has `{name}`"), "write a name without a path");
        }
        if let Some(adds) = &adds {
            adds.check("adds", &inner);
            if !adds.json(&example()).is_some_and(|adds| adds.is_object()) {
                inner.mistake("adds", "is no JSON object", "write what is to be added, in braces");
            }
        }
        inner.finish();
        Some(Self { variable: variable?, usual, folder, beside, keeps, document: document?, adds: adds? })
    }

    /// The home for a run.
    pub(super) fn overlay(&self, register: &Register<'_>) -> Option<Overlay> {
        Some(Overlay {
            variable: self.variable.clone(),
            usual: self.usual.clone(),
            folder: self.folder.clone(),
            beside: self.beside.clone(),
            keeps: self.keeps.clone(),
            document: self.document.clone(),
            adds: self.adds.json(register)?,
        })
    }
}

impl Text {
    fn json(&self, register: &Register<'_>) -> Option<Json> {
        serde_json::from_str(&self.say(register)).ok()
    }
}

/// A run like any other, to see what a text reads like.
fn example() -> Register<'static> {
    let place = Path::new("/");
    let attempt = ProcessKey::attempt(TaskId::from_bits(0), 1);
    Register { program: place, home: place, run_dir: place, attempt }
}

/// Whether a path leads to nowhere but what is below where it begins.
fn is_within(path: &str) -> bool {
    let is_plain = |name: &str| !["", ".", ".."].contains(&name) && !name.contains(char::is_control);
    path.split('/').all(is_plain)
}
