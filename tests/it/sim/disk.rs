//! The disk: the real SQL on SQLite in memory, behind a database that fails when it is told to.

use std::sync::{Arc, Mutex};

use converge::store::migrate::migrate;
use converge::store::sqlite::Sqlite;
use converge::store::tx::{Database, Row, StoreError, Tx, Value};

use super::ports::{Fuse, die, lock};

/// What is wrong with a disk, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Somebody else holds it for so many tries to begin.
    BusyBegin(u32),
    /// Somebody else holds it at the commit.
    BusyCommit,
    /// There is no room at this statement; the transaction is rolled back by itself.
    FullAt(u32),
    /// There is no room at the commit.
    FullCommit,
    /// The commit answers an error and was done.
    UnsureDone,
    /// The commit answers an error and was not done.
    UnsureUndone,
}

/// What survives the daemon.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) sqlite: Sqlite,
    pub(crate) trouble: Option<Trouble>,
    /// How often it failed somebody.
    pub(crate) failures: u64,
}

impl Disk {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        let mut sqlite = Sqlite::in_memory().expect("a database in memory");
        migrate(&mut sqlite).expect("an empty database is migrated");
        Self { sqlite, trouble: None, failures: 0 }
    }

    /// Uses the trouble up, if it is this one.
    fn meets(&mut self, trouble: Trouble) -> bool {
        let met = self.trouble == Some(trouble);
        if met {
            self.trouble = None;
            self.failures += 1;
        }
        met
    }
}

/// One daemon's connection to the disk.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) fuse: Fuse,
}

impl Tx for Connection {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut disk = lock(&self.disk);
        if let Some(Trouble::FullAt(left)) = disk.trouble {
            disk.trouble = left.checked_sub(1).map(Trouble::FullAt);
            if left == 0 {
                disk.sqlite.rollback();
                disk.failures += 1;
                return Err(StoreError::Full);
            }
        }
        let outcome = disk.sqlite.execute(sql, values);
        disk.failures += u64::from(outcome.is_err());
        outcome
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        lock(&self.disk).sqlite.query(sql, values)
    }
}

impl Database for Connection {
    fn begin(&mut self) -> Result<(), StoreError> {
        let mut disk = lock(&self.disk);
        if let Some(Trouble::BusyBegin(left)) = disk.trouble {
            disk.trouble = left.checked_sub(1).map(Trouble::BusyBegin);
            disk.failures += 1;
            return Err(StoreError::Busy);
        }
        disk.sqlite.begin()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.fuse.burns_down() {
            lock(&self.disk).sqlite.rollback();
            die();
        }
        {
            let mut disk = lock(&self.disk);
            if disk.meets(Trouble::BusyCommit) {
                return Err(StoreError::Busy);
            }
            if disk.meets(Trouble::FullCommit) {
                return Err(StoreError::Full);
            }
            if disk.meets(Trouble::UnsureUndone) {
                return Err(StoreError::Driver("the disk went away".into()));
            }
            disk.sqlite.commit()?;
            if disk.meets(Trouble::UnsureDone) {
                return Err(StoreError::Driver("the disk went away".into()));
            }
        }
        if self.fuse.burns_down() {
            die();
        }
        Ok(())
    }

    fn rollback(&mut self) {
        lock(&self.disk).sqlite.rollback();
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        lock(&self.disk).sqlite.reopen()
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        lock(&self.disk).sqlite.compact()
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self
    }
}
