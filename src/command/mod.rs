//! Verbs: one definition of each, for every surface.
//!
//! A verb is a request, what it does and a reply that can be rendered. The registry erases each to plain
//! function pointers, so that surfaces are loops over it. Words about a verb are in `tools/<verb>.md`, words
//! about a field on the field.

pub mod add_job;
pub mod attempt;
pub mod caller;
pub mod columns;
pub mod control_job;
pub mod daemon_status;
pub mod define;
pub mod describe;
pub mod doctor;
pub mod examine;
pub mod explain_job;
pub mod instant;
pub mod lenient;
pub mod list_events;
pub mod list_jobs;
pub mod page;
pub mod read_output;
pub mod readback;
pub mod reader;
pub mod remove_job;
pub mod run_logs;
pub mod run_now;
pub mod select;
pub mod show_job;
pub mod stamp;
pub mod table;
pub mod terms;
pub mod test_condition;
pub mod update_job;
pub mod view;
pub mod wait;
pub mod zone;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::caller::Caller;
use crate::command::page::Page;
use crate::core::actor::Actor;
use crate::core::nearest::nearest;
use crate::core::refusal::{Code, Problem, Refusal};
use crate::core::span::Span;
use crate::engine::handle::Handle;
use crate::engine::input::{Answer, Key, Write};
use crate::engine::writes;
use crate::store::keys;
use crate::store::readers::Readers;
use crate::store::tx::{StoreError, Tx};

/// One verb.
pub trait Command: Serialize + DeserializeOwned + clap::Args {
    /// Its name: the MCP tool, the word on the wire, and `tools/<name>.md`.
    const NAME: &'static str;
    /// What it may do.
    const ACCESS: Access;
    /// The commands of the CLI that ask for it.
    const CLI: &'static [Cli];
    /// What it answers.
    type Reply: Serialize + DeserializeOwned + Render;

    /// Does it.
    fn run(self, cx: &Context<'_>) -> Result<Self::Reply, Refusal>;
}

/// One command of the CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cli {
    /// Its name; two words for a command of a group.
    pub name: &'static str,
    /// Arguments that it sets by itself.
    pub preset: &'static [(&'static str, &'static str)],
    /// Arguments that mean nothing to it.
    pub hide: &'static [&'static str],
}

impl Cli {
    /// A command that is the verb as it is.
    pub const fn named(name: &'static str) -> Self {
        Self { name, preset: &[], hide: &[] }
    }
}

/// What a verb may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Looks only.
    Read,
    /// Changes something.
    Write,
}

/// A reply that people can read.
pub trait Render {
    /// Writes it on a page.
    fn render(&self, page: &mut Page);
}

/// What a verb works with.
pub struct Context<'a> {
    /// Who asks, and from where.
    pub caller: &'a Caller,
    /// The name of the request, for writes.
    pub key: Option<Key>,
    /// The daemon it runs in.
    pub house: &'a House,
}

/// The daemon as the verbs see it.
pub struct House {
    /// The engine.
    pub engine: Handle,
    /// Connections that read.
    pub readers: Readers,
    /// Where everything lies.
    pub places: Places,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// How many runs may be under way at once.
    pub lanes: u32,
}

/// Where everything lies.
#[derive(Debug, Clone)]
pub struct Places {
    /// The home directory of all of it.
    pub home: PathBuf,
    /// The database.
    pub database: PathBuf,
    /// The run directories.
    pub runs: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// The lock of the daemon.
    pub lock: PathBuf,
    /// The log of the daemon.
    pub log: PathBuf,
}

/// The longest that one call waits: clients cut calls at a minute.
pub const WAIT_MOST: Span = Span::from_secs(20);

impl Context<'_> {
    /// The instant it is.
    pub fn now(&self) -> Timestamp {
        self.house.engine.now()
    }

    /// Waits for a change after number `seen`, at the longest until then.
    pub fn patience(&self, seen: u64, until: Timestamp) {
        let left = Duration::from_millis(Span::between(self.now(), until).as_ms());
        self.house.engine.changed_since(seen, left);
    }

    /// Asks for a change and waits until it is stored.
    pub fn write(&self, write: Write) -> Result<Answer, Refusal> {
        self.house.engine.ask(write, Actor::named(&self.caller.actor), self.key.clone())
    }

    /// What was answered to this very request when it came before.
    ///
    /// For verbs whose request reads otherwise once it was done: it names what it took away, or asks for
    /// what is there by now.
    pub fn answered(&self) -> Result<Option<Answer>, Refusal> {
        let Some(key) = &self.key else { return Ok(None) };
        let kept = self.read(|tx| keys::get(tx, &key.name, self.now()))?;
        kept.map(|kept| writes::again(key, kept)).transpose()
    }

    /// Reads from one consistent state of the store.
    pub fn read<T>(&self, read: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>) -> Result<T, Refusal> {
        self.house.readers.read(read).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &StoreError) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "the store cannot be read");
    Refusal::new(Code::Unavailable, format!("the store cannot be read: {}", error.with_causes()))
        .hint("`converge doctor` looks at it")
}

