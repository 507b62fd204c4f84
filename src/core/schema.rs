//! Schemas: what the result of a run is to fit, as JSON Schema.
//!
//! The agent holds its model to all of a schema. Here its result is looked at once more for what would mislead
//! whoever reads it next: that it is JSON, of the types that are named, with the members that are required. Every
//! other word of a schema is the agent's to know.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::nearest::nearest;

/// The longest schema: it goes into a command line.
pub const SCHEMA_MAX: usize = 16 << 10;

/// The types that there are.
const TYPES: [&str; 7] = ["object", "array", "string", "boolean", "null", "number", "integer"];

/// How deep a schema may be nested, so that every document it becomes a part of can still be read.
const DEPTH_MAX: usize = 48;

/// What a result is to fit; as text it is compact JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(Json);

/// Why a text is no schema of a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASchema {
    /// It is no JSON.
    #[error("is no JSON: {0}")]
    NotJson(String),
    /// It is JSON of another kind.
    #[error("is no JSON object")]
    NotAnObject,
    /// It describes something that is no object.
    #[error("is of something else than an object")]
    OfNoObject,
    /// It is too long to be handed on.
    #[error("is longer than 16 KiB")]
    TooLong,
    /// It is nested too deeply.
    #[error("is nested more than {DEPTH_MAX} deep")]
    TooDeep,
    /// A word of it that is looked at here means nothing.
    #[error("has a `{place}` that {why}")]
    Meaningless {
        /// Where.
        place: String,
        /// What it is.
        why: &'static str,
        /// What to write there.
        fix: String,
    },
}

/// Why a result does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is none.
    #[error("there is no structured result")]
    Nothing,
    /// It is no JSON.
    #[error("the result is no JSON")]
    NotJson,
    /// What stands at this place is of another type.
    #[error("the result does not fit its schema: {place} is no {wanted}")]
    Type {
        /// Where.
        place: String,
        /// The type, or the types, that it should be of.
        wanted: String,
    },
    /// A member is missing.
    #[error("the result does not fit its schema: {place} has no `{member}`")]
    Missing {
        /// Where.
        place: String,
        /// Which.
        member: String,
    },
}

impl FromStr for Schema {
    type Err = NotASchema;

