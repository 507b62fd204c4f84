//! Invocations: from what is wanted of an agent to the command line that asks for it.
//!
//! The prompt is never an argument and never a variable, which every process of the machine could read: it is
//! standard input, or a file for its owner's eyes. Everything else that is put in is looked at first, so that
//! no value is taken for a flag.

use std::collections::BTreeMap;

use crate::agent::manifest::{Manifest, Prompt};
use crate::agent::template::{PROMPT_FILE, Part, Phrase, Slot};
use crate::core::nearest::nearest;
use crate::core::refusal::Problem;

/// What is wanted of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation<'a> {
    /// What it is asked to do.
    pub prompt: &'a str,
    /// In which conversation.
    pub session: Session<'a>,
    /// With which model; the agent's own choice when none is named.
    pub model: Option<&'a str>,
    /// How hard the model is to think.
    pub effort: Option<&'a str>,
    /// The permission profile.
    pub permissions: &'a str,
    /// Directories beside the working directory.
    pub directories: &'a [&'a str],
    /// The private home of an account.
    pub account: Option<&'a str>,
    /// Where a private file for the prompt may be put, for a CLI that does not read its standard input.
    pub prompt_file: &'a str,
}

/// In which conversation an agent is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session<'a> {
    /// In a new one.
    Fresh,
    /// In this one.
    Resume(&'a str),
    /// In a copy of this one.
    Fork(&'a str),
}

/// How an agent is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The names its program may have.
    pub programs: Vec<String>,
    /// The words behind the program.
    pub arguments: Vec<String>,
    /// What it reads.
    pub input: Input,
    /// Variables with values.
    pub set: BTreeMap<String, String>,
    /// Variables that are handed on where they are set.
    pub pass: Vec<String>,
    /// Variables that it must not see.
    pub strip: Vec<String>,
}

/// What an agent reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// This, on standard input.
    Stdin(Vec<u8>),
    /// Nothing on standard input; the file at `path` holds `bytes` for it.
    File {
        /// Where.
        path: String,
        /// What.
        bytes: Vec<u8>,
    },
}

impl Invocation<'_> {
    /// The call that asks `manifest`'s agent for this; everything that it cannot do is a problem.
    pub fn call(&self, manifest: &Manifest) -> Result<Call, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.prompt.trim().is_empty() {
            problems.push(Problem::new("prompt", "says nothing").fix("write what the agent is to do"));
        }
        let mut arguments = Vec::new();
        for part in &manifest.arguments {
            match part {
                Part::Word(word) => arguments.push(word.replace(PROMPT_FILE, self.prompt_file)),
                Part::Slot(slot) => match self.fill(*slot, manifest) {
                    Ok(words) => arguments.extend(words),
                    Err(found) => problems.extend(found),
                },
            }
        }
        problems.extend(self.unfillable(manifest));
        let mut set = manifest.environment.set.clone();
        let mut strip = Vec::new();
        if let Some(account) = self.account {
            match &manifest.environment.account {
                Some(variable) => drop(set.insert(variable.clone(), account.to_owned())),
                None => problems.push(unable("account", manifest, "has no accounts of its own")),
            }
            strip.clone_from(&manifest.environment.strip);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let bytes = self.prompt.as_bytes().to_vec();
        let input = match manifest.prompt {
            Prompt::Stdin => Input::Stdin(bytes),
            Prompt::File => Input::File { path: self.prompt_file.to_owned(), bytes },
        };
        let passed = manifest.environment.pass.iter().filter(|name| !strip.contains(name)).cloned();
        Ok(Call { programs: manifest.programs.clone(), arguments, input, set, pass: passed.collect(), strip })
    }

    /// The words that go into a slot.
    fn fill(&self, slot: Slot, manifest: &Manifest) -> Result<Vec<String>, Vec<Problem>> {
        let options = &manifest.options;
        let said = |phrase: &Option<Phrase>, place: &str, value: &str| match phrase {
            Some(phrase) => plain(place, value).map(|value| phrase.say(value).collect()).map_err(|p| vec![p]),
            // Said once for all slots, by `unfillable`.
            None => Ok(Vec::new()),
        };
        match slot {
            Slot::Permissions => match manifest.permissions.get(self.permissions) {
                Some(words) => Ok(words.clone()),
                None => Ok(Vec::new()),
            },
            Slot::Model => self.model.map_or(Ok(Vec::new()), |model| said(&options.model, "model", model)),
            Slot::Effort => {
                self.effort.map_or(Ok(Vec::new()), |effort| said(&options.effort, "effort", effort))
            }
            Slot::Directories => {
                let words: Result<Vec<Vec<String>>, _> = self
                    .directories
                    .iter()
                    .map(|directory| said(&options.directory, "directories", directory))
                    .collect();
                words.map(|words| words.concat())
            }
            Slot::Session => match self.session {
                Session::Fresh => Ok(Vec::new()),
                Session::Resume(id) => said(&options.resume, "session", id),
                Session::Fork(id) => said(&options.fork, "session", id),
            },
        }
    }

    /// What is wanted and cannot be said to this agent.
    fn unfillable(&self, manifest: &Manifest) -> Vec<Problem> {
        let options = &manifest.options;
        let mut problems = Vec::new();
        let mut need = |is_wanted: bool, phrase: &Option<Phrase>, place: &str, message: &str| {
            if is_wanted && phrase.is_none() {
                problems.push(unable(place, manifest, message));
            }
        };
        need(self.model.is_some(), &options.model, "model", "takes no model");
        need(self.effort.is_some(), &options.effort, "effort", "takes no effort");
        need(!self.directories.is_empty(), &options.directory, "directories", "takes no further directories");
        match self.session {
            Session::Fresh => {}
            Session::Resume(_) => need(true, &options.resume, "session", "cannot go on with a conversation"),
            Session::Fork(_) => need(true, &options.fork, "session", "cannot copy a conversation"),
        }
        if !manifest.permissions.contains_key(self.permissions) {
            let known: Vec<&str> = manifest.permissions.keys().map(String::as_str).collect();
            let fix = match nearest(self.permissions, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it knows {}", known.join(", ")),
            };
            let message = format!("{} knows no profile `{}`", manifest.title, self.permissions);
            problems.push(Problem::new("permissions", message).fix(fix));
        }
        problems
    }
}

fn unable(place: &str, manifest: &Manifest, message: &str) -> Problem {
    let fix = format!("leave it out, or see `converge agents show {}`", manifest.name);
    Problem::new(place, format!("{} {message}", manifest.title)).fix(fix)
}

/// A value that can be an argument of its own and is no flag.
fn plain<'a>(place: &str, value: &'a str) -> Result<&'a str, Problem> {
    if value.is_empty() || value.starts_with('-') || value.contains(char::is_control) {
        let fix = "it must not be empty, begin with a dash, or have control characters";
        return Err(Problem::new(place, format!("`{}` cannot be passed on", value.escape_debug())).fix(fix));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
