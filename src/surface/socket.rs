//! The socket: the daemon's door for clients on this machine.
//!
//! A thread for each connection reads one line after another and hands each request to `dispatch`, so
//! the writes of one client enter in the order it made them. Only processes of the same user come in.
//! Whoever opens the door holds the daemon's lock and has knocked: a socket that is there already is stale.
#![expect(clippy::disallowed_methods, reason = "without a descriptor there is nothing to wait on")]

mod connection;
mod crowd;
mod lines;
mod peer;

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::Value as Json;

use crate::client::protocol::Home;
use crate::command::caller::Caller;
use crate::core::refusal::Refusal;
use crate::surface::socket::connection::Connection;
use crate::surface::socket::crowd::Crowd;

/// Requests on these threads read JSON and the store, which recurses little.
const STACK_BYTES: usize = 512 << 10;

/// How long to wait before accepting again when the system has no descriptor left.
const BREATH: Duration = Duration::from_millis(100);

/// What does the verbs: who asks, the verb, its arguments and the key of a write.
pub type Dispatch = Arc<dyn Fn(&Caller, &str, Json, Option<String>) -> Result<Json, Refusal> + Send + Sync>;

/// A socket that clients find, though nobody answers yet.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    address: PathBuf,
}

/// The door with somebody at it.
pub struct Server {
    thread: JoinHandle<()>,
    stop: UnixStream,
    crowd: Arc<Crowd>,
    address: PathBuf,
}

/// What is behind the door.
struct Inside {
    crowd: Arc<Crowd>,
    home: Option<Home>,
    dispatch: Dispatch,
}

impl Door {
    /// Listens at `address`, in place of a socket that a dead daemon left there.
    pub fn open(address: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(address) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(address)?,
            Ok(_) => return Err(io::Error::other("something is there that is no socket")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(address)?;
        fs::set_permissions(address, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, address: address.to_owned() })
    }

    /// Answers clients on threads of its own, in the name of `home`.
    pub fn serve(self, home: Option<Home>, dispatch: Dispatch) -> io::Result<Server> {
        let (stop, stopped) = UnixStream::pair()?;
        let crowd = Arc::new(Crowd::default());
        let listener = self.listener;
        let inside = Inside { crowd: Arc::clone(&crowd), home, dispatch };
        let thread = thread::Builder::new().name("door".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn(move || accept(&listener, &stopped, &inside))?;
        Ok(Server { thread, stop, crowd, address: self.address })
    }
}

impl Server {
    /// Lets nobody in any more and removes the socket; who is inside is still answered.
    pub fn close(self) -> Leaving {
        // Also when the thread is gone; then there is nothing to end.
        drop(self.stop);
        let _ = self.thread.join();
        let _ = fs::remove_file(&self.address);
        Leaving(self.crowd)
    }
}

/// The clients that are left after the door was closed.
pub struct Leaving(Arc<Crowd>);

impl Leaving {
    /// Waits until no request is under way, at most for `patience`.
    pub fn wait(self, patience: Duration) {
        self.0.wait_for_silence(patience);
    }
}

fn accept(listener: &UnixListener, stopped: &UnixStream, inside: &Inside) {
    loop {
        let mut ready = [listener.as_fd(), stopped.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match poll(&mut ready, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => tracing::error!(%error, "cannot wait for clients"),
        }
        if ready[1].any().unwrap_or(false) {
            return;
        }
        match listener.accept() {
            Ok((stream, _)) => receive(stream, inside),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                tracing::warn!(%error, "cannot let a client in");
                thread::sleep(BREATH);
            }
        }
    }
}

fn receive(stream: UnixStream, inside: &Inside) {
    let place = inside.crowd.enter();
    let connection =
        stream.set_nonblocking(false).and_then(|()| Connection::new(stream, place.is_some(), inside));
    let (Ok(connection), Some(place)) = (connection, place) else { return };
    let thread = thread::Builder::new().name("client".to_owned()).stack_size(STACK_BYTES);
    if let Err(error) = thread.spawn(move || connection.serve(&place)) {
        tracing::warn!(%error, "cannot start a thread for a client");
    }
}

#[cfg(test)]
mod tests;
