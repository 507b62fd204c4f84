//! A condition as text; what is written here is read back by [`super::text`] as the same condition.

use std::fmt::{self, Write};

use crate::core::condition::Condition;
use crate::core::condition::cursor::is_plain;

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExitCode(code) => write!(f, "exit {code}"),
            Self::Matches(pattern) => {
                f.write_str("output ")?;
                between_slashes(pattern.source(), f)
            }
            Self::Contains(text) => {
                f.write_str("output ")?;
                between_quotes(text, f)
            }
            Self::Check(command) => {
                f.write_str("check ")?;
                between_quotes(command, f)
            }
            Self::File(path) => {
                f.write_str("file ")?;
                if needs_no_quotes(path) { f.write_str(path) } else { between_quotes(path, f) }
            }
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Compound { operator, conditions } => {
                write!(f, "{}(", operator.word())?;
                for (index, condition) in conditions.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{condition}")?;
                }
                f.write_char(')')
            }
        }
    }
}

/// `exists`, and a path that begins like a filler, would be read as one.
fn needs_no_quotes(path: &str) -> bool {
    let fills = path == "exists" || path.starts_with([':', '=']);
    !path.is_empty() && !fills && path.chars().all(is_plain)
}

/// A backslash keeps the letter after it, so that `\\/` is a backslash and then a slash.
pub(super) fn between_slashes(source: &str, f: &mut impl Write) -> fmt::Result {
    f.write_char('/')?;
    let mut escaped = false;
    for letter in source.chars() {
        if letter == '/' && !escaped {
            f.write_char('\\')?;
        }
        f.write_char(letter)?;
        escaped = letter == '\\' && !escaped;
    }
    f.write_char('/')
}

fn between_quotes(text: &str, f: &mut impl Write) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_control() => write!(f, "\\u{{{:x}}}", u32::from(control))?,
            letter => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}
