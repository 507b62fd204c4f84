//! The door: the daemon's socket for clients on this machine.
//!
//! Only processes of the same user come in. Whoever opens the door holds the daemon's lock and has knocked: a
//! socket that is there already is stale.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::client::protocol::{Home, LINE_BYTES_MAX};
use crate::command::House;
use crate::core::process::ProcessKey;
use crate::core::refusal::{Code, Refusal};
use crate::surface::mcp::crowd::{CLIENTS_MAX, Crowd, Place};
use crate::surface::mcp::desk::Desk;
use crate::surface::mcp::greeting::{self, Guest};
use crate::surface::mcp::lines::Lines;
use crate::surface::mcp::peer::Peer;
use crate::surface::mcp::session::Session;
use crate::surface::mcp::transport::Wire;

/// Threads that move messages; what may wait for the disk is done on others.
const THREADS: usize = 2;

/// How many calls may wait for the disk, or for a change, at once.
const CALLS_MAX: usize = 768;

/// What takes most is the description of a command line, which hints are read by; in a build without
/// optimization it takes more than half of this.
const STACK_BYTES: usize = 1 << 20;

/// How long a thread without work stays.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// How long to wait before accepting again when the system has no descriptor left.
const BREATH: Duration = Duration::from_millis(100);

/// A socket that clients find, though nobody answers yet.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    address: PathBuf,
}

/// The door with somebody at it.
pub struct Server {
    runtime: Runtime,
    accepting: JoinHandle<()>,
    crowd: Arc<Crowd>,
    desk: Arc<Desk>,
    address: PathBuf,
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

    /// Answers clients on threads of its own.
    pub fn serve(
        self,
        house: House,
        home: Option<Home>,
        run_of: fn(i32) -> Option<ProcessKey>,
    ) -> io::Result<Server> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(CALLS_MAX)
            .thread_stack_size(STACK_BYTES)
            .thread_keep_alive(IDLE_MAX)
            .thread_name("client")
            .enable_all()
            .build()?;
        let crowd = Arc::new(Crowd::default());
        let (listener, desk) = {
            let _inside = runtime.enter();
            (tokio::net::UnixListener::from_std(self.listener)?, Desk::open(house, home, run_of)?)
        };
        let accepting = runtime.spawn(accept(listener, Arc::clone(&crowd), Arc::clone(&desk)));
        Ok(Server { runtime, accepting, crowd, desk, address: self.address })
    }
}

impl Server {
    /// Lets nobody in any more and removes the socket; who is inside is still answered.
    pub fn close(self) -> Leaving {
        self.desk.close();
        self.accepting.abort();
        let _ = fs::remove_file(&self.address);
        Leaving { runtime: self.runtime, crowd: self.crowd }
    }
}

/// The clients that are left after the door was closed.
pub struct Leaving {
    runtime: Runtime,
    crowd: Arc<Crowd>,
}

impl Leaving {
    /// Waits until no request is under way, at most for `patience`, and hangs up.
    pub fn wait(self, patience: Duration) {
        self.crowd.wait_for_silence(patience);
        self.runtime.shutdown_background();
    }
}

async fn accept(listener: tokio::net::UnixListener, crowd: Arc<Crowd>, desk: Arc<Desk>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (place, desk) = (crowd.enter(), Arc::clone(&desk));
                tokio::spawn(async move {
                    // A client that is gone, or does not listen, is no news.
                    let _ = receive(stream, place, desk).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot let a client in");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Lets a client in when there is room for it and it is of our user; whom we turn away is told why.
async fn receive(stream: UnixStream, place: Option<Place>, desk: Arc<Desk>) -> io::Result<()> {
    let peer = Peer::of(&stream)?;
    let (reader, mut writer) = stream.into_split();
    if !peer.is_ours() {
        let refusal = Refusal::new(Code::Denied, "the daemon belongs to another user");
        return greeting::turn_away(&mut writer, refusal).await;
    }
    let Some(place) = place else {
        let refusal = Refusal::new(Code::Unavailable, format!("{CLIENTS_MAX} clients are connected"));
        return greeting::turn_away(&mut writer, refusal.hint("end some of them and ask again")).await;
    };
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    let greeted = greeting::greet(&mut lines, &mut writer, &peer, desk.home.as_ref()).await?;
    let Some(Guest { caller, first }) = greeted else { return Ok(()) };
    let session = Session::new(desk, caller);
    let running = session.serve(Wire::new(lines, first, writer, place)).await.map_err(io::Error::other)?;
    running.waiting().await.map(drop).map_err(io::Error::other)
}
