//! Patterns: regular expressions that are known to compile and to match in linear time.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

/// The longest pattern that is taken, in bytes.
pub const BYTES_MAX: usize = 4096;

/// How large a compiled pattern may be; `\w{9999}` is far beyond it.
const COMPILED_MAX: usize = 4 << 20;

/// A regular expression, equal to another when their texts are equal.
///
/// `\/` and `/` mean the same; the text is kept with the plain slash, so that a pattern is one text.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    /// Shared, since every need and fact about a pattern carries it.
    regex: Arc<Regex>,
}

impl Pattern {
    /// Compiles `source`, or says in one line why that is no pattern.
    pub fn new(source: &str) -> Result<Self, String> {
        let source = plain_slashes(source);
        let regex = RegexBuilder::new(&source)
            .size_limit(COMPILED_MAX)
            .dfa_size_limit(COMPILED_MAX)
            .build()
            .map_err(|error| explain(&error))?;
        Ok(Self { source, regex: Arc::new(regex) })
    }

    /// The text it was made from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is found anywhere in `bytes`, in time linear in their number.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.regex.is_match(bytes)
    }
}

fn plain_slashes(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        match (letter, (letter == '\\').then(|| letters.next()).flatten()) {
            ('\\', Some('/')) => plain.push('/'),
            (letter, escaped) => plain.extend(std::iter::once(letter).chain(escaped)),
        }
    }
    plain
}

/// The last line of the crate's explanation; the ones before it draw the place.
fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large once its repetitions are counted".into(),
        regex::Error::Syntax(text) => {
            let last = text.lines().last().unwrap_or(text).trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
        other => other.to_string().replace('\n', " "),
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.source.cmp(&other.source)
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}
