//! The peer: what the system knows of the process at the other end.

use std::io;

use nix::unistd::Uid;
use tokio::net::UnixStream;

/// The process at the other end.
pub(super) struct Peer {
    /// Its user.
    uid: u32,
    /// Itself, where the system tells.
    pub(super) pid: Option<i32>,
}

impl Peer {
    /// Who made the connection.
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        let found = stream.peer_cred()?;
        Ok(Self { uid: found.uid(), pid: found.pid().filter(|pid| *pid > 0) })
    }

    /// Whether it is of the daemon's user.
    pub(super) fn is_ours(&self) -> bool {
        self.uid == Uid::effective().as_raw()
    }
}
