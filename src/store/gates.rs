//! Gates: the accounts that have used up what they may, and until when.

use jiff::Timestamp;

use crate::core::task::course::Gate;
use crate::store::tx::{Columns, StoreError, Tx};

/// Closes the gate of an account; a guess never takes the place of what was stated and still holds at `now`.
pub fn close(tx: &mut dyn Tx, purse: &str, gate: Gate, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO gates (purse, until, is_stated) VALUES (?1, ?2, ?3) \
        ON CONFLICT (purse) DO UPDATE SET until = ?2, is_stated = ?3 \
        WHERE gates.is_stated <= ?3 OR gates.until <= ?4";
    let values = [purse.into(), gate.until.into(), i64::from(gate.is_stated).into(), now.into()];
    tx.execute(sql, &values).map(drop)
}

/// Opens the gate of an account; answers whether there was one.
pub fn open(tx: &mut dyn Tx, purse: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM gates WHERE purse = ?1", &[purse.into()])? > 0)
}

/// Opens what nobody stated, since the clock was put back and the guess was by the clock before.
pub fn forget_guesses(tx: &mut dyn Tx) -> Result<(), StoreError> {
    tx.execute("DELETE FROM gates WHERE is_stated = 0", &[]).map(drop)
}

/// The gates that are closed at `now`.
///
/// The others stay, a row for each account: a clock that is put back finds them again.
pub fn closed(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<(String, Gate)>, StoreError> {
    let sql = "SELECT purse, until, is_stated FROM gates WHERE until > ?1 ORDER BY purse";
    let rows = tx.query(sql, &[now.into()])?;
    let gate = |row| {
        let mut columns = Columns::of("gates", row);
        Ok((columns.text()?, Gate { until: columns.at()?, is_stated: columns.int()? != 0 }))
    };
    rows.into_iter().map(gate).collect()
}
