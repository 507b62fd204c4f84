//! The mark: the variable that every process of a run carries in its environment.
//!
//! It is how processes are found whose shim was killed. A process that scrubs its environment is not
//! found by it.

use crate::core::process::ProcessKey;

/// The name of the variable; its value is the key of the process.
pub(super) const VARIABLE: &str = "CONVERGE_ATTEMPT";

/// What a search for the marked came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Search {
    /// How many were found, and told to die.
    pub(super) killed: usize,
    /// How many could not be told at the moment.
    pub(super) unclear: usize,
}

/// Whether one `NAME=value` of an environment marks a process of `key`, or of a check of that attempt.
pub(super) fn is_of(entry: &[u8], key: &str) -> bool {
    entry
        .strip_prefix(VARIABLE.as_bytes())
        .and_then(|rest| rest.strip_prefix(b"="))
        .and_then(|value| value.strip_prefix(key.as_bytes()))
        .is_some_and(|below| below.is_empty() || below[0] == b'.')
}

/// The key a `NAME=value` marks a process with.
pub(super) fn key_in(entry: &[u8]) -> Option<ProcessKey> {
    let value = entry.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: &str, key: &str, marks: bool) {
        assert_eq!(is_of(entry.as_bytes(), key), marks, "{entry} of {key}");
    }

    #[test]
    fn a_mark_is_of_its_key_and_of_the_attempt_above() {
        check("CONVERGE_ATTEMPT=r00000001.2", "r00000001.2", true);
        check("CONVERGE_ATTEMPT=r00000001.2.c0.1", "r00000001.2", true);
        check("CONVERGE_ATTEMPT=r00000001.2", "r00000001.2.c0.1", false);
        check("CONVERGE_ATTEMPT=r00000001.20", "r00000001.2", false);
        check("CONVERGE_ATTEMPTS=r00000001.2", "r00000001.2", false);
    }
}
