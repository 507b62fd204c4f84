//! Reading what models write: one where many are meant, numbers where text is, objects where text is.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// Texts: one or many, each as text or as an object that is kept as JSON text.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => Vec::new(),
        Json::Array(many) => many.into_iter().map(text_of).collect(),
        one @ (Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_)) => vec![text_of(one)],
    })
}

/// Named texts: `name: text`, one or many, or an object of them.
pub fn named_texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let named = |map: BTreeMap<String, Json>| {
        map.into_iter().map(|(name, value)| format!("{name}: {}", text_of(value)))
    };
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => Vec::new(),
        Json::Array(many) => many.into_iter().map(check_of).collect(),
        one @ Json::Object(_) if named_line(&one).is_some() => vec![check_of(one)],
        Json::Object(map) => named(map.into_iter().collect()).collect(),
        one @ (Json::Bool(_) | Json::Number(_) | Json::String(_)) => vec![check_of(one)],
    })
}

/// A check: a text, or an object that names it and its line, which may stand in a text too.
fn check_of(value: Json) -> String {
    let inner = value.as_str().filter(|text| text.trim_start().starts_with('{'));
    let parsed = inner.and_then(|text| serde_json::from_str::<Json>(text).ok());
    named_line(parsed.as_ref().unwrap_or(&value)).unwrap_or_else(|| text_of(value))
}

/// What members are called that name a check, and that say its line.
const NAMES: [&str; 3] = ["name", "id", "title"];
const LINES: [&str; 5] = ["command", "cmd", "check", "run", "line"];

fn named_line(value: &Json) -> Option<String> {
    let map = value.as_object()?;
    let text = |names: &[&str]| names.iter().find_map(|name| map.get(*name)?.as_str());
    if let (1, Some((name, Json::String(line)))) = (map.len(), map.iter().next())
        && !LINES.contains(&name.as_str())
    {
        return Some(format!("{name}: {line}"));
    }
    let known = map.keys().all(|key| NAMES.contains(&key.as_str()) || LINES.contains(&key.as_str()));
    let line = text(&LINES).filter(|_| known)?;
    Some(text(&NAMES).map_or_else(|| line.to_owned(), |name| format!("{name}: {line}")))
}

/// A text, or a number written as one.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => None,
        one @ (Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_)) => {
            Some(text_of(one))
        }
    })
}

fn text_of(value: Json) -> String {
    match value {
        Json::String(text) => text,
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            other.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_check_is_a_text_or_an_object_that_names_it() {
        let check = |written: Json, read: &[&str]| {
            assert_eq!(named_texts(written.clone()).expect("texts"), read, "{written}");
        };
        check(json!("t: true"), &["t: true"]);
        check(json!(["t: true", "u: false"]), &["t: true", "u: false"]);
        check(json!({"t": "true", "u": "false"}), &["t: true", "u: false"]);
        check(json!([{"name": "t", "command": "true"}]), &["t: true"]);
        check(json!({"name": "t", "cmd": "true"}), &["t: true"]);
        check(json!(["{\"name\": \"t\", \"command\": \"true\"}"]), &["t: true"]);
        check(json!([{"t": "true"}]), &["t: true"]);
        check(json!([{"command": "true"}]), &["true"]);
    }
}
