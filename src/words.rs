//! Words: what agents and people read about each verb, from `tools/*.md`.
//!
//! A file has front matter - a title, and one line for each command of the CLI - and then the text that an
//! agent reads.

/// What there is to read about one verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The verb.
    pub verb: &'static str,
    front: &'static str,
    /// What an agent reads about it.
    pub body: &'static str,
}

macro_rules! words {
    ($($verb:literal),* $(,)?) => {
        /// The file of each verb.
        const FILES: &[(&str, &str)] = &[$(($verb, include_str!(concat!("../tools/", $verb, ".md"))),)*];
    };
}

words!(
    "add_job",
    "control_job",
    "daemon_status",
    "doctor",
    "explain_job",
    "list_events",
    "list_jobs",
    "read_output",
    "remove_job",
    "run_logs",
    "run_now",
    "show_job",
    "test_condition",
    "update_job",
    "wait",
);

/// The words about a verb.
pub fn about(verb: &str) -> Option<Words> {
    let (verb, text) = FILES.iter().find(|(name, _)| *name == verb)?;
    let (front, body) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(Words { verb, front, body: body.trim() })
}

impl Words {
    /// The line of the front matter about a command of the CLI, or of another name.
    pub fn line(&self, name: &str) -> Option<&'static str> {
        self.front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
    }
}
