//! Words: what agents and people read about each verb and each prompt, from `tools/*.md` and `prompts/*.md`.
//!
//! A file of `tools/` has front matter - a title, one line for each command of the CLI and, for a verb that
//! agents are shown, its hints - and then the text that an agent reads. The words for a whole server are
//! `prompts/instructions.md`.

pub mod prompts;

use serde::Serialize;

/// What there is to read about one verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The verb.
    pub verb: &'static str,
    front: &'static str,
    /// What an agent reads about it.
    pub body: &'static str,
}

/// What a client may count on when it decides whether to ask a person first.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the protocol")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hints {
    /// Whether it only looks.
    #[serde(rename = "readOnlyHint")]
    pub read_only: bool,
    /// Whether it may destroy something.
    #[serde(rename = "destructiveHint")]
    pub destructive: bool,
    /// Whether doing it twice is doing it once.
    #[serde(rename = "idempotentHint")]
    pub idempotent: bool,
    /// Whether it reaches beyond Converge, as a command does that a loop runs.
    #[serde(rename = "openWorldHint")]
    pub open_world: bool,
}

macro_rules! words {
    ($($verb:literal),* $(,)?) => {
        /// The file of each verb.
        const FILES: &[(&str, &str)] = &[$(($verb, include_str!(concat!("../tools/", $verb, ".md"))),)*];
    };
}

words!(
    "add_account",
    "add_job",
    "control_job",
    "daemon_status",
    "doctor",
    "explain_job",
    "list_accounts",
    "list_agents",
    "list_events",
    "list_jobs",
    "read_output",
    "remove_job",
    "run_logs",
    "run_now",
    "open_run",
    "show_agent",
    "show_job",
    "test_condition",
    "update_job",
    "wait",
);

/// What an agent reads about all of Converge before it reads about a verb; at most 600 characters.
pub fn instructions() -> &'static str {
    include_str!("../prompts/instructions.md").trim()
}

/// The words about a verb.
pub fn about(verb: &str) -> Option<Words> {
    let (verb, text) = FILES.iter().find(|(name, _)| *name == verb)?;
    let (front, body) = parts(text)?;
    Some(Words { verb, front, body })
}

impl Words {
    /// What it is called.
    pub fn title(&self) -> &'static str {
        self.line("title").unwrap_or(self.verb)
    }

    /// What clients may count on; none for a verb that agents are not shown.
    pub fn hints(&self) -> Option<Hints> {
        let words: Vec<&str> = self.line("hints")?.split(' ').collect();
        let has = |word: &str| words.contains(&word);
        Some(Hints {
            read_only: has("read-only"),
            destructive: has("destructive"),
            idempotent: has("idempotent"),
            open_world: has("open-world"),
        })
    }

    /// The line of the front matter about a command of the CLI, or of another name.
    pub fn line(&self, name: &str) -> Option<&'static str> {
        line(self.front, name)
    }
}

/// The front matter of a file and the text below it.
fn parts(text: &'static str) -> Option<(&'static str, &'static str)> {
    let (front, body) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some((front, body.trim()))
}

fn line(front: &'static str, name: &str) -> Option<&'static str> {
    front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: [&str; 8] = [
        "read-only",
        "writes",
        "destructive",
        "additive",
        "idempotent",
        "repeats",
        "open-world",
        "closed-world",
    ];

    #[test]
    fn every_hint_is_said_one_way_or_the_other() {
        for (verb, _) in FILES {
            let words = about(verb).expect(verb);
            let Some(line) = words.line("hints") else { continue };
            let said: Vec<&str> = line.split(' ').collect();
            for pair in HINTS.chunks(2) {
                assert_eq!(pair.iter().filter(|hint| said.contains(hint)).count(), 1, "{verb}: {pair:?}");
            }
            assert_eq!(said.len(), HINTS.len() / 2, "{verb}: {line}");
            let hints = words.hints().expect(verb);
            assert!(
                !(hints.read_only && (hints.destructive || hints.open_world)),
                "{verb} contradicts itself"
            );
        }
    }

    #[test]
    fn only_removing_is_destructive_and_what_starts_commands_is_open_world() {
        let with = |has: fn(Hints) -> bool| -> Vec<&str> {
            let hinted = |verb: &&str| about(verb).expect(verb).hints().is_some_and(has);
            FILES.iter().map(|(verb, _)| *verb).filter(hinted).collect()
        };
        assert_eq!(with(|hints| hints.destructive), ["remove_job"]);
        assert_eq!(with(|hints| hints.open_world), ["add_job", "run_now", "update_job"]);
        assert_eq!(
            with(|hints| hints.read_only),
            ["doctor", "explain_job", "list_jobs", "run_logs", "show_job", "wait"]
        );
    }

    #[test]
    fn the_instructions_are_short_and_name_what_people_say() {
        let text = instructions();
        assert!(text.chars().count() <= 600, "{} characters", text.chars().count());
        for phrase in ["keep trying until", "every morning", "why did it stop", "tell me when"] {
            assert!(text.contains(phrase), "{phrase}");
        }
    }
}
