//! Logins: how the program of an agent says that nobody is logged in, and what is made of it.
//!
//! Whoever has a key in a variable, or a service of their own, is logged in nowhere and works all the same. So
//! the first answer alone keeps nothing from running where the program can be asked more closely, or where a
//! project may say who pays.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a program is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginHint {
    /// The words behind the program that ask whether somebody is logged in.
    pub ask: Vec<String>,
    /// Part of the answer when nobody is.
    pub denied: String,
    /// With one of these variables nobody has to be.
    pub unless: Vec<String>,
    /// Nobody has to be where one of these files is, in the working directory or above it.
    pub unless_here: Vec<String>,
    /// What is asked when the answer was that nobody is, where that is not the last word.
    pub confirm: Option<Confirm>,
    /// The words behind the program by which a person logs in.
    pub log_in: Vec<String>,
}

/// A second question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// The words behind the program.
    pub ask: Vec<String>,
    /// Parts of the answer, one of which is in it when nobody is logged in indeed.
    pub denied: Vec<String>,
}

/// What is asked of a program before it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCheck {
    /// How.
    pub hint: LoginHint,
    /// Who it is to people.
    pub title: String,
    /// The shell line by which a person logs in.
    pub log_in: String,
    /// The variables whose values say who is asked.
    pub by: Vec<String>,
    /// The variables that make another of somebody by being there.
    pub with: Vec<String>,
    /// The folder in which it is noted of whom nothing has to be asked for a while.
    pub known: PathBuf,
}

impl LoginHint {
    /// The shell line by which a person logs in, where one that starts the program begins like this.
    pub fn line(&self, begins: String) -> String {
        std::iter::once(begins).chain(self.log_in.iter().cloned()).collect::<Vec<_>>().join(" ")
    }

    /// Whether nobody is logged in, as far as the program answers; who does not answer has not said so.
    pub fn is_missing(&self, mut ask: impl FnMut(&[String]) -> Option<String>) -> bool {
        if !ask(&self.ask).is_some_and(|answer| answer.contains(&self.denied)) {
            return false;
        }
        let Some(confirm) = &self.confirm else { return true };
        ask(&confirm.ask).is_some_and(|answer| confirm.denied.iter().any(|denied| answer.contains(denied)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(confirms: bool, answers: &[(&str, &str)], expected: bool) {
        let words = |word: &str| vec![word.to_owned()];
        let confirm = confirms.then(|| Confirm { ask: words("second"), denied: words("no key") });
        let hint = LoginHint {
            ask: words("first"),
            denied: "nobody".to_owned(),
            unless: Vec::new(),
            unless_here: Vec::new(),
            confirm,
            log_in: Vec::new(),
        };
        let answer = |asked: &[String]| {
            let found = answers.iter().find(|(question, _)| *question == asked[0]);
            found.map(|(_, answer)| (*answer).to_owned())
        };
        assert_eq!(hint.is_missing(answer), expected, "{answers:?}");
    }

    #[test]
    fn nobody_is_logged_in_when_every_answer_says_so() {
        check(false, &[("first", "nobody is")], true);
        check(false, &[("first", "you are")], false);
        check(false, &[], false);
        check(true, &[("first", "nobody is"), ("second", "there is no key")], true);
        check(true, &[("first", "nobody is"), ("second", "there is a key")], false);
        check(true, &[("first", "nobody is")], false);
        check(true, &[("first", "you are"), ("second", "there is no key")], false);
    }
}
