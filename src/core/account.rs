//! Accounts: under which login an agent works, when that is not its usual one.
//!
//! Nothing in here is a secret. Where one lies, or who is to be asked for it, is said; it is looked at by the
//! process that is started with it, and nowhere before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Accounts by their names.
pub type Accounts = BTreeMap<String, Account>;

/// What the settings say of an account; one that they say nothing of has private homes where they usually lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The private homes of agents, by their names.
    pub homes: BTreeMap<String, String>,
    /// A file of `NAME=value` lines for each of its processes.
    pub env_file: Option<String>,
    /// A shell line that writes such lines, with `{agent}` and `{account}` in it.
    pub command: Option<String>,
    /// How many runs may use it at once.
    pub limit: Option<u32>,
}

/// How many runs may use each account at once, of those that have a limit.
pub fn limits(accounts: &Accounts) -> BTreeMap<String, u32> {
    accounts.iter().filter_map(|(name, account)| Some((name.clone(), account.limit?))).collect()
}

/// Under which login one process works, as it is found out when that starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The account.
    pub account: String,
    /// The private home, where the account has one for this agent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub home: Option<PrivateHome>,
    /// A file of `NAME=value` lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub env_file: Option<String>,
    /// A shell line that writes such lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
}

/// The private home of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateHome {
    /// The variable that names it.
    pub variable: String,
    /// Where it is.
    pub path: String,
    /// The shell line by which a person logs in there.
    pub log_in: String,
}

/// Whether this can be the name of an account: it is part of a path, and of a shell line.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(fits)
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["work", "Work-2", "me@example.com", "a.b_c+d"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "-x", "a/b", "../a", "a..b", "a b", "a;b", "$(a)", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
