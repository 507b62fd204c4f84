//! Keys: asking twice is asking once.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::store::tx::{Columns, StoreError, Tx, Value};

/// What was answered under a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// A hash of the request.
    pub request: String,
    /// The answer.
    pub reply: Json,
}

/// What was answered under `key`, if it is not too old.
pub fn get(tx: &mut dyn Tx, key: &str, now: Timestamp) -> Result<Option<Kept>, StoreError> {
    let rows = tx.query(
        "SELECT request, reply FROM keys WHERE key = ?1 AND expires_at > ?2",
        &[key.into(), now.into()],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut columns = Columns::of("keys", row);
    Ok(Some(Kept { request: columns.text()?, reply: columns.doc()? }))
}

/// Keeps what was answered under `key`.
pub fn put(tx: &mut dyn Tx, key: &str, kept: &Kept, expires_at: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO keys (key, request, reply, expires_at) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (key) DO UPDATE SET request = ?2, reply = ?3, expires_at = ?4";
    tx.execute(sql, &[key.into(), kept.request.as_str().into(), Value::doc(&kept.reply), expires_at.into()])
        .map(drop)
}

/// Forgets the keys that are too old.
pub fn sweep(tx: &mut dyn Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM keys WHERE expires_at <= ?1", &[now.into()]).map(drop)
}
