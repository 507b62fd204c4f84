//! Retention: what is old is forgotten, a bounded piece at a time.
//!
//! The newest runs of a job are kept however old they are, and nothing that is open is touched.

use jiff::Timestamp;

use crate::core::id::TaskId;
use crate::store::tx::{Columns, StoreError, Tx};

/// How many of the newest runs of each job are kept whatever their age.
pub const NEWEST_KEPT: u32 = 50;

/// The oldest runs that are over, older than ?1 and not among the newest ?2 of their job; at most ?3.
const TOO_OLD: &str = "SELECT id FROM tasks WHERE state IN ('ended', 'skipped') AND created_at < ?1 \
    AND number + ?2 <= (SELECT MAX(number) FROM tasks AS newer WHERE newer.job = tasks.job) \
    ORDER BY created_at LIMIT ?3";

/// Forgets at most `most` runs that are over and were made before `before`; answers which.
pub fn forget_runs(tx: &mut dyn Tx, before: Timestamp, most: u32) -> Result<Vec<TaskId>, StoreError> {
    let rows = tx.query(TOO_OLD, &[before.into(), NEWEST_KEPT.into(), most.into()])?;
    let runs: Vec<TaskId> =
        rows.into_iter().map(|row| Columns::of("tasks", row).parsed()).collect::<Result<_, _>>()?;
    for run in &runs {
        for sql in ["DELETE FROM attempts WHERE task = ?1", "DELETE FROM tasks WHERE id = ?1"] {
            tx.execute(sql, &[run.as_str().into()])?;
        }
    }
    Ok(runs)
}

/// Forgets what happened before `before`, looking at the `most` oldest events; answers how many went.
///
/// The newest event stays however old it is: its number must not be given again, which whoever follows the
/// events would never see.
pub fn forget_events(tx: &mut dyn Tx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM events WHERE seq IN \
        (SELECT seq FROM (SELECT seq, at FROM events ORDER BY seq LIMIT ?2) AS oldest WHERE at < ?1) \
        AND seq < (SELECT MAX(seq) FROM events)";
    tx.execute(sql, &[before.into(), most.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::id::JobId;
    use crate::store::migrate::migrate;
    use crate::store::sqlite::Sqlite;
    use crate::store::tx::Value;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    /// A job with a run a second, the last of them open.
    fn store(runs: u32) -> Sqlite {
        let mut store = Sqlite::in_memory().expect("a database");
        migrate(&mut store).expect("a schema");
        let job = Value::from(JobId::from_bits(1).as_str());
        let jobs = "INSERT INTO jobs (id, name, state, created_at, version, doc) VALUES (?1, 'x', 'active', 0, 1, '')";
        store.execute(jobs, std::slice::from_ref(&job)).expect("a job");
        for number in 1..=runs {
            let task = Value::from(TaskId::from_bits(number.into()).as_str());
            let state = if number == runs { "running" } else { "ended" };
            let made = Value::from(at(number.into()));
            let tasks = "INSERT INTO tasks (id, job, number, state, created_at, version, doc) VALUES (?1, ?2, ?3, ?4, ?5, 1, '')";
            store
                .execute(tasks, &[task.clone(), job.clone(), number.into(), state.into(), made.clone()])
                .expect("a run");
            let events =
                "INSERT INTO events (at, actor, job, task, type, data) VALUES (?1, 'x', ?2, ?3, 'x', '{}')";
            store.execute(events, &[made, job.clone(), task]).expect("an event");
        }
        store
    }

    fn left(store: &mut Sqlite, table: &str) -> u32 {
        let rows = store.query(&format!("SELECT COUNT(*) FROM {table}"), &[]).expect("a count");
        rows.into_iter().next().map_or(0, |row| Columns::of("tasks", row).small().expect("a number"))
    }

    #[test]
    fn the_old_goes_and_the_newest_stay_however_old_they_are() {
        let mut store = store(60);
        let gone = forget_runs(&mut store, at(1000), 4).expect("some");
        assert_eq!(gone, [1, 2, 3, 4].map(TaskId::from_bits));
        let gone = forget_runs(&mut store, at(1000), 100).expect("the rest");
        assert_eq!(gone, [5, 6, 7, 8, 9, 10].map(TaskId::from_bits));
        assert_eq!(left(&mut store, "tasks"), 50);
    }

    #[test]
    fn the_number_of_an_event_is_given_once() {
        let mut store = store(3);
        assert_eq!(forget_events(&mut store, at(1000), 100).expect("all but one"), 2);
        let newest = store.query("SELECT seq FROM events", &[]).expect("it is asked");
        assert_eq!(newest, [vec![Value::Int(3)]]);
    }

    #[test]
    fn many_runs_of_one_job_cost_no_more_than_few() {
        let mut store = store(1);
        let many = "INSERT INTO tasks (id, job, number, state, created_at, version, doc) \
            WITH RECURSIVE counted (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counted WHERE n < 50000) \
            SELECT 'r' || n, (SELECT id FROM jobs), n, 'ended', n, 1, '' FROM counted";
        store.execute(many, &[]).expect("many runs");
        // Each candidate looks up one number; were it to read its job's runs, this would be 10 million rows.
        let plan = format!("EXPLAIN QUERY PLAN {TOO_OLD}");
        let values = [at(1000).into(), NEWEST_KEPT.into(), 200u32.into()];
        let steps: Vec<Value> = store
            .query(&plan, &values)
            .expect("a plan")
            .into_iter()
            .filter_map(|mut row| row.pop())
            .collect();
        assert!(
            steps.contains(&"SEARCH newer USING COVERING INDEX tasks_number (job=?)".into()),
            "{steps:?}"
        );
        assert_eq!(store.query(TOO_OLD, &values).expect("the oldest").len(), 200);
    }

    #[test]
    fn the_young_stays() {
        let mut store = store(60);
        assert_eq!(forget_runs(&mut store, at(3), 100).expect("two"), [1, 2].map(TaskId::from_bits));
        assert_eq!(forget_events(&mut store, at(3), 100).expect("two"), 2);
        assert_eq!(left(&mut store, "events"), 58);
    }
}
