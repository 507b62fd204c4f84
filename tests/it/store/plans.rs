//! What the engine asks in every transaction is found by an index, however long the history is.

use converge::core::id::{JobId, TaskId};
use converge::core::reason::Skip;
use converge::store::tx::{Database, Row, StoreError, Tx, Value};
use converge::store::{attempts, events, jobs, keys, retention, tasks};
use jiff::Timestamp;

use super::rules;

/// Looks at the plan of each statement before it runs.
struct Planned<'a>(&'a mut dyn Tx);

impl Tx for Planned<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.0.execute(sql, values)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        for step in self.0.query(&format!("EXPLAIN QUERY PLAN {sql}"), values)? {
            let Some(Value::Text(step)) = step.last() else { panic!("a step of a plan is {step:?}") };
            let reads = step.starts_with("SCAN") || step.starts_with("SEARCH");
            let by_index = step.contains("INDEX") || step.contains("PRIMARY KEY");
            assert!(by_index || !reads, "`{sql}` reads everything: {step}");
        }
        self.0.query(sql, values)
    }
}

#[test]
fn nothing_that_is_asked_often_reads_all_rows() {
    let mut sqlite = rules::with_jobs(&["one"]);
    let tx = &mut Planned(sqlite.tx());
    let (job, task, now) = (JobId::from_bits(0), TaskId::from_bits(0), Timestamp::UNIX_EPOCH);
    jobs::get(tx, job).expect("it is asked");
    jobs::definition(tx, job, 1).expect("it is asked");
    jobs::by_fingerprint(tx, "print").expect("it is asked");
    jobs::by_live_name(tx, "one").expect("it is asked");
    jobs::due(tx, now, 9).expect("it is asked");
    jobs::next_due(tx).expect("it is asked");
    tasks::get(tx, task).expect("it is asked");
    tasks::under_way(tx).expect("it is asked");
    tasks::under_way_count(tx).expect("it is asked");
    tasks::claimable(tx, now, 9).expect("it is asked");
    tasks::next_due(tx, now).expect("it is asked");
    tasks::newest_skip(tx, job, Skip::Overlap).expect("it is asked");
    tasks::pending_of(tx, job).expect("it is asked");
    attempts::of_task(tx, task).expect("it is asked");
    events::after(tx, 0, Some(job), 9).expect("it is asked");
    keys::get(tx, "key", now).expect("it is asked");
    retention::forget_runs(tx, now, 9).expect("it is asked");
}
