//! The rows against the model: what is stored is exactly what the events tell.

use std::collections::BTreeMap;

use converge::core::job;
use converge::core::task::State;
use converge::store::tx::{Tx, Value};
use converge::store::{jobs, tasks};

use super::model::Model;

/// The versions of the rows that were compared already.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    versions: BTreeMap<String, i64>,
}

impl Rows {
    /// Compares every row that changed.
    pub(crate) fn compare(&mut self, tx: &mut dyn Tx, model: &Model) {
        let sql = "SELECT id, version, due_at, state, live_name, archived_at FROM jobs";
        let rows = tx.query(sql, &[]).expect("jobs are read");
        assert_eq!(rows.len(), model.jobs.len(), "as many jobs as the events tell");
        for row in rows {
            let [Value::Text(id), Value::Int(version), due_at, state, live_name, archived_at] =
                row.as_slice()
            else {
                panic!("a row of jobs is {row:?}")
            };
            if self.versions.get(id) == Some(version) {
                continue;
            }
            self.versions.insert(id.clone(), *version);
            let id = id.parse().expect("an id");
            let stored = jobs::get(tx, id).expect("it is read").expect("it is there");
            let told = &model.jobs[&id];
            assert_eq!(stored.job, told.job, "the row of {id} is what its events tell");
            assert_eq!(stored.definition, *told.definition());
            let job = &stored.job;
            assert_eq!(*due_at, Value::maybe(job.due_at(&stored.definition)), "when {id} is due");
            assert_eq!(*state, Value::from(job.state.word()));
            assert_eq!(*live_name, Value::maybe(job.is_live().then_some(job.name.as_str())));
            assert_eq!(*archived_at, Value::maybe(job.archived_at));
        }
        self.compare_tasks(tx, model);
        for told in model.jobs.values() {
            if matches!(&told.job.state, job::State::Paused(pause) if pause.needs_leave) {
                let ran = model.tasks.values().any(|task| task.job == told.job.id);
                assert!(!ran, "{} runs before a person allowed it", told.job.id);
            }
            let open: Vec<_> =
                model.tasks.values().filter(|task| task.job == told.job.id && task.is_open()).collect();
            let active: Vec<_> = told.job.active.into_iter().collect();
            assert_eq!(
                open.iter().map(|task| task.id).collect::<Vec<_>>(),
                active,
                "the run of {}",
                told.job.id
            );
        }
    }

    fn compare_tasks(&mut self, tx: &mut dyn Tx, model: &Model) {
        let rows = tx.query("SELECT id, version, state, due_at FROM tasks", &[]).expect("tasks are read");
        assert_eq!(rows.len(), model.tasks.len() + model.skips.len(), "as many runs as the events tell");
        for row in rows {
            let [Value::Text(id), Value::Int(version), Value::Text(state), due_at] = row.as_slice() else {
                panic!("a row of tasks is {row:?}")
            };
            if self.versions.get(id) == Some(version) {
                continue;
            }
            self.versions.insert(id.clone(), *version);
            let id = id.parse().expect("an id");
            let task = tasks::get(tx, id).expect("it is read").expect("it is there").task;
            assert_eq!(*state, tasks::word(&task.state));
            let due = match task.state {
                State::Pending { due_at } => Some(due_at),
                State::Waiting { due_at, .. } => due_at,
                State::Claimed { .. } | State::Running { .. } | State::Ended(_) | State::Skipped(_) => None,
            };
            assert_eq!(*due_at, Value::maybe(due));
            if let State::Skipped(skipped) = &task.state {
                let slot = task.slot.expect("what was skipped had a slot");
                assert_eq!(Some(skipped), model.skips.get(&(task.job, slot)), "{id} at {slot}");
            } else {
                assert_eq!(Some(&task), model.tasks.get(&id), "the row of {id} is what its events tell");
            }
        }
    }
}
