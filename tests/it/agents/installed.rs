//! Where the agent CLIs are, and what a test does where they are not.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::clients::Client;

/// What was already said to be left out.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The folder that `npm ci` fills.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents")
}

/// A program of the folder.
pub(crate) fn program(name: &str) -> PathBuf {
    folder().join("node_modules/.bin").join(name)
}

/// The path on which the folder's own Node comes first.
pub(crate) fn path() -> String {
    let own = folder().join("node_modules");
    format!("{}:{}:/usr/local/bin:/usr/bin:/bin", own.join("node/bin").display(), own.join(".bin").display())
}

/// Runs a check with a client, or says that it is left out; a failure where clients are required.
#[track_caller]
pub(crate) fn with(client: &'static dyn Client, check: impl FnOnce(&'static dyn Client)) {
    if is_there(client.name(), client.package()) {
        check(client);
    }
}

/// Runs a check with the command of another program of a package, under the same terms.
#[track_caller]
pub(crate) fn with_program(name: &str, package: &str, check: impl FnOnce(Command)) {
    if is_there(name, package) {
        let mut command = Command::new(program(name));
        command.env_clear().env("PATH", path()).stdin(Stdio::null());
        check(command);
    }
}

/// The version that `package.json` asks for.
pub(crate) fn version(package: &str) -> String {
    let wanted = document(&folder().join("package.json")).expect("tests/agents/package.json");
    wanted["dependencies"][package]
        .as_str()
        .unwrap_or_else(|| panic!("{package} is not asked for"))
        .to_owned()
}

/// Whether a package can be used; says so where it cannot.
#[track_caller]
fn is_there(name: &str, package: &str) -> bool {
    let Some(what) = lacks(package).or_else(|| lacks("node")) else { return true };
    let is_required = std::env::var_os("CONVERGE_REQUIRE_AGENTS").is_some_and(|value| value == "1");
    assert!(!is_required, "{what}");
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
        // Not by a macro, whose words a test that passes keeps to itself.
        let line = format!("left out: the tests with {name}, since {what}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    false
}

/// What is wrong with a package that is not there as it should be.
fn lacks(package: &str) -> Option<String> {
    let wanted = version(package);
    let manifest = folder().join("node_modules").join(package).join("package.json");
    let found = document(&manifest).map(|manifest| manifest["version"].as_str().unwrap_or("?").to_owned());
    match found {
        Some(found) if found == wanted => None,
        Some(found) => Some(format!("{package} is {found} and not {wanted}: run `npm ci` in tests/agents")),
        None => Some(format!("{package} {wanted} is not installed: run `npm ci` in tests/agents")),
    }
}

fn document(path: &Path) -> Option<Json> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
