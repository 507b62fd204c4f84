//! Retries: how often one slot is tried again, and how long between.

use serde::{Deserialize, Serialize};

use crate::core::id::TaskId;
use crate::core::span::Span;

/// How often a failed run of a slot is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// So many times more than once.
    pub most: u32,
    /// The pause before the first retry; it doubles with each.
    pub delay: Span,
}

/// The longest pause between two tries.
pub const PAUSE_MAX: Span = Span::from_secs(6 * 3600);

impl Retry {
    /// The pause after try number `tries` of `task` failed: doubled each time, spread by half, capped.
    ///
    /// The spread is a hash, so that the same history gives the same pause.
    pub fn pause(&self, task: TaskId, tries: u32) -> Span {
        let doubled = self.delay.as_ms().saturating_mul(1 << tries.saturating_sub(1).min(30));
        let hash = blake3::hash(format!("{task}.{tries}").as_bytes());
        let spread = u64::from(hash.as_bytes()[0]);
        // From one half to one and a half of the pause.
        let spread_ms = doubled.saturating_mul(128 + spread) / 256;
        Span::from_ms(spread_ms.min(PAUSE_MAX.as_ms()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_within_its_spread_and_is_capped() {
        let retry = Retry { most: 40, delay: Span::from_secs(60) };
        let task = TaskId::from_bits(7);
        for tries in 1..8 {
            let middle = 60_000 << (tries - 1);
            let pause = retry.pause(task, tries).as_ms();
            assert!((middle / 2..=middle * 3 / 2).contains(&pause), "try {tries}: {pause}");
            assert_eq!(retry.pause(task, tries).as_ms(), pause);
        }
        assert_eq!(retry.pause(task, 40), PAUSE_MAX);
    }
}
