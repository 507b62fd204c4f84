//! Refusals: every "no" says what is wrong, where, and what to write instead.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a refusal; the word in `error.code` on every surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request itself is wrong.
    Invalid,
    /// Nothing by that name.
    NotFound,
    /// More than one thing by that name.
    Ambiguous,
    /// The thing is in a state that does not allow it.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// The same key came with other arguments.
    KeyReused,
    /// The daemon or its store cannot answer.
    Unavailable,
    /// The outcome of a write is not known; asking again with the same key tells.
    Unknown,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The argument or the path inside it, such as `until.conditions[1].pattern`.
    pub place: String,
    /// What is wrong there, as a lower-case fragment.
    pub message: String,
    /// What to write instead, when that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
}

/// A "no" that teaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of no.
    pub code: Code,
    /// One sentence, lower-case, without a period.
    pub message: String,
    /// Everything that is wrong, when there is more to say than the message.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub problems: Vec<Problem>,
    /// The next step, when there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at `place` without a known fix.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), fix: None }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same problem seen from one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.place = match self.place.as_str() {
            "" => outer.to_owned(),
            inner if inner.starts_with('[') => format!("{outer}{inner}"),
            inner => format!("{outer}.{inner}"),
        };
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, " ({fix})"))
    }
}

impl Refusal {
    /// A refusal of `code` that says `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), problems: Vec::new(), hint: None }
    }

    /// Refuses a request for all of `problems` at once.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [one] if one.place.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.place, one.message),
            many => format!("{} problems", many.len()),
        };
        let hint = match problems.as_slice() {
            [one] => one.fix.clone(),
            _ => None,
        };
        Self { code: Code::Invalid, message, problems, hint }
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.problems.len() > 1 {
            for problem in &self.problems {
                write!(f, "\n  {}: {}", problem.place, problem.message)?;
                if let Some(fix) = &problem.fix {
                    write!(f, " ({fix})")?;
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
