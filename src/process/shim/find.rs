//! Finding: which of the programs that an agent may be is there.
//!
//! Looked for on the path of the process, and then where people's programs lie, since the path of a service
//! may know nothing of those.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::core::process::BESIDE;

/// The first of `names` that is found, or a sentence about where it was looked for.
pub(super) fn program(names: &[String], variables: &BTreeMap<OsString, OsString>) -> Result<PathBuf, String> {
    let folders = folders(variables);
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let named: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    places.into_iter().find(|place| is_program(place)).ok_or_else(|| {
        let path = variables.get(OsStr::new("PATH")).map(|path| path.to_string_lossy()).unwrap_or_default();
        format!("no program {} on the path of this job, which is {path}", named.join(" or "))
    })
}

fn folders(variables: &BTreeMap<OsString, OsString>) -> Vec<PathBuf> {
    let value = |name: &str| variables.get(OsStr::new(name));
    let path = value("PATH").map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let home = value("HOME").map(PathBuf::from);
    let beside = home.iter().flat_map(|home| BESIDE.map(|folder| home.join(folder)));
    path.into_iter().chain(beside).filter(|folder| folder.is_absolute()).collect()
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
