//! `list_accounts`: which accounts of agents there are, and where each lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::account::{choose, usual_home};
use crate::agent::catalogue::Catalogue;
use crate::command::page::Page;
use crate::command::schema::Object;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, agent_files};
use crate::core::account;
use crate::core::refusal::Refusal;

/// Lists accounts.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ListAccounts {}

/// Accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountList {
    /// Each account.
    pub accounts: Vec<AccountRow>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its name.
    pub account: String,
    /// The private homes, by the agents that have one.
    pub homes: BTreeMap<String, HomeRow>,
    /// The file that says who it is.
    pub env_file: Option<String>,
    /// The command that says who it is.
    pub command: Option<String>,
    /// How many runs may use it at once; any when null.
    pub limit: Option<u32>,
}

/// The private home of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeRow {
    /// Where.
    pub path: String,
    /// Whether it is there, and used.
    pub state: HomeState,
    /// The shell line by which a person logs in there.
    pub log_in: String,
}

/// How a private home is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HomeState {
    /// Something is in it.
    Used,
    /// Nobody has logged in there.
    Empty,
    /// It is not there.
    Missing,
}

impl Command for ListAccounts {
    const NAME: &'static str = "list_accounts";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("account list")];
    type Reply = AccountList;

    fn run(self, cx: &Context<'_>) -> Result<AccountList, Refusal> {
        let catalogue = agent_files::catalogue(&cx.house.places.home);
        let made = names(&cx.house.places.home.join("accounts"));
        let names: BTreeSet<String> = cx.house.accounts.keys().cloned().chain(made).collect();
        Ok(AccountList { accounts: names.iter().map(|name| row(name, &catalogue, cx)).collect() })
    }
}

fn row(name: &str, catalogue: &Catalogue, cx: &Context<'_>) -> AccountRow {
    let base = cx.house.places.home.display().to_string();
    let set = cx.house.accounts.get(name).cloned().unwrap_or_default();
    let home = |known: &crate::agent::catalogue::Known| {
        let agent = known.manifest.name.clone();
        let home = choose(name, &known.manifest, &cx.house.accounts, &base).ok()?.login.home?;
        let state = HomeState::of(Path::new(&home.path));
        // Every agent could have one where homes usually lie.
        let is_meant = state != HomeState::Missing || home.path != usual_home(&base, name, &agent);
        is_meant.then_some((agent, HomeRow { path: home.path, state, log_in: home.log_in }))
    };
    AccountRow {
        account: name.to_owned(),
        homes: catalogue.agents.iter().filter_map(home).collect(),
        env_file: set.env_file,
        command: set.command,
        limit: set.limit,
    }
}

impl HomeState {
    /// How the home at `path` is.
    pub fn of(path: &Path) -> Self {
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => Self::Used,
            Ok(false) => Self::Empty,
            Err(_) => Self::Missing,
        }
    }
}

/// The names of the folders that are accounts.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| account::is_name(name))
        .collect()
}

impl Tell for AccountList {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for AccountList {
    fn render(&self, page: &mut Page) {
        if self.accounts.is_empty() {
            page.line("No accounts but the usual ones. `converge account add NAME --agent AGENT` makes one.");
            return;
        }
        let mut rows = Vec::new();
        for account in &self.accounts {
            let limit = account.limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
            let mut row = |agent: &str, place: &str| {
                rows.push(vec![account.account.clone(), agent.to_owned(), limit.clone(), place.to_owned()]);
            };
            for (agent, home) in &account.homes {
                match home.state {
                    HomeState::Used => row(agent, &home.path),
                    HomeState::Empty => row(agent, &format!("{}, where nobody has logged in", home.path)),
                    HomeState::Missing => row(agent, &format!("{}, which is missing", home.path)),
                }
            }
            if let Some(file) = &account.env_file {
                row("any", &format!("variables of {file}"));
            }
            if let Some(command) = &account.command {
                row("any", &format!("variables by `{command}`"));
            }
        }
        page.table(&["ACCOUNT", "AGENT", "LIMIT", "WHERE"], &rows);
        page.gap();
        page.line("An agent uses one as `--agent AGENT@ACCOUNT`.");
    }
}
