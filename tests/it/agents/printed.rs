//! What `converge mcp --print-config` prints, done word by word: registering, and allowing.
//!
//! The README has the same lines, which a test of `surface/cli/clients.rs` compares.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::clients::Client;
use crate::home::Home;

/// The three parts of it.
#[derive(Debug)]
pub(crate) struct Printed {
    /// The line for a shell; none for a client without such a command.
    line: Option<String>,
    /// The file, and what is to stand in it.
    file: String,
    entry: String,
    /// Where it is written that nobody need be asked, and how.
    place: String,
    allow: String,
}

/// A way to register a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The client's own command, where it has one.
    Line,
    /// The client's file.
    File,
}

impl Printed {
    /// What is printed for a client.
    #[track_caller]
    pub(crate) fn of(home: &Home, client: &dyn Client) -> Self {
        let said = home.run(&["mcp", "--print-config", client.name()]).done();
        let mut printed = Self {
            line: None,
            file: String::new(),
            entry: String::new(),
            place: String::new(),
            allow: String::new(),
        };
        for part in said.out.strip_prefix("# ").unwrap().split("\n# ") {
            let (title, body) = part.split_once('\n').unwrap();
            let body = body.trim_end().to_owned();
            let after = |mark| title.split_once(mark).map(|(_, rest): (&str, &str)| rest.to_owned());
            if let Some(place) = title.strip_prefix("to be asked less: ") {
                (printed.place, printed.allow) = (place.to_owned(), body);
            } else if let Some(file) = after("in ~/") {
                (printed.file, printed.entry) = (file, body);
            } else {
                printed.line = Some(body);
            }
        }
        printed
    }

    /// The line for a shell, if that is the way and there is one.
    pub(crate) fn line(&self, way: Way) -> Option<&str> {
        self.line.as_deref().filter(|_| way == Way::Line)
    }

    /// Writes what is to stand in the file, beside what stands there.
    pub(crate) fn write_entry(&self, user: &Path) {
        let path = user.join(&self.file);
        if self.entry.starts_with('{') {
            change(&path, |document| merge(document, read(&self.entry)));
        } else {
            let text = fs::read_to_string(&path).unwrap_or_default();
            fs::write(&path, format!("{text}\n{}\n", self.entry)).unwrap();
        }
    }

    /// Writes that nobody need be asked, and answers the words for that which each prompt needs.
    pub(crate) fn allow(&self, user: &Path) -> Vec<String> {
        if self.place.contains("-p` never asks") {
            return Vec::new();
        }
        if self.place.starts_with("the command line") {
            return self.allow.split(' ').skip(1).map(str::to_owned).collect();
        }
        let end = self.place.find([',', ';']).unwrap_or(self.place.len());
        let path = user.join(self.place[..end].strip_prefix("~/").unwrap());
        if let Some((_, rest)) = self.place.split_once("below `") {
            let head = rest.split_once('`').unwrap().0;
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.matches(head).count(), 1, "{text}");
            fs::write(&path, text.replace(head, &format!("{head}\n{}", self.allow))).unwrap();
        } else if self.place.contains("inside `converge`") {
            let inner = read(&format!("{{{}}}", self.allow));
            change(&path, |document| merge(&mut document["mcpServers"]["converge"], inner));
        } else {
            change(&path, |document| merge(document, read(&self.allow)));
        }
        Vec::new()
    }
}

fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Changes a document in a file, which need not be there.
fn change(path: &Path, how: impl FnOnce(&mut Json)) {
    let mut document = fs::read_to_string(path).map_or_else(|_| read("{}"), |text| read(&text));
    how(&mut document);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, document.to_string()).unwrap();
}

/// Puts more into a document.
fn merge(document: &mut Json, more: Json) {
    match (document, more) {
        (Json::Object(old), Json::Object(new)) => {
            for (name, value) in new {
                merge(old.entry(name).or_insert(Json::Null), value);
            }
        }
        (old, new) => *old = new,
    }
}
