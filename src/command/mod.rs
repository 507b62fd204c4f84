//! Verbs: one definition of each, for every surface.
//!
//! A verb is a request, what it does and a reply that can be rendered. The registry erases each to plain
//! function pointers, so that surfaces are loops over it. Words about a verb are in `tools/<verb>.md`, words
//! about a field on the field.

pub mod add_account;
pub mod add_job;
pub mod agent_files;
pub mod agent_terms;
pub mod arguments;
pub mod assign;
pub mod attempt;
pub mod brief;
pub mod caller;
pub mod columns;
pub mod control_job;
pub mod correct;
pub mod daemon_status;
pub mod defaults;
pub mod define;
pub mod describe;
pub mod dispatch;
pub mod doctor;
pub mod drift;
pub mod examine;
pub mod explain_job;
pub mod fence;
pub mod foreign;
pub mod in_shell;
pub mod inside;
pub mod instant;
pub mod job_warnings;
pub mod leave;
pub mod lenient;
pub mod list_accounts;
pub mod list_agents;
pub mod list_events;
pub mod list_jobs;
pub mod logins;
pub mod open_run;
pub mod page;
pub mod places;
pub mod preflight;
pub mod programs;
pub mod published;
pub mod read_output;
pub mod readable;
pub mod readback;
pub mod reader;
pub mod readings;
pub mod remove_job;
pub mod room;
pub mod run_logs;
pub mod run_now;
pub mod schema;
pub mod select;
pub mod settings;
pub mod show_agent;
pub mod show_job;
pub mod speak;
pub mod spent;
pub mod stamp;
pub mod structured;
pub mod table;
pub mod target;
pub mod tell;
pub mod terms;
pub mod test_condition;
pub mod trees;
pub mod update_job;
pub mod view;
pub mod wait;
pub mod waiting;
pub mod whereabouts;
pub mod zone;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::caller::Caller;
use crate::command::page::Page;
use crate::command::places::Places;
use crate::command::schema::{Field, Fields, Object};
use crate::command::settings::Settings;
use crate::command::tell::Tell;
use crate::core::account::Accounts;
use crate::core::actor::Actor;
use crate::core::consent::Consent;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::engine::handle::Handle;
use crate::engine::input::{Answer, Key, Write};
use crate::engine::writes;
use crate::programs::Question;
use crate::store::keys;
use crate::store::readers::Readers;
use crate::store::tx::{StoreError, Tx};

/// One verb.
pub trait Command: Serialize + DeserializeOwned + clap::Args + JsonSchema {
    /// Its name: the MCP tool, the word on the wire, and `tools/<name>.md`.
    const NAME: &'static str;
    /// What it may do.
    const ACCESS: Access;
    /// The commands of the CLI that ask for it.
    const CLI: &'static [Cli];
    /// How its fields are told to agents.
    const FIELDS: Fields = Fields::InWords;
    /// What it answers.
    type Reply: Serialize + DeserializeOwned + Render + Tell;

