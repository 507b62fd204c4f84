//! Readers: a small pool of connections that only read.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::store::sqlite::Sqlite;
use crate::store::tx::{StoreError, Tx};

/// Connections that only read.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Sqlite>>,
}

/// How many connections are kept when nobody reads.
const IDLE_MOST: usize = 4;

impl Readers {
    /// Readers of the database at `path`, opened when they are needed.
    pub fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// Reads from one consistent state that holds every write answered before.
    pub fn read<T>(&self, read: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Sqlite::open_reader(&self.path)?,
        };
        reader.execute("BEGIN", &[])?;
        let outcome = read(&mut reader);
        reader.execute("COMMIT", &[])?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.is_ok() && idle.len() < IDLE_MOST {
            idle.push(reader);
        }
        outcome
    }
}
