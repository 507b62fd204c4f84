//! Overlays of homes: how an agent is registered with that takes servers from files of its user alone.

use std::path::Path;

use serde_json::Value as Json;

use crate::agent::document::Table;
use crate::agent::manifest::{is_variable, is_within};
use crate::agent::register::{Register, Text};
use crate::core::id::TaskId;
use crate::core::overlay::Overlay;
use crate::core::process::ProcessKey;

/// What a manifest says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayRule {
    /// All but what is added.
    overlay: Overlay,
    /// What is added: a JSON object.
    pub adds: Text,
}

impl OverlayRule {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let mut inner = table.table("overlay")?;
        let variable = inner.required("variable");
        let usual = inner.text("usual").unwrap_or_default();
        let folder = inner.text("folder").unwrap_or_default();
        let beside = inner.words("beside").unwrap_or_default();
        let keeps = inner.words("keeps").unwrap_or_default();
        let apart = inner.words("apart").unwrap_or_default();
        let document = inner.required("document");
        let adds = inner.required("adds").map(Text::of);
        if let Some(name) = variable.as_ref().filter(|name| !is_variable(name)) {
            inner.mistake("variable", &format!("is `{name}`"), "name a variable that is not Converge's own");
        }
        if let Some(adds) = &adds
            && !adds.json(&example()).is_some_and(|adds| adds.is_object())
        {
            inner.mistake("adds", "is no JSON object", "write what is to be added, in braces");
        }
        let (variable, document) = (variable.unwrap_or_default(), document.unwrap_or_default());
        let overlay = Overlay { variable, usual, folder, beside, keeps, apart, document, adds: Json::Null };
        check(&overlay, &inner);
        inner.finish();
        Some(Self { overlay, adds: adds? })
    }

    /// The variable that names the home, and the document in it that says more.
    pub fn place(&self) -> (&str, &str) {
        (&self.overlay.variable, &self.overlay.document)
    }

    /// The overlay for a run.
    pub(super) fn overlay(&self, register: &Register<'_>) -> Overlay {
        let adds = self.adds.json(register).expect("it was an object for an example");
        Overlay { adds, ..self.overlay.clone() }
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

/// Tells every name that leads out of where it is to be, or to two things at once.
fn check(overlay: &Overlay, table: &Table<'_, '_>) {
    let Overlay { usual, folder, beside, keeps, apart, document, .. } = overlay;
    for (place, path) in [("usual", usual), ("folder", folder)] {
        if !path.is_empty() && !is_within(path) {
            table.mistake(place, &format!("has `{path}`"), "write where it is within the home");
        }
    }
    // What is in a folder that is a link would be the user's own.
    let names = [("beside", beside), ("keeps", keeps), ("apart", apart)];
    let names = names.into_iter().flat_map(|(place, names)| names.iter().map(move |name| (place, name)));
    let document = Some(document).filter(|document| !document.is_empty());
    for (place, name) in names.chain(document.map(|document| ("document", document))) {
        if !is_within(name) || name.contains('/') {
            table.mistake(place, &format!("has `{name}`"), "write a name without a path");
        }
    }
    let first = folder.split('/').next().unwrap_or_default();
    if let Some(name) = beside.iter().find(|name| folder.is_empty() || *name == first) {
        let fix = "leave it out: all that is in `folder` is there anyway";
        table.mistake("beside", &format!("has `{name}`, which is in the folder"), fix);
    }
    if let Some(name) = keeps.iter().find(|name| !overlay.shares(name)) {
        table.mistake("keeps", &format!("has `{name}`, which is not shared"), "name a folder of the program");
    }
}
