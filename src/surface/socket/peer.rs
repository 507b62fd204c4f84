//! The peer: what the system knows of the process at the other end.

use std::io;
use std::os::unix::net::UnixStream;

/// The process at the other end.
pub(super) struct Peer {
    /// Its user.
    pub(super) uid: u32,
    /// Itself, where the system tells.
    pub(super) pid: Option<i32>,
}

impl Peer {
    /// Who made the connection.
    #[cfg(target_os = "linux")]
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
        let credentials = getsockopt(stream, PeerCredentials)?;
        Ok(Self { uid: credentials.uid(), pid: Some(credentials.pid()).filter(|pid| *pid > 0) })
    }

    /// Who made the connection.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        let (uid, _) = nix::unistd::getpeereid(stream)?;
        Ok(Self { uid: uid.as_raw(), pid: None })
    }
}