    /// Does it.
    fn run(self, cx: &Context<'_>) -> Result<Self::Reply, Refusal>;
}

/// A verb that changes something: what it asks of the engine, and what it says of the answer.
///
/// Apart, because a request that comes again is answered from what was kept and asks for nothing: what it
/// names may be gone by then, and what it wants may be allowed no more.
pub trait Change: Command {
    /// What the request comes to, or why it is refused.
    fn write(&self, cx: &Context<'_>) -> Result<Write, Refusal>;

    /// What is said of the answer, which may have been given long ago.
    fn reply(self, cx: &Context<'_>, answer: Answer) -> Result<Self::Reply, Refusal>;
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
    /// Changes what is there.
    Write,
    /// Makes something new, and looks at nothing that another request may be changing: several of one
    /// client may be under way at once.
    Create,
}

impl Access {
    /// Whether something is different afterwards.
    pub fn is_write(self) -> bool {
        self != Self::Read
    }
}

/// One request.
pub struct Asked<'a> {
    /// The verb.
    pub verb: &'a str,
    /// With what.
    pub arguments: Json,
    /// The name of a write, so that asking twice is asking once.
    pub key: Option<String>,
    /// Called once a write has its place in the order of all writes.
    pub entered: &'a dyn Fn(),
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
    /// What was answered to this very request when it came before.
    pub kept: Option<Answer>,
    /// The daemon it runs in.
    pub house: &'a House,
    /// Called once a write has its place in the order of all writes.
    pub entered: &'a dyn Fn(),
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
    /// What becomes of jobs that agents make.
    pub consent: Consent,
    /// What is said of the accounts of agents.
    pub accounts: Accounts,
    /// Looks whether the settings are others by now.
    pub settings: Box<dyn Fn() -> Settings + Send + Sync>,
    /// The path of the user's login shell, which may take seconds to say it the first time.
    pub login_path: fn() -> Option<&'static str>,
    /// Asks the program of an agent something; what it answers, if it does.
    pub ask: fn(&Question) -> Option<String>,
}

/// The longest that one request waits: whoever waits longer asks again, and is told in between.
pub const SLICE_MOST: Span = Span::from_secs(20);

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

    /// Makes a change and waits until it is stored; one that was made under the same key is only told again.
    pub fn change<C: Change>(&self, change: C) -> Result<C::Reply, Refusal> {
        if let Some(answer) = &self.kept {
            return change.reply(self, answer.clone()).map_err(|refusal| Refusal {
                message: format!("this was done when the key came first; {}", refusal.message),
                ..refusal
            });
        }
        let write = change.write(self)?;
        let submitted = self.house.engine.submit(write, Actor::named(&self.caller.actor), self.key.clone());
        (self.entered)();
        change.reply(self, submitted.wait()?)
    }

    fn answered(&self) -> Result<Option<Answer>, Refusal> {
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
    /// Does it, and answers as its reader is told.
    pub run: fn(Object, &Context<'_>) -> Result<Json, Refusal>,
    /// The schema of its request, as agents are shown it.
    pub input_schema: fn() -> Object,
    /// The schema of its reply, as agents are shown it.
    pub output_schema: fn() -> Object,
    /// Every field of its request.
    pub fields: fn() -> Vec<Field>,
    /// Adds its arguments to a command line.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Reads its request from a command line.
    pub request: fn(&clap::ArgMatches) -> Result<Json, clap::Error>,
    /// Writes its reply on a page.
    pub render: fn(&Json, &mut Page) -> Result<(), serde_json::Error>,
    /// Its reply with every member that it has, also those that are null and were left out on the way.
    pub complete: fn(&Json) -> Result<Json, serde_json::Error>,
}

const fn entry<C: Command>() -> Entry {
    Entry {
        name: C::NAME,
        access: C::ACCESS,
        cli: C::CLI,
        run: |request, cx| {
            let request: C = serde_json::from_value(Json::Object(request))
                .map_err(|error| Refusal::new(Code::Invalid, error.to_string()))?;
            Ok(tell::reply(request.run(cx)?, cx))
        },
        input_schema: || schema::input::<C>(C::FIELDS),
        output_schema: || schema::output::<<C::Reply as Tell>::Told>(),
        fields: || schema::fields::<C>(),
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
        complete: |reply| serde_json::to_value(C::Reply::deserialize(reply)?),
    }
}

/// Every verb, in the order in which agents see them.
pub static REGISTRY: [Entry; 20] = [
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
    entry::<open_run::OpenRun>(),
    entry::<list_agents::ListAgents>(),
    entry::<show_agent::ShowAgent>(),
    entry::<add_account::AddAccount>(),
    entry::<list_accounts::ListAccounts>(),
    entry::<test_condition::TestCondition>(),
    entry::<list_events::ListEvents>(),
    entry::<read_output::ReadOutput>(),
    entry::<daemon_status::DaemonStatus>(),
];

/// The verb of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|entry| entry.name == name)
}

/// The field of a reply that says whether its request was answered before, under the same key.
pub const REPLAYED: &str = "replayed";

#[cfg(test)]
mod tests;
