//! Settings: `config.json` in the home, and the variables that win over it.
#![expect(clippy::disallowed_methods, reason = "the environment wins over the file")]

mod accounts;

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use crate::core::account::Accounts;
use crate::core::consent::Consent;
use crate::core::nearest::nearest;
use crate::core::size;
use crate::core::span::{NotASpan, Span};
use crate::paths::Paths;

/// What a daemon may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How many runs may be under way at once.
    pub lanes: u32,
    /// How long runs, their output and events are kept; for ever when none.
    pub keep: Option<Span>,
    /// How much room the output of runs that are over may take; any when none.
    pub keep_output_bytes: Option<u64>,
    /// What becomes of jobs that agents make.
    pub consent: Consent,
    /// What is said of the accounts of agents.
    pub accounts: Accounts,
    /// What is logged, such as `info` or `converge::engine=debug`.
    pub log: String,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{0}` cannot be read")]
    Unreadable(PathBuf, #[source] io::Error),
    /// Something in it is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// The file or the variable.
        place: String,
        /// What is wrong there, and the fix.
        problem: String,
    },
}

const KEYS: [&str; 6] = ["accounts", "keep", "keep_output", "lanes", "log", "mcp.create"];

/// The most lanes there can be; each has at least two processes.
const LANES_MAX: u32 = 1000;

/// What is shorter would take a run away while somebody still looks at it.
const KEEP_LEAST: Span = Span::from_secs(3600);

/// Less would take away what the newest runs wrote.
const KEEP_OUTPUT_LEAST: u64 = 16 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            lanes: 16,
            keep: Some(Span::from_secs(30 * 86_400)),
            keep_output_bytes: Some(20 << 30),
            consent: Consent::default(),
            accounts: Accounts::new(),
            log: "info".to_owned(),
        }
    }
}

impl Config {
    /// Reads the settings of a home; without a file they are the defaults.
    pub fn load(paths: &Paths) -> Result<Self, ConfigError> {
        let path = paths.config();
        let mut config = Self::default();
        match fs::read_to_string(&path) {
            Ok(text) => config.read(&text).map_err(|problem| wrong(&path.display(), problem))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ConfigError::Unreadable(path, error)),
        }
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(text) = variable("CONVERGE_LANES") {
            let number = text.parse::<Json>().unwrap_or(Json::String(text));
            config.lanes = lanes(&number).map_err(|problem| wrong(&"CONVERGE_LANES", problem))?;
        }
        if let Some(text) = variable("CONVERGE_LOG") {
            config.log = text;
        }
        Ok(config)
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let map: Map<String, Json> =
            serde_json::from_str(text).map_err(|error| format!("not an object of settings: {error}"))?;
        for (key, value) in map {
            match (key.as_str(), value) {
                ("accounts", value) => self.accounts = accounts::read(value)?,
                ("keep", value) => self.keep = keep(&value)?,
                ("keep_output", value) => self.keep_output_bytes = keep_output(&value)?,
                ("lanes", value) => self.lanes = lanes(&value)?,
                ("log", Json::String(filter)) => self.log = filter,
                ("mcp.create", value) => self.consent = consent(&value)?,
                ("log", other) => return Err(format!("`log` is a text such as \"info\", not {other}")),
                (unknown, _) => {
                    return Err(match nearest(unknown, KEYS) {
                        Some(near) => format!("no setting `{unknown}`; did you mean `{near}`?"),
                        None => format!("no setting `{unknown}`; there are {}", KEYS.join(", ")),
                    });
                }
            }
        }
        Ok(())
    }
}

fn keep(value: &Json) -> Result<Option<Span>, String> {
    match value.as_str() {
        Some("forever") => Ok(None),
        Some(text) => match text.parse() {
            Ok(keep) if keep < KEEP_LEAST => {
                Err(format!("`keep` is at least \"{KEEP_LEAST}\", not \"{keep}\""))
            }
            Ok(keep) => Ok(Some(keep)),
            Err(error) => {
                let error: NotASpan = error;
                Err(format!("`keep`: {error}; {}", error.fix))
            }
        },
        None => Err(format!("`keep` is a span such as \"30d\", or \"forever\", not {value}")),
    }
}

fn keep_output(value: &Json) -> Result<Option<u64>, String> {
    match value.as_str().map(|text| (text, size::bytes(text))) {
        Some(("all", _)) => Ok(None),
        Some((_, Ok(bytes))) if bytes >= KEEP_OUTPUT_LEAST => Ok(Some(bytes)),
        Some((text, Ok(_))) => Err(format!("`keep_output` is at least \"16M\", not \"{text}\"")),
        Some((_, Err(_))) | None => {
            Err(format!("`keep_output` is a size such as \"20G\", or \"all\", not {value}"))
        }
    }
}

fn consent(value: &Json) -> Result<Consent, String> {
    let read = value.as_str().and_then(|word| word.parse().ok());
    read.ok_or_else(|| format!("`mcp.create` is one of {}, not {value}", Consent::WORDS.join(", ")))
}

fn lanes(value: &Json) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| (1..=LANES_MAX).contains(number))
        .ok_or_else(|| format!("`lanes` is a number from 1 to {LANES_MAX}, not {value}"))
}

fn wrong(place: &impl ToString, problem: String) -> ConfigError {
    ConfigError::Wrong { place: place.to_string(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(u32, &str), &str>) {
        let mut config = Config::default();
        let read = config.read(text);
        let found = read.as_ref().map(|()| (config.lanes, config.log.as_str())).map_err(String::as_str);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn settings_are_read_and_their_mistakes_named() {
        check("{}", Ok((16, "info")));
        check(r#"{"lanes": 200, "log": "debug"}"#, Ok((200, "debug")));
        check(r#"{"lane": 2}"#, Err("no setting `lane`; did you mean `lanes`?"));
        check(
            r#"{"colour": 2}"#,
            Err("no setting `colour`; there are accounts, keep, keep_output, lanes, log, mcp.create"),
        );
        check(r#"{"lanes": 0}"#, Err("`lanes` is a number from 1 to 1000, not 0"));
        check(r#"{"lanes": "16"}"#, Err("`lanes` is a number from 1 to 1000, not \"16\""));
        check(r#"{"keep": "0s"}"#, Err("`keep` is at least \"1h\", not \"0s\""));
        check(r#"{"keep": "59m"}"#, Err("`keep` is at least \"1h\", not \"59m\""));
        check(r#"{"keep": "7"}"#, Err("`keep`: `7` has no unit; write `7s`, `7m` or `7h`"));
        check(r#"{"keep": 7}"#, Err("`keep` is a span such as \"30d\", or \"forever\", not 7"));
        check(r#"{"keep_output": "1M"}"#, Err("`keep_output` is at least \"16M\", not \"1M\""));
        let refused = "`keep_output` is a size such as \"20G\", or \"all\", not 20";
        check(r#"{"keep_output": 20}"#, Err(refused));
        check(r#"{"mcp.create": "no"}"#, Err("`mcp.create` is one of allow, ask, deny, not \"no\""));
        check(r#"{"log": 1}"#, Err("`log` is a text such as \"info\", not 1"));
    }

    #[test]
    fn each_setting_is_kept_as_it_was_written() {
        #[track_caller]
        fn check(text: &str, set: impl FnOnce(&mut Config)) {
            let (mut config, mut expected) = (Config::default(), Config::default());
            config.read(text).expect("settings");
            set(&mut expected);
            assert_eq!(config, expected, "{text}");
        }
        check(r#"{"keep": "7d"}"#, |config| config.keep = Some(Span::from_secs(7 * 86_400)));
        check(r#"{"keep": "1h"}"#, |config| config.keep = Some(Span::from_secs(3600)));
        check(r#"{"keep": "forever"}"#, |config| config.keep = None);
        check(r#"{"keep_output": "1T"}"#, |config| config.keep_output_bytes = Some(1 << 40));
        check(r#"{"keep_output": "all"}"#, |config| config.keep_output_bytes = None);
        check(r#"{"mcp.create": "ask"}"#, |config| config.consent = Consent::Ask);
        check(r#"{"mcp.create": "deny"}"#, |config| config.consent = Consent::Deny);
    }

    #[test]
    fn a_file_that_is_no_object_is_refused() {
        let mut config = Config::default();
        assert!(config.read("lanes = 16").is_err_and(|problem| problem.starts_with("not an object")));
    }
}
