//! Migrations: from any released schema to the newest. A released one is never edited.

use crate::store::sqlite::Sqlite;
use crate::store::tx::{Columns, Database, StoreError, Tx, Value};

const STEPS: [&str; 2] = [include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The newest schema.
pub const NEWEST: i64 = 2;
const _: () = assert!(STEPS.len() == 2, "`NEWEST` counts the steps");

/// Brings `database` to the newest schema, in one transaction, and answers from which.
pub fn migrate(database: &mut Sqlite) -> Result<i64, StoreError> {
    let found = version(database)?;
    if found > NEWEST {
        return Err(StoreError::Newer { found, known: NEWEST });
    }
    if found == NEWEST {
        return Ok(found);
    }
    database.begin()?;
    let outcome = run(database, found).and_then(|()| database.commit());
    if outcome.is_err() {
        database.rollback();
    }
    outcome.map(|()| found)
}

fn run(database: &mut Sqlite, found: i64) -> Result<(), StoreError> {
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        database.execute_batch(step)?;
    }
    let newest = [Value::from(NEWEST.to_string())];
    database.execute(
        "INSERT INTO meta (name, value) VALUES ('schema', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
        &newest,
    )?;
    Ok(())
}

/// The schema that `database` has; 0 when it is empty.
pub fn version(database: &mut dyn Tx) -> Result<i64, StoreError> {
    let tables = database.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[])?;
    if tables.is_empty() {
        return Ok(0);
    }
    if !tables.iter().any(|row| row == &[Value::from("meta")]) {
        return Err(StoreError::Foreign("the file is a database of another program".to_owned()));
    }
    let rows = database.query("SELECT value FROM meta WHERE name = 'schema'", &[])?;
    match rows.into_iter().next() {
        Some(row) => Columns::of("meta", row).parsed(),
        None => Err(StoreError::Foreign("the file is a database of another program".to_owned())),
    }
}
