//! Events: what happened, in the order in which it was committed.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::core::actor::Actor;
use crate::core::id::{JobId, TaskId};
use crate::store::tx::{Columns, Row, StoreError, Tx, Value};

/// An event to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: &'a Actor,
    /// The job it is about.
    pub job: JobId,
    /// The run it is about.
    pub task: Option<TaskId>,
    /// Its word, such as `run.started`.
    pub kind: String,
    /// What else there is to say.
    pub data: Json,
}

/// An event that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its place in the order.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The job it is about.
    pub job: String,
    /// The run it is about.
    pub task: Option<String>,
    /// Its word.
    pub kind: String,
    /// What else there is to say.
    pub data: Json,
}

/// Keeps an event.
pub fn append(tx: &mut dyn Tx, fresh: &Fresh<'_>) -> Result<(), StoreError> {
    let sql = "INSERT INTO events (at, actor, job, task, type, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = [
        fresh.at.into(),
        fresh.by.as_str().into(),
        fresh.job.as_str().into(),
        fresh.task.map_or(Value::Null, |task| task.as_str().into()),
        fresh.kind.as_str().into(),
        Value::doc(&fresh.data),
    ];
    tx.execute(sql, &values).map(drop)
}

fn kept(row: Row) -> Result<Kept, StoreError> {
    let mut columns = Columns::of("events", row);
    Ok(Kept {
        seq: columns.count()?,
        at: columns.at()?,
        actor: columns.text()?,
        job: columns.text()?,
        task: columns.maybe_text()?,
        kind: columns.text()?,
        data: columns.doc()?,
    })
}

/// Up to `most` events after `seq`, oldest first, of one job or of all.
pub fn after(tx: &mut dyn Tx, seq: u64, job: Option<JobId>, most: u32) -> Result<Vec<Kept>, StoreError> {
    let sql = "SELECT seq, at, actor, job, task, type, data FROM events \
        WHERE seq > ?1 AND (?2 IS NULL OR job = ?2) ORDER BY seq LIMIT ?3";
    let job = job.map_or(Value::Null, |job| job.as_str().into());
    tx.query(sql, &[seq.into(), job, most.into()])?.into_iter().map(kept).collect()
}

/// When the newest event was.
pub fn newest_at(tx: &mut dyn Tx) -> Result<Option<Timestamp>, StoreError> {
    let rows = tx.query("SELECT at FROM events ORDER BY seq DESC LIMIT 1", &[])?;
    rows.into_iter().next().map(|row| Columns::of("events", row).at()).transpose()
}

/// The number of the newest event but `back`, so that reading on from it shows at most `back` of them.
pub fn tail(tx: &mut dyn Tx, job: Option<JobId>, back: u32) -> Result<u64, StoreError> {
    let sql = "SELECT seq FROM events WHERE (?1 IS NULL OR job = ?1) ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    let job = job.map_or(Value::Null, |job| job.as_str().into());
    tx.query(sql, &[job, back.into()])?
        .into_iter()
        .next()
        .map_or(Ok(0), |row| Columns::of("events", row).count())
}

/// The runs that ended among the newest `most` events.
pub fn lately_ended(tx: &mut dyn Tx, most: u32) -> Result<Vec<TaskId>, StoreError> {
    let sql = "SELECT task FROM (SELECT task, type FROM events ORDER BY seq DESC LIMIT ?1) AS lately \
        WHERE type = 'run.ended'";
    let rows = tx.query(sql, &[most.into()])?;
    rows.into_iter().map(|row| Columns::of("events", row).parsed()).collect()
}
