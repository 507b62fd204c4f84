//! Manifests: one agent CLI as data, from one TOML file.
//!
//! A manifest is refused whole, with every mistake in it. What its author could not see on the real program
//! is listed under `unverified`, and a failure without a `from` counts as such too.

use std::collections::BTreeMap;

use crate::agent::document::{self, Mistake, Table};
use crate::agent::login;
use crate::agent::output::Output;
use crate::agent::register::Registration;
use crate::agent::template::{self, PROMPT_FILE, Part, Phrase, Slot};
use crate::core::login::LoginQuestion;

/// By which a program that asks a service finds its way out, and knows whom it reaches. All agents have them.
const WAY_OUT: [&str; 11] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
];

/// What a manifest is right for when versions make no difference.
pub const ANY_VERSION: &str = "any";

/// How one agent CLI is driven and understood.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The version on which all of this was seen; none when it was only read about.
    pub seen: Option<String>,
    /// The names its program may have, the first that is found being it.
    pub programs: Vec<String>,
    /// How it is given the prompt.
    pub prompt: Prompt,
    /// Its command line, without the program.
    pub arguments: Vec<Part>,
    /// What goes into the slots of the command line.
    pub options: Options,
    /// What each permission profile adds to the command line.
    pub permissions: BTreeMap<String, Vec<String>>,
    /// What its environment is.
    pub environment: Environment,
    /// How it finds Converge while it runs; none where it cannot be told without changing its user's settings.
    pub register: Option<Registration>,
    /// How it says whether somebody is logged in; none where it does not.
    pub login: Option<LoginQuestion>,
    /// How its output is read.
    pub output: Output,
    /// The members that nobody has seen at work.
    pub unverified: Vec<String>,
}

/// How a prompt is given; never as an argument or a variable, which others could read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// On standard input.
    Stdin,
    /// In a file that only its owner reads, whose name stands in the command line.
    File,
}

/// What is said for a model, a conversation and so on; none for what the CLI cannot do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For a model.
    pub model: Option<Phrase>,
    /// For how hard it thinks.
    pub effort: Option<Phrase>,
    /// For each directory beside the working directory.
    pub directory: Option<Phrase>,
    /// For each tool that it may use without asking.
    pub tool: Option<Phrase>,
    /// For one of the accounts that the CLI keeps by itself.
    pub auth_profile: Option<Phrase>,
    /// For a conversation that goes on.
    pub resume: Option<Phrase>,
    /// For a copy of a conversation that goes on by itself.
    pub fork: Option<Phrase>,
    /// For the schema that its result is to fit.
    pub schema: Option<Phrase>,
    /// All the words with which a person opens a conversation in a terminal.
    pub open: Option<Phrase>,
}

/// What the environment of the program is, beside that of every run.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables with values of their own.
    pub set: BTreeMap<String, String>,
    /// Variables of its own that are handed on where they are set: keys, addresses of services, homes.
    pub pass: Vec<String>,
    /// Variables that are taken away where an account is named, since they would override it; also those that
    /// a job hands on.
    pub strip: Vec<String>,
    /// The variable that names the private home of an account.
    pub account: Option<String>,
    /// The variable that it sets in the shells that it opens.
    pub shell: Option<String>,
    /// The variable that names its conversation there.
    pub conversation: Option<String>,
}

impl Environment {
    /// The variables that are handed on: those of the manifest, and those by which every agent finds its way out.
    pub fn handed_on(&self) -> Vec<String> {
        let way_out = WAY_OUT.map(str::to_owned).into_iter().filter(|name| !self.pass.contains(name));
        self.pass.iter().cloned().chain(way_out).collect()
    }

    /// Whether both tell by the same variables which shell and which conversation is theirs, as a copy of a
    /// manifest does.
    pub fn tells_as(&self, other: &Self) -> bool {
        let told = |of: &Self| (of.shell.clone(), of.conversation.clone());
        told(self) == told(other) && told(self) != (None, None)
    }
}

/// The permission profiles that agents know by the same names, as far as they know them; `edit` is the usual one.
pub const PROFILES: [&str; 3] = ["edit", "read-only", "full"];

impl Manifest {
    /// Reads a manifest; answers every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        document::read(text, read)
    }

    /// The version that it was seen to be right for, where this is another.
    pub fn seen_with_other_than(&self, version: &str) -> Option<&str> {
        self.seen.as_deref().filter(|seen| *seen != version && *seen != ANY_VERSION)
    }

    /// Everything about it that nobody has seen at work; what a manifest without a version says counts whole.
    pub fn doubts(&self) -> Vec<String> {
        if self.seen.is_none() {
            return vec!["everything".to_owned()];
        }
        let unsourced = |(place, failure): (usize, &crate::agent::output::Failure)| {
            failure.from.is_none().then(|| format!("failure[{place}] ({})", failure.class))
        };
        let failures = self.output.failures.iter().enumerate().filter_map(unsourced);
        self.unverified.iter().cloned().chain(failures).collect()
    }
}

