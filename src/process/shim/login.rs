//! Logins: what an account puts into the environment of its process.
//!
//! It is found out by the shim, so that no value of it is ever in a file of ours, in the daemon or in a log. An
//! account that is not there fails the process before it has begun, and so before it is asked anything.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::core::account::{Login, PrivateHome};
use crate::core::process::Ending;
use crate::process::ask::{Answer, ask, shell};
use crate::process::shim::{environment, signals};

/// How long it may take to say who an account is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Adds what the login says to the variables of a process, or says how it ends before it has begun.
pub(super) fn apply(
    login: &Login,
    variables: &mut BTreeMap<OsString, OsString>,
    cwd: &Path,
) -> Result<(), Ending> {
    let told = |cause: String| format!("account `{}`: {cause}", login.account);
    let failed = |cause: String| Ending::NoLogin { cause: told(cause) };
    if let Some(home) = &login.home {
        look(home).map_err(failed)?;
        variables.insert(home.variable.clone().into(), home.path.clone().into());
    }
    if let Some(path) = &login.env_file {
        let text = fs::read(path).map_err(|error| failed(format!("env file `{path}`: {error}")))?;
        environment::put(variables, environment::parse(&text));
    }
    if let Some(line) = &login.command {
        let answer = resolve(line, variables, cwd);
        // Whoever does not answer in time may do so the next time.
        let answer = answer.map_err(|cause| Ending::SpawnFailed { cause: told(cause) })?;
        if !answer.status.success() {
            // Nothing that it wrote: what stands there may be a secret, or a piece of one.
            return Err(failed(format!("its command ended with {}", answer.status)));
        }
        let text = answer.stdout;
        let said = environment::parse(&text);
        if said.is_empty() {
            return Err(failed("its command wrote no `NAME=value`".to_owned()));
        }
        environment::put(variables, said);
    }
    Ok(())
}

/// A home that nobody has used yet is one that nobody has logged in at.
fn look(home: &PrivateHome) -> Result<(), String> {
    let PrivateHome { path, log_in, .. } = home;
    match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("nobody has logged in at `{path}`; do it by `{log_in}`")),
        Err(error) => Err(format!(
            "its home `{path}`: {error}; `converge account add` makes one, and `{log_in}` logs in"
        )),
    }
}

fn resolve(line: &str, variables: &BTreeMap<OsString, OsString>, cwd: &Path) -> Result<Answer, String> {
    let mut command = shell("/bin/sh", &["-c", line]);
    command.env_clear().envs(variables).current_dir(cwd);
    ask(&mut command, PATIENCE, signals::is_told).map_err(|error| format!("its command: {error}"))
}
