//! Output: what comes out of a pipe goes into a file, up to a bound.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// How much is read at once; what a pipe holds.
pub(super) const CHUNK: usize = 64 * 1024;

/// One of the two streams of a process.
pub(super) struct Stream {
    pipe: Option<File>,
    path: PathBuf,
    file: Option<File>,
    kept_bytes: u64,
}

/// What one read of a stream brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// So many bytes, which are at the beginning of the buffer.
    Bytes(usize),
    /// More than the bound allows; what is over it is gone, and the stream is closed.
    TooMuch,
    Nothing,
}

impl Stream {
    /// Reads from `pipe` into a file that is created at the first byte.
    pub(super) fn new(pipe: OwnedFd, path: PathBuf) -> Self {
        Self { pipe: Some(pipe.into()), path, file: None, kept_bytes: 0 }
    }

    /// The pipe, while it is open.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// How many bytes are in the file.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }

    /// Reads once from a pipe that is ready, and keeps at most `bytes_max` in all.
    pub(super) fn pump(&mut self, buffer: &mut [u8], bytes_max: u64) -> Brought {
        let Some(pipe) = &mut self.pipe else { return Brought::Nothing };
        let length = match pipe.read(buffer) {
            Ok(length @ 1..) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Brought::Nothing,
            Ok(0) | Err(_) => {
                self.pipe = None;
                return Brought::Nothing;
            }
        };
        let room = usize::try_from(bytes_max.saturating_sub(self.kept_bytes)).unwrap_or(usize::MAX);
        self.keep(&buffer[..length.min(room)]);
        if length <= room {
            return Brought::Bytes(length);
        }
        // A writer that goes on meets a closed pipe, which ends most of them at once.
        self.pipe = None;
        Brought::TooMuch
    }

    /// Output that cannot be written is lost, and not counted: the process is worth more than its words.
    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.file = File::options().create(true).append(true).mode(0o600).open(&self.path).ok();
        }
        if self.file.as_mut().is_some_and(|file| file.write_all(bytes).is_ok()) {
            self.kept_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
    }
}
