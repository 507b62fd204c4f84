//! Waiting: what keeps the run of a job from starting or from going on, and until when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::{describe, stamp};
use crate::core::task::{State, Task};
use crate::store::jobs;
use crate::store::tasks;
use crate::store::tx::{StoreError, Tx};

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitView {
    /// What that is.
    pub why: String,
    /// When it goes on at the latest, where that is known.
    #[serde(serialize_with = "stamp::maybe")]
    pub until: Option<Timestamp>,
}

impl WaitView {
    /// What this run waits for, if it does.
    pub fn of(task: &Task) -> Option<Self> {
        match &task.state {
            State::Waiting { due_at, why } => {
                Some(Self { why: describe::wait(why, *due_at), until: *due_at })
            }
            State::Pending { due_at } if task.tries > 0 => {
                Some(Self { why: "the next try of a failed run".to_owned(), until: Some(*due_at) })
            }
            // What came before was nobody's failure: a service that does not serve, or another of the chain's turn.
            State::Pending { due_at } if task.uncharged > 0 => {
                Some(Self { why: "its next try".to_owned(), until: Some(*due_at) })
            }
            State::Pending { .. } => Some(Self { why: "its turn".to_owned(), until: None }),
            State::Claimed { .. } | State::Running { .. } | State::Ended(_) | State::Skipped(_) => None,
        }
    }

    /// What the run of this job waits for, if it has one that does.
    pub fn of_job(tx: &mut dyn Tx, stored: &jobs::Stored) -> Result<Option<Self>, StoreError> {
        let Some(run) = stored.job.active else { return Ok(None) };
        Ok(tasks::get(tx, run)?.and_then(|stored| Self::of(&stored.task)))
    }
}
