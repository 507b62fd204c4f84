//! Arguments: what was sent as a request, read as what was meant.
//!
//! Where the meaning is certain, another name, another type or another wrapping is taken; where it is not, the
//! refusal names every problem with its place. What the fields then say is for the verbs to judge.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::command::define::shorten;
use crate::command::schema::{Field, Kind, MORE, Object};
use crate::command::{Entry, REGISTRY, foreign};
use crate::core::nearest::nearest;
use crate::core::refusal::{Problem, Refusal};

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Read {
    /// The request, as far as it could be read.
    pub request: Object,
    /// What is wrong with the rest.
    pub problems: Vec<Problem>,
}

/// The fields of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Each of them.
    pub fields: Vec<Field>,
    names: Vec<String>,
}

static SHAPES: LazyLock<BTreeMap<&'static str, Shape>> = LazyLock::new(|| {
    let shape = |entry: &'static Entry| {
        let fields = (entry.fields)();
        let names = fields.iter().map(|field| field.name.clone()).collect();
        (entry.name, Shape { fields, names })
    };
    REGISTRY.iter().map(shape).collect()
});

/// The fields of the verb of this name.
pub fn shape(verb: &str) -> &'static Shape {
    SHAPES.get(verb).expect("every verb has its fields")
}

impl Shape {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The span that is meant by a number under a name with a unit, such as `timeout_seconds`.
    fn in_units(&self, name: &str, value: &Json) -> Option<(String, Json)> {
        let (name, unit) = foreign::with_unit(name)?;
        let ours = self.ours(name).filter(|ours| SPANS.contains(ours))?;
        Some((ours.to_owned(), format!("{}{unit}", count(value)?).into()))
    }

    /// Our name for what is called `name`.
    fn ours(&self, name: &str) -> Option<&str> {
        let known = |name: &str| self.names.iter().find(|field| *field == name).map(String::as_str);
        known(name).or_else(|| {
            let plain = snake(name);
            known(&plain).or_else(|| foreign::field(&plain, &self.names))
        })
    }
}

/// Fields that take a span and no instant.
const SPANS: [&str; 7] =
    ["every", "wait", "timeout", "idle_timeout", "retry_delay", "max_hours", "quota_wait"];

/// Names under which some clients put all arguments once more.
const WRAPPINGS: [&str; 5] = ["arguments", "args", "parameters", "params", "input"];

/// Reads a request of `verb`.
pub fn read(verb: &str, arguments: Json) -> Read {
    let shape = shape(verb);
    let mut read = Read::default();
    let Some(sent) = object(arguments, shape) else {
        read.problems
            .push(Problem::new("", format!("the arguments of {verb} are an object")).fix("send JSON"));
        return read;
    };
    for (name, value) in flat(sent) {
        read.field(verb, shape, &name, value);
    }
    if read.problems.is_empty() {
        read.missing(shape);
    }
    read
}

impl Read {
    /// The request, if nothing is wrong with it.
    pub fn finish(&self) -> Result<Object, Refusal> {
        if self.problems.is_empty() {
            Ok(self.request.clone())
        } else {
            Err(Refusal::invalid(self.problems.clone()))
        }
    }

    fn field(&mut self, verb: &str, shape: &Shape, name: &str, value: Json) {
        let Some(ours) = shape.ours(name) else {
            if let Some((ours, span)) = shape.in_units(&snake(name), &value) {
                return self.field(verb, shape, &ours, span);
            }
            if !foreign::is_ignored(&snake(name)) {
                self.problems.push(stranger(verb, shape, name, &value));
                self.request.insert(name.to_owned(), value);
            }
            return;
        };
        if value.is_null() {
            return;
        }
        // A program and its arguments may come under the name of the shell line.
        let ours = if ours == "cmd" && value.is_array() { "argv" } else { ours };
        let field = shape.field(ours).expect("every name has its field");
        let (value, problem) = field.fitted(value);
        self.problems.extend(problem);
        if self.request.get(ours).is_some_and(|before| *before != value) {
            let twice = Problem::new(ours, format!("given twice, also as `{}`", shorten(name)));
            self.problems.push(twice.fix("send it once"));
            return;
        }
        self.request.insert(ours.to_owned(), value);
    }

