//! Stamps: instants in replies, all to the millisecond, so that they sort and align as text.

use jiff::Timestamp;
use serde::Serializer;

/// Writes an instant.
pub fn at<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// Writes an instant, if there is one.
pub fn maybe<S: Serializer>(maybe: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match maybe {
        Some(instant) => at(instant, serializer),
        None => serializer.serialize_none(),
    }
}
