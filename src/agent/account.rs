//! Accounts of agents: from a name to the login that stands for it.
//!
//! An account without settings has a private home below `accounts/` of Converge's own. One whose settings name
//! a file or a command has what these say, and a private home only where they name that too.

use crate::agent::invocation;
use crate::agent::manifest::Manifest;
use crate::core::account::{self, Account, Accounts, Login, PrivateHome};
use crate::core::refusal::Problem;

/// What an account means for one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the process is started with.
    pub login: Login,
    /// What the command line says, for a CLI that keeps accounts by itself.
    pub profile: Option<String>,
}

impl Choice {
    /// What an invocation is told of it.
    pub fn said(&self) -> invocation::Account<'_> {
        match (&self.profile, &self.login.home) {
            (Some(profile), _) => invocation::Account::Profile(profile),
            (None, Some(home)) => invocation::Account::Home(&home.path),
            (None, None) => invocation::Account::Variables,
        }
    }
}

/// What the account `name` means for an agent; `home` is Converge's own.
///
/// Nothing is looked at, so that whatever it leads to may not be there.
pub fn choose(name: &str, manifest: &Manifest, accounts: &Accounts, home: &str) -> Result<Choice, Problem> {
    if !account::is_name(name) {
        let message = format!("`{}` is no name of an account", name.escape_debug());
        return Err(Problem::new("account", message).fix("use letters, digits, and `-_.@+` between them"));
    }
    let unset = Account::default();
    let account = accounts.get(name).unwrap_or(&unset);
    let has_variables = account.env_file.is_some() || account.command.is_some();
    let is_profile = manifest.options.auth_profile.is_some();
    let set_home = account.homes.get(&manifest.name).cloned();
    let private = match (&manifest.environment.account, set_home) {
        (Some(variable), Some(path)) => Some(private_home(manifest, variable, path)),
        (Some(variable), None) if !has_variables && !is_profile => {
            Some(private_home(manifest, variable, usual_home(home, name, &manifest.name)))
        }
        (None, Some(_)) => return Err(no_homes(name, manifest)),
        (None, None) if !has_variables && !is_profile => return Err(no_homes(name, manifest)),
        (Some(_) | None, None) => None,
    };
    let said = |text: &String| text.replace("{agent}", &manifest.name).replace("{account}", name);
    let login = Login {
        account: name.to_owned(),
        home: private,
        env_file: account.env_file.as_ref().map(said),
        command: account.command.as_ref().map(said),
    };
    let profile = (is_profile && login.home.is_none()).then(|| name.to_owned());
    Ok(Choice { login, profile })
}

/// Where the private home of an agent usually lies.
pub fn usual_home(home: &str, account: &str, agent: &str) -> String {
    format!("{}/accounts/{account}/{agent}", home.trim_end_matches('/'))
}

/// The shell line by which a person logs in at a private home.
pub fn log_in(manifest: &Manifest, variable: &str, path: &str) -> String {
    let program = manifest.programs.first().map_or(manifest.name.as_str(), String::as_str);
    format!("{variable}={} {program}", quoted(path))
}

fn private_home(manifest: &Manifest, variable: &str, path: String) -> PrivateHome {
    PrivateHome { log_in: log_in(manifest, variable, &path), variable: variable.to_owned(), path }
}

fn no_homes(name: &str, manifest: &Manifest) -> Problem {
    let message = format!("{} has no accounts of its own", manifest.title);
    let fix = format!(
        "leave it out, or give `{name}` an `env_file` or a `command` in the setting `accounts` that says who it is"
    );
    Problem::new("account", message).fix(fix)
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.@+~".contains(&byte);
    if text.bytes().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::catalogue::Catalogue;

    fn choice(agent: &str, account: &str, set: Option<Account>) -> Result<Choice, String> {
        let catalogue = Catalogue::of(Vec::new());
        let accounts = set.map(|set| (account.to_owned(), set)).into_iter().collect();
        let manifest = &catalogue.find(agent).expect(agent).manifest;
        choose(account, manifest, &accounts, "/h/.converge").map_err(|problem| problem.message)
    }

    fn home(variable: &str, path: &str, log_in: &str) -> PrivateHome {
        PrivateHome { variable: variable.to_owned(), path: path.to_owned(), log_in: log_in.to_owned() }
    }

    #[test]
    fn an_account_without_settings_has_a_private_home() {
        let path = "/h/.converge/accounts/work/claude";
        let found = choice("claude", "work", None).expect("an account");
        let log_in = format!("CLAUDE_CONFIG_DIR={path} claude");
        assert_eq!(found.login.home, Some(home("CLAUDE_CONFIG_DIR", path, &log_in)));
        assert_eq!(found.said(), invocation::Account::Home(path));
    }

    #[test]
    fn settings_name_another_home() {
        let homes = [("claude".to_owned(), "/a b".to_owned())].into();
        let found = choice("claude", "work", Some(Account { homes, ..Account::default() }));
        let expected = home("CLAUDE_CONFIG_DIR", "/a b", "CLAUDE_CONFIG_DIR='/a b' claude");
        assert_eq!(found.expect("an account").login.home, Some(expected));
    }

    #[test]
    fn an_account_of_variables_has_no_home_of_its_own() {
        let command = Some("accounts env {account} --tool {agent}".to_owned());
        let found = choice("qwen", "work", Some(Account { command, ..Account::default() }));
        let found = found.expect("an account");
        assert_eq!(found.login.command.as_deref(), Some("accounts env work --tool qwen"));
        assert_eq!((&found.login.home, found.said()), (&None, invocation::Account::Variables));
    }

    #[test]
    fn the_file_of_an_account_may_be_another_for_each_agent() {
        let env_file = Some("/keys/{account}/{agent}.env".to_owned());
        let found = choice("qwen", "work", Some(Account { env_file, ..Account::default() }));
        assert_eq!(found.expect("an account").login.env_file.as_deref(), Some("/keys/work/qwen.env"));
    }

    #[test]
    fn a_cli_that_keeps_accounts_is_told_the_name() {
        let found = choice("codewith", "work", None).expect("an account");
        assert_eq!(found.said(), invocation::Account::Profile("work"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(choice("qwen", "work", None), Err("Qwen Code has no accounts of its own".to_owned()));
        assert_eq!(choice("claude", "../x", None), Err("`../x` is no name of an account".to_owned()));
    }
}
