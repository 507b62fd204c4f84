//! Descriptors: what a process that outlives its starter must not keep open, and how many it may have.

use std::io;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

use crate::process::platform;

/// As many as every system allows whose own limit names more than it allows.
const MODEST: rlim_t = 10_240;

/// Closes every descriptor but the first three; for a program that has just started and opened none.
///
/// Whoever starts a daemon by asking something may hold a lock or wait for the end of a pipe, and the
/// daemon would hold on to both.
pub fn close_inherited() {
    platform::close_inherited();
}

/// Lets this process have as many descriptors as it may, and says how many it might have before.
///
/// A daemon has one for every process and every client. What it starts must not inherit that: programs
/// that wait by `select` break on high ones.
pub fn raise_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
            .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard.min(MODEST).max(soft), hard))?;
    }
    Ok(soft)
}

/// Lets this process and those it starts have `most` descriptors, unless they may have fewer.
pub(super) fn lower_limit(most: u64) -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.min(most), hard)?)
}
