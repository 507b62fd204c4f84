//! Tasks, which so far are all runs.

use jiff::Timestamp;

use crate::core::id::{JobId, TaskId};
use crate::core::reason::Skip;
use crate::core::task::{Origin, State, Task};
use crate::store::tx::{Columns, Row, StoreError, Tx, Value};

/// A task as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The task.
    pub task: Task,
    /// Counts its writes.
    pub version: i64,
}

const SELECT: &str = "SELECT doc, version FROM tasks";

/// A task that has a lane. The first part is that of the index `tasks_exclusive`, word for word, which is
/// what lets SQLite use it.
const HAS_LANE: &str = "state IN ('claimed', 'running', 'waiting') AND state <> 'waiting'";

/// A task that waits for its time, for a lane or for something that passes; word for word as in the index `tasks_due`.
const WAITS: &str = "state IN ('pending', 'waiting')";

/// A job that is paused starts nothing, not even a run that was made before.
const NOT_PAUSED: &str = "(SELECT state FROM jobs WHERE jobs.id = tasks.job) <> 'paused'";

fn stored(row: Row) -> Result<Stored, StoreError> {
    let mut columns = Columns::of("tasks", row);
    Ok(Stored { task: columns.doc()?, version: columns.int()? })
}

fn all(rows: Vec<Row>) -> Result<Vec<Stored>, StoreError> {
    rows.into_iter().map(stored).collect()
}

/// The word of a task's state in its row.
pub fn word(state: &State) -> &'static str {
    match state {
        State::Pending { .. } => "pending",
        State::Waiting { .. } => "waiting",
        State::Claimed { .. } => "claimed",
        State::Running { .. } => "running",
        State::Ended(_) => "ended",
        State::Skipped(_) => "skipped",
    }
}

/// When a task of this state is due, as its row says.
pub(super) fn due_at(state: &State) -> Option<Timestamp> {
    match state {
        State::Pending { due_at } => Some(*due_at),
        State::Waiting { due_at, .. } => *due_at,
        State::Claimed { .. } | State::Running { .. } | State::Ended(_) | State::Skipped(_) => None,
    }
}

/// The task of this id.
pub fn get(tx: &mut dyn Tx, id: TaskId) -> Result<Option<Stored>, StoreError> {
    tx.query(&format!("{SELECT} WHERE id = ?1"), &[id.as_str().into()])?
        .into_iter()
        .next()
        .map(stored)
        .transpose()
}

/// Ids of at most `most` tasks that begin with `text`.
pub fn named(tx: &mut dyn Tx, text: &str, most: u32) -> Result<Vec<TaskId>, StoreError> {
    if text.len() < 2 || !text.is_ascii() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM tasks WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    let rows = tx.query(sql, &[text.into(), format!("{text}{{").into(), most.into()])?;
    rows.into_iter().map(|row| Columns::of("tasks", row).parsed()).collect()
}

/// The tasks that have a lane: claimed or running.
pub fn under_way(tx: &mut dyn Tx) -> Result<Vec<TaskId>, StoreError> {
    sorted(ids(tx.query(&format!("SELECT id FROM tasks WHERE {HAS_LANE}"), &[])?))
}

/// In an order that no index has to keep.
fn sorted(ids: Result<Vec<TaskId>, StoreError>) -> Result<Vec<TaskId>, StoreError> {
    ids.map(|mut ids| {
        ids.sort_unstable();
        ids
    })
}

fn ids(rows: Vec<Row>) -> Result<Vec<TaskId>, StoreError> {
    rows.into_iter().map(|row| Columns::of("tasks", row).parsed()).collect()
}

/// How many tasks have a lane.
pub fn under_way_count(tx: &mut dyn Tx) -> Result<u32, StoreError> {
    let rows = tx.query(&format!("SELECT COUNT(*) FROM tasks WHERE {HAS_LANE}"), &[])?;
    rows.into_iter().next().map_or(Ok(0), |row| Columns::of("tasks", row).small())
}

/// Up to `most` tasks that wait for a lane at `now`, the longest due first.
pub fn claimable(tx: &mut dyn Tx, now: Timestamp, most: u32) -> Result<Vec<TaskId>, StoreError> {
    let sql = format!(
        "SELECT id FROM tasks WHERE {WAITS} AND due_at <= ?1 AND {NOT_PAUSED} \
        ORDER BY due_at, id LIMIT ?2"
    );
    ids(tx.query(&sql, &[now.into(), most.into()])?)
}