    fn missing(&mut self, shape: &Shape) {
        let says_nothing = |value: Option<&Json>| {
            value.is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()))
        };
        for field in shape.fields.iter().filter(|field| field.needed) {
            if says_nothing(self.request.get(&field.name)) {
                let message = if field.name == "job" { "no job is named" } else { "missing" };
                let problem = Problem::new(&field.name, message);
                self.problems.push(match &field.kind {
                    Kind::Word(words) => problem.fix(format!("write {}", either(words))),
                    _ if field.name == "job" => problem.fix("name it; `converge ls` shows them"),
                    Kind::Text | Kind::Document | Kind::Texts | Kind::Count { .. } | Kind::Flag => {
                        problem.fix("say it")
                    }
                });
            }
        }
    }
}

impl Field {
    /// The value as this field takes it, and what is wrong with it.
    fn fitted(&self, value: Json) -> (Json, Option<Problem>) {
        let problem = |message: String, fix: &str| Some(Problem::new(&self.name, message).fix(fix));
        match (&self.kind, value) {
            (Kind::Text, Json::String(text)) => self.text(text),
            (Kind::Text, value @ (Json::Number(_) | Json::Bool(_))) => {
                (Json::String(value.to_string()), None)
            }
            (Kind::Text, Json::Array(mut items)) if items.len() == 1 && items[0].is_string() => {
                (items.remove(0), None)
            }
            // A chain of agents may come as a list.
            (Kind::Text, Json::Array(items)) if self.name == "agent" && items.iter().all(Json::is_string) => {
                let names: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                (names.join(",").into(), None)
            }
            (Kind::Text, value) => {
                let kind = if value.is_array() { "a list" } else { "an object" };
                (value, problem(format!("{kind}, not text"), "write text"))
            }
            (Kind::Document, value @ Json::String(_)) => (value, None),
            (Kind::Document, value @ Json::Object(_)) => (Json::String(value.to_string()), None),
            (Kind::Document, value) => (value, problem("no object".to_owned(), "write an object")),
            (Kind::Word(words), Json::String(text)) => {
                let plain = snake(text.trim());
                let ours = words.iter().map(String::as_str).find(|word| *word == plain);
                let ours = ours.or_else(|| foreign::word(&self.name, &plain));
                let unsure = foreign::unsure_word(&self.name, &plain).filter(|_| ours.is_none());
                let unsure = unsure
                    .and_then(|fix| problem(format!("`{}` may mean one of several", shorten(&text)), fix));
                (ours.map_or(Json::String(text), Json::from), unsure)
            }
            (Kind::Word(words), value) => {
                (value, problem("not a word".to_owned(), &format!("write {}", either(words))))
            }
            (Kind::Texts, Json::String(text)) => self.texts(text),
            (Kind::Texts, Json::Array(items)) if self.name == "argv" => (
                Json::Array(
                    items
                        .into_iter()
                        .map(|item| if item.is_string() { item } else { item.to_string().into() })
                        .collect(),
                ),
                None,
            ),
            (Kind::Texts, value) => (value, None),
            (Kind::Count { most }, value) => match count(&value).filter(|count| count <= most) {
                Some(count) => (json!(count), None),
                None => (
                    value.clone(),
                    problem(
                        format!("`{}` is no whole number", shorten(&text_of(&value))),
                        "write a number such as `10`",
                    ),
                ),
            },
            (Kind::Flag, value) => match flag(&value) {
                Some(flag) => (Json::Bool(flag), None),
                None => (
                    value.clone(),
                    problem(
                        format!("`{}` is neither true nor false", shorten(&text_of(&value))),
                        "write `true` or `false`",
                    ),
                ),
            },
        }
    }

    /// A text in our form of what it says.
    fn text(&self, text: String) -> (Json, Option<Problem>) {
        let name = self.name.as_str();
        if name == "every" && foreign::is_cron(text.trim()) {
            let problem = foreign::unbuilt(name, &text);
            return (text.into(), Some(problem));
        }
        let said = match name {
            "every" => foreign::of_iso_span(text.trim_start_matches("every "))
                .or_else(|| text.strip_prefix("every ").map(ToOwned::to_owned)),
            "tz" if TimeZone::get(&text).is_err() => foreign::zone(&text),
            name if SPANS.contains(&name) => foreign::of_iso_span(&text),
            _ => None,
        };
        (said.unwrap_or(text).into(), None)
    }

