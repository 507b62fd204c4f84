//! Real processes: a shim beside each, and the supervisor that starts, stops and finds shims.
//!
//! A process runs below `converge shim RUNDIR`, which outlives the daemon, keeps the bounds, and leaves
//! the outcome in the run directory. The daemon and the shim share nothing but that directory:
//!
//! | file | written by | says |
//! |---|---|---|
//! | `spec` | daemon | what to start; locked: the shim lives |
//! | `last.json` | daemon | what is known of the runs before |
//! | `started` | shim, before its child | who it is, and since when |
//! | `revoked` | daemon, under the lock | never start |
//! | `stdout`, `stderr` | shim, at the first byte | the output |
//! | `outcome` | shim, by renaming `started` | that, and how it ended |
//!
//! The files survive `kill -9` of everybody, not a power cut: nothing in here syncs. Whether a process
//! should run is not decided in here.

pub mod caller;
pub mod descriptors;
pub mod identity;
pub mod lock;
pub mod login_path;
pub mod question;
pub mod rundir;
pub mod shim;
pub mod supervisor;

mod ask;
mod mark;

#[cfg_attr(all(target_os = "linux", not(converge_portable)), path = "linux.rs")]
#[cfg_attr(any(not(target_os = "linux"), converge_portable), path = "portable.rs")]
mod platform;
