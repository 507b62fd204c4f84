//! The setting `accounts`: what each of them is, by its name.

use serde_json::{Map, Value as Json};

use crate::core::account::{self, Account, Accounts};

/// The members of an account that are no agents.
const MEMBERS: &str = "`limit`, `env_file`, `command`, or an agent with the path of its home";

/// The most runs that an account can be said to be for.
const LIMIT_MAX: u32 = 1000;

/// Reads the whole setting.
pub(super) fn read(value: Json) -> Result<Accounts, String> {
    let Json::Object(accounts) = value else {
        return Err(format!(
            "`accounts` is an object such as {{\"work\": {{\"claude\": \"/path\"}}}}, not {value}"
        ));
    };
    accounts.into_iter().map(|(name, value)| Ok((named(&name)?, account(&name, value)?))).collect()
}

fn named(name: &str) -> Result<String, String> {
    if account::is_name(name) {
        return Ok(name.to_owned());
    }
    Err(format!("`accounts`: a name has letters, digits and `-_.@+` between them, unlike {name:?}"))
}

fn account(name: &str, value: Json) -> Result<Account, String> {
    let Json::Object(members) = value else {
        return Err(format!("`accounts.{name}` is an object with {MEMBERS}, not {value}"));
    };
    members_of(name, members)
}

fn members_of(name: &str, members: Map<String, Json>) -> Result<Account, String> {
    let mut account = Account::default();
    for (member, value) in members {
        let place = format!("accounts.{name}.{member}");
        match member.as_str() {
            "limit" => account.limit = Some(limit(&place, &value)?),
            "env_file" => account.env_file = Some(path(&place, &value)?),
            "command" => account.command = Some(line(&place, &value)?),
            agent => drop(account.homes.insert(agent.to_owned(), path(&place, &value)?)),
        }
    }
    Ok(account)
}

fn limit(place: &str, value: &Json) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| (1..=LIMIT_MAX).contains(number))
        .ok_or_else(|| format!("`{place}` is a number of runs from 1 to {LIMIT_MAX}, not {value}"))
}

fn path(place: &str, value: &Json) -> Result<String, String> {
    let path = value.as_str().filter(|path| path.starts_with('/') && !path.contains('\0'));
    path.map(str::to_owned)
        .ok_or_else(|| format!("`{place}` is an absolute path, not {value}; it has {MEMBERS}"))
}

fn line(place: &str, value: &Json) -> Result<String, String> {
    let line = value.as_str().filter(|line| !line.trim().is_empty() && !line.contains('\0'));
    line.map(str::to_owned)
        .ok_or_else(|| format!("`{place}` is a shell line that writes `NAME=value`, not {value}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_refused(value: Json, expected: &str) {
        assert_eq!(read(value), Err(expected.to_owned()));
    }

    #[test]
    fn an_account_has_homes_and_what_says_who_it_is() {
        let set = json!({ "work": {
            "claude": "/work/claude", "limit": 2, "env_file": "/work/env", "command": "accounts env work"
        }});
        let expected = Account {
            homes: [("claude".to_owned(), "/work/claude".to_owned())].into(),
            env_file: Some("/work/env".to_owned()),
            command: Some("accounts env work".to_owned()),
            limit: Some(2),
        };
        assert_eq!(read(set), Ok([("work".to_owned(), expected)].into()));
    }

    #[test]
    fn mistakes_are_named() {
        check_refused(
            json!([]),
            "`accounts` is an object such as {\"work\": {\"claude\": \"/path\"}}, not []",
        );
        let name = "`accounts`: a name has letters, digits and `-_.@+` between them, unlike \"a/b\"";
        check_refused(json!({ "a/b": {} }), name);
        let limit = "`accounts.a.limit` is a number of runs from 1 to 1000, not 0";
        check_refused(json!({ "a": { "limit": 0 } }), limit);
        let path = format!("`accounts.a.claude` is an absolute path, not \"~/x\"; it has {MEMBERS}");
        check_refused(json!({ "a": { "claude": "~/x" } }), &path);
        let line = "`accounts.a.command` is a shell line that writes `NAME=value`, not \" \"";
        check_refused(json!({ "a": { "command": " " } }), line);
    }
}