fn read(table: &mut Table<'_, '_>) -> Option<Manifest> {
    let name = table.required("name");
    if let Some(name) = &name
        && !is_name(name)
    {
        table.mistake("name", &format!("is `{name}`"), "use lower-case letters, digits and dashes");
    }
    let title = table.text("title");
    let seen = table.text("seen");
    let programs = table.words("programs").unwrap_or_default();
    if !table.has("programs") {
        table.mistake("programs", "is missing", "write programs = [\"name\"]");
    } else if programs.is_empty()
        || programs.iter().any(|program| program.is_empty() || program.contains('\0'))
    {
        table.mistake("programs", "names no program", "write programs = [\"name\"]");
    }
    let prompt = table.choice("prompt", &[("stdin", Prompt::Stdin), ("file", Prompt::File)]);
    if !table.has("prompt") {
        table.mistake("prompt", "is missing", "add prompt = \"stdin\", or \"file\"");
    }
    let arguments = Part::read(table, "arguments");
    let names_file =
        arguments.iter().any(|part| matches!(part, Part::Word(word) if word.contains(PROMPT_FILE)));
    if prompt.is_some_and(|prompt| names_file != (prompt == Prompt::File)) {
        let fix = format!("with prompt = \"file\", and only then, write {PROMPT_FILE} in a word");
        table.mistake("arguments", "does not fit how the prompt is given", &fix);
    }
    let options = options(table);
    let permissions = table.table("permissions").map(Table::lists).unwrap_or_default();
    let environment = environment(table);
    let register = Registration::read(table);
    let login = login::read(table);
    let registers = register.as_ref().is_some_and(|register| !register.arguments.is_empty());
    check_slots(table, &arguments, |slot| match slot {
        Slot::Permissions => ("permissions", permissions.values().any(|words| !words.is_empty())),
        Slot::Model => ("options.model", options.model.is_some()),
        Slot::Effort => ("options.effort", options.effort.is_some()),
        Slot::Directories => ("options.directory", options.directory.is_some()),
        Slot::Tools => ("options.tool", options.tool.is_some()),
        Slot::Account => ("options.auth_profile", options.auth_profile.is_some()),
        Slot::Session => ("options.resume", options.resume.is_some() || options.fork.is_some()),
        Slot::Schema => ("options.schema", options.schema.is_some()),
        Slot::Converge => ("register.arguments", registers),
    });
    let output = Output::read(table);
    let unverified = table.words("unverified").unwrap_or_default();
    for place in &unverified {
        let top = place.split(['.', '[']).next().unwrap_or_default();
        if !table.has(top) {
            table.mistake("unverified", &format!("lists `{place}`"), "name a member that is there");
        }
    }
    let name = name?;
    Some(Manifest {
        title: title.unwrap_or_else(|| name.clone()),
        name,
        seen,
        programs,
        prompt: prompt?,
        arguments,
        options,
        permissions,
        environment,
        register,
        login,
        output: output?,
        unverified,
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn options(table: &mut Table<'_, '_>) -> Options {
    let Some(mut inner) = table.table("options") else { return Options::default() };
    let options = Options {
        model: Phrase::read(&mut inner, "model", "{model}"),
        effort: Phrase::read(&mut inner, "effort", "{effort}"),
        directory: Phrase::read(&mut inner, "directory", "{directory}"),
        tool: Phrase::read(&mut inner, "tool", "{tool}"),
        auth_profile: Phrase::read(&mut inner, "auth_profile", "{account}"),
        resume: Phrase::read(&mut inner, "resume", "{session}"),
        fork: Phrase::read(&mut inner, "fork", "{session}"),
        schema: Phrase::read_either(&mut inner, "schema", template::SCHEMA),
        open: Phrase::read(&mut inner, "open", "{session}"),
    };
    inner.finish();
    options
}

/// A slot without anything to go in is a slip, and so is something that has no slot to go to.
fn check_slots(table: &Table<'_, '_>, arguments: &[Part], said: impl Fn(Slot) -> (&'static str, bool)) {
    for slot in Slot::ALL {
        let (place, is_said) = said(slot);
        let name = slot.name();
        match (arguments.contains(&Part::Slot(slot)), is_said) {
            (true, false) => {
                let fix = format!("say it in `{place}`, or leave the word out");
                table.mistake("arguments", &format!("has {name}, and nothing goes there"), &fix);
            }
            (false, true) => {
                let message = format!("has no {name} for what `{place}` says");
                table.mistake("arguments", &message, &format!("write {name} as a word where it belongs"));
            }
            (true, true) | (false, false) => {}
        }
    }
}

/// Whether a manifest may name this variable: one that can be, and that is not Converge's own.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !name.starts_with("CONVERGE_")
}

/// Whether a path leads to nowhere but what is below where it begins.
pub(super) fn is_within(path: &str) -> bool {
    let is_plain = |name: &str| !["", ".", ".."].contains(&name) && !name.contains(char::is_control);
    path.split('/').all(is_plain)
}

fn environment(table: &mut Table<'_, '_>) -> Environment {
    let Some(mut inner) = table.table("environment") else { return Environment::default() };
    let mut set = BTreeMap::new();
    for (name, value) in inner.table("set").map(Table::scalars).unwrap_or_default() {
        match value {
            document::Scalar::Text(value) => drop(set.insert(name, value)),
            document::Scalar::Number(_) | document::Scalar::Flag(_) => {
                inner.mistake("set", &format!("has `{name}`, which is not a text"), "put it in quotes");
            }
        }
    }
    let environment = Environment {
        set,
        pass: inner.words("pass").unwrap_or_default(),
        strip: inner.words("strip").unwrap_or_default(),
        account: inner.text("account"),
        shell: inner.text("shell"),
        conversation: inner.text("conversation"),
    };
    let names = environment.set.keys().chain(&environment.pass).chain(&environment.strip);
    let single = [&environment.account, &environment.shell, &environment.conversation];
    for name in names.chain(single.into_iter().flatten()) {
        if !is_variable(name) {
            inner.mistake("", &format!("names `{name}`"), "name a variable that is not Converge's own");
        }
    }
    inner.finish();
    environment
}

#[cfg(test)]
mod tests;
