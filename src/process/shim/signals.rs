//! Signals: flags that say which, and a pipe that wakes, so that one poll waits for them and for output.
//!
//! The pipe may be full of one signal when another comes, so what is in it says nothing.
//!
//! Handlers rather than blocked signals: an exec puts a handler back to the default, so the child starts
//! with a clean slate.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// What the shim was told by signals since it last looked.
#[derive(Debug)]
pub(super) struct News {
    /// A child may have ended.
    pub(super) child: bool,
    /// The tree must end.
    pub(super) told: bool,
    /// What bounds the process may have changed.
    pub(super) control: bool,
}

/// The receiving end.
pub(super) struct Signals(UnixStream);

static SENDING_END: AtomicI32 = AtomicI32::new(-1);
static CHILD: AtomicBool = AtomicBool::new(false);
static TOLD: AtomicBool = AtomicBool::new(false);
static CONTROL: AtomicBool = AtomicBool::new(false);

extern "C" fn note(signal: libc::c_int) {
    let errno = Errno::last_raw();
    let flag = match signal {
        libc::SIGCHLD => &CHILD,
        libc::SIGUSR1 => &CONTROL,
        _ => &TOLD,
    };
    // Before the pipe wakes whoever looks at it.
    flag.store(true, Ordering::SeqCst);
    let byte = [0_u8];
    #[expect(unsafe_code, reason = "a write of a byte that lives here to a descriptor never closed")]
    unsafe {
        // A full pipe wakes as well as one more byte would.
        libc::write(SENDING_END.load(Ordering::SeqCst), byte.as_ptr().cast(), byte.len());
    }
    Errno::set_raw(errno);
}

/// Whether the tree is to end, as [`Signals::take`] will say.
pub(super) fn is_told() -> bool {
    TOLD.load(Ordering::SeqCst)
}

impl Signals {
    /// Takes over the signals a shim cares for, and blocks none.
    pub(super) fn listen() -> io::Result<Self> {
        let (receiving, sending) = UnixStream::pair()?;
        receiving.set_nonblocking(true)?;
        sending.set_nonblocking(true)?;
        SENDING_END.store(sending.into_raw_fd(), Ordering::SeqCst);
        let action = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESTART, SigSet::empty());
        for signal in [Signal::SIGCHLD, Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            #[expect(
                unsafe_code,
                reason = "the handler sets a flag, writes to a descriptor and keeps errno"
            )]
            unsafe { sigaction(signal, &action) }?;
        }
        SigSet::empty().thread_set_mask()?;
        Ok(Self(receiving))
    }

    /// Whether the shim was told to end before it began.
    pub(super) fn told(&self) -> bool {
        self.take().told
    }

    /// What came in since the last time.
    pub(super) fn take(&self) -> News {
        let mut buffer = [0; 256];
        // Before the flags: one that is set meanwhile wakes once more.
        while let Ok(1..) = (&self.0).read(&mut buffer) {}
        let take = |flag: &AtomicBool| flag.swap(false, Ordering::SeqCst);
        News { child: take(&CHILD), told: take(&TOLD), control: take(&CONTROL) }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
