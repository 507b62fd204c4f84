//! Outlines: a JSON document read only where something is wanted of it.
//!
//! What stands elsewhere is looked at for its end alone and never kept, which is most of what agents write.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Value as Json};

use crate::agent::place::{Place, Step};

/// What was read of a document: the names that are known beforehand are those of the outline.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree<'o> {
    /// Something that is wanted whole; null for what is not wanted.
    Whole(Json),
    /// The members of which something is wanted.
    Members(Vec<(Cow<'o, str>, Tree<'o>)>),
    /// The items of a list.
    Items(Vec<Tree<'o>>),
}

/// The places of documents that are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline(Node);

#[derive(Debug, Clone, Default)]
struct Node {
    /// Whether all that stands here is wanted.
    is_whole: bool,
    members: Vec<(String, Node)>,
    /// What is wanted of the members that have no name here.
    others: Option<Box<Node>>,
    /// What is wanted of each item of a list.
    items: Option<Box<Node>>,
}

impl Outline {
    /// One of these places.
    pub(super) fn of(places: impl IntoIterator<Item = Place>) -> Self {
        let mut root = Node::default();
        for place in places {
            root.add(place.steps());
        }
        Self(root)
    }

    /// Reads a document; what is not wanted of it is absent or null.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Tree<'_>, Error> {
        let mut document = serde_json::Deserializer::from_slice(bytes);
        let read = self.0.deserialize(&mut document)?;
        document.end()?;
        Ok(read)
    }
}

impl Node {
    fn add(&mut self, steps: &[Step]) {
        let Some((first, rest)) = steps.split_first() else {
            self.is_whole = true;
            return;
        };
        match first {
            Step::Member(name) => {
                let place = self.members.iter().position(|(known, _)| known == name);
                let place = place.unwrap_or_else(|| {
                    self.members.push((name.clone(), Self::default()));
                    self.members.len() - 1
                });
                self.members[place].1.add(rest);
            }
            Step::Any => self.others.get_or_insert_default().add(rest),
            Step::Each => self.items.get_or_insert_default().add(rest),
        }
        // A member that is wanted by its name and as any other one would have two outlines.
        if self.others.is_some() && !self.members.is_empty() {
            self.is_whole = true;
        }
    }

    fn member(&self, name: &str) -> Option<(Cow<'_, str>, &Self)> {
        let named = self.members.iter().find(|(known, _)| known == name);
        named.map(|(known, node)| (Cow::Borrowed(known.as_str()), node)).or_else(|| {
            let others = self.others.as_deref()?;
            Some((Cow::Owned(name.to_owned()), others))
        })
    }
}

impl<'de, 'o> DeserializeSeed<'de> for &'o Node {
    type Value = Tree<'o>;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<Tree<'o>, D::Error> {
        if self.is_whole {
            Json::deserialize(document).map(Tree::Whole)
        } else {
            document.deserialize_any(self)
        }
    }
}

impl<'de, 'o> Visitor<'de> for &'o Node {
    type Value = Tree<'o>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_str<E>(self, _: &str) -> Result<Tree<'o>, E> {
        Ok(Tree::Whole(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree<'o>, A::Error> {
        let mut read = Vec::new();
        match &self.items {
            Some(items) => {
                while let Some(item) = list.next_element_seed(&**items)? {
                    read.push(item);
                }
            }
            None => while list.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(Tree::Items(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'o>, A::Error> {
        let mut read: Vec<(Cow<'o, str>, Tree<'o>)> = Vec::new();
        while let Some(found) = members.next_key_seed(Name(self))? {
            match found {
                Some((name, node)) => {
                    let value = members.next_value_seed(node)?;
                    // Of a member that is there twice, the last counts.
                    match read.iter_mut().find(|(known, _)| *known == name) {
                        Some(known) => known.1 = value,
                        None => read.push((name, value)),
                    }
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Tree::Members(read))
    }
}

/// Reads the name of a member; none when nothing of it is wanted.
struct Name<'n>(&'n Node);

impl<'de, 'n> DeserializeSeed<'de> for Name<'n> {
    type Value = Option<(Cow<'n, str>, &'n Node)>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Name<'n> {
    type Value = Option<(Cow<'n, str>, &'n Node)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.member(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::place::Spot;

    fn json(tree: &Tree<'_>) -> Json {
        match tree {
            Tree::Whole(value) => value.clone(),
            Tree::Members(members) => {
                members.iter().map(|(name, value)| (name.to_string(), json(value))).collect()
            }
            Tree::Items(items) => items.iter().map(json).collect(),
        }
    }

    fn check(places: &[&str], document: &Json, expected: &Json) {
        let parsed = places.iter().map(|place| place.parse::<Place>().expect(place));
        let outline = Outline::of(parsed);
        let read = outline.read(document.to_string().as_bytes()).expect("JSON");
        assert_eq!(json(&read), *expected, "{places:?}");
        for place in places {
            let place: Place = place.parse().expect(place);
            assert_eq!(place.find(Spot::of(&read)), place.find(Spot::Json(document)), "{place}");
        }
    }

    #[test]
    fn what_is_wanted_is_read_and_nothing_else() {
        let document = json!({
            "type": "result",
            "usage": { "in": 3, "more": { "deep": [[[]]] } },
            "items": [{ "text": "a", "id": 1 }, "b", { "id": 2 }],
            "models": { "x": { "window": 1, "cost": 2 }, "y": { "window": 3 } },
        });
        check(&["type"], &document, &json!({ "type": "result" }));
        check(&["usage.in", "usage.out"], &document, &json!({ "usage": { "in": 3 } }));
        check(&["usage", "usage.in"], &document, &json!({ "usage": document["usage"] }));
        check(&["items[].text"], &document, &json!({ "items": [{ "text": "a" }, null, {}] }));
        let windows = json!({ "models": { "x": { "window": 1 }, "y": { "window": 3 } } });
        check(&["models.*.window"], &document, &windows);
        check(&["models.*.window", "models.x.cost"], &document, &json!({ "models": document["models"] }));
        check(&["type.inner", "items.a"], &document, &json!({ "type": null, "items": [] }));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let outline = Outline::of(["a.b".parse::<Place>().expect("a place")]);
        for text in ["", "{", "{\"a\":", "{} {}", "{\"a\":{\"b\":1}", "{a:1}"] {
            assert!(outline.read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