    /// A list that was written as text: as JSON, or as the one item it has.
    fn texts(&self, text: String) -> (Json, Option<Problem>) {
        if text.trim_start().starts_with('[')
            && let Ok(Json::Array(items)) = serde_json::from_str(text.trim())
        {
            return (Json::Array(items), None);
        }
        if self.name == "argv" {
            let words: Vec<&str> = text.split_whitespace().collect();
            let fix = format!("write `{}`, or send it as `cmd`", json!(words));
            let problem = Problem::new("argv", "text, not a list").fix(fix);
            return (Json::String(text), Some(problem));
        }
        (json!([text]), None)
    }
}

/// The object that was sent, out of whatever it was wrapped in.
fn object(arguments: Json, shape: &Shape) -> Option<Object> {
    match arguments {
        Json::Null => Some(Object::new()),
        Json::Object(sent) => {
            let mut members = sent.iter();
            let (Some((name, inner)), None) = (members.next(), members.next()) else { return Some(sent) };
            let wraps = WRAPPINGS.contains(&name.as_str()) && !shape.names.contains(name);
            let inner = Some(inner.clone()).filter(|_| wraps).and_then(|inner| match inner {
                Json::Object(inner) => Some(inner),
                Json::String(text) => parsed(&text),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => None,
            });
            Some(inner.unwrap_or(sent))
        }
        Json::String(text) => parsed(&text),
        Json::Array(mut items) if items.len() == 1 => match items.remove(0) {
            Json::Object(sent) => Some(sent),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
        },
        Json::Array(_) | Json::Bool(_) | Json::Number(_) => None,
    }
}

/// An object in text, with or without a fence of Markdown round it; no text at all is an empty one.
fn parsed(text: &str) -> Option<Object> {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    let text =
        inner.map_or(text, |inner| inner.trim_start_matches(|letter: char| letter.is_alphanumeric()).trim());
    if text.is_empty() {
        return Some(Object::new());
    }
    match serde_json::from_str(text).ok()? {
        Json::Object(sent) => Some(sent),
        Json::String(inner) if inner.trim_start().starts_with('{') => parsed(&inner),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

/// The members with those of `more` among them.
fn flat(sent: Object) -> Vec<(String, Json)> {
    let mut members = Vec::with_capacity(sent.len());
    for (name, value) in sent {
        match (name.as_str(), value) {
            (MORE, Json::Object(rare)) => members.extend(rare),
            (MORE, Json::String(text)) if parsed(&text).is_some() => {
                members.extend(parsed(&text).into_iter().flatten());
            }
            (MORE, Json::Null) => {}
            (_, value) => members.push((name, value)),
        }
    }
    members
}

fn stranger(verb: &str, shape: &Shape, name: &str, value: &Json) -> Problem {
    let has_schedule = shape.names.iter().any(|field| field == "every");
    if has_schedule && foreign::is_unbuilt(&snake(name)) {
        return foreign::unbuilt(name, &text_of(value));
    }
    let problem = Problem::new(name, format!("{verb} has no field `{}`", shorten(name)));
    if let Some(fix) = foreign::unsure_field(&snake(name), &shape.names) {
        return problem.fix(fix);
    }
    match nearest(name, shape.names.iter().map(String::as_str)) {
        Some(near) => problem.fix(format!("did you mean `{near}`?")),
        None => problem.fix(format!("leave it out; the fields are {}", shape.names.join(", "))),
    }
}

/// A name in small letters with `_`: `maxRuns` and `max-runs` are `max_runs`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && after_small {
            snake.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_ascii_digit();
        match letter {
            '-' | ' ' | '.' => snake.push('_'),
            letter => snake.extend(letter.to_lowercase()),
        }
    }
    snake
}

fn count(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A number without a fraction.
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok()).flatten()
}

fn flag(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        Json::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" | "" => Some(false),
            _ => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn text_of(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Words as what can be written: `` `a`, `b` or `c` ``.
fn either(words: &[String]) -> String {
    let ticked: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match ticked.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => ticked.concat(),
    }
}
