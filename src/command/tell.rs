//! Telling: a reply as a model reads it - brief, fenced where others wrote it, and never too long.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::command::caller::Audience;
use crate::command::room::Room;
use crate::command::{Context, fence, room, speak};
use crate::core::plain::plain;

/// A reply that can be told to a model.
pub trait Tell: Serialize {
    /// What is told; its schema is the one that agents are shown.
    type Told: Serialize + JsonSchema;

    /// Says what matters of it.
    fn tell(self, cx: &Context<'_>) -> Self::Told;
}

/// The reply as its reader is given it: a person's programs rely on every field, a model is spared those that
/// say nothing.
pub fn reply<R: Tell>(reply: R, cx: &Context<'_>) -> Json {
    match cx.caller.reader {
        Audience::Person => json(&reply),
        Audience::Model => {
            let mut told = without_nulls(json(&reply.tell(cx)));
            make_plain(&mut told);
            room::fit(told)
        }
    }
}

/// All of a reply, for a verb that no model is told of, or one in which there is nothing that others wrote.
pub fn all(reply: &impl Serialize) -> Map<String, Json> {
    match json(reply) {
        Json::Object(all) => all,
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
            unreachable!("a reply is an object, not {other}")
        }
    }
}

/// Takes out of every text what is not seen.
fn make_plain(value: &mut Json) {
    match value {
        Json::String(text) => *text = plain(text),
        Json::Array(items) => items.iter_mut().for_each(make_plain),
        Json::Object(members) => members.values_mut().for_each(make_plain),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn json(reply: &impl Serialize) -> Json {
    serde_json::to_value(reply).expect("a reply is plain data")
}

/// A member that says nothing is left out; in a list each place counts.
fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(members) => {
            let said = members.into_iter().filter(|(_, member)| !member.is_null());
            Json::Object(said.map(|(name, member)| (name, without_nulls(member))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(without_nulls).collect()),
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => other,
    }
}

/// A call as a next step names it.
pub fn step(verb: &str, arguments: &Json) -> String {
    let none = Map::new();
    format!("`{}`", speak::call(verb, arguments.as_object().unwrap_or(&none)))
}

impl Context<'_> {
    /// Whether a model reads the reply.
    pub fn is_model(&self) -> bool {
        self.caller.reader == Audience::Model
    }

    /// The room for rows of a reply.
    pub fn room(&self) -> Room {
        if self.is_model() { Room::whole() } else { Room::endless() }
    }

    /// What others wrote, within a sentence: fenced and shortened for a model.
    pub fn quote(&self, text: &str) -> String {
        if self.is_model() { fence::data(&room::head(text, QUOTE_MOST, None)) } else { text.to_owned() }
    }

    /// What we say, with commands and flags turned into calls and fields for a model.
    pub fn say(&self, text: &str) -> String {
        if self.is_model() { speak::text(text) } else { text.to_owned() }
    }

    /// An instant as a model reads it: in the caller's zone, to the second.
    pub fn clock(&self, at: Timestamp) -> String {
        // Whoever named a zone that means nothing is told so where zones are read.
        let zone = self.caller.time_zone().unwrap_or(TimeZone::UTC);
        at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// The longest text of others within a sentence.
const QUOTE_MOST: usize = 300;
