//! Documents: TOML read strictly, with the line of every mistake.
//!
//! Whoever reads asks for the members that it knows; what nobody asked for is a mistake, and so is what is
//! not of the kind that was asked for. Reading goes on after a mistake, so that one look tells them all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::core::nearest::nearest;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The member, such as `session.resume`; empty for the document as such.
    pub place: String,
    /// What is wrong there, as a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.place.is_empty() {
            write!(f, "`{}` ", self.place)?;
        }
        write!(f, "{}; {}", self.message, self.fix)
    }
}

/// Reads a whole document.
pub(super) fn read<T>(
    text: &str,
    read: impl FnOnce(&mut Table<'_, '_>) -> Option<T>,
) -> Result<T, Vec<Mistake>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let source = Source { text, mistakes: RefCell::default() };
    for error in errors {
        let span = error.span().unwrap_or_default();
        source.mistake(&span, String::new(), error.message(), "write TOML, as https://toml.io has it");
    }
    if !source.mistakes.borrow().is_empty() {
        return Err(source.mistakes.into_inner());
    }
    let mut table = Table {
        source: &source,
        place: String::new(),
        span: 0..0,
        members: root.get_ref(),
        asked: Vec::new(),
    };
    let found = read(&mut table);
    table.finish();
    let mut mistakes = source.mistakes.into_inner();
    mistakes.sort_by_key(|mistake| mistake.line);
    match found {
        Some(found) if mistakes.is_empty() => Ok(found),
        Some(_) | None => Err(mistakes),
    }
}

struct Source<'a> {
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Source<'_> {
    fn mistake(&self, span: &Range<usize>, place: String, message: &str, fix: &str) {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        let mistake = Mistake { line, place, message: message.to_owned(), fix: fix.to_owned() };
        self.mistakes.borrow_mut().push(mistake);
    }
}

/// A table of a document.
pub(super) struct Table<'a, 't> {
    source: &'a Source<'a>,
    place: String,
    span: Range<usize>,
    members: &'a DeTable<'t>,
    asked: Vec<&'static str>,
}

impl<'a, 't> Table<'a, 't> {
    /// Notes that a member is wrong; its line is the table's where there is no such member.
    pub(super) fn mistake(&self, name: &str, message: &str, fix: &str) {
        let span = self.members.get(name).map_or_else(|| self.span.clone(), Spanned::span);
        self.source.mistake(&span, self.place_of(name), message, fix);
    }

