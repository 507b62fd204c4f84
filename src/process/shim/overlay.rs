//! A home for one process: links to what is in its usual one, and one document that says more.
//!
//! What it writes goes through the links into the home of its user, but for what it writes by putting a new file
//! in the place of an old one: that goes with the process. The document is a copy for the owner's eyes alone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::core::process::Overlay;
use crate::core::process::files::{AGENT, AGENT_HOME};
use crate::process::rundir::RunDir;

/// Makes the home, and names it in the variables of the process.
///
/// Whoever has a document that cannot be read has it as it is, since the program itself says best what is wrong.
pub(super) fn make(
    overlay: &Overlay,
    variables: &mut BTreeMap<OsString, OsString>,
    dir: &RunDir,
) -> Result<(), String> {
    let usual = usual(overlay, variables)?;
    let home = dir.file(AGENT).join(AGENT_HOME);
    lay(overlay, &usual, &home).map_err(|error| format!("a home like `{}`: {error}", usual.display()))?;
    variables.insert(OsString::from(&overlay.variable), home.into_os_string());
    Ok(())
}

/// The home that it would have.
fn usual(overlay: &Overlay, variables: &BTreeMap<OsString, OsString>) -> Result<PathBuf, String> {
    let named = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
    if let Some(home) = named(&overlay.variable) {
        return Ok(PathBuf::from(home));
    }
    let home = named("HOME").ok_or("no variable says where its home is, not even HOME")?;
    Ok(Path::new(home).join(&overlay.usual))
}

fn lay(overlay: &Overlay, usual: &Path, home: &Path) -> io::Result<()> {
    let (from, to) = (usual.join(&overlay.folder), home.join(&overlay.folder));
    for kept in &overlay.keeps {
        folder(&from.join(kept))?;
    }
    folder(&to)?;
    for entry in fs::read_dir(&from)? {
        let name = entry?.file_name();
        if name != OsStr::new(&overlay.document) {
            symlink(from.join(&name), to.join(&name))?;
        }
    }
    for name in overlay.beside.iter().filter(|name| usual.join(name).exists()) {
        symlink(usual.join(name), home.join(name))?;
    }
    let (theirs, ours) = (from.join(&overlay.document), to.join(&overlay.document));
    let said = match fs::read_to_string(&theirs) {
        Ok(text) if text.trim().is_empty() => Some(Json::Object(serde_json::Map::new())),
        Ok(text) => serde_json::from_str(&without_comments(&text)).ok().filter(Json::is_object),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Json::Object(serde_json::Map::new())),
        Err(_) => None,
    };
    let Some(mut said) = said else { return symlink(theirs, ours) };
    add(&mut said, &overlay.adds);
    RunDir::at(to).replace(&overlay.document, said.to_string().as_bytes())
}

/// Makes a folder for its owner's eyes alone, unless it is there.
fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Joins objects; anything else takes the place of what was there.
fn add(said: &mut Json, more: &Json) {
    match (said, more) {
        (Json::Object(said), Json::Object(more)) => {
            for (name, value) in more {
                add(said.entry(name.clone()).or_insert(Json::Null), value);
            }
        }
        (said, more) => said.clone_from(more),
    }
}

/// The document without `//` and `/* */`, which some programs allow in their settings.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '/']) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let end = match from.as_bytes() {
            [b'"', ..] => string_end(from),
            [b'/', b'/', ..] => from.find('\n').unwrap_or(from.len()),
            [b'/', b'*', ..] => from[2..].find("*/").map_or(from.len(), |end| end + 4),
            _ => 1,
        };
        let (piece, after) = from.split_at(end);
        if !piece.starts_with("//") && !piece.starts_with("/*") {
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
    #![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn overlay() -> Overlay {
        Overlay {
            variable: "AGENT_HOME".to_owned(),
            usual: String::new(),
            folder: ".agent".to_owned(),
            beside: vec![".env".to_owned(), ".absent".to_owned()],
            keeps: vec!["talks".to_owned()],
            document: "settings.json".to_owned(),
            adds: json!({ "servers": { "ours": { "command": "us" } } }),
        }
    }

    /// A home with these settings, and what becomes of it: the user's folder and the one that is made.
    fn made(settings: Option<&str>, by_variable: bool) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let user = folder.path().join("user");
        fs::create_dir_all(user.join(".agent")).unwrap();
        fs::write(user.join(".agent/key"), "secret").unwrap();
        fs::write(user.join(".env"), "A=b").unwrap();
        if let Some(settings) = settings {
            fs::write(user.join(".agent/settings.json"), settings).unwrap();
        }
        let name = if by_variable { "AGENT_HOME" } else { "HOME" };
        let mut variables = BTreeMap::from([(OsString::from(name), user.clone().into_os_string())]);
        let dir = RunDir::at(folder.path().join("run"));
        make(&overlay(), &mut variables, &dir).unwrap();
        let home = PathBuf::from(&variables[OsStr::new("AGENT_HOME")]);
        assert!(home.starts_with(dir.path()));
        (folder, user, home)
    }

    fn said(home: &Path) -> Json {
        serde_json::from_slice(&fs::read(home.join(".agent/settings.json")).unwrap()).unwrap()
    }

    #[test]
    fn all_is_as_it_was_but_for_what_one_document_says_more() {
        let theirs = r#"{ "theme": "dark", // as we like it
            "servers": { "theirs": { "command": "http://them" }, "ours": { "command": "old", "args": [] } } }"#;
        for by_variable in [false, true] {
            let (_folder, user, home) = made(Some(theirs), by_variable);
            assert_eq!(
                said(&home),
                json!({ "theme": "dark", "servers": {
                    "theirs": { "command": "http://them" }, "ours": { "command": "us", "args": [] },
                } })
            );
            assert_eq!(fs::read_to_string(user.join(".agent/settings.json")).unwrap(), theirs);
            let mode = fs::metadata(home.join(".agent/settings.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(fs::read_to_string(home.join(".env")).unwrap(), "A=b");
            fs::write(home.join(".agent/key"), "fresh").unwrap();
            fs::write(home.join(".agent/talks/one"), "hello").unwrap();
            // Its end takes none of that away.
            fs::remove_dir_all(&home).unwrap();
            assert_eq!(fs::read_to_string(user.join(".agent/key")).unwrap(), "fresh");
            assert_eq!(fs::read_to_string(user.join(".agent/talks/one")).unwrap(), "hello");
        }
    }

    #[test]
    fn who_has_said_nothing_so_far_says_what_is_added() {
        for settings in [None, Some(""), Some(" \n")] {
            let (_folder, user, home) = made(settings, false);
            assert_eq!(said(&home), overlay().adds);
            assert_eq!(user.join(".agent/settings.json").exists(), settings.is_some());
        }
    }

    #[test]
    fn a_document_that_cannot_be_read_is_left_to_its_program() {
        for settings in ["{", "[]", "{ /* "] {
            let (_folder, user, home) = made(Some(settings), false);
            let link = fs::read_link(home.join(".agent/settings.json")).unwrap();
            assert_eq!(link, user.join(".agent/settings.json"));
        }
    }

    #[test]
    fn a_process_without_a_home_is_told_so() {
        let dir = RunDir::at(PathBuf::from("/nowhere"));
        assert!(make(&overlay(), &mut BTreeMap::new(), &dir).unwrap_err().contains("HOME"));
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
