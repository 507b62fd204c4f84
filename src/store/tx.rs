//! The port to a database: statements with `?n` places, and four kinds of value.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A BIGINT.
    Int(i64),
    /// A TEXT.
    Text(String),
    /// A BLOB.
    Blob(Vec<u8>),
}

/// A row, its values in the order of the statement.
pub type Row = Vec<Value>;

/// What goes wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else is writing; the same again may work.
    #[error("the database is busy")]
    Busy,
    /// A row is not the one that was read; deciding again may work.
    #[error("a row was written since it was read")]
    Conflict,
    /// There is no room left.
    #[error("the disk is full")]
    Full,
    /// A unique index refused a row.
    #[error("a row like it exists: {0}")]
    Taken(String),
    /// The file is no database of ours, or damaged.
    #[error("{0}")]
    Foreign(String),
    /// It was written by a newer version.
    #[error(
        "the database has schema {found}, this version knows {known}: it was written by a newer converge"
    )]
    Newer {
        /// What it says it is.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// A row does not hold what it should.
    #[error("{table}: {problem}")]
    BadRow {
        /// Where.
        table: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Anything else the driver says.
    #[error("the database cannot answer")]
    Driver(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// What went wrong, with what the driver says of it.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// An open transaction.
pub trait Tx {
    /// Runs a statement; answers how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// Runs a query; answers all its rows.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;
}

/// A database that can be written to.
pub trait Database: Send {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Makes everything since `begin` durable.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Forgets everything since `begin`; harmless without one.
    fn rollback(&mut self);

    /// Starts over with a fresh connection, after one of which nobody knows what it did.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// Gives some of the room back that was freed; outside of a transaction.
    fn compact(&mut self) -> Result<(), StoreError>;

    /// The open transaction.
    fn tx(&mut self) -> &mut dyn Tx;
}

impl Value {
    /// An instant in milliseconds.
    pub fn at(at: Timestamp) -> Self {
        Self::Int(at.as_millisecond())
    }

    /// What it may be.
    pub fn maybe<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }

    /// A document.
    pub fn doc(value: &impl Serialize) -> Self {
        Self::Text(serde_json::to_string(value).expect("documents are plain data"))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::at(at)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Reads the columns of one row in order.
pub(super) struct Columns {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    /// The columns of `row`, which came from `table`.
    pub(super) fn of(table: &'static str, row: Row) -> Self {
        Self { table, values: row.into_iter() }
    }

    fn bad(&self, problem: impl Into<String>) -> StoreError {
        StoreError::BadRow { table: self.table, problem: problem.into() }
    }

    /// The next column, if it is not null.
    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(self.bad(format!("a number was expected, not {other:?}"))),
        }
    }

    /// The next column as a number.
    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.maybe_int()?.ok_or_else(|| self.bad("a number is missing"))
    }

    /// The next column as a number that is not negative.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        let number = self.int()?;
        u64::try_from(number).map_err(|_| self.bad(format!("{number} is negative")))
    }

    /// The next column as a small number that is not negative.
    pub(super) fn small(&mut self) -> Result<u32, StoreError> {
        let number = self.int()?;
        u32::try_from(number).map_err(|_| self.bad(format!("{number} is out of range")))
    }

    /// The next column as text, if it is not null.
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(self.bad(format!("a text was expected, not {other:?}"))),
        }
    }

    /// The next column as text.
    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?.ok_or_else(|| self.bad("a text is missing"))
    }

    /// The next column as anything that reads from text.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|error| self.bad(format!("`{text}`: {error}")))
    }

    /// The next column as an instant, if it is not null.
    pub(super) fn maybe_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let Some(ms) = self.maybe_int()? else { return Ok(None) };
        Timestamp::from_millisecond(ms).map(Some).map_err(|_| self.bad(format!("{ms} is no instant")))
    }

    /// The next column as an instant.
    pub(super) fn at(&mut self) -> Result<Timestamp, StoreError> {
        self.maybe_at()?.ok_or_else(|| self.bad("an instant is missing"))
    }

    /// The next column as a document, if there is one.
    pub(super) fn maybe_doc<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text()?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.bad(error.to_string()))).transpose()
    }

    /// The next column as a document.
    pub(super) fn doc<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| self.bad(error.to_string()))
    }
}
