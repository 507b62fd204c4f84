//! The caller: whether a process works inside a run.
//!
//! This bounds mistakes, such as a daemon that an agent starts and that would die with the run. It does
//! not hold back a process that means harm.
#![expect(
    clippy::disallowed_methods,
    reason = "whether this process is inside a run stands in its environment"
)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::core::process::ProcessKey;
use crate::process::rundir::RunDir;
use crate::process::{mark, platform};

/// How many processes above this one are looked at.
const ANCESTORS_MAX: usize = 256;

/// The process whose tree this very process belongs to.
pub fn inside_run() -> Option<ProcessKey> {
    let variable = std::env::var_os(mark::VARIABLE).and_then(|value| value.to_str()?.parse().ok());
    variable.or_else(|| run_of(i32::try_from(std::process::id()).ok()?))
}

/// The process whose tree `pid` belongs to, by the mark in its environment or by a live shim above it.
///
/// The second finds also what has scrubbed its environment. Only Linux shows either.
pub fn run_of(pid: i32) -> Option<ProcessKey> {
    mark_of(pid).or_else(|| {
        std::iter::successors(Some(pid), |pid| platform::parent_of(*pid).filter(|parent| *parent > 1))
            .skip(1)
            .take(ANCESTORS_MAX)
            .find_map(shim_key)
    })
}

/// The key in the environment that `pid` was started with, when it can be read.
pub fn mark_of(pid: i32) -> Option<ProcessKey> {
    platform::environment_of(pid)?.split(|byte| *byte == 0).find_map(mark::key_in)
}

/// The key a live shim works for, when `pid` is one.
fn shim_key(pid: i32) -> Option<ProcessKey> {
    let arguments = platform::arguments_of(pid)?;
    let [_, verb, dir] = arguments.as_slice() else { return None };
    if verb != b"shim" {
        return None;
    }
    let dir = RunDir::at(PathBuf::from(OsStr::from_bytes(dir)));
    let started = dir.started().ok()??;
    (started.shim == platform::identity_of(pid).ok()?).then_some(started.key)
}