    fn from_str(text: &str) -> Result<Self, NotASchema> {
        let document: Json =
            serde_json::from_str(text).map_err(|error| NotASchema::NotJson(error.to_string()))?;
        let schema = Self(document);
        if !schema.0.is_object() {
            return Err(NotASchema::NotAnObject);
        }
        if types(&schema.0).is_some_and(|wanted| wanted != ["object"]) {
            return Err(NotASchema::OfNoObject);
        }
        if schema.to_string().len() > SCHEMA_MAX {
            return Err(NotASchema::TooLong);
        }
        if depth(&schema.0) > DEPTH_MAX {
            return Err(NotASchema::TooDeep);
        }
        sense(&schema.0, "")?;
        Ok(schema)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Schema {
    /// The result as compact JSON, when it fits as far as is looked at.
    pub fn fit(&self, result: Option<&str>) -> Result<String, Misfit> {
        let result = result.ok_or(Misfit::Nothing)?;
        let document: Json = serde_json::from_str(result).map_err(|_| Misfit::NotJson)?;
        if !document.is_object() {
            return Err(Misfit::Type { place: "it".to_owned(), wanted: "object".to_owned() });
        }
        fit(&self.0, &document, "it")?;
        Ok(document.to_string())
    }
}

/// Refuses what the words that are looked at here cannot mean; `within` is where the schema stands.
fn sense(schema: &Json, within: &str) -> Result<(), NotASchema> {
    let at = |word: &str| if within.is_empty() { word.to_owned() } else { format!("{within}.{word}") };
    let wrong = |word: &str, why, fix: &str| {
        Err(NotASchema::Meaningless { place: at(word), why, fix: fix.to_owned() })
    };
    let Some(words) = schema.as_object() else {
        let why = "is no schema";
        let fix = "give it an object such as `{\"type\":\"string\"}`".to_owned();
        // `true` allows everything and `false` nothing.
        return if schema.is_boolean() {
            Ok(())
        } else {
            Err(NotASchema::Meaningless { place: within.to_owned(), why, fix })
        };
    };
    if let Some(named) = words.get("type") {
        let one = std::slice::from_ref(named);
        let named = named.as_array().map_or(one, Vec::as_slice);
        let is_type = |name: &Json| name.as_str().is_some_and(|name| TYPES.contains(&name));
        if let Some(other) = named.iter().find(|name| !is_type(name)) {
            let fix = match nearest(other.as_str().unwrap_or_default(), TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", TYPES.join("`, `")),
            };
            return wrong("type", "names no type", &fix);
        }
        if named.is_empty() {
            return wrong("type", "names no type", "name one, or leave it out");
        }
    }
    if let Some(required) = words.get("required")
        && !required.as_array().is_some_and(|names| names.iter().all(Json::is_string))
    {
        let fix = "list the names of members, as in `[\"ok\"]`";
        return wrong("required", "is no list of names", fix);
    }
    if let Some(properties) = words.get("properties") {
        let Some(properties) = properties.as_object() else {
            let fix = "give each member its schema, as in `{\"ok\":{\"type\":\"boolean\"}}`";
            return wrong("properties", "is no object", fix);
        };
        for (name, inner) in properties {
            sense(inner, &at(&format!("properties.{name}")))?;
        }
    }
    match words.get("items") {
        None => Ok(()),
        // One schema for each place, as older drafts have it.
        Some(Json::Array(several)) => several
            .iter()
            .enumerate()
            .try_for_each(|(place, inner)| sense(inner, &at(&format!("items[{place}]")))),
        Some(one) => sense(one, &at("items")),
    }
}

/// Looks at a part of a result; what a schema says in other words than these holds.
fn fit(schema: &Json, document: &Json, place: &str) -> Result<(), Misfit> {
    if let Some(wanted) = types(schema)
        && !wanted.iter().any(|wanted| is_of(document, wanted))
    {
        return Err(Misfit::Type { place: place.to_owned(), wanted: wanted.join(" or ") });
    }
    if let Some(members) = document.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
        if let Some(member) = required.into_iter().find(|member| !members.contains_key(*member)) {
            return Err(Misfit::Missing { place: place.to_owned(), member: member.to_owned() });
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(member) = members.get(name) {
                fit(inner, member, &format!("`{name}`"))?;
            }
        }
    }
    for item in document.as_array().into_iter().flatten() {
        fit(&schema["items"], item, &format!("an item of {place}"))?;
    }
    Ok(())
}

/// The types that a schema names.
fn types(schema: &Json) -> Option<Vec<&str>> {
    match &schema["type"] {
        Json::String(one) => Some(vec![one]),
        Json::Array(several) => Some(several.iter().filter_map(Json::as_str).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
    }
}

/// Whether a value is of a type; of one that nobody knows it is.
fn is_of(value: &Json, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        _ => true,
    }
}

fn depth(value: &Json) -> usize {
    let inner = match value {
        Json::Object(members) => members.values().map(depth).max(),
        Json::Array(items) => items.iter().map(depth).max(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return 0,
    };
    inner.unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type": "object", "required": ["ok"], "properties": {
        "ok": {"type": "boolean"}, "n": {"type": ["integer", "null"]}, "all": {"items": {"type": "string"}}}}"#;

