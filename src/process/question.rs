//! Questions to programs of agents, whose answers are kept for a while.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::core::login::PATIENCE;
use crate::process::ask::said;
use crate::process::platform::since_boot;
use crate::programs::Question;

/// How long an answer is kept: a person who has just logged in finds that told.
const KEPT: Duration = Duration::from_secs(5);

/// So many answers are kept; there are as many as agents with accounts.
const KEPT_MOST: usize = 64;

type Answers = Vec<(Question, Duration, Option<String>)>;

static ANSWERS: Mutex<Answers> = Mutex::new(Vec::new());

/// What the program says, on both of its streams; none when it does not answer.
pub fn put(question: &Question) -> Option<String> {
    let now = since_boot();
    let is_kept = |at: Duration| now < at + KEPT;
    let answers = || ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, answer)) = answers().iter().find(|(asked, at, _)| asked == question && is_kept(*at)) {
        return answer.clone();
    }
    let answer = answer(question);
    let mut answers = answers();
    answers.retain(|(asked, at, _)| asked != question && is_kept(*at));
    if answers.len() < KEPT_MOST {
        answers.push((question.clone(), now, answer.clone()));
    }
    answer
}

#[expect(clippy::disallowed_methods, reason = "the daemon hands on values it was started with")]
fn answer(question: &Question) -> Option<String> {
    let Question { program, arguments, env, pass, unless } = question;
    let is_set = |name: &String| {
        let said = env.get(name).map(OsString::from).or_else(|| std::env::var_os(name));
        said.is_some_and(|value| !value.is_empty())
    };
    if unless.iter().any(is_set) {
        return None;
    }
    let passed = pass.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    let own = env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let home = env.get("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let patience = Duration::from_millis(PATIENCE.as_ms());
    let said = said((program, arguments), own.chain(passed), &home, (patience, || false));
    said.inspect_err(|error| {
        tracing::info!(program = %program.display(), %error, "a program does not answer");
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_answer_is_of_both_streams_and_is_kept_for_its_question() {
        let folder = tempfile::tempdir().expect("a folder");
        let count = folder.path().join("count");
        let line = "echo x >> \"$1\"; echo out; echo err >&2; echo \"$WHO\"; exit 1";
        let arguments = ["-c", line, "sh", count.to_str().expect("a path")].map(str::to_owned).to_vec();
        let asked = |who: &str| Question {
            program: PathBuf::from("/bin/sh"),
            arguments: arguments.clone(),
            env: BTreeMap::from([("WHO".to_owned(), who.to_owned())]),
            pass: Vec::new(),
            unless: Vec::new(),
        };
        for who in ["one", "one", "two", "one"] {
            assert_eq!(put(&asked(who)).expect("an answer"), format!("out\nerr\n{who}\n"));
        }
        assert_eq!(std::fs::read_to_string(count).expect("it was asked"), "x\nx\n");
        let moot = Question { unless: vec!["WHO".to_owned()], ..asked("three") };
        assert_eq!(put(&moot), None);
        let missing = Question { program: PathBuf::from("/no/such"), ..asked("") };
        assert!(put(&missing).is_some_and(|answer| answer.contains("/no/such")));
    }
}