    /// The text of a member.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.member(name)?;
        let text = value.as_str().map(str::to_owned);
        if text.as_ref().is_none_or(String::is_empty) {
            self.mistake(name, "is not a text", &format!("write {name} = \"…\""));
            return None;
        }
        text
    }

    /// The text of a member that must be there.
    pub(super) fn required(&mut self, name: &'static str) -> Option<String> {
        if !self.has(name) {
            self.asked.push(name);
            self.mistake(name, "is missing", &format!("add {name} = \"…\""));
            return None;
        }
        self.text(name)
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            let fix = format!("write one of {}", words.join(", "));
            self.mistake(name, &format!("is `{text}`, which means nothing here"), &fix);
        }
        found
    }

    /// The texts of a list; none where there is no such member.
    pub(super) fn words(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = self.member(name)?;
        let words = value.as_array().map(|list| list.iter().map(|word| word.get_ref().as_str()));
        let words: Option<Vec<String>> =
            words.and_then(|words| words.map(|word| Some(word?.to_owned())).collect());
        if words.is_none() {
            self.mistake(name, "is not a list of texts", &format!("write {name} = [\"…\", \"…\"]"));
        }
        words
    }

    /// The text of a member, or the texts of a list; none where there is no such member.
    pub(super) fn text_or_words(&mut self, name: &'static str) -> Vec<String> {
        match self.members.get(name).map(Spanned::get_ref) {
            Some(value) if value.is_array() => self.words(name).unwrap_or_default(),
            Some(_) | None => self.text(name).into_iter().collect(),
        }
    }

    /// An amount of something, which may be none of it.
    pub(super) fn amount(&mut self, name: &'static str) -> Option<f64> {
        let value = self.member(name)?;
        let amount = match (integer(value), value.as_float()) {
            (Some(number), _) => i32::try_from(number).ok().map(f64::from),
            (None, Some(number)) => number.as_str().parse().ok(),
            (None, None) => None,
        };
        let amount = amount.filter(|amount| *amount >= 0.0 && f64::is_finite(*amount));
        if amount.is_none() {
            self.mistake(name, "is no amount", &format!("write {name} = 1.25"));
        }
        amount
    }

    /// A number of things, of which there is at least one.
    pub(super) fn count(&mut self, name: &'static str) -> Option<u64> {
        let value = self.member(name)?;
        let count = integer(value).and_then(|number| u64::try_from(number).ok()).filter(|count| *count > 0);
        if count.is_none() {
            self.mistake(name, "is no number of things", &format!("write {name} = 200000"));
        }
        count
    }

    /// Whether something is so; it is not where nothing is said.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(value) = self.member(name) else { return false };
        if value.as_bool().is_none() {
            self.mistake(name, "is neither true nor false", &format!("write {name} = true"));
        }
        value.as_bool().unwrap_or_default()
    }

    /// The numbers of a list.
    pub(super) fn numbers(&mut self, name: &'static str) -> Vec<i64> {
        let Some(value) = self.member(name) else { return Vec::new() };
        let list = value.as_array().map(|list| list.iter().map(|number| integer(number.get_ref())));
        let numbers: Option<Vec<i64>> = list.and_then(Iterator::collect);
        if numbers.is_none() {
            self.mistake(name, "is not a list of whole numbers", &format!("write {name} = [401, 403]"));
        }
        numbers.unwrap_or_default()
    }

    /// A table inside this one.
    pub(super) fn table(&mut self, name: &'static str) -> Option<Table<'a, 't>> {
        let value = self.member(name)?;
        let Some(members) = value.as_table() else {
            self.mistake(name, "is not a table", &format!("write [{}]", self.place_of(name)));
            return None;
        };
        let span = self.members.get(name).map(Spanned::span).unwrap_or_default();
        Some(Table { source: self.source, place: self.place_of(name), span, members, asked: Vec::new() })
    }

    /// The tables of a list.
    pub(super) fn tables(&mut self, name: &'static str) -> Vec<Table<'a, 't>> {
        let Some(value) = self.member(name) else { return Vec::new() };
        let list = value.as_array().map(|list| list.iter().enumerate());
        let tables: Option<Vec<Table<'a, 't>>> = list.and_then(|list| {
            list.map(|(place, inner)| {
                let members = inner.get_ref().as_table()?;
                let place = format!("{}[{place}]", self.place_of(name));
                Some(Table { source: self.source, place, span: inner.span(), members, asked: Vec::new() })
            })
            .collect()
        });
        if tables.is_none() {
            self.mistake(name, "is not a list of tables", &format!("write [[{}]]", self.place_of(name)));
        }
        tables.unwrap_or_default()
    }

    /// Every member as a list of texts, for a table whose names are free.
    pub(super) fn lists(self) -> BTreeMap<String, Vec<String>> {
        let read = |(name, value): (&Spanned<_>, &Spanned<DeValue<'t>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let words = value.get_ref().as_array().and_then(|list| {
                list.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            });
            if words.is_none() {
                self.mistake(name, "is not a list of texts", &format!("write {name} = [\"…\"]"));
            }
            Some((name.clone().into_owned(), words?))
        };
        self.members.iter().filter_map(read).collect()
    }

    /// Every member as a text, for a table whose names are free.
    pub(super) fn texts(self) -> BTreeMap<String, String> {
        let read = |(name, value): (&Spanned<_>, &Spanned<DeValue<'t>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let text = value.get_ref().as_str().map(str::to_owned);
            if text.is_none() {
                self.mistake(name, "is not a text", "put it in quotes");
            }
            Some((name.clone().into_owned(), text?))
        };
        self.members.iter().filter_map(read).collect()
    }

    /// Every member as a text, a whole number or a flag, for a table whose names are free.
    pub(super) fn scalars(self) -> Vec<(String, Scalar)> {
        let read = |(name, value): (&Spanned<_>, &Spanned<DeValue<'t>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let value = value.get_ref();
            let scalar = match (value.as_str(), value.as_bool(), integer(value)) {
                (Some(text), _, _) => Some(Scalar::Text(text.to_owned())),
                (_, Some(flag), _) => Some(Scalar::Flag(flag)),
                (_, _, number) => number.map(Scalar::Number),
            };
            if scalar.is_none() {
                self.mistake(name, "is not a text, a whole number or a flag", "compare with one of these");
            }
            Some((name.clone().into_owned(), scalar?))
        };
        self.members.iter().filter_map(read).collect()
    }

    /// Whether there is a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Notes every member that nobody asked for.
    pub(super) fn finish(&mut self) {
        for name in self.members.keys() {
            let name = name.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let fix = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here are {}", self.asked.join(", ")),
            };
            self.mistake(name, "is not known", &fix);
        }
    }

    fn member(&mut self, name: &'static str) -> Option<&'a DeValue<'t>> {
        self.asked.push(name);
        self.members.get(name).map(Spanned::get_ref)
    }

    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }
}

/// A value without parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A flag.
    Flag(bool),
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