/// A verb without its types.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it may do.
    pub access: Access,
    /// The commands of the CLI that ask for it.
    pub cli: &'static [Cli],
    /// Does it.
    pub run: fn(Json, &Context<'_>) -> Result<Json, Refusal>,
    /// Adds its arguments to a command line.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Reads its request from a command line.
    pub request: fn(&clap::ArgMatches) -> Result<Json, clap::Error>,
    /// Writes its reply on a page.
    pub render: fn(&Json, &mut Page) -> Result<(), serde_json::Error>,
}

const fn entry<C: Command>() -> Entry {
    Entry {
        name: C::NAME,
        access: C::ACCESS,
        cli: C::CLI,
        run: |arguments, cx| {
            let request: C = read_request::<C>(arguments)?;
            let reply = request.run(cx)?;
            Ok(serde_json::to_value(reply).expect("a reply is plain data"))
        },
        arguments: |command| C::augment_args(command),
        request: |matches| {
            let request = C::from_arg_matches(matches)?;
            Ok(serde_json::to_value(request).expect("a request is plain data"))
        },
        render: |reply, page| {
            C::Reply::deserialize(reply)?.render(page);
            if reply[REPLAYED] == true {
                page.line("This was done when the key came first; nothing was done now.");
            }
            Ok(())
        },
    }
}

/// Every verb, in the order in which agents see them.
pub static REGISTRY: [Entry; 15] = [
    entry::<add_job::AddJob>(),
    entry::<update_job::UpdateJob>(),
    entry::<list_jobs::ListJobs>(),
    entry::<show_job::ShowJob>(),
    entry::<control_job::ControlJob>(),
    entry::<remove_job::RemoveJob>(),
    entry::<run_now::RunNow>(),
    entry::<run_logs::RunLogs>(),
    entry::<explain_job::ExplainJob>(),
    entry::<wait::Wait>(),
    entry::<doctor::Doctor>(),
    entry::<test_condition::TestCondition>(),
    entry::<list_events::ListEvents>(),
    entry::<read_output::ReadOutput>(),
    entry::<daemon_status::DaemonStatus>(),
];

/// The verb of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|entry| entry.name == name)
}

/// The longest name of a request.
const KEY_MOST: usize = 200;

/// Does the verb of this name for somebody.
pub fn dispatch(
    house: &House,
    caller: &Caller,
    verb: &str,
    arguments: Json,
    key: Option<String>,
) -> Result<Json, Refusal> {
    let Some(entry) = find(verb) else {
        let refusal = Refusal::new(Code::NotFound, format!("no verb `{verb}`"));
        let near = nearest(verb, REGISTRY.iter().map(|entry| entry.name));
        return Err(match near {
            Some(near) => refusal.hint(format!("did you mean `{near}`?")),
            None => refusal,
        });
    };
    if let Some(problem) = key.as_deref().and_then(|name| define::unfit("key", name, KEY_MOST)) {
        return Err(Refusal::invalid(vec![problem]));
    }
    let key = key.map(|name| Key { name, request: request_hash(verb, &arguments) });
    let cx = Context { caller, key, house };
    if entry.access == Access::Read {
        return (entry.run)(arguments, &cx);
    }
    let replayed = cx.answered()?.is_some();
    let mut reply = (entry.run)(arguments, &cx)?;
    // Told apart from what was done now: the same words may stand for something long ago.
    reply[REPLAYED] = Json::Bool(replayed);
    Ok(reply)
}

/// The field of a reply that says whether its request was answered before, under the same key.
const REPLAYED: &str = "replayed";

fn request_hash(verb: &str, arguments: &Json) -> String {
    blake3::hash(format!("{verb}\0{arguments}").as_bytes()).to_hex().to_string()
}

/// Reads a request, refusing fields it does not have.
fn read_request<C: Command>(arguments: Json) -> Result<C, Refusal> {
    let arguments = if arguments.is_null() { Json::Object(serde_json::Map::new()) } else { arguments };
    let Json::Object(map) = &arguments else {
        return Err(Refusal::new(Code::Invalid, format!("the arguments of {} are an object", C::NAME)));
    };
    let command = C::augment_args(clap::Command::new(C::NAME));
    let known: Vec<&str> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
    let stranger = |name: &str| {
        let problem = Problem::new(name, format!("{} has no field `{name}`", C::NAME));
        match nearest(name, known.iter().copied()) {
            Some(near) => problem.fix(format!("did you mean `{near}`?")),
            None => problem.fix(format!("the fields are {}", known.join(", "))),
        }
    };
    let strangers: Vec<Problem> =
        map.keys().filter(|name| !known.contains(&name.as_str())).map(|name| stranger(name)).collect();
    if !strangers.is_empty() {
        return Err(Refusal::invalid(strangers));
    }
    serde_json::from_value(arguments).map_err(|error| Refusal::new(Code::Invalid, error.to_string()))
}
