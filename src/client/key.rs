//! Keys: names of requests that no other request has, so that asking twice is asking once.
#![expect(clippy::disallowed_methods, reason = "a key must be like no other")]

use std::hash::{BuildHasher, RandomState};

use crate::core::id::TaskId;

/// A name like no other, which begins with `prefix`.
pub fn fresh(prefix: &str) -> String {
    let bits = || TaskId::from_bits(RandomState::new().hash_one(std::process::id()));
    format!("{prefix}-{}{}", bits(), bits())
}
