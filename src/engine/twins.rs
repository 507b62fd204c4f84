//! Twins: live jobs that ask for the same thing.
//!
//! A job that is added again is the job that is there, whatever it is called. A second one is made only for
//! who says that it is wanted; then their fingerprints differ by the id behind the hash they share.

use crate::core::definition::Definition;
use crate::core::id::JobId;
use crate::store::jobs;
use crate::store::tx::{StoreError, Tx};

/// What to do when the same thing is live already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Leave it at that.
    Avoided,
    /// Make another.
    Wanted,
}

/// A live job with this definition.
pub(super) fn of(tx: &mut dyn Tx, definition: &Definition) -> Result<Option<jobs::Stored>, StoreError> {
    jobs::by_fingerprint(tx, &hash(definition))
}

/// The fingerprint that `id` has with this definition.
pub(super) fn fingerprint(tx: &mut dyn Tx, definition: &Definition, id: JobId) -> Result<String, StoreError> {
    let hash = hash(definition);
    Ok(match jobs::by_fingerprint(tx, &hash)? {
        Some(other) if other.job.id != id => format!("{hash}.{id}"),
        Some(_) | None => hash,
    })
}

fn hash(definition: &Definition) -> String {
    blake3::hash(definition.fingerprint_text().as_bytes()).to_hex()[..32].to_owned()
}
