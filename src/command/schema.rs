//! Schemas: what agents are shown of requests and replies, in the part of JSON Schema that every client reads.
//!
//! They are made from the types by `schemars` and then made portable: no references, no null types, no formats,
//! no defaults, since some clients warn about those or strip them. A request lists its common fields; the rare
//! ones are named in one field, `more`, because an agent pays for every word.

use clap::Args;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

/// A JSON object.
pub type Object = Map<String, Json>;

/// How the fields of a request are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// Each with its words.
    InWords,
    /// By name alone, since another verb tells the same words.
    ByName,
}

/// The field that holds the rare ones.
pub const MORE: &str = "more";

/// Marks a field that is told in [`MORE`].
const RARE: &str = "rare";

/// Marks a field that must be given, though it has a default.
const NEEDED: &str = "needed";

/// Marks a field whose text is a JSON object, or names a file of one.
const DOCUMENT: &str = "document";

/// Keywords that are never shown.
const NEVER: [&str; 10] = [
    "$schema",
    "title",
    "format",
    "default",
    "minimum",
    "maximum",
    RARE,
    NEEDED,
    DOCUMENT,
    "additionalProperties",
];

/// The schema of a request.
pub fn input<C: Args + JsonSchema>(fields: Fields) -> Object {
    let mut schema = whole::<C>(SchemaSettings::draft2020_12());
    let required = required::<C>(&schema);
    schema.remove("description");
    let mut properties = take_properties(&mut schema);
    let rare: Vec<String> =
        properties.iter().filter(|(_, is)| is_marked(is, RARE)).map(|(name, _)| name.clone()).collect();
    let mut told = Vec::new();
    for name in &rare {
        let is = properties.remove(name).expect("it was just there");
        told.push(format!("{name}: {}", is["description"].as_str().unwrap_or_default()));
    }
    if !rare.is_empty() {
        let words = format!("Rare fields. {}", told.join(". "));
        properties.insert(MORE.to_owned(), json!({ "type": "object", "description": words }));
    }
    for is in properties.values_mut() {
        make_portable(is);
        if let (Fields::ByName, Some(is)) = (fields, is.as_object_mut()) {
            is.remove("description");
        }
    }
    let mut input = Object::new();
    input.insert("type".to_owned(), "object".into());
    input.insert("properties".to_owned(), Json::Object(properties));
    if !required.is_empty() {
        input.insert("required".to_owned(), json!(required));
    }
    input
}

/// The schema of a reply: its fields and their types, and no deeper.
pub fn output<T: JsonSchema>() -> Object {
    let mut schema = whole::<T>(SchemaSettings::draft2020_12().for_serialize());
    let mut properties = take_properties(&mut schema);
    for is in properties.values_mut() {
        make_portable(is);
        *is = shallow(is);
    }
    let mut output = Object::new();
    output.insert("type".to_owned(), "object".into());
    output.insert("properties".to_owned(), Json::Object(properties));
    output.extend(schema.remove_entry("required"));
    output
}

/// Every field of a request with its kind, the rare ones too.
pub fn fields<C: Args + JsonSchema>() -> Vec<Field> {
    let mut schema = whole::<C>(SchemaSettings::draft2020_12());
    let required = required::<C>(&schema);
    let properties = take_properties(&mut schema);
    let command = C::augment_args(clap::Command::new("fields"));
    let field = |argument: &clap::Arg| {
        let name = argument.get_id().to_string();
        let is = properties.get(&name).cloned().unwrap_or_else(|| json!({ "type": "string" }));
        Field { kind: Kind::of(is), needed: required.contains(&name), name }
    };
    command.get_arguments().map(field).collect()
}

/// A field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub needed: bool,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A JSON object, which may be sent as text, or the name of a file of one.
    Document,
    /// One of these words.
    Word(Vec<String>),
    /// Texts.
    Texts,
    /// A whole number.
    Count {
        /// The largest.
        most: u64,
    },
    /// Yes or no.
    Flag,
}

impl Kind {
    fn of(mut schema: Json) -> Self {
        if is_marked(&schema, DOCUMENT) {
            return Self::Document;
        }
        let most = if schema["format"] == "uint32" { u32::MAX.into() } else { u64::MAX };
        make_portable(&mut schema);
        if let Some(words) = schema["enum"].as_array() {
            return Self::Word(words.iter().filter_map(Json::as_str).map(ToOwned::to_owned).collect());
        }
        match schema["type"].as_str() {
            Some("array") => Self::Texts,
            Some("integer") => Self::Count { most },
            Some("boolean") => Self::Flag,
            _ => Self::Text,
        }
    }
}

fn whole<T: JsonSchema>(mut settings: SchemaSettings) -> Object {
    settings.inline_subschemas = true;
    match settings.into_generator().into_root_schema_for::<T>().to_value() {
        Json::Object(schema) => schema,
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
            unreachable!("the schema of an object is {other}")
        }
    }
}

fn take_properties(schema: &mut Object) -> Object {
    match schema.remove("properties") {
        Some(Json::Object(properties)) => properties,
        Some(_) | None => Object::new(),
    }
}

/// What must be given: what the command line cannot do without, and what is marked.
fn required<C: Args>(schema: &Object) -> Vec<String> {
    let command = C::augment_args(clap::Command::new("required"));
    let needed = command.get_arguments().filter(|argument| {
        let name = argument.get_id().as_str();
        let marked = schema.get("properties").is_some_and(|properties| is_marked(&properties[name], NEEDED));
        argument.is_required_set() || marked
    });
    needed.map(|argument| argument.get_id().to_string()).collect()
}

fn is_marked(schema: &Json, mark: &str) -> bool {
    schema.get(mark).is_some()
}

/// Takes out what some clients cannot read.
fn make_portable(schema: &mut Json) {
    let Json::Object(object) = schema else {
        // A schema that takes anything is the word `true`.
        *schema = json!({});
        return;
    };
    for keyword in NEVER {
        object.remove(keyword);
    }
    if let Some(Json::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Json::Array(either)) = object.remove("anyOf") {
        let mut either = either.into_iter().filter(|schema| schema["type"] != "null");
        if let (Some(Json::Object(one)), None) = (either.next(), either.next()) {
            for (keyword, value) in one {
                object.entry(keyword).or_insert(value);
            }
        }
        make_portable(schema);
        return;
    }
    // An enum whose variants have words of their own is one of constants.
    if let Some(Json::Array(variants)) = object.remove("oneOf") {
        let words: Vec<Json> =
            variants.into_iter().filter_map(|variant| variant.get("const").cloned()).collect();
        object.insert("type".to_owned(), "string".into());
        object.insert("enum".to_owned(), Json::Array(words));
    }
    if let Some(Json::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(items) = object.get_mut("items") {
        make_portable(items);
    }
    if let Some(Json::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(make_portable);
    }
}

/// The same without words, and without what is inside it.
fn shallow(schema: &Json) -> Json {
    let mut shallow = Object::new();
    if let Some(kind) = schema.get("type") {
        shallow.insert("type".to_owned(), kind.clone());
    }
    if let Some(kind) = schema.get("items").and_then(|items| items.get("type")) {
        shallow.insert("items".to_owned(), json!({ "type": kind }));
    }
    Json::Object(shallow)
}

#[cfg(test)]
mod tests;
