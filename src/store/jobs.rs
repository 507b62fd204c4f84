//! Jobs and the revisions of their definitions.

use jiff::Timestamp;

use crate::core::actor::Actor;
use crate::core::definition::Definition;
use crate::core::id::JobId;
use crate::core::job::Job;
use crate::store::tx::{Columns, Row, StoreError, Tx, Value};

/// A job as it stands in the store: with the definition in force and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The job.
    pub job: Job,
    /// The definition of its newest revision.
    pub definition: Definition,
    /// Counts its writes.
    pub version: i64,
}

const SELECT: &str = "SELECT jobs.doc, revisions.definition, jobs.version FROM jobs \
    JOIN revisions ON revisions.job = jobs.id AND revisions.revision = \
    (SELECT MAX(revision) FROM revisions WHERE job = jobs.id)";

fn stored(row: Row) -> Result<Stored, StoreError> {
    let mut columns = Columns::of("jobs", row);
    Ok(Stored { job: columns.doc()?, definition: columns.doc()?, version: columns.int()? })
}

fn one(rows: Vec<Row>) -> Result<Option<Stored>, StoreError> {
    rows.into_iter().next().map(stored).transpose()
}

/// The job of this id.
pub fn get(tx: &mut dyn Tx, id: JobId) -> Result<Option<Stored>, StoreError> {
    one(tx.query(&format!("{SELECT} WHERE jobs.id = ?1"), &[id.as_str().into()])?)
}

/// A live job whose fingerprint is this, or begins with it and a dot; the former first.
pub fn by_fingerprint(tx: &mut dyn Tx, fingerprint: &str) -> Result<Option<Stored>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE jobs.fingerprint >= ?1 AND jobs.fingerprint < ?2 ORDER BY jobs.fingerprint LIMIT 1"
    );
    // A slash is what follows a dot.
    one(tx.query(&sql, &[fingerprint.into(), format!("{fingerprint}/").into()])?)
}

/// The live job of this name.
pub fn by_live_name(tx: &mut dyn Tx, name: &str) -> Result<Option<Stored>, StoreError> {
    one(tx.query(&format!("{SELECT} WHERE jobs.live_name = ?1"), &[name.into()])?)
}

/// Ids and names of at most `most` jobs that `text` may mean, the live ones and the newest first.
///
/// An exact id or name beats a prefix of an id. The text is compared, never interpreted.
pub fn named(tx: &mut dyn Tx, text: &str, most: u32) -> Result<Vec<(JobId, String)>, StoreError> {
    let exact = "SELECT id, name FROM jobs WHERE id = ?1 OR name = ?1 \
        ORDER BY live_name IS NULL, created_at DESC, id LIMIT ?2";
    let rows = tx.query(exact, &[text.into(), most.into()])?;
    let rows = if rows.is_empty() && text.len() > 1 && text.is_ascii() {
        // Every id that begins with the text lies between it and it followed by the last digit's successor.
        let prefix = "SELECT id, name FROM jobs WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
        tx.query(prefix, &[text.into(), format!("{text}{{").into(), most.into()])?
    } else {
        rows
    };
    let pair = |row| {
        let mut columns = Columns::of("jobs", row);
        Ok((columns.parsed()?, columns.text()?))
    };
    rows.into_iter().map(pair).collect()
}

/// Which jobs a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are not archived.
    Present,
    /// All.
    All,
}

/// Up to `most` jobs, in this state if one is named, oldest first, after the one that `after` names.
pub fn list(
    tx: &mut dyn Tx,
    which: Which,
    state: Option<&str>,
    after: Option<JobId>,
    most: u32,
) -> Result<Vec<Stored>, StoreError> {
    let present = match which {
        Which::Present => "jobs.archived_at IS NULL AND",
        Which::All => "",
    };
    let sql = format!(
        "{SELECT} WHERE {present} (?3 IS NULL OR jobs.state = ?3) AND (?1 IS NULL OR (jobs.created_at, jobs.id) > \
        (SELECT created_at, id FROM jobs WHERE id = ?1)) ORDER BY jobs.created_at, jobs.id LIMIT ?2"
    );
    let after = after.map_or(Value::Null, |after| after.as_str().into());
    tx.query(&sql, &[after, most.into(), Value::maybe(state)])?.into_iter().map(stored).collect()
}

/// The jobs that can still start runs.
pub fn live(tx: &mut dyn Tx) -> Result<Vec<JobId>, StoreError> {
    ids(tx.query("SELECT id FROM jobs WHERE live_name IS NOT NULL ORDER BY created_at, id", &[])?)
}

