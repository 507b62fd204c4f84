//! SQLite: the embedded database. Write-ahead log, full durability, one writer and some readers.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use crate::store::tx::{Database, Row, StoreError, Tx, Value};

/// A connection that may write.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    /// Where it lies, when it lies in a file of its own.
    path: Option<PathBuf>,
}

/// How long a statement waits for another writer, such as a backup.
const BUSY_MS: u32 = 1000;

/// A connection is used by one thread at a time.
const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -2048; \
    PRAGMA temp_store = MEMORY";

impl Sqlite {
    /// Opens or makes the database at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(error)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(error)?;
        Ok(Self { path: Some(path.to_owned()), ..Self::of(connection)? })
    }

    /// Takes a connection that is open already.
    pub fn of(connection: Connection) -> Result<Self, StoreError> {
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS.into())).map_err(error)?;
        connection.execute_batch(PRAGMAS).map_err(error)?;
        Self::planned(connection)
    }

    /// With plans that are made once.
    fn planned(connection: Connection) -> Result<Self, StoreError> {
        // A plan that looked at a bound value is made again for the next value: with partial indexes, always.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection, path: None })
    }

    /// Opens the database at `path` to read only, once what a writer that died left half done is undone.
    pub fn open_reader(path: &Path) -> Result<Self, StoreError> {
        let open = || Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | NO_MUTEX);
        let mut connection = open().map_err(error)?;
        if is_cut_short(&connection)? {
            undo(path)?;
            connection = open().map_err(error)?;
        }
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS.into())).map_err(error)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024").map_err(error)?;
        Self::planned(connection)
    }

    /// A database in memory, for the simulator and for tests.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::of(Connection::open_in_memory().map_err(error)?)
    }

    /// Runs several statements at once; for migrations.
    pub fn execute_batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(error)
    }
}

impl Tx for Sqlite {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(error)?;
        let changed = statement.execute(rusqlite::params_from_iter(values)).map_err(error)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(error)?;
        let width = statement.column_count();
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            (0..width).map(|place| row.get_ref(place).map(value)).collect::<Result<Row, _>>()
        });
        rows.map_err(error)?.collect::<Result<_, _>>().map_err(error)
    }
}

impl Database for Sqlite {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[]).map(drop)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // A transaction that cannot be rolled back is gone already.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        if let Some(path) = &self.path {
            *self = Self::open(path)?;
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.query("PRAGMA incremental_vacuum(2000)", &[]).map(drop)
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self
    }
}

/// Whether a writer died in the middle of a transaction that a connection which only reads cannot undo.
///
/// With a write-ahead log there is none; but a database begins without one.
fn is_cut_short(connection: &Connection) -> Result<bool, StoreError> {
    match connection.query_row("PRAGMA schema_version", [], |_| Ok(())) {
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if failure.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK =>
        {
            Ok(true)
        }
        outcome => outcome.map(|()| false).map_err(error),
    }
}

/// Undoes what a writer that died left half done; its journal beside the database says what was there before.
fn undo(path: &Path) -> Result<(), StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX).map_err(error)?;
    connection.query_row("PRAGMA schema_version", [], |_| Ok(())).map_err(error)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        // No column of ours holds a real; what somebody put there is shown, not rounded.
        ValueRef::Real(real) => Value::Text(real.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}

fn error(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return StoreError::Driver(Box::new(error));
    };
    let message = message.clone().unwrap_or_else(|| failure.to_string());
    match (failure.code, failure.extended_code) {
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => StoreError::Busy,
        (ErrorCode::DiskFull, _) => StoreError::Full,
        (ErrorCode::NotADatabase, _) => StoreError::Foreign("the file is not a database".to_owned()),
        (ErrorCode::DatabaseCorrupt, _) => StoreError::Foreign(format!("the database is damaged: {message}")),
        (
            ErrorCode::ConstraintViolation,
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ) => StoreError::Taken(message),
        _ => StoreError::Driver(Box::new(error)),
    }
}
