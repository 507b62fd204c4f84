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
        Json::Array(many) => many.into_iter().map(text_of).collect(),
        Json::Object(map) => named(map.into_iter().collect()).collect(),
        one @ (Json::Bool(_) | Json::Number(_) | Json::String(_)) => vec![text_of(one)],
    })
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
