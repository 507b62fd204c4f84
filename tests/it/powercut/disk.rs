//! The disk: files by name, what was promised about them, and the faults it has.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::dice::Dice;
use super::file::File;
use super::locks::{Busy, HandleId};

/// Why the disk did not do what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The power is gone.
    Off,
    /// There is no room left.
    Full,
    /// A write failed.
    Write,
    /// A sync failed.
    Sync,
    /// No file by that name.
    Missing,
    /// Less was read than asked for, and the rest is zeros.
    Short,
    /// A lock is in the way.
    Busy,
}

impl From<Busy> for Failure {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Names a file on a disk, whatever it is called.
type FileId = u64;

/// A file that is open.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    pub(super) id: HandleId,
    file: FileId,
}

/// What is opened, and how.
pub(super) struct Opening<'a> {
    /// None for a file that nobody else sees.
    pub(super) name: Option<&'a str>,
    /// Makes the file when it is not there.
    pub(super) create: bool,
    /// A journal, which has to be found again after a cut.
    pub(super) journal: bool,
}

#[derive(Default)]
pub(super) struct Disk {
    off: bool,
    files: BTreeMap<FileId, File>,
    names: BTreeMap<String, FileId>,
    durable_names: BTreeMap<String, FileId>,
    /// What was done to `names` and not yet to `durable_names`, in order.
    unsynced_names: Vec<(String, Option<FileId>)>,
    /// Whose first sync also syncs the directory.
    new_journals: BTreeSet<HandleId>,
    next_id: u64,
    changes: u64,
    syncs: u64,
    faults: Faults,
}

/// How much of each is left before it goes wrong.
#[derive(Default)]
struct Faults {
    changes: Option<u64>,
    growth: Option<u64>,
    writes: Option<u64>,
    syncs: Option<u64>,
}

impl Disk {
    pub(super) fn open(&mut self, opening: &Opening<'_>) -> Result<Handle, Failure> {
        self.powered()?;
        let known = opening.name.and_then(|name| self.names.get(name).copied());
        let created = known.is_none();
        if created && !opening.create {
            return Err(Failure::Missing);
        }
        self.next_id += 1;
        let handle = Handle { id: self.next_id, file: known.unwrap_or(self.next_id) };
        if created {
            self.files.insert(handle.file, File::default());
        }
        if created && opening.journal {
            self.new_journals.insert(handle.id);
        }
        if let (true, Some(name)) = (created, opening.name) {
            self.names.insert(name.to_owned(), handle.file);
            self.unsynced_names.push((name.to_owned(), Some(handle.file)));
            self.change()?;
        }
        Ok(handle)
    }

    pub(super) fn delete(&mut self, name: &str, sync_directory: bool) -> Result<(), Failure> {
        self.powered()?;
        self.names.remove(name).ok_or(Failure::Missing)?;
        self.unsynced_names.push((name.to_owned(), None));
        self.change()?;
        if sync_directory {
            self.change()?;
            self.sync_names();
        }
        Ok(())
    }

    pub(super) fn exists(&self, name: &str) -> Result<bool, Failure> {
        self.powered()?;
        Ok(self.names.contains_key(name))
    }

    /// The file of `handle`, while there is power.
    pub(super) fn file(&mut self, handle: Handle) -> Result<&mut File, Failure> {
        self.powered()?;
        Ok(self.file_of(handle))
    }

    /// Forgets what the kernel kept for `handle`; works without power too.
    pub(super) fn close(&mut self, handle: Handle) {
        let file = self.file_of(handle);
        file.locks.lower(handle.id, super::locks::Level::None);
        file.shared_memory.unmap(handle.id);
    }

    /// Ends the use of shared memory by `handle`; works without power too.
    pub(super) fn unmap(&mut self, handle: Handle) {
        self.file_of(handle).shared_memory.unmap(handle.id);
    }

