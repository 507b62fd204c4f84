//! Invocations: from what is wanted of an agent to the command line that asks for it.
//!
//! The prompt is never an argument and never a variable, which every process of the machine could read: it is
//! standard input, or a file for its owner's eyes. Everything else that is put in is looked at first, so that
//! no value is taken for a flag.

use std::collections::BTreeMap;

use crate::agent::manifest::{Manifest, Prompt};
use crate::agent::register::{Register, Registration};
use crate::agent::template::{self, PROMPT_FILE, Part, Phrase, Slot};
use crate::core::nearest::nearest;
use crate::core::overlay::Overlay;
use crate::core::process::PrivateFile;
use crate::core::refusal::Problem;

/// What is wanted of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation<'a> {
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
    /// Tools that it may use without asking.
    pub tools: &'a [&'a str],
    /// The account; the agent's usual one when none is named.
    pub account: Option<Account<'a>>,
    /// Where a private file for the prompt may be put, for a CLI that does not read its standard input.
    pub prompt_file: &'a str,
    /// What its result is to fit; anything when nothing is said.
    pub schema: Option<Schema<'a>>,
    /// What it finds among its servers while it runs, as far as it can be told.
    pub register: Option<Register<'a>>,
}

/// What a result is to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema<'a> {
    /// The schema.
    pub text: &'a str,
    /// Where the private file [`SCHEMA_FILE`] lies, for a CLI that reads it from one.
    pub file: &'a str,
}

/// The private file for a schema; no file of a manifest can be called so, since theirs begin with no dot.
pub const SCHEMA_FILE: &str = ".schema.json";

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

/// Which account an agent uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    /// The one of this private home.
    Home(&'a str),
    /// The one of this name among those that the CLI keeps.
    Profile(&'a str),
    /// The one that variables say, which are found out when it starts.
    Variables,
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
    /// Files that lie in its run directory while it runs.
    pub files: Vec<PrivateFile>,
    /// The home that it has meanwhile, when not its usual one.
    pub overlay: Option<Overlay>,
}

/// What an agent reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The prompt, on standard input.
    Stdin,
    /// Nothing on standard input; the prompt stands in its private file.
    File,
}

impl Invocation<'_> {
    /// The call that asks `manifest`'s agent for this; everything that it cannot do is a problem.
    pub fn call(&self, manifest: &Manifest) -> Result<Call, Vec<Problem>> {
        let mut problems = Vec::new();
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
        problems.extend(self.register.iter().flat_map(Register::problems));
        let mut set = manifest.environment.set.clone();
        let mut files = Vec::new();
        let mut overlay = None;
        if let Some((register, registration)) = self.registered(manifest) {
            set.extend(registration.set(register));
            files = registration.files(register);
            overlay = registration.overlay(register);
        }
        files.extend(self.schema_file(manifest));
        let mut strip = Vec::new();
        if let Some(account) = self.account {
            match (account, &manifest.environment.account) {
                (Account::Home(path), Some(variable)) => drop(set.insert(variable.clone(), path.to_owned())),
                (Account::Home(_), None) => {
                    problems.push(unable("account", manifest, "has no accounts of its own"));
                }
                (Account::Profile(_) | Account::Variables, _) => {}
            }
            strip.clone_from(&manifest.environment.strip);
            // The home of somebody else would be worse than none.
            strip
                .extend(manifest.environment.account.iter().filter(|name| !set.contains_key(*name)).cloned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let input = match manifest.prompt {
            Prompt::Stdin => Input::Stdin,
            Prompt::File => Input::File,
        };
        let mut pass = manifest.environment.handed_on();
        pass.retain(|name| !strip.contains(name) && !set.contains_key(name));
        let programs = manifest.programs.clone();
        Ok(Call { programs, arguments, input, set, pass, strip, files, overlay })
    }

    /// What is registered, and how, where there is something to register and a way to do it.
    fn registered<'m>(&self, manifest: &'m Manifest) -> Option<(&Register<'_>, &'m Registration)> {
        Some((self.register.as_ref()?, manifest.register.as_ref()?))
    }

    /// The words that go into a slot.
    fn fill(&self, slot: Slot, manifest: &Manifest) -> Result<Vec<String>, Vec<Problem>> {
        let options = &manifest.options;
        let said = |phrase: &Option<Phrase>, place: &str, value: &str| match phrase {
            Some(phrase) => plain(place, value).map(|value| phrase.say(value).collect()).map_err(|p| vec![p]),
            // Said once for all slots, by `unfillable`.
            None => Ok(Vec::new()),
        };
        let each = |phrase: &Option<Phrase>, place: &str, values: &[&str]| {
            let words: Result<Vec<Vec<String>>, _> =
                values.iter().map(|value| said(phrase, place, value)).collect();
            words.map(|words| words.concat())
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
            Slot::Directories => each(&options.directory, "directories", self.directories),
            Slot::Tools => each(&options.tool, "tools", self.tools),
            Slot::Account => match self.account {
                Some(Account::Profile(name)) => said(&options.auth_profile, "account", name),
                Some(Account::Home(_) | Account::Variables) | None => Ok(Vec::new()),
            },
            Slot::Session => match self.session {
                Session::Fresh => Ok(Vec::new()),
                Session::Resume(id) => said(&options.resume, "session", id),
                Session::Fork(id) => said(&options.fork, "session", id),
            },
            Slot::Schema => Ok(self.schema_words(manifest)),
            Slot::Converge => Ok(self
                .registered(manifest)
                .map(|(register, registration)| registration.arguments(register))
                .unwrap_or_default()),
        }
    }

    /// The words that say what its result is to fit.
    fn schema_words(&self, manifest: &Manifest) -> Vec<String> {
        let (Some(schema), Some(phrase)) = (self.schema, &manifest.options.schema) else { return Vec::new() };
        let [_, file] = template::SCHEMA;
        phrase.say(if phrase.has(file) { schema.file } else { schema.text }).collect()
    }

    /// The file that it reads that from.
    fn schema_file(&self, manifest: &Manifest) -> Option<PrivateFile> {
        let [_, file] = template::SCHEMA;
        manifest.options.schema.as_ref().filter(|phrase| phrase.has(file))?;
        self.schema.map(|schema| PrivateFile { name: SCHEMA_FILE.to_owned(), text: schema.text.to_owned() })
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
        need(self.schema.is_some(), &options.schema, "schema", "gives no structured results");
        need(!self.tools.is_empty(), &options.tool, "tools", "takes no names of tools to allow");
        let is_profile = matches!(self.account, Some(Account::Profile(_)));
        need(is_profile, &options.auth_profile, "account", "keeps no accounts");
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
