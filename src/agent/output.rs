//! Output: which events of a CLI say what, and which words of it mean which failure.

use std::str::FromStr;

use regex::Regex;
use serde_json::Value as Json;

use crate::agent::document::{Scalar, Table};
use crate::agent::place::{Place, Spot};
use crate::agent::price::Cached;
use crate::agent::reset;
use crate::agent::take::Take;
use crate::core::class::Class;

/// How the output of a CLI is read.
#[derive(Debug, Clone)]
pub struct Output {
    /// What it looks like.
    pub form: Form,
    /// Texts of which each line that is progress has one; the idle limit looks for them.
    pub progress: Vec<String>,
    /// Texts by which the call of a tool begins, each as often as calls begin.
    pub tool_starts: Vec<String>,
    /// Texts by which one ends.
    pub tool_ends: Vec<String>,
    /// What its tokens count.
    pub tokens: Counts,
    /// What its cost counts.
    pub cost: Counts,
    /// Whether the tokens that it read count those of a cache.
    pub cached: Cached,
    /// How many tokens the window of its models holds, unless an event says so.
    pub window: Option<u64>,
    /// What is read from which events.
    pub events: Vec<EventRule>,
    /// What means which failure; the first that fits is it.
    pub failures: Vec<Failure>,
}

/// What output looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON document on each line of standard output.
    Lines,
    /// One JSON document, or a list of them, on standard output.
    Document,
    /// Text, the result being all of it.
    Text,
}

/// What a number of an event covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// A part of the run; the parts add up.
    Part,
    /// The run.
    Run,
    /// The conversation with all runs of it, so that what was there before has to be taken away.
    Session,
}

/// What is read from events of one kind.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Which events: each place holds this value.
    pub when: Vec<(Place, Scalar)>,
    /// And holds nothing here.
    pub unless: Vec<Place>,
    /// The list whose items are read, each by itself; the event as a whole where none is named.
    pub each: Option<Place>,
    /// Which items of it: each place in them holds this value.
    pub item: Vec<(Place, Scalar)>,
    /// What is read, and from where.
    pub take: Vec<(Take, Place)>,
    /// Whether what was said before it was not the result yet.
    pub restart: bool,
}

/// What means a failure of one class: all of it that is said must be so.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The class.
    pub class: Class,
    /// One of these statuses of the service.
    pub status: Vec<i64>,
    /// One of these kinds of error.
    pub kind: Vec<String>,
    /// One of these exit codes.
    pub exit: Vec<i64>,
    /// A pattern in what it complained of; named groups in it say when a quota is there again, and which words to
    /// tell of a run that was ended for its silence.
    pub says: Option<Regex>,
    /// Whether it counts only for a run that was ended for its silence: a log tells what has passed, too.
    pub while_silent: bool,
    /// Where this was seen: a recording, or a version and the string in it.
    pub from: Option<String>,
}

/// The group of a pattern in which the words to tell stand, where its line is not made for people.
pub const SAID: &str = "said";

fn is_group(name: &str) -> bool {
    name == SAID || reset::GROUPS.contains(&name)
}

impl Output {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        if !table.has("output") {
            table.mistake(
                "output",
                "is missing",
                "add [output] with form = \"lines\", \"document\" or \"text\"",
            );
        }
        let mut inner = table.table("output");
        let failures: Vec<Failure> = table
            .tables("failure")
            .into_iter()
            .filter_map(|mut failure| Failure::read(&mut failure))
            .collect();
        let inner = inner.as_mut()?;
        let forms = [("lines", Form::Lines), ("document", Form::Document), ("text", Form::Text)];
        let counts = [("part", Counts::Part), ("run", Counts::Run), ("session", Counts::Session)];
        if !inner.has("form") {
            inner.mistake("form", "is missing", "write form = \"lines\", \"document\" or \"text\"");
        }
        let form = inner.choice("form", &forms);
        let output = Self {
            form: form.unwrap_or(Form::Text),
            progress: inner.words("progress").unwrap_or_default(),
            tool_starts: inner.words("tool_starts").unwrap_or_default(),
            tool_ends: inner.words("tool_ends").unwrap_or_default(),
            tokens: inner.choice("tokens", &counts).unwrap_or(Counts::Run),
            cost: inner.choice("cost", &counts).unwrap_or(Counts::Run),
            cached: inner
                .choice("cached", &[("within", Cached::Within), ("beside", Cached::Beside)])
                .unwrap_or(Cached::Beside),
            window: inner.count("window"),
            events: inner.tables("event").into_iter().map(|mut event| EventRule::read(&mut event)).collect(),
            failures,
        };
        if form == Some(Form::Text) && !output.events.is_empty() {
            inner.mistake("event", "is for JSON, and the form is text", "leave the events out");
        }
        let texts = [
            ("progress", &output.progress),
            ("tool_starts", &output.tool_starts),
            ("tool_ends", &output.tool_ends),
        ];
        for (name, texts) in texts {
            if texts.iter().any(String::is_empty) {
                inner.mistake(name, "has an empty text, which is in every line", "leave it out");
            }
        }
        if !output.tool_starts.is_empty() && output.tool_ends.is_empty() {
            let message = "says how calls of tools begin, and nothing says how they end";
            inner.mistake("tool_starts", message, "write tool_ends = [\"…\"]");
        }
        inner.finish();
        form.map(|_| output)
    }
}

