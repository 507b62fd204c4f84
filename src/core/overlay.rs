//! Overlays: a home that a program has for the time of one process, like its usual one but for one document.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Links to all that is in a usual home, and a document of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The variable that names the home.
    pub variable: String,
    /// Where the home is while nothing names it, in the home of its user.
    pub usual: String,
    /// The folder of the home in which the program keeps things; the home itself when empty.
    pub folder: String,
    /// What else of the home the program looks at.
    pub beside: Vec<String>,
    /// Folders that the program makes in the folder when they are not there. They are made in the usual home.
    pub keeps: Vec<String>,
    /// What of the folder is about where it lies, so that neither home is to have the other's.
    pub apart: Vec<String>,
    /// The document, in the folder.
    pub document: String,
    /// What it says beyond what it says already.
    pub adds: Json,
}

impl Overlay {
    /// The document, where the usual one says `theirs`; none when that cannot be read.
    ///
    /// An entry of an object that is added takes the place of theirs of the same name, whole.
    pub fn say(&self, theirs: &str) -> Option<String> {
        let mut said = match theirs.trim() {
            "" => Map::new(),
            text => serde_json::from_str(&without_comments(text)).ok()?,
        };
        for (name, more) in self.adds.as_object()? {
            match (said.get_mut(name).and_then(Json::as_object_mut), more.as_object()) {
                (Some(entries), Some(more)) => entries.extend(more.clone()),
                _ => drop(said.insert(name.clone(), more.clone())),
            }
        }
        Some(Json::Object(said).to_string())
    }

    /// Whether something of this name in the folder is the same in both homes.
    pub fn shares(&self, name: &str) -> bool {
        name != self.document && self.apart.iter().all(|apart| apart != name)
    }
}

/// The document without `//` and `/* */`, which some programs allow in their settings.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '/']) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let (end, is_comment) = match from.as_bytes() {
            [b'"', ..] => (string_end(from), false),
            [b'/', b'/', ..] => (from.find('\n').unwrap_or(from.len()), true),
            [b'/', b'*', ..] => (from[2..].find("*/").map_or(from.len(), |end| end + 4), true),
            _ => (1, false),
        };
        let (piece, after) = from.split_at(end);
        if !is_comment {
            kept.push_str(piece);
        }
        rest = after;
    }
    kept + rest
}

/// Where a string ends that begins here.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn overlay(adds: Json) -> Overlay {
        let text = String::new;
        Overlay {
            variable: text(),
            usual: text(),
            folder: text(),
            beside: Vec::new(),
            keeps: Vec::new(),
            apart: vec!["index".to_owned()],
            document: "settings.json".to_owned(),
            adds,
        }
    }

    fn check(theirs: &str, expected: Option<&Json>) {
        let said = overlay(json!({ "servers": { "ours": { "command": "us" } }, "beep": true })).say(theirs);
        let said = said.map(|text| serde_json::from_str::<Json>(&text).expect("it is a document"));
        assert_eq!(said.as_ref(), expected, "{theirs}");
    }

    #[test]
    fn what_is_added_stands_beside_theirs_and_takes_the_place_of_their_own_word_for_it() {
        let ours = json!({ "command": "us" });
        let alone = json!({ "servers": { "ours": ours }, "beep": true });
        check("", Some(&alone));
        check(" \n", Some(&alone));
        check("{}", Some(&alone));
        check(r#"{"servers": null, "beep": {"a": 1}}"#, Some(&alone));
        let theirs = r#"{ "theme": "dark", // as we like it
            "servers": { "theirs": { "url": "http://them" }, "ours": { "url": "http://old", "off": true } } }"#;
        let both = json!({ "theirs": { "url": "http://them" }, "ours": ours });
        check(theirs, Some(&json!({ "theme": "dark", "servers": both, "beep": true })));
    }

    #[test]
    fn what_is_no_object_has_no_place_for_it() {
        for theirs in ["{", "[]", "1", "{ /* ", "null"] {
            check(theirs, None);
        }
    }

    #[test]
    fn a_document_and_what_is_about_its_place_are_not_shared() {
        let overlay = overlay(json!({}));
        let shared = ["settings.json", "index", "login"].map(|name| overlay.shares(name));
        assert_eq!(shared, [false, false, true]);
    }

    #[test]
    fn comments_end_where_they_do() {
        let check = |text: &str, expected: &str| assert_eq!(without_comments(text), expected, "{text}");
        check(r#"{"a":"//b"}"#, r#"{"a":"//b"}"#);
        check(r#"{"a":"\"/*",/* " */"b":1}//"#, r#"{"a":"\"/*","b":1}"#);
        check("1//\n/2/**/3", "1\n/23");
        check("\"\\", "\"\\");
        check("/*/", "");
    }
}
