//! Leftovers: files that a daemon before this one was to tidy or to remove when it died.
//!
//! The rows say what should be there, so it is found out by comparing. Doing it twice is harmless, which
//! is why it needs no order with what the engine asks for meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::id::TaskId;
use crate::core::process::ProcessKey;
use crate::core::process::files::{AGENT, PROMPT, RESULT_DRAFT, SPEC};
use crate::core::task::{State, Task};
use crate::engine::acts;
use crate::engine::ports::{Tidy, Work};
use crate::store::sqlite::Sqlite;
use crate::store::tx::{StoreError, Tx};
use crate::store::{jobs, tasks};

/// How long a run without a row is left alone: somebody may have moved the store aside for a while.
const FORGOTTEN: Duration = Duration::from_hours(7 * 24);

/// Looks through all run directories in `runs` and has `work` settle what is left of the past.
pub(super) fn settle(runs: &Path, database: &Path, work: &dyn Work) -> Result<(), StoreError> {
    let mut reader = Sqlite::open_reader(database)?;
    for (task, directory) in run_directories(runs) {
        let Some(stored) = tasks::get(&mut reader, task)? else {
            if is_old(&directory) {
                work.discard(vec![task]);
            }
            continue;
        };
        if matches!(stored.task.state, State::Ended(_)) {
            settle_run(&directory, &mut reader, &stored.task, work)?;
        }
    }
    Ok(())
}

/// Has every attempt of a run that is over tidied that was not: the last one of a daemon that died, and
/// those before it that were retried or revoked when a daemon died.
fn settle_run(directory: &Path, tx: &mut dyn Tx, task: &Task, work: &dyn Work) -> Result<(), StoreError> {
    let is_left = |attempt: u32| {
        let attempt = directory.join(attempt.to_string());
        [SPEC, PROMPT, AGENT].iter().any(|name| attempt.join(name).exists())
    };
    for attempt in (1..task.claims).filter(|attempt| is_left(*attempt)) {
        work.tidy(Tidy { key: ProcessKey::attempt(task.id, attempt), result: None });
    }
    // The spec of the last one becomes the draft of the result before anything else is done.
    let is_cut_short = directory.join(RESULT_DRAFT).exists();
    if (is_left(task.claims) || is_cut_short)
        && let Some(tidy) = tidy(tx, task)?
    {
        work.tidy(tidy);
    }
    Ok(())
}

fn tidy(tx: &mut dyn Tx, task: &Task) -> Result<Option<Tidy>, StoreError> {
    let contract = jobs::definition(tx, task.job, task.revision)?;
    let job = jobs::get(tx, task.job)?;
    Ok(contract.zip(job).map(|(contract, stored)| acts::tidy(task, &contract, Some(&stored.job))))
}

fn is_old(directory: &Path) -> bool {
    let changed = fs::metadata(directory).and_then(|found| found.modified()).ok();
    changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > FORGOTTEN)
}

fn run_directories(runs: &Path) -> impl Iterator<Item = (TaskId, PathBuf)> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]
    #![expect(clippy::disallowed_methods, reason = "a file is made that looks old")]

    use std::cell::RefCell;
    use std::fs::File;
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::core::id::JobId;
    use crate::engine::ports::{Inspect, Read};
    use crate::store::migrate::migrate;

    /// Work that is only noted.
    #[derive(Default)]
    struct Noted(RefCell<Vec<TaskId>>);

    impl Work for Noted {
        fn shrink(&self, _most_bytes: u64) {}

        fn inspect(&self, inspect: Inspect) {
            panic!("nobody asked for {inspect:?}");
        }

        fn read(&self, read: Read) {
            panic!("nobody asked for {read:?}");
        }

        fn tidy(&self, tidy: Tidy) {
            panic!("nobody asked for {tidy:?}");
        }

        fn discard(&self, runs: Vec<TaskId>) {
            self.0.borrow_mut().extend(runs);
        }
    }

    #[test]
    fn old_directories_without_a_row_are_removed_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let (runs, database) = (folder.path().join("runs"), folder.path().join("db"));
        migrate(&mut Sqlite::open(&database).unwrap()).unwrap();
        let (old, young) = (TaskId::from_bits(7), TaskId::from_bits(8));
        for name in [old.as_str(), young.as_str(), "notes", "r1"] {
            fs::create_dir_all(runs.join(name)).unwrap();
        }
        for name in [old.as_str(), "notes"] {
            let long_ago = SystemTime::now() - FORGOTTEN - Duration::from_mins(1);
            File::open(runs.join(name)).unwrap().set_modified(long_ago).unwrap();
        }
        let noted = Noted::default();
        settle(&runs, &database, &noted).unwrap();
        assert_eq!(noted.0.into_inner(), [old]);
    }

    /// Work that notes which attempts it was to tidy, and whether the run is over with it.
    #[derive(Default)]
    struct Tidied(RefCell<Vec<(ProcessKey, bool)>>);

    impl Work for Tidied {
        fn shrink(&self, _most_bytes: u64) {}

        fn inspect(&self, inspect: Inspect) {
            panic!("nobody asked for {inspect:?}");
        }

        fn read(&self, read: Read) {
            panic!("nobody asked for {read:?}");
        }

        fn tidy(&self, tidy: Tidy) {
            self.0.borrow_mut().push((tidy.key, tidy.result.is_some()));
        }

        fn discard(&self, runs: Vec<TaskId>) {
            panic!("nobody asked for {runs:?} to go");
        }
    }

    #[test]
    fn every_attempt_of_a_run_that_is_over_is_tidied() {
        let folder = tempfile::tempdir().unwrap();
        let run = TaskId::from_bits(7);
        let task: Task = serde_json::from_value(json!({
            "id": run, "job": JobId::from_bits(1), "revision": 1, "number": 1, "origin": "schedule",
            "created_at": "2026-03-01T12:00:00Z", "claims": 4, "tries": 3,
            "state": { "ended": { "at": "2026-03-01T12:00:00Z", "how": "failed", "exit": { "reason": "lost" } } },
        }))
        .unwrap();
        for attempt in ["1", "3", "5"] {
            fs::create_dir_all(folder.path().join(attempt)).unwrap();
            fs::write(folder.path().join(attempt).join(SPEC), "").unwrap();
        }
        let tidied = Tidied::default();
        let mut store = Sqlite::in_memory().unwrap();
        migrate(&mut store).unwrap();
        settle_run(folder.path(), &mut store, &task, &tidied).unwrap();
        let left = [1, 3].map(|attempt| (ProcessKey::attempt(run, attempt), false));
        assert_eq!(tidied.0.into_inner(), left);
    }
}
