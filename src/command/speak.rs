//! Speaking: what was written for the command line, said in calls and fields for a model.
//!
//! Hints are written once, as commands: `` `converge cancel x` ``. For a model the command is read by the same
//! parser that the command line has, and becomes a call: `` `control_job {"action":"cancel","jobs":["x"]}` ``.
//! A flag becomes the field it fills. What no published verb does stays a command, since a person types it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use crate::command::{Cli, Entry, REGISTRY, published, room};
use crate::core::plain::plain;
use crate::core::refusal::{Problem, Refusal};

/// The longest sentence of a refusal.
const SENTENCE_MOST: usize = 600;

/// How many problems a refusal tells.
const PROBLEMS_MOST: usize = 12;

/// A refusal as a model reads it.
pub fn for_model(refusal: Refusal) -> Refusal {
    let sentence = |words: &str| room::head(&plain(&text(words)), SENTENCE_MOST, None);
    let hint = refusal.hint.map(|hint| plain(&text(&hint)));
    let more = refusal.problems.len().saturating_sub(PROBLEMS_MOST);
    let mut problems: Vec<Problem> = refusal
        .problems
        .into_iter()
        .take(PROBLEMS_MOST)
        .map(|problem| Problem {
            place: room::head(&problem.place, 80, None),
            message: sentence(&problem.message),
            fix: problem.fix.map(|fix| sentence(&fix)),
        })
        .collect();
    if more > 0 {
        problems.push(Problem::new("", format!("and {more} more")));
    }
    Refusal { code: refusal.code, message: sentence(&refusal.message), problems, hint }
}

/// A sentence of ours with its commands and flags turned; what is fenced in it stays as it is.
pub fn text(text: &str) -> String {
    if !text.contains("converge ") && !text.contains("--") {
        return text.to_owned();
    }
    if let Some((before, rest)) = text.split_once("<data>")
        && let Some((inside, after)) = rest.rsplit_once("</data>")
    {
        return format!("{}<data>{inside}</data>{}", self::text(before), self::text(after));
    }
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        said.push_str(&without_flags(before));
        let Some((code, behind)) = after.split_once('`') else {
            said.push('`');
            rest = after;
            break;
        };
        said.push('`');
        said.push_str(&spoken(code));
        said.push('`');
        rest = behind;
    }
    said.push_str(&without_flags(rest));
    said
}

/// What stands between backticks.
fn spoken(code: &str) -> String {
    if let Some(line) = code.strip_prefix("converge ") {
        return command(line).unwrap_or_else(|| code.to_owned());
    }
    if code.starts_with("--") {
        return flag(code).unwrap_or_else(|| code.to_owned());
    }
    code.to_owned()
}

/// A command as the call that does the same, if agents have that.
fn command(line: &str) -> Option<String> {
    let mut words = split(line);
    let is_open = words.last().is_some_and(|last| last == "…");
    if is_open {
        words.pop();
    }
    let (entry, cli, rest) = find(&words)?;
    if !published::is_published(entry.name) {
        return None;
    }
    let Some(arguments) = arguments(entry, cli, rest) else { return Some(entry.name.to_owned()) };
    Some(match (arguments.is_empty(), is_open) {
        (true, _) => entry.name.to_owned(),
        (false, false) => call(entry.name, &arguments),
        (false, true) => {
            let call = call(entry.name, &arguments);
            format!("{}, …}}", call.trim_end_matches('}'))
        }
    })
}

/// A call as it is written in prose.
pub fn call(verb: &str, arguments: &Map<String, Json>) -> String {
    let members: Vec<String> =
        arguments.iter().map(|(name, value)| format!("{}: {value}", Json::from(name.as_str()))).collect();
    format!("{verb} {{{}}}", members.join(", "))
}

fn find(words: &[String]) -> Option<(&'static Entry, &'static Cli, &[String])> {
    let of = |name: &str| {
        REGISTRY.iter().find_map(|entry| Some((entry, entry.cli.iter().find(|cli| cli.name == name)?)))
    };
    let two = words.get(..2).and_then(|two| of(&two.join(" ")));
    if let Some((entry, cli)) = two {
        return Some((entry, cli, &words[2..]));
    }
    let (entry, cli) = of(words.first()?)?;
    Some((entry, cli, &words[1..]))
}

/// The arguments that a command line gives, without those that say nothing.
fn arguments(entry: &Entry, cli: &Cli, words: &[String]) -> Option<Map<String, Json>> {
    let command = (entry.arguments)(clap::Command::new(cli.name).no_binary_name(true));
    let known =
        |word: &&String| !word.starts_with("--") || FLAGS.contains_key(word.as_str()) || *word == "--";
    let matches = command.try_get_matches_from(words.iter().filter(known)).ok()?;
    let Ok(Json::Object(request)) = (entry.request)(&matches) else { return None };
    let preset = cli.preset.iter().map(|(field, value)| ((*field).to_owned(), Json::from(*value)));
    let says = |(_, value): &(String, Json)| match value {
        Json::Null | Json::Bool(false) => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Bool(true) | Json::Number(_) | Json::Object(_) => true,
    };
    Some(preset.chain(request.into_iter().filter(says)).collect())
}

/// A flag as a member of a request, or as the name of its field when it lacks its value.
fn flag(code: &str) -> Option<String> {
    match member(code) {
        Some((field, value)) => Some(format!("{}: {value}", Json::from(field))),
        None => FLAGS.get(code).map(|flag| flag.field.clone()),
    }
}

/// The member of a request that a flag stands for, with its value when it takes one.
pub fn member(code: &str) -> Option<(String, Json)> {
    let (name, value) = code.split_once(' ').map_or((code, None), |(name, value)| (name, Some(value)));
    let flag = FLAGS.get(name)?;
    let value = match (value, flag.takes_value) {
        (_, false) => Json::Bool(true),
        (value, true) => split(value?).join(" ").into(),
    };
    Some((flag.field.clone(), value))
}

/// Plain words with flags by the names of their fields.
fn without_flags(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find("--") {
        let starts_word = !rest[..place].ends_with(|before: char| before.is_alphanumeric() || before == '-');
        let length = rest[place..].find(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
        let (word, behind) = rest[place..].split_at(length.unwrap_or(rest.len() - place));
        said.push_str(&rest[..place]);
        match FLAGS.get(word).filter(|_| starts_word) {
            Some(flag) => said.push_str(&flag.field),
            None => said.push_str(word),
        }
        rest = behind;
    }
    said.push_str(rest);
    said
}

/// A flag of the command line.
struct Flag {
    field: String,
    takes_value: bool,
}

/// Every flag of a published verb, with its dashes.
static FLAGS: LazyLock<BTreeMap<String, Flag>> = LazyLock::new(|| {
    let mut flags = BTreeMap::new();
    for entry in published::entries() {
        for argument in (entry.arguments)(clap::Command::new(entry.name)).get_arguments() {
            if let Some(long) = argument.get_long() {
                let field = argument.get_id().to_string();
                let takes_value = argument.get_action().takes_values();
                flags.insert(format!("--{long}"), Flag { field, takes_value });
            }
        }
    }
    flags
});

/// Words as a shell would split them, as far as hints are written: single quotes keep spaces.
fn split(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(ToOwned::to_owned));
        }
    }
    words
}

#[cfg(test)]
mod tests;
