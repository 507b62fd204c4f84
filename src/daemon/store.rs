//! Opening the store: what is no store of ours is told apart before anything is changed in it.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::store::migrate;
use crate::store::sqlite::Sqlite;
use crate::store::tx::{StoreError, Tx};

/// Opens the store at `path`, or makes it, and brings it to the newest schema.
pub(super) fn open(path: &Path) -> anyhow::Result<Sqlite> {
    let store = || format!("the store `{}`", path.display());
    // SQLite gives its other files the mode of this one.
    let file = File::options().create(true).append(true).mode(0o600).open(path).with_context(store)?;
    if file.metadata().with_context(store)?.len() > 0 {
        look(path).with_context(store)?;
    }
    let mut database = Sqlite::open(path).with_context(store)?;
    let found = migrate::migrate(&mut database).with_context(store)?;
    if found != migrate::NEWEST {
        tracing::info!(from = found, to = migrate::NEWEST, "the store has a new schema");
    }
    Ok(database)
}

/// Puts what is in the log beside the store into it, so that its one file is all of it.
pub(super) fn settle(path: &Path) -> Result<(), StoreError> {
    Sqlite::open(path)?.query("PRAGMA wal_checkpoint(TRUNCATE)", &[]).map(drop)
}

/// Reads the schema without writing: a foreign or a newer store is left as whoever wrote it last meant it.
fn look(path: &Path) -> Result<(), StoreError> {
    let found = migrate::version(&mut Sqlite::open_reader(path)?)?;
    if found > migrate::NEWEST {
        return Err(StoreError::Newer { found, known: migrate::NEWEST });
    }
    Ok(())
}