    fn check(result: Option<&str>, expected: Result<&str, &str>) {
        let schema: Schema = SCHEMA.parse().expect("a schema");
        let found = schema.fit(result).map_err(|misfit| misfit.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{result:?}");
    }

    #[test]
    fn a_result_is_looked_at_for_what_misleads() {
        check(Some(" {\"ok\": true, \"n\": 2.0, \"more\": []} "), Ok(r#"{"ok":true,"n":2.0,"more":[]}"#));
        check(Some(r#"{"ok":false,"n":null,"all":["a"]}"#), Ok(r#"{"ok":false,"n":null,"all":["a"]}"#));
        check(None, Err("there is no structured result"));
        check(Some("all is well"), Err("the result is no JSON"));
        let misfit = |what: &str| format!("the result does not fit its schema: {what}");
        check(Some("[]"), Err(&misfit("it is no object")));
        check(Some(r#"{"n":1}"#), Err(&misfit("it has no `ok`")));
        check(Some(r#"{"ok":1}"#), Err(&misfit("`ok` is no boolean")));
        check(Some(r#"{"ok":true,"n":1.5}"#), Err(&misfit("`n` is no integer or null")));
        check(Some(r#"{"ok":true,"all":[1]}"#), Err(&misfit("an item of `all` is no string")));
    }

    #[test]
    fn what_is_no_schema_of_a_result_is_refused() {
        let refused = |text: &str| text.parse::<Schema>().map_err(|error| error.to_string());
        assert!(refused("{").is_err_and(|error| error.starts_with("is no JSON: EOF")));
        assert_eq!(refused("[1]"), Err("is no JSON object".to_owned()));
        assert_eq!(refused(r#"{"type":"array"}"#), Err("is of something else than an object".to_owned()));
        let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(SCHEMA_MAX));
        assert_eq!(refused(&long), Err("is longer than 16 KiB".to_owned()));
        let deep = format!("{}{}", "{\"not\":".repeat(49), "1") + &"}".repeat(49);
        assert_eq!(refused(&deep), Err("is nested more than 48 deep".to_owned()));
    }

    #[test]
    fn a_word_that_means_nothing_is_refused_with_its_place_and_what_to_write() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let found = match text.parse::<Schema>() {
                Ok(_) => None,
                Err(NotASchema::Meaningless { place, fix, .. }) => Some((place, fix)),
                Err(other) => panic!("{text}: {other}"),
            };
            let found = found.as_ref().map(|(place, fix)| (place.as_str(), fix.as_str()));
            assert_eq!(found, expected, "{text}");
        };
        let names = "list the names of members, as in `[\"ok\"]`";
        let members = "give each member its schema, as in `{\"ok\":{\"type\":\"boolean\"}}`";
        let schema = "give it an object such as `{\"type\":\"string\"}`";
        let integer = "did you mean `integer`?";
        check(r#"{"required":"a"}"#, Some(("required", names)));
        check(r#"{"required":[1]}"#, Some(("required", names)));
        check(r#"{"properties":"x"}"#, Some(("properties", members)));
        check(r#"{"properties":{"b":"string"}}"#, Some(("properties.b", schema)));
        check(r#"{"properties":{"b":{"type":"intger"}}}"#, Some(("properties.b.type", integer)));
        check(r#"{"properties":{"b":{"type":["null","intger"]}}}"#, Some(("properties.b.type", integer)));
        check(
            r#"{"properties":{"b":{"type":[]}}}"#,
            Some(("properties.b.type", "name one, or leave it out")),
        );
        check(
            r#"{"properties":{"b":{"items":{"required":true}}}}"#,
            Some(("properties.b.items.required", names)),
        );
        check(r#"{"items":[true,7]}"#, Some(("items[1]", schema)));
        check(r#"{"properties":{"type":{"type":"string"},"b":true},"items":[{}],"required":[]}"#, None);
        check(r#"{"enum":7,"anyOf":"x","$defs":{"a":{"type":"odd"}}}"#, None);
    }

    #[test]
    fn a_schema_is_its_text() {
        for text in [r#"{"type":"object","required":["ok"]}"#, "{}"] {
            assert_eq!(text.parse::<Schema>().expect("a schema").to_string(), text);
        }
    }
}