    pub(super) fn write(&mut self, handle: Handle, offset: usize, bytes: &[u8]) -> Result<(), Failure> {
        self.powered()?;
        if !left(&mut self.faults.writes, 1) {
            return Err(Failure::Write);
        }
        let file = self.files.get_mut(&handle.file).expect("files are never forgotten");
        let growth = (offset + bytes.len()).saturating_sub(file.size());
        let missing = match self.faults.growth.as_mut() {
            None => 0,
            Some(room) => {
                let growth = u64::try_from(growth).expect("a usize has at most 64 bits");
                let missing = growth.saturating_sub(*room);
                *room = room.saturating_sub(growth);
                usize::try_from(missing).expect("at most the growth")
            }
        };
        // What fits is written, as a real disk does it.
        file.write(offset, &bytes[..bytes.len().saturating_sub(missing)]);
        self.change()?;
        if missing > 0 { Err(Failure::Full) } else { Ok(()) }
    }

    pub(super) fn resize(&mut self, handle: Handle, size: usize) -> Result<(), Failure> {
        self.file(handle)?.resize(size);
        self.change()
    }

    pub(super) fn sync(&mut self, handle: Handle) -> Result<(), Failure> {
        self.powered()?;
        if !left(&mut self.faults.syncs, 1) {
            return Err(Failure::Sync);
        }
        self.change()?;
        self.syncs += 1;
        self.file_of(handle).sync();
        if self.new_journals.remove(&handle.id) {
            self.sync_names();
        }
        Ok(())
    }

    pub(super) fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::PowerGoesAt(nth) => self.faults.changes = Some(nth.saturating_sub(1)),
            Fault::FullAfter(bytes) => self.faults.growth = Some(bytes),
            Fault::WritesFailAfter(writes) => self.faults.writes = Some(writes),
            Fault::SyncsFailAfter(syncs) => self.faults.syncs = Some(syncs),
        }
    }

    pub(super) fn heal(&mut self) {
        self.faults = Faults::default();
    }

    pub(super) fn power_off(&mut self) {
        self.off = true;
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    /// The disk as it is found when the power is back.
    pub(super) fn after_cut(&self, dice: &mut Dice) -> Self {
        let luck = dice.luck();
        let mut names = self.durable_names.clone();
        for (name, file) in &self.unsynced_names {
            // In order, as the journal of a file system keeps it: the first loss is the last.
            if !dice.spares(luck) {
                break;
            }
            rename(&mut names, name, *file);
        }
        let files = names.values().map(|id| (*id, self.files[id].after_cut(luck, dice))).collect();
        let (durable_names, next_id) = (names.clone(), self.next_id);
        Self { files, names, durable_names, next_id, ..Self::default() }
    }

    fn powered(&self) -> Result<(), Failure> {
        if self.off { Err(Failure::Off) } else { Ok(()) }
    }

    fn file_of(&mut self, handle: Handle) -> &mut File {
        self.files.get_mut(&handle.file).expect("files are never forgotten")
    }

    fn sync_names(&mut self) {
        for (name, file) in self.unsynced_names.drain(..) {
            rename(&mut self.durable_names, &name, file);
        }
    }

    /// Counts a change that is on its way, and loses the power in the middle of it if it is time.
    fn change(&mut self) -> Result<(), Failure> {
        self.changes += 1;
        self.off |= !left(&mut self.faults.changes, 1);
        self.powered()
    }
}

fn rename(names: &mut BTreeMap<String, FileId>, name: &str, file: Option<FileId>) {
    match file {
        Some(file) => names.insert(name.to_owned(), file),
        None => names.remove(name),
    };
}

/// Takes `amount` from what is left, if that is bounded and there is enough.
fn left(bound: &mut Option<u64>, amount: u64) -> bool {
    match bound {
        None => true,
        Some(rest) if *rest >= amount => {
            *rest -= amount;
            true
        }
        Some(_) => false,
    }
}