impl EventRule {
    fn read(table: &mut Table<'_, '_>) -> Self {
        let when = conditions(table, "when");
        if when.is_empty() {
            table.mistake("when", "says of no event what is in it", "write when = { type = \"…\" }");
        }
        let unless = places(table, "unless");
        let each = places(table, "each").into_iter().next();
        let item = conditions(table, "item");
        if each.is_none() && !item.is_empty() {
            table.mistake("item", "is about the items of no list", "name the list: each = \"…[]\"");
        }
        let mut take = Vec::new();
        for (name, what) in Take::ALL {
            take.extend(places(table, name).into_iter().map(|place| (what, place)));
        }
        let restart = table.choice("restart", &[("result", ())]).is_some();
        table.finish();
        Self { when, unless, each, item, take, restart }
    }

    /// Whether an event is of this kind.
    pub(super) fn fits(&self, event: Spot<'_>) -> bool {
        !self.unless.iter().any(|place| place.any(event, |found| !found.is_null()))
            && all_hold(&self.when, event)
    }

    /// What of such an event is read, each with its number in the list that it is from.
    pub(super) fn parts<'e>(&self, event: Spot<'e>) -> Vec<(usize, Spot<'e>)> {
        match &self.each {
            None => vec![(0, event)],
            Some(list) => {
                let items = list.spots(event).into_iter().enumerate();
                items.filter(|(_, item)| all_hold(&self.item, *item)).collect()
            }
        }
    }

    /// Every place of an event that matters to it, for these of the things it takes.
    pub fn places(&self, wanted: impl Fn(Take) -> bool) -> impl Iterator<Item = Place> {
        let taken = self.take.iter().filter(move |(take, _)| wanted(*take)).map(|(_, place)| place);
        let inner = self.item.iter().map(|(place, _)| place).chain(taken).map(|place| match &self.each {
            Some(list) => list.and(place),
            None => place.clone(),
        });
        self.when.iter().map(|(place, _)| place).chain(&self.unless).cloned().chain(inner)
    }
}

/// The conditions of a table: what stands where.
fn conditions(table: &mut Table<'_, '_>, name: &'static str) -> Vec<(Place, Scalar)> {
    let mut conditions = Vec::new();
    for (place, value) in table.table(name).map(Table::scalars).unwrap_or_default() {
        match Place::from_str(&place) {
            Ok(place) => conditions.push((place, value)),
            Err(error) => table.mistake(name, &format!("`{place}` {error}"), "put a place in quotes"),
        }
    }
    conditions
}

/// The place that a member names, or the places.
fn places(table: &mut Table<'_, '_>, name: &'static str) -> Vec<Place> {
    let mut places = Vec::new();
    for place in table.text_or_words(name) {
        match place.parse() {
            Ok(place) => places.push(place),
            Err(error) => {
                table.mistake(name, &format!("`{place}` {error}"), "write a place such as `usage.input`");
            }
        }
    }
    places
}

fn all_hold(conditions: &[(Place, Scalar)], document: Spot<'_>) -> bool {
    conditions.iter().all(|(place, wanted)| place.any(document, |found| is(found, wanted)))
}

/// Whether a value is the wanted one; a wanted text that ends in `*` is the beginning of it.
fn is(found: &Json, wanted: &Scalar) -> bool {
    match wanted {
        Scalar::Text(text) => match text.strip_suffix('*') {
            Some(beginning) => found.as_str().is_some_and(|found| found.starts_with(beginning)),
            None => found == text.as_str(),
        },
        Scalar::Number(number) => found == *number,
        Scalar::Flag(flag) => found == *flag,
    }
}

impl Failure {
    fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        if !table.has("class") {
            table.mistake("class", "is missing", "write class = \"auth\", \"quota\", …");
        }
        let class = table.choice("class", &Class::SIGNALLED.map(|class| (class.word(), class)));
        let mut says = None;
        if let Some(pattern) = table.text("says") {
            match Regex::new(&pattern) {
                Ok(regex) => says = Some(regex),
                Err(error) => {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    table.mistake("says", &format!("is no pattern: {why}"), "write a regular expression");
                }
            }
        }
        let strange = says.iter().flat_map(Regex::capture_names).flatten().find(|name| !is_group(name));
        if let Some(strange) = strange {
            let fix = format!("the groups are {}, {SAID}", reset::GROUPS.join(", "));
            table.mistake("says", &format!("has a group `{strange}`"), &fix);
        }
        let failure = Self {
            class: class.unwrap_or(Class::Failed),
            status: table.numbers("status"),
            kind: table.words("kind").unwrap_or_default(),
            exit: table.numbers("exit"),
            says,
            while_silent: table.flag("while_silent"),
            from: table.text("from"),
        };
        let is_empty = failure.status.is_empty() && failure.kind.is_empty() && failure.exit.is_empty();
        if is_empty && !table.has("says") {
            table.mistake("class", "is meant by nothing", "add status, kind, exit or says");
        }
        table.finish();
        class.map(|_| failure)
    }
}
