//! Attempts: one row for each process execution of a task that came to an end.

use jiff::Timestamp;

use crate::core::id::TaskId;
use crate::core::reading::Reading;
use crate::store::tx::{Columns, Row, StoreError, Tx, Value};

/// One process execution of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The task.
    pub task: TaskId,
    /// The claim.
    pub number: u32,
    /// Why there was this attempt.
    pub kind: Kind,
    /// When its process started, if it did.
    pub started_at: Option<Timestamp>,
    /// When its tree was empty.
    pub ended_at: Timestamp,
    /// The word for its end.
    pub reason: String,
    /// The exit code, when it exited by itself.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i64>,
    /// User and system time of the tree.
    pub cpu_ms: u64,
    /// The largest resident size of one of its processes.
    pub peak_kb: u64,
    /// Bytes written to standard output.
    pub stdout_bytes: u64,
    /// Bytes written to standard error.
    pub stderr_bytes: u64,
    /// What the output of an agent says about it.
    pub reading: Option<Reading>,
}

/// Why there was an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first of its task.
    First,
    /// The one before it failed.
    Retry,
}

impl Kind {
    /// The word in rows and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
        }
    }
}

/// Keeps an attempt; once is enough.
pub fn insert(tx: &mut dyn Tx, attempt: &Attempt) -> Result<(), StoreError> {
    let sql = "INSERT INTO attempts (task, number, kind, started_at, ended_at, reason, exit_code, signal, \
        cpu_ms, peak_kb, stdout_bytes, stderr_bytes) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
    let values = [
        attempt.task.as_str().into(),
        attempt.number.into(),
        attempt.kind.word().into(),
        Value::maybe(attempt.started_at),
        attempt.ended_at.into(),
        attempt.reason.as_str().into(),
        Value::maybe(attempt.exit_code),
        Value::maybe(attempt.signal),
        attempt.cpu_ms.into(),
        attempt.peak_kb.into(),
        attempt.stdout_bytes.into(),
        attempt.stderr_bytes.into(),
    ];
    tx.execute(sql, &values).map(drop)
}

/// Keeps what the output of an attempt says about it.
pub fn read(
    tx: &mut dyn Tx,
    (task, number): (TaskId, u32),
    reason: &str,
    reading: &Reading,
) -> Result<(), StoreError> {
    let sql = "UPDATE attempts SET reason = ?3, reading = ?4 WHERE task = ?1 AND number = ?2";
    let values = [task.as_str().into(), number.into(), reason.into(), Value::doc(reading)];
    tx.execute(sql, &values).map(drop)
}

fn attempt(row: Row) -> Result<Attempt, StoreError> {
    let mut columns = Columns::of("attempts", row);
    Ok(Attempt {
        task: columns.parsed()?,
        number: columns.small()?,
        kind: if columns.text()? == Kind::First.word() { Kind::First } else { Kind::Retry },
        started_at: columns.maybe_at()?,
        ended_at: columns.at()?,
        reason: columns.text()?,
        exit_code: columns.maybe_int()?,
        signal: columns.maybe_int()?,
        cpu_ms: columns.count()?,
        peak_kb: columns.count()?,
        stdout_bytes: columns.count()?,
        stderr_bytes: columns.count()?,
        reading: columns.maybe_doc()?,
    })
}

/// The attempts of a task, oldest first.
pub fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT task, number, kind, started_at, ended_at, reason, exit_code, signal, cpu_ms, peak_kb, \
        stdout_bytes, stderr_bytes, reading FROM attempts WHERE task = ?1 ORDER BY number";
    tx.query(sql, &[task.as_str().into()])?.into_iter().map(attempt).collect()
}

/// What the attempts of the newest runs say, newest first: of `most` runs at the most, all made since then.
pub fn newest_read(
    tx: &mut dyn Tx,
    since: Timestamp,
    most: u32,
) -> Result<Vec<(TaskId, Reading)>, StoreError> {
    let sql = "SELECT task, reading FROM \
        (SELECT id, created_at FROM tasks WHERE state IN ('ended', 'skipped') AND created_at >= ?1 \
        ORDER BY created_at DESC LIMIT ?2) AS newest JOIN attempts ON attempts.task = newest.id \
        WHERE reading IS NOT NULL ORDER BY created_at DESC, attempts.number DESC";
    let read = |row: Row| {
        let mut columns = Columns::of("attempts", row);
        Ok((columns.parsed()?, columns.doc()?))
    };
    tx.query(sql, &[since.into(), most.into()])?.into_iter().map(read).collect()
}
