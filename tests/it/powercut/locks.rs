//! What the kernel keeps for those who have a file open: locks and shared memory.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

/// Names one opened file.
pub(super) type HandleId = u64;

/// How strongly a file is locked; the order is SQLite's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// Somebody else's lock is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

/// The locks of a database file.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<HandleId, Level>,
}

impl Locks {
    /// Raises the lock of `handle` to `wanted`.
    pub(super) fn raise(&mut self, handle: HandleId, wanted: Level) -> Result<(), Busy> {
        let own = self.held.get(&handle).copied().unwrap_or(Level::None);
        if own >= wanted {
            return Ok(());
        }
        let others = self.strongest_but(handle);
        let free = match wanted {
            Level::None | Level::Shared => others < Level::Pending,
            Level::Reserved | Level::Pending | Level::Exclusive => others < Level::Reserved,
        };
        if !free {
            return Err(Busy);
        }
        if wanted == Level::Exclusive && others == Level::Shared {
            // No new readers from here on; the old ones may finish.
            self.held.insert(handle, Level::Pending);
            return Err(Busy);
        }
        self.held.insert(handle, wanted);
        Ok(())
    }

    /// Lowers the lock of `handle` to `wanted`.
    pub(super) fn lower(&mut self, handle: HandleId, wanted: Level) {
        match wanted {
            Level::None => {
                self.held.remove(&handle);
            }
            Level::Shared | Level::Reserved | Level::Pending | Level::Exclusive => {
                self.held.insert(handle, wanted);
            }
        }
    }

    /// Whether somebody is about to write.
    pub(super) fn reserved(&self) -> bool {
        self.held.values().any(|level| *level >= Level::Reserved)
    }

    fn strongest_but(&self, handle: HandleId) -> Level {
        let others = self.held.iter().filter(|(other, _)| **other != handle);
        others.map(|(_, level)| *level).max().unwrap_or(Level::None)
    }
}

/// The memory that connections to one database in WAL mode share, with its own eight locks.
#[derive(Default)]
pub(super) struct SharedMemory {
    /// Atomic, so that there may be writers behind a shared reference. They never move.
    regions: Vec<Box<[AtomicU64]>>,
    users: BTreeMap<HandleId, Slots>,
}

/// Which of the eight locks one user holds, a bit for each.
#[derive(Clone, Copy, Default)]
struct Slots {
    shared: u8,
    exclusive: u8,
}

/// How a lock of shared memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Shared,
    Exclusive,
}

/// Whether memory that is not there yet is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extend {
    Yes,
    No,
}

impl SharedMemory {
    /// Gives the address of a region, valid until `handle` unmaps.
    pub(super) fn map(
        &mut self,
        handle: HandleId,
        index: usize,
        bytes: usize,
        extend: Extend,
    ) -> Option<*mut u64> {
        self.users.entry(handle).or_default();
        while self.regions.len() <= index && extend == Extend::Yes {
            self.regions.push((0..bytes / 8).map(|_| AtomicU64::new(0)).collect());
        }
        self.regions.get(index).map(|region| region.as_ptr().cast_mut().cast())
    }

    /// Takes the locks in `slots`, all or none.
    pub(super) fn lock(&mut self, handle: HandleId, slots: u8, mode: Mode) -> Result<(), Busy> {
        let others = self.users.iter().filter(|(other, _)| **other != handle);
        let in_the_way = others.fold(0, |mask, (_, held)| match mode {
            Mode::Shared => mask | held.exclusive,
            Mode::Exclusive => mask | held.exclusive | held.shared,
        });
        if in_the_way & slots != 0 {
            return Err(Busy);
        }
        let own = self.users.entry(handle).or_default();
        match mode {
            Mode::Shared => own.shared |= slots,
            Mode::Exclusive => own.exclusive |= slots,
        }
        Ok(())
    }

    pub(super) fn unlock(&mut self, handle: HandleId, slots: u8) {
        let own = self.users.entry(handle).or_default();
        own.shared &= !slots;
        own.exclusive &= !slots;
    }

    /// Ends the use by `handle`; the memory goes with its last user.
    pub(super) fn unmap(&mut self, handle: HandleId) {
        self.users.remove(&handle);
        if self.users.is_empty() {
            self.regions.clear();
        }
    }
}
