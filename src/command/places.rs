//! Places: where the daemon keeps things, as the verbs see them.

use std::path::PathBuf;

/// Where everything lies.
#[derive(Debug, Clone)]
pub struct Places {
    /// The home directory of all of it.
    pub home: PathBuf,
    /// The database.
    pub database: PathBuf,
    /// The run directories.
    pub runs: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// The lock of the daemon.
    pub lock: PathBuf,
    /// The log of the daemon.
    pub log: PathBuf,
}
