//! Rules by what they look for: of an event only those are tried that may fit it.
//!
//! Nearly every manifest tells events apart by one member, such as `type`. That is looked up once.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::agent::document::Scalar;
use crate::agent::output::EventRule;
use crate::agent::place::{Place, Spot};

/// The rules of a manifest.
pub(super) enum Rules<'m> {
    /// Each wants one text at this place.
    ByText(&'m Place, HashMap<&'m str, Vec<&'m EventRule>>),
    /// They have no place in common.
    All(&'m [EventRule]),
}

impl<'m> Rules<'m> {
    /// These, in this order.
    pub(super) fn of(all: &'m [EventRule]) -> Self {
        let Some((place, _)) = all.first().and_then(|first| first.when.first()) else {
            return Self::All(all);
        };
        let mut by_text: HashMap<&str, Vec<&EventRule>> = HashMap::new();
        for rule in all {
            match wanted(rule, place) {
                Some(text) => by_text.entry(text).or_default().push(rule),
                None => return Self::All(all),
            }
        }
        Self::ByText(place, by_text)
    }

    /// Those that an event fits.
    pub(super) fn that_fit(&self, event: Spot<'_>) -> Vec<&'m EventRule> {
        match self {
            Self::ByText(place, by_text) => {
                let some = place.first(event).and_then(Json::as_str).and_then(|text| by_text.get(text));
                some.into_iter().flatten().filter(|rule| rule.fits(event)).copied().collect()
            }
            Self::All(all) => all.iter().filter(|rule| rule.fits(event)).collect(),
        }
    }
}

/// The one text that a rule wants at a place which holds one value.
fn wanted<'m>(rule: &'m EventRule, place: &Place) -> Option<&'m str> {
    let (_, scalar) = rule.when.iter().find(|(known, _)| known == place && known.is_plain())?;
    match scalar {
        Scalar::Text(text) if !text.ends_with('*') => Some(text),
        Scalar::Text(_) | Scalar::Number(_) | Scalar::Flag(_) => None,
    }
}
