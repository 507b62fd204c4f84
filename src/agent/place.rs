//! Places: where in a JSON document something stands.
//!
//! `usage.input_tokens` is a member of a member; `denials[].tool` is that member of each item of a list, and
//! `models.*.window` that of each member.

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

use crate::agent::outline::Tree;

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Member(String),
    /// Every member.
    Any,
    /// Every item.
    Each,
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a place such as `usage.input_tokens` or `denials[].tool`")]
pub struct NotAPlace;

impl Place {
    /// What stands there; several values only where the place goes through a list, or through every member.
    pub(super) fn find<'a>(&self, document: Spot<'a>) -> Vec<&'a Json> {
        self.spots(document).into_iter().filter_map(Spot::whole).collect()
    }

    /// Where that is.
    pub(super) fn spots<'a>(&self, document: Spot<'a>) -> Vec<Spot<'a>> {
        let mut found = Vec::new();
        visit(&self.0, document, &mut |spot| {
            found.push(spot);
            false
        });
        found
    }

    /// Whether something that stands there is as wanted.
    pub(super) fn any<'a>(&self, document: Spot<'a>, mut is_wanted: impl FnMut(&'a Json) -> bool) -> bool {
        visit(&self.0, document, &mut |spot| spot.whole().is_some_and(&mut is_wanted))
    }

    /// The first thing that stands there.
    pub(super) fn first<'a>(&self, document: Spot<'a>) -> Option<&'a Json> {
        let mut first = None;
        self.any(document, |value| {
            first = Some(value);
            true
        });
        first
    }

    /// Whether one value stands there at most.
    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|step| matches!(step, Step::Member(_)))
    }

    /// The place that is `inner` of what stands here.
    pub(super) fn and(&self, inner: &Self) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// A spot in a document, or in what was read of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spot<'a> {
    /// Of which parts were read.
    Part(&'a Tree<'a>),
    /// That is there whole.
    Json(&'a Json),
}

impl<'a> Spot<'a> {
    /// The beginning of what was read.
    pub(super) fn of(tree: &'a Tree<'a>) -> Self {
        match tree {
            Tree::Whole(value) => Self::Json(value),
            Tree::Members(_) | Tree::Items(_) => Self::Part(tree),
        }
    }

    fn whole(self) -> Option<&'a Json> {
        match self {
            Self::Json(value) => Some(value),
            Self::Part(_) => None,
        }
    }
}

/// Shows what stands at the end of some steps until one is as wanted; says whether one was.
fn visit<'a>(steps: &[Step], spot: Spot<'a>, is_wanted: &mut dyn FnMut(Spot<'a>) -> bool) -> bool {
    let Some((first, rest)) = steps.split_first() else { return is_wanted(spot) };
    let mut goes_on = |spot| visit(rest, spot, is_wanted);
    match (first, spot) {
        (Step::Member(name), Spot::Part(Tree::Members(members))) => {
            let found = members.iter().find(|(known, _)| known == name);
            found.is_some_and(|(_, value)| goes_on(Spot::of(value)))
        }
        (Step::Member(name), Spot::Json(value)) => {
            value.get(name).is_some_and(|value| goes_on(Spot::Json(value)))
        }
        (Step::Any, Spot::Part(Tree::Members(members))) => {
            members.iter().any(|(_, value)| goes_on(Spot::of(value)))
        }
        (Step::Any, Spot::Json(value)) => {
            let members = value.as_object();
            members.is_some_and(|members| members.values().any(|value| goes_on(Spot::Json(value))))
        }
        (Step::Each, Spot::Part(Tree::Items(items))) => items.iter().any(|value| goes_on(Spot::of(value))),
        (Step::Each, Spot::Json(value)) => {
            value.as_array().is_some_and(|items| items.iter().any(|value| goes_on(Spot::Json(value))))
        }
        (Step::Member(_) | Step::Any | Step::Each, Spot::Part(_)) => false,
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
            steps.push(if name == "*" { Step::Any } else { Step::Member(name.to_owned()) });
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
            let dot = if place == 0 { "" } else { "." };
            match step {
                Step::Member(name) => write!(f, "{dot}{name}")?,
                Step::Any => write!(f, "{dot}*")?,
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
        assert_eq!(
            parsed.find(Spot::Json(&document)).into_iter().cloned().collect::<Vec<_>>(),
            expected,
            "{place}"
        );
        assert_eq!(parsed.to_string(), place);
    }

    #[test]
    fn a_place_leads_through_members_and_lists() {
        check("usage.in", &[json!(3)]);
        check("denials[].tool", &[json!("Bash"), json!("Edit")]);
        check("usage.out", &[]);
        check("usage[].in", &[]);
        check("*.in", &[json!(3)]);
        check("usage.*", &[json!(3)]);
        check("denials.*", &[]);
    }

    #[test]
    fn what_leads_nowhere_is_no_place() {
        for text in ["", "a..b", "[]", "a[0]", "a[].[]"] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }
}
