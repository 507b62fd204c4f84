//! The outbox: whole lines that wait until somebody takes them.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::unistd;

/// The most that a pipe which is ready takes without making us wait.
const STEP_BYTES: usize = 4 << 10;

/// The room that an empty outbox may keep.
const KEPT_BYTES: usize = 64 << 10;

/// Lines on their way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    taken: usize,
}

impl Outbox {
    /// Adds a line.
    pub(super) fn push(&mut self, line: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(line.as_ref());
        self.bytes.push(b'\n');
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
        self.bytes.shrink_to(KEPT_BYTES);
    }

    /// Writes as much as `to` takes at once; it has just said that it is ready.
    pub(super) fn flush(&mut self, to: &impl AsFd) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let end = self.bytes.len().min(self.taken + STEP_BYTES);
        match unistd::write(to, &self.bytes[self.taken..end]) {
            Ok(written) => self.taken += written,
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if self.is_empty() {
            self.clear();
        } else if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Outbox {
    /// Takes what waits, as documents.
    pub(super) fn take(&mut self) -> Vec<serde_json::Value> {
        let lines = self.bytes[self.taken..].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let documents = lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect();
        self.clear();
        documents
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let (near, mut far) = UnixStream::pair().expect("sockets");
        near.set_nonblocking(true).expect("a setting");
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        let mut read = Vec::new();
        let mut buffer = vec![0; 100_000];
        for number in 0..2_000 {
            let line = format!("{number} {}", "x".repeat(number));
            outbox.push(&line);
            expected.extend_from_slice(format!("{line}\n").as_bytes());
            outbox.flush(&near).expect("a write");
            if number % 10 == 0 {
                let length = far.read(&mut buffer).expect("bytes");
                read.extend_from_slice(&buffer[..length]);
            }
        }
        while !outbox.is_empty() || read.len() < expected.len() {
            outbox.flush(&near).expect("a write");
            let length = far.read(&mut buffer).expect("bytes");
            read.extend_from_slice(&buffer[..length]);
        }
        assert!(read == expected, "bytes were lost or moved");
        assert!(outbox.bytes.capacity() <= KEPT_BYTES);
    }
}
