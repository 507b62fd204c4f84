//! Places: where in a JSON document something stands.
//!
//! `usage.input_tokens` is a member of a member; `denials[].tool` is that member of each item of a list.

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Each,
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a place such as `usage.input_tokens` or `denials[].tool`")]
pub struct NotAPlace;

impl Place {
    /// What stands there; several values only where the place goes through a list.
    pub fn find<'a>(&self, document: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![document];
        for step in &self.0 {
            found = match step {
                Step::Member(name) => found.into_iter().filter_map(|value| value.get(name)).collect(),
                Step::Each => found.into_iter().filter_map(Json::as_array).flatten().collect(),
            };
        }
        found
    }

    /// The first thing that stands there.
    pub fn first<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        self.find(document).into_iter().next()
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, is_each) = match part.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (part, false),
            };
            if name.is_empty() || name.contains(['[', ']']) {
                return Err(NotAPlace);
            }
            steps.push(Step::Member(name.to_owned()));
            if is_each {
                steps.push(Step::Each);
            }
        }
        Ok(Self(steps))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if place == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Each => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(place: &str, expected: &[Json]) {
        let document =
            json!({ "usage": { "in": 3 }, "denials": [{ "tool": "Bash" }, {}, { "tool": "Edit" }] });
        let parsed: Place = place.parse().expect(place);
        assert_eq!(parsed.find(&document).into_iter().cloned().collect::<Vec<_>>(), expected, "{place}");
        assert_eq!(parsed.to_string(), place);
    }

    #[test]
    fn a_place_leads_through_members_and_lists() {
        check("usage.in", &[json!(3)]);
        check("denials[].tool", &[json!("Bash"), json!("Edit")]);
        check("usage.out", &[]);
        check("usage[].in", &[]);
    }

    #[test]
    fn what_leads_nowhere_is_no_place() {
        for text in ["", "a..b", "[]", "a[0]", "a[].[]"] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }
}
