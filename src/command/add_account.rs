//! `add_account`: a private home for another login of an agent.
//!
//! The store knows nothing of accounts: a home is there or not, and making it twice is making it once.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::account::choose;
use crate::command::page::Page;
use crate::command::schema::Object;
use crate::command::show_agent;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, agent_files};
use crate::core::refusal::{Code, Refusal};

/// Makes the private home of an agent for an account.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct AddAccount {
    /// The account's name, such as `work`
    pub account: String,
    /// The agent that logs in there
    #[arg(long)]
    pub agent: String,
}

/// A private home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAdded {
    /// The account.
    pub account: String,
    /// The agent.
    pub agent: String,
    /// Where the home is.
    pub path: String,
    /// Whether it was there before.
    pub existed: bool,
    /// The shell line by which a person logs in there.
    pub log_in: String,
}

impl Command for AddAccount {
    const NAME: &'static str = "add_account";
    const ACCESS: Access = Access::Write;
    const CLI: &'static [Cli] = &[Cli::named("account add")];
    type Reply = AccountAdded;

    fn run(self, cx: &Context<'_>) -> Result<AccountAdded, Refusal> {
        let Self { account, agent } = self;
        let catalogue = agent_files::catalogue(&cx.house.places.home);
        let Some(known) = catalogue.find(&agent) else {
            return Err(show_agent::unknown(&agent, &catalogue));
        };
        let base = cx.house.places.home.display().to_string();
        let choice = choose(&account, &known.manifest, &cx.house.accounts, &base);
        let choice = choice.map_err(|problem| Refusal::invalid(vec![problem]))?;
        let Some(home) = choice.login.home else {
            let title = &known.manifest.title;
            let message = format!("the account `{account}` has no private home for {title}, and needs none");
            return Err(
                Refusal::new(Code::Conflict, message).hint("`converge account list` shows what it is")
            );
        };
        let existed = Path::new(&home.path).is_dir();
        make(Path::new(&home.path)).map_err(|error| {
            Refusal::new(Code::Unavailable, format!("`{}` cannot be made: {error}", home.path))
        })?;
        Ok(AccountAdded { account, agent, path: home.path, existed, log_in: home.log_in })
    }
}

/// Makes a folder for its owner's eyes alone; also one that is there.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

impl Tell for AccountAdded {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for AccountAdded {
    fn render(&self, page: &mut Page) {
        let Self { account, agent, path, existed, log_in } = self;
        let was = if *existed { "is there already" } else { "is made" };
        page.line(format!("The home of {agent} for the account {account} {was}: {path}"));
        page.line(format!("Log in there by `{log_in}`, then use it as `--agent {agent}@{account}`."));
    }
}