/// The tasks that wait for an instant after `now`.
pub fn put_off(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<TaskId>, StoreError> {
    let sql = format!("SELECT id FROM tasks WHERE {WAITS} AND due_at > ?1");
    sorted(ids(tx.query(&sql, &[now.into()])?))
}

/// The tasks that were kept from starting, or from going on.
pub fn waiting(tx: &mut dyn Tx) -> Result<Vec<Stored>, StoreError> {
    // The second part is that of the index `tasks_due`, which is what lets SQLite use it.
    all(tx.query(&format!("{SELECT} WHERE state = 'waiting' AND {WAITS}"), &[])?)
}

/// When the next pending task after `now` is due.
pub fn next_due(tx: &mut dyn Tx, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = format!("SELECT MIN(due_at) FROM tasks WHERE {WAITS} AND due_at > ?1 AND {NOT_PAUSED}");
    let rows = tx.query(&sql, &[now.into()])?;
    rows.into_iter().next().map_or(Ok(None), |row| Columns::of("tasks", row).maybe_at())
}

/// The newest skipped row of a job, if no run came after it and it has this reason.
pub fn newest_skip(tx: &mut dyn Tx, job: JobId, reason: Skip) -> Result<Option<Stored>, StoreError> {
    let sql = format!("{SELECT} WHERE job = ?1 AND slot IS NOT NULL ORDER BY slot DESC LIMIT 1");
    let newest = all(tx.query(&sql, &[job.as_str().into()])?)?.pop();
    Ok(newest
        .filter(|newest| matches!(&newest.task.state, State::Skipped(skipped) if skipped.reason == reason)))
}

/// Up to `most` runs of a job, newest first, older than the one that `before` names.
pub fn of_job(
    tx: &mut dyn Tx,
    job: JobId,
    before: Option<TaskId>,
    most: u32,
) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE job = ?1 AND (?2 IS NULL OR (created_at, id) < (SELECT created_at, id FROM tasks WHERE id = ?2)) \
        ORDER BY created_at DESC, id DESC LIMIT ?3"
    );
    let before = before.map_or(Value::Null, |before| before.as_str().into());
    all(tx.query(&sql, &[job.as_str().into(), before, most.into()])?)
}

/// What looked at a job's goal before its first run.
pub fn zero_of(tx: &mut dyn Tx, job: JobId) -> Result<Option<Stored>, StoreError> {
    let sql = format!("{SELECT} WHERE job = ?1 AND number = 0 ORDER BY created_at, id LIMIT 1");
    let first = all(tx.query(&sql, &[job.as_str().into()])?)?.pop();
    Ok(first.filter(|first| first.task.origin == Origin::Zero))
}

/// The tasks of a job that have neither ended nor been claimed.
pub fn pending_of(tx: &mut dyn Tx, job: JobId) -> Result<Vec<Stored>, StoreError> {
    let sql = format!("{SELECT} WHERE job = ?1 AND {WAITS} ORDER BY id");
    all(tx.query(&sql, &[job.as_str().into()])?)
}

/// How many rows a job has that tell of runs.
pub fn count_of(tx: &mut dyn Tx, job: JobId) -> Result<u64, StoreError> {
    let rows = tx.query("SELECT COUNT(*) FROM tasks WHERE job = ?1", &[job.as_str().into()])?;
    rows.into_iter().next().map_or(Ok(0), |row| Columns::of("tasks", row).count())
}

/// Adds a task that is not there yet.
pub fn insert(tx: &mut dyn Tx, task: &Task) -> Result<(), StoreError> {
    let sql = "INSERT INTO tasks (id, job, number, slot, state, due_at, created_at, version, doc) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8)";
    let values = [
        task.id.as_str().into(),
        task.job.as_str().into(),
        task.number.into(),
        Value::maybe(task.slot),
        word(&task.state).into(),
        Value::maybe(due_at(&task.state)),
        task.created_at.into(),
        Value::doc(task),
    ];
    tx.execute(sql, &values).map(drop)
}

/// Writes a task back; false when somebody wrote it since it was read.
pub fn update(tx: &mut dyn Tx, stored: &Stored) -> Result<bool, StoreError> {
    let Stored { task, version } = stored;
    let sql = "UPDATE tasks SET state = ?1, due_at = ?2, doc = ?3, version = version + 1 WHERE id = ?4 AND version = ?5";
    let values = [
        word(&task.state).into(),
        Value::maybe(due_at(&task.state)),
        Value::doc(task),
        task.id.as_str().into(),
        (*version).into(),
    ];
    Ok(tx.execute(sql, &values)? == 1)
}
