//! Finding: which of the programs that an agent may be is there.
//!
//! Looked for on the path of the process, and then where people's programs lie, since the path of a service
//! may know nothing of those.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::programs::{locate, repaired};

/// The first of `names` that is found, or a sentence about where it was looked for.
pub(super) fn program(names: &[String], variables: &BTreeMap<OsString, OsString>) -> Result<PathBuf, String> {
    let value = |name: &str| variables.get(OsStr::new(name)).map(|value| value.to_string_lossy());
    let path = value("PATH").unwrap_or_default();
    let beside = || locate(names, &repaired("", value("HOME").as_deref(), None));
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    locate(names, &path)
        .or_else(beside)
        .ok_or_else(|| format!("no program {} on the path of this job, which is {path}", quoted.join(" or ")))
}
