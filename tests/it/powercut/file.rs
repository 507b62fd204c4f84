//! One file: what everybody reads, and what of it is on the platter.

use super::dice::{Dice, Fate, Luck};
use super::locks::{Locks, SharedMemory};

/// What a device writes as one.
const SECTOR: usize = 512;

/// A file with its unsynced changes, and what the kernel keeps for those who have it open.
#[derive(Default)]
pub(super) struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What was done to `live` and not yet to `durable`, in order.
    unsynced: Vec<Change>,
    pub(super) locks: Locks,
    pub(super) shared_memory: SharedMemory,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl File {
    pub(super) fn size(&self) -> usize {
        self.live.len()
    }

    /// Fills `buffer` from `offset` on and says how much of it there was.
    pub(super) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let from = offset.min(self.live.len());
        let there = buffer.len().min(self.live.len() - from);
        buffer[..there].copy_from_slice(&self.live[from..from + there]);
        there
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.live, offset, bytes);
        self.unsynced.push(Change::Write { offset, bytes: bytes.to_owned() });
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.live.resize(size, 0);
        self.unsynced.push(Change::Resize(size));
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Change::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Change::Resize(size) => self.durable.resize(size, 0),
            }
        }
    }

    /// The file as it is found after a power cut.
    pub(super) fn after_cut(&self, luck: Luck, dice: &mut Dice) -> Self {
        let mut found = self.durable.clone();
        for change in &self.unsynced {
            match change {
                Change::Write { offset, bytes } => spare(&mut found, *offset, bytes, luck, dice),
                Change::Resize(size) if dice.spares(luck) => found.resize(*size, 0),
                Change::Resize(_) => {}
            }
        }
        // The new length can arrive without the data.
        if found.len() < self.live.len() && dice.spares(luck) {
            found.resize(self.live.len(), 0);
        }
        Self { live: found.clone(), durable: found, ..Self::default() }
    }
}

/// Puts those sectors of a write into `found` that reached the device.
fn spare(found: &mut Vec<u8>, offset: usize, bytes: &[u8], luck: Luck, dice: &mut Dice) {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done;
        let length = (SECTOR - at % SECTOR).min(bytes.len() - done);
        let piece = &bytes[done..done + length];
        match dice.fate(luck, length) {
            Fate::Lost => {}
            Fate::Kept => put(found, at, piece),
            Fate::Torn(kept) => put(found, at, &piece[..kept]),
        }
        done += length;
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}
