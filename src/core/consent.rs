//! Consent: whether agents may decide by themselves what runs.

use std::str::FromStr;

/// What becomes of a job that an agent makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// It runs.
    #[default]
    Allow,
    /// It is paused until a person resumes it.
    Ask,
    /// It is refused.
    Deny,
}

impl Consent {
    /// The words for it.
    pub const WORDS: [&str; 3] = ["allow", "ask", "deny"];
}

impl FromStr for Consent {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "allow" => Ok(Self::Allow),
            "ask" => Ok(Self::Ask),
            "deny" => Ok(Self::Deny),
            _ => Err(()),
        }
    }
}
