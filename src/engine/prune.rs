//! Pruning: what is too old is forgotten, and what it left on disk goes after that.

use jiff::Timestamp;

use crate::core::id::TaskId;
use crate::core::span::Span;
use crate::engine::{Engine, RETRY_DELAY, may_be_stored};
use crate::store::tx::StoreError;
use crate::store::{keys, retention};

/// How often what is too old is looked for.
const PRUNE_PAUSE: Span = Span::from_secs(3600);

/// How many runs are forgotten at once.
const PRUNE_MOST: u32 = 200;

/// What was too old and is gone.
struct Forgotten {
    runs: Vec<TaskId>,
    events: u64,
}

impl Engine {
    /// Forgets a piece of what is too old; the next one soon, when there may be more.
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.prune_at = PRUNE_PAUSE.after(now);
        if let Err(error) = keys::sweep(self.database.tx(), now) {
            tracing::warn!(error = &error as &dyn std::error::Error, "old keys were not forgotten");
        }
        if let Some(most_bytes) = self.settings.keep_output_bytes {
            self.ports.work.shrink(most_bytes);
        }
        let Some(keep) = self.settings.keep else { return };
        match self.forget(keep.before(now)) {
            Ok(Forgotten { runs, events }) => {
                if runs.len() == PRUNE_MOST as usize {
                    self.prune_at = RETRY_DELAY.after(now);
                }
                if runs.is_empty() && events == 0 {
                    return;
                }
                tracing::info!(runs = runs.len(), events, "forgot what is old");
                // Nobody knows of their files any more, so they go whatever happens next.
                self.ports.work.discard(runs);
                if let Err(error) = self.database.compact() {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the database stays as large");
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "old runs were not forgotten");
                self.unsure |= may_be_stored(&error);
            }
        }
    }

    fn forget(&mut self, before: Timestamp) -> Result<Forgotten, StoreError> {
        self.database.begin()?;
        let tx = self.database.tx();
        let forgotten = retention::forget_runs(tx, before, PRUNE_MOST)
            .and_then(|runs| {
                let events = retention::forget_events(tx, before, 10 * PRUNE_MOST)?;
                Ok(Forgotten { runs, events })
            })
            .and_then(|forgotten| self.database.commit().map(|()| forgotten));
        if forgotten.is_err() {
            self.database.rollback();
        }
        forgotten
    }
}
