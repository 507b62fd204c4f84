//! Prompts: texts that a person picks in a client and that tell an agent which tools to call.
//!
//! A file of `prompts/` has front matter - a title, a description and a line for each argument - and a body
//! with places such as `{{goal}}`. The line of an argument that may be left out ends with `(optional)`.

use crate::words::{line, parts};

/// A text with places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt {
    /// Its name.
    pub name: &'static str,
    front: &'static str,
    /// The text, with places.
    pub body: &'static str,
}

/// What fills a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its name, as in the place.
    pub name: &'static str,
    /// What to write.
    pub description: &'static str,
    /// Whether the prompt says nothing without it.
    pub required: bool,
}

/// Why a prompt cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// A required argument is missing.
    Missing(&'static str),
    /// There is no such argument.
    Unknown(String),
}

macro_rules! prompts {
    ($($name:literal),* $(,)?) => {
        /// The file of each prompt.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../prompts/", $name, ".md"))),)*];
    };
}

prompts!("until", "every", "triage_failure");

/// How the line of an argument that may be left out ends.
const OPTIONAL: &str = " (optional)";

/// Every prompt, in the order in which clients show them.
pub fn all() -> impl Iterator<Item = Prompt> {
    FILES.iter().map(|(name, text)| {
        let (front, body) = parts(text).expect("a prompt has front matter");
        Prompt { name, front, body }
    })
}

/// The prompt of this name.
pub fn find(name: &str) -> Option<Prompt> {
    all().find(|prompt| prompt.name == name)
}

impl Prompt {
    /// What it is called.
    pub fn title(&self) -> &'static str {
        line(self.front, "title").unwrap_or(self.name)
    }

    /// What it is for.
    pub fn description(&self) -> &'static str {
        line(self.front, "description").unwrap_or_default()
    }

    /// What fills its places.
    pub fn arguments(&self) -> Vec<Argument> {
        let argument = |line: &'static str| {
            let (name, text) = line.strip_prefix("argument ")?.split_once(": ")?;
            let (description, required) = match text.strip_suffix(OPTIONAL) {
                Some(description) => (description, false),
                None => (text, true),
            };
            Some(Argument { name, description, required })
        };
        self.front.lines().filter_map(argument).collect()
    }

    /// The text with its places filled by what `value` gives; a line is left out when a place of it stays
    /// empty, and the steps are counted anew.
    pub fn fill<'a>(&self, given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String, Unfilled> {
        let arguments = self.arguments();
        let mut values: Vec<(&str, &str)> = Vec::new();
        for (name, value) in given {
            if !arguments.iter().any(|argument| argument.name == name) {
                return Err(Unfilled::Unknown(name.to_owned()));
            }
            if !value.trim().is_empty() {
                values.push((name, value.trim()));
            }
        }
        let has = |name: &str| values.iter().any(|(given, _)| *given == name);
        if let Some(missing) = arguments.iter().find(|argument| argument.required && !has(argument.name)) {
            return Err(Unfilled::Missing(missing.name));
        }
        let mut steps = 0_u32;
        let numbered = |line: &str| {
            let text = filled(line, &values)?;
            let Some((number, _)) = line.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok())
            else {
                return Some(text);
            };
            steps += 1;
            Some(format!("{steps}{}", &text[number.len()..]))
        };
        Ok(self.body.lines().filter_map(numbered).collect::<Vec<_>>().join("\n"))
    }
}

/// A line with its places filled, in one pass, so that what fills a place is never read as one.
fn filled(line: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}")?;
        let (_, value) = values.iter().find(|(given, _)| *given == name)?;
        text.push_str(before);
        text.push_str(value);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_argument_and_every_argument_its_place() {
        for prompt in all() {
            let mut places: Vec<&str> = prompt
                .body
                .split("{{")
                .skip(1)
                .map(|after| after.split_once("}}").expect("a place is closed").0)
                .collect();
            places.sort_unstable();
            places.dedup();
            let mut names: Vec<&str> = prompt.arguments().iter().map(|argument| argument.name).collect();
            names.sort_unstable();
            assert_eq!(places, names, "{}", prompt.name);
            assert!(!prompt.description().is_empty() && !prompt.title().is_empty(), "{}", prompt.name);
        }
    }

    #[test]
    fn what_is_left_out_takes_its_line_along() {
        let prompt = find("until").expect("a prompt");
        let short = prompt.fill([("goal", "the tests pass")]).expect("all that is required");
        assert!(short.contains("the tests pass") && !short.contains("{{"), "{short}");
        let long = prompt.fill([("goal", "x"), ("limit", "20 runs")]).expect("all there is");
        assert!(long.contains("20 runs") && long.lines().count() > short.lines().count(), "{long}");
        assert_eq!(prompt.fill([("goal", " ")]), Err(Unfilled::Missing("goal")));
        assert_eq!(prompt.fill([("gaol", "x")]), Err(Unfilled::Unknown("gaol".to_owned())));
    }

    #[test]
    fn steps_are_counted_as_they_are_told() {
        let numbers = |text: &str| -> Vec<u32> {
            text.lines().filter_map(|line| line.split_once(". ")?.0.parse().ok()).collect()
        };
        for (name, given) in [
            ("until", &[("goal", "x")][..]),
            ("until", &[("goal", "x"), ("command", "1. y"), ("limit", "z")]),
            ("every", &[("what", "x"), ("when", "y")]),
            ("triage_failure", &[]),
        ] {
            let text =
                find(name).expect("a prompt").fill(given.iter().copied()).expect("all that is required");
            let steps = numbers(&text);
            assert!(
                steps.len() > 2 && steps.iter().copied().eq(1..=steps.last().copied().unwrap_or(0)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_fills_a_place_is_no_place() {
        let prompt = find("until").expect("a prompt");
        let text = prompt.fill([("goal", "{{limit}} }} {{")]).expect("text is text");
        assert!(text.contains("{{limit}} }} {{"), "{text}");
    }
}