/// How many jobs there are in each state, archived ones left out.
pub fn counts(tx: &mut dyn Tx) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = tx.query(
        "SELECT state, COUNT(*) FROM jobs WHERE archived_at IS NULL GROUP BY state ORDER BY state",
        &[],
    )?;
    let pair = |row| {
        let mut columns = Columns::of("jobs", row);
        Ok((columns.text()?, columns.count()?))
    };
    rows.into_iter().map(pair).collect()
}

/// Up to `most` jobs that are due at `now`, the longest due first.
pub fn due(tx: &mut dyn Tx, now: Timestamp, most: u32) -> Result<Vec<JobId>, StoreError> {
    let sql = "SELECT id FROM jobs WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
    ids(tx.query(sql, &[now.into(), most.into()])?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<JobId>, StoreError> {
    rows.into_iter().map(|row| Columns::of("jobs", row).parsed()).collect()
}

/// When the next job is due.
pub fn next_due(tx: &mut dyn Tx) -> Result<Option<Timestamp>, StoreError> {
    let rows = tx.query("SELECT MIN(due_at) FROM jobs WHERE due_at IS NOT NULL", &[])?;
    rows.into_iter().next().map_or(Ok(None), |row| Columns::of("jobs", row).maybe_at())
}

/// Adds a job that is not there yet.
pub fn insert(
    tx: &mut dyn Tx,
    job: &Job,
    definition: &Definition,
    by: &Actor,
    fingerprint: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO jobs (id, name, live_name, fingerprint, state, due_at, archived_at, created_at, version, doc) \
        VALUES (?1, ?2, ?2, ?3, ?4, ?5, NULL, ?6, 1, ?7)";
    let values = [
        job.id.as_str().into(),
        job.name.as_str().into(),
        fingerprint.into(),
        job.state.word().into(),
        Value::maybe(job.due_at(definition)),
        job.created_at.into(),
        Value::doc(job),
    ];
    tx.execute(sql, &values)?;
    revise(tx, job, definition, by, job.created_at)
}

/// Keeps the definition of the job's revision.
pub fn revise(
    tx: &mut dyn Tx,
    job: &Job,
    definition: &Definition,
    by: &Actor,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO revisions (job, revision, at, actor, definition) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values =
        [job.id.as_str().into(), job.revision.into(), at.into(), by.as_str().into(), Value::doc(definition)];
    tx.execute(sql, &values).map(drop)
}

/// Writes a job back; false when somebody wrote it since it was read.
///
/// A job that is over gives its name and its fingerprint free.
pub fn update(tx: &mut dyn Tx, stored: &Stored, fingerprint: Option<&str>) -> Result<bool, StoreError> {
    let Stored { job, definition, version } = stored;
    let sql = "UPDATE jobs SET name = ?1, live_name = ?2, fingerprint = CASE WHEN ?2 IS NULL THEN NULL ELSE COALESCE(?3, fingerprint) END, \
        state = ?4, due_at = ?5, archived_at = ?6, doc = ?7, version = version + 1 WHERE id = ?8 AND version = ?9";
    let values = [
        job.name.as_str().into(),
        if job.is_live() { job.name.as_str().into() } else { Value::Null },
        Value::maybe(fingerprint),
        job.state.word().into(),
        Value::maybe(job.due_at(definition)),
        Value::maybe(job.archived_at),
        Value::doc(job),
        job.id.as_str().into(),
        (*version).into(),
    ];
    Ok(tx.execute(sql, &values)? == 1)
}

/// The definition of one revision.
pub fn definition(tx: &mut dyn Tx, job: JobId, revision: u32) -> Result<Option<Definition>, StoreError> {
    let sql = "SELECT definition FROM revisions WHERE job = ?1 AND revision = ?2";
    let rows = tx.query(sql, &[job.as_str().into(), revision.into()])?;
    rows.into_iter().next().map(|row| Columns::of("revisions", row).doc()).transpose()
}

/// Removes a job with everything that is kept about it, but for its newest event.
///
/// That event tells of the removal. It also keeps the numbers of the others from being given again, which
/// whoever follows the events would never see.
pub fn remove(tx: &mut dyn Tx, job: JobId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM attempts WHERE task IN (SELECT id FROM tasks WHERE job = ?1)",
        "DELETE FROM tasks WHERE job = ?1",
        "DELETE FROM revisions WHERE job = ?1",
        "DELETE FROM events WHERE job = ?1 AND seq < (SELECT MAX(seq) FROM events WHERE job = ?1)",
        "DELETE FROM jobs WHERE id = ?1",
    ] {
        tx.execute(sql, &[job.as_str().into()])?;
    }
    Ok(())
}
