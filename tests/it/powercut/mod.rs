//! Power cuts: SQLite on a disk in memory that forgets what was not synced.
//!
//! A [`PowerCut`] is one machine with one disk. Connections reach the disk through a VFS (see `vfs`),
//! with locks and shared memory like the real one, so that WAL works with several connections on
//! several threads. When the power goes, what was synced stays; of the rest the seed decides what
//! survives, in pieces of sectors. The model is at least as harsh as a journaling file system:
//!
//! - A write that was not synced is lost, kept, or torn, each 512-byte sector for itself.
//! - A truncation that was not synced happens or does not; a file that grew may be long and empty.
//! - Files come and go in order, but durably only when the directory is synced. As with SQLite's own
//!   VFS, syncing a new journal or WAL syncs the directory, and syncing a new database does not.
//!
//! Shared memory and locks are the kernel's and never survive. Not modelled: sectors that go bad,
//! devices that lie about a sync.

mod dice;
mod disk;
mod engine;
mod file;
mod locks;
mod raw;
#[cfg(test)]
mod tests;
mod vfs;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use self::dice::Dice;
use self::disk::Disk;

/// One machine that may lose its power.
pub(crate) struct PowerCut {
    dice: Dice,
    disk: Arc<Mutex<Disk>>,
    /// Names the disk as it is since the last cut.
    serial: u64,
}

/// Something that goes wrong from now on, until [`PowerCut::heal`] or the next cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes in the middle of the n-th change from now (the first is 1); see
    /// [`PowerCut::changes`]. Everything fails after that, and [`PowerCut::cut`] brings it back.
    PowerGoesAt(u64),
    /// Files can grow by this many bytes, and then writing says that the disk is full.
    FullAfter(u64),
    /// This many writes succeed; all after them are I/O errors.
    WritesFailAfter(u64),
    /// This many syncs succeed; all after them are I/O errors.
    SyncsFailAfter(u64),
}

impl PowerCut {
    /// The name of the VFS, for who opens the database at [`PowerCut::path`] by himself.
    pub(crate) const VFS: &'static str = match vfs::NAME.to_str() {
        Ok(name) => name,
        Err(_) => panic!("the name is ASCII"),
    };

    /// A machine with an empty disk; `seed` decides what its power cuts spare.
    pub(crate) fn new(seed: u64) -> Self {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let serial = vfs::mount(&disk);
        Self { dice: Dice::new(seed), disk, serial }
    }

    /// Where the database is until the next cut.
    pub(crate) fn path(&self) -> PathBuf {
        vfs::path(self.serial, "state.db")
    }

    /// Opens the database, or makes it.
    pub(crate) fn open(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags_and_vfs(self.path(), OpenFlags::default(), Self::VFS)
    }

    /// Cuts the power and brings it back: afterwards the disk holds what survived.
    ///
    /// Connections from before get I/O errors from then on and can only be dropped.
    pub(crate) fn cut(&mut self) {
        let after = {
            let mut disk = self.disk.lock().expect("nobody panics with the disk");
            disk.power_off();
            disk.after_cut(&mut self.dice)
        };
        self.disk = Arc::new(Mutex::new(after));
        self.serial = vfs::mount(&self.disk);
    }

    /// Adds a fault to those there are.
    pub(crate) fn inject(&self, fault: Fault) {
        self.disk.lock().expect("nobody panics with the disk").inject(fault);
    }

    /// Takes all faults away; power that has gone stays away until [`PowerCut::cut`].
    pub(crate) fn heal(&self) {
        self.disk.lock().expect("nobody panics with the disk").heal();
    }

    /// How many changes the disk was told since the last cut: writes, truncations, syncs, files made
    /// and files deleted.
    pub(crate) fn changes(&self) -> u64 {
        self.disk.lock().expect("nobody panics with the disk").changes()
    }

    /// How many syncs there were since the last cut.
    pub(crate) fn syncs(&self) -> u64 {
        self.disk.lock().expect("nobody panics with the disk").syncs()
    }
}
