//! Logins: how the program of an agent is asked whether somebody is logged in, and what is made of its answers.
//!
//! Whoever has a key in a variable, or a service of their own, is logged in nowhere and works all the same. So
//! a program that can be asked more closely is, and one is not asked where a project may say who pays.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::span::Span;

/// A program that takes longer to answer has no answer, unless something else is said.
pub const PATIENCE: Span = Span::from_secs(5);

/// How a program is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginQuestion {
    /// What is asked first.
    pub first: Words,
    /// What is asked when the answer was that nobody is logged in, where that is not the last word.
    pub confirm: Option<Words>,
    /// With one of these variables nobody has to be.
    pub unless: Vec<String>,
    /// Nobody has to be where one of these files is in the working directory, when that is not the user's home.
    pub unless_here: Vec<String>,
    /// The words behind the program by which a person logs in.
    pub log_in: Vec<String>,
}

/// A question, and what is part of its answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Words {
    /// The words behind the program that ask.
    pub ask: Vec<String>,
    /// Part of the answer when nobody is logged in.
    pub denied: String,
    /// Part of the answer otherwise.
    pub granted: String,
}

/// What is asked of a program before it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCheck {
    /// How.
    pub question: LoginQuestion,
    /// Who it is about, to people.
    pub who: String,
    /// The shell line by which a person logs in, where one does.
    pub log_in: Option<String>,
    /// The variables whose values say who is asked.
    pub named_by: Vec<String>,
    /// The folder of notes on who is logged in, who is not asked again for a while.
    pub notes: PathBuf,
    /// A program that takes longer to answer has none.
    pub patience: Span,
}

/// What a program says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Somebody is logged in, or does not have to be.
    Somebody,
    /// Nobody is.
    Nobody,
    /// Nothing that was to be heard.
    Nothing,
}

impl LoginQuestion {
    /// Asks, and asks more closely where nobody seems to be logged in.
    pub fn put(&self, mut ask: impl FnMut(&[String]) -> Option<String>) -> Heard {
        let mut heard = |words: &Words| match ask(&words.ask) {
            Some(answer) if answer.contains(&words.denied) => Heard::Nobody,
            Some(answer) if answer.contains(&words.granted) => Heard::Somebody,
            Some(_) | None => Heard::Nothing,
        };
        match (heard(&self.first), &self.confirm) {
            (Heard::Nobody, Some(confirm)) => heard(confirm),
            (heard, _) => heard,
        }
    }

    /// The shell line by which a person logs in, where one that starts the program begins like this.
    pub fn line(&self, begins: String) -> String {
        std::iter::once(begins).chain(self.log_in.iter().cloned()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(confirms: bool, answers: &[(&str, &str)], expected: Heard) {
        let words = |ask: &str, denied: &str, granted: &str| Words {
            ask: vec![ask.to_owned()],
            denied: denied.to_owned(),
            granted: granted.to_owned(),
        };
        let question = LoginQuestion {
            first: words("first", "nobody", "you"),
            confirm: confirms.then(|| words("second", "no key", "key")),
            unless: Vec::new(),
            unless_here: Vec::new(),
            log_in: Vec::new(),
        };
        let answer = |asked: &[String]| {
            let found = answers.iter().find(|(question, _)| *question == asked[0]);
            found.map(|(_, answer)| (*answer).to_owned())
        };
        assert_eq!(question.put(answer), expected, "{answers:?}");
    }

    #[test]
    fn nobody_is_logged_in_when_every_answer_says_so() {
        check(false, &[("first", "nobody is")], Heard::Nobody);
        check(false, &[("first", "you are")], Heard::Somebody);
        check(false, &[("first", "error: unknown command")], Heard::Nothing);
        check(false, &[], Heard::Nothing);
        check(true, &[("first", "nobody is"), ("second", "there is no key")], Heard::Nobody);
        check(true, &[("first", "nobody is"), ("second", "there is a key")], Heard::Somebody);
        check(true, &[("first", "nobody is"), ("second", "")], Heard::Nothing);
        check(true, &[("first", "nobody is")], Heard::Nothing);
        check(true, &[("first", "you are"), ("second", "there is no key")], Heard::Somebody);
    }
}
