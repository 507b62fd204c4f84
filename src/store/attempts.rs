//! Attempts: one row for each process execution of a task that came to an end.

use jiff::Timestamp;

use crate::core::id::TaskId;
use crate::core::reading::Reading;
use crate::store::tx::{Columns, Row, StoreError, Tx, Value};

/// One process execution of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The task.
    pub task: TaskId,
    /// The claim.
    pub number: u32,
    /// Why there was this attempt.
    pub kind: Kind,
    /// When its process started, if it did.
    pub started_at: Option<Timestamp>,
    /// When its tree was empty.
    pub ended_at: Timestamp,
    /// The word for its end.
    pub reason: String,
    /// The exit code, when it exited by itself.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i64>,
    /// User and system time of the tree.
    pub cpu_ms: u64,
    /// The largest resident size of one of its processes.
    pub peak_kb: u64,
    /// Bytes written to standard output.
    pub stdout_bytes: u64,
    /// Bytes written to standard error.
    pub stderr_bytes: u64,
    /// What the output of an agent says about it.
    pub reading: Option<Reading>,
}

/// Why there was an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first of its task.
    First,
    /// The one before it failed.
    Retry,
}

impl Kind {
    /// The word in rows and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
        }
    }
}

/// Keeps an attempt; once is enough.
pub fn insert(tx: &mut dyn Tx, attempt: &Attempt) -> Result<(), StoreError> {
    let sql = "INSERT INTO attempts (task, number, kind, started_at, ended_at, reason, exit_code, signal, \
        cpu_ms, peak_kb, stdout_bytes, stderr_bytes) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
    let values = [
        attempt.task.as_str().into(),
        attempt.number.into(),
        attempt.kind.word().into(),
        Value::maybe(attempt.started_at),
        attempt.ended_at.into(),
        attempt.reason.as_str().into(),
        Value::maybe(attempt.exit_code),
        Value::maybe(attempt.signal),
        attempt.cpu_ms.into(),
        attempt.peak_kb.into(),
        attempt.stdout_bytes.into(),
        attempt.stderr_bytes.into(),
    ];
    tx.execute(sql, &values).map(drop)
}

/// Keeps what the output of an attempt says about it.
pub fn read(
    tx: &mut dyn Tx,
    (task, number): (TaskId, u32),
    reason: &str,
    reading: &Reading,
) -> Result<(), StoreError> {
    let sql = "UPDATE attempts SET reason = ?3, reading = ?4 WHERE task = ?1 AND number = ?2";
    let values = [task.as_str().into(), number.into(), reason.into(), Value::doc(reading)];
    tx.execute(sql, &values).map(drop)
}

fn attempt(row: Row) -> Result<Attempt, StoreError> {
    let mut columns = Columns::of("attempts", row);
    Ok(Attempt {
        task: columns.parsed()?,
        number: columns.small()?,
        kind: if columns.text()? == Kind::First.word() { Kind::First } else { Kind::Retry },
        started_at: columns.maybe_at()?,
        ended_at: columns.at()?,
        reason: columns.text()?,
        exit_code: columns.maybe_int()?,
        signal: columns.maybe_int()?,
        cpu_ms: columns.count()?,
        peak_kb: columns.count()?,
        stdout_bytes: columns.count()?,
        stderr_bytes: columns.count()?,
        reading: columns.maybe_doc()?,
    })
}

/// The attempts of a task, oldest first.
pub fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT task, number, kind, started_at, ended_at, reason, exit_code, signal, cpu_ms, peak_kb, \
        stdout_bytes, stderr_bytes, reading FROM attempts WHERE task = ?1 ORDER BY number";
    tx.query(sql, &[task.as_str().into()])?.into_iter().map(attempt).collect()
}

// The index of the runs that are over is used by the words of its condition alone; a skipped one has no attempt.
const NEWEST_READ: &str = "SELECT task, reading FROM \
    (SELECT id, created_at FROM tasks \
    WHERE state IN ('ended', 'skipped') AND state = 'ended' AND created_at >= ?1 \
    ORDER BY created_at DESC LIMIT ?2) AS newest JOIN attempts ON attempts.task = newest.id \
    WHERE reading IS NOT NULL ORDER BY created_at DESC, attempts.number DESC LIMIT ?2";

/// What the newest attempt of each agent says, newest first, among those of the runs that ended and were made
/// since then: of `most` runs at the most, and of as many attempts.
pub fn newest_of_agents(
    tx: &mut dyn Tx,
    since: Timestamp,
    most: u32,
) -> Result<Vec<(TaskId, Reading)>, StoreError> {
    let mut newest: Vec<(TaskId, Reading)> = Vec::new();
    for row in tx.query(NEWEST_READ, &[since.into(), most.into()])? {
        let mut columns = Columns::of("attempts", row);
        let (task, reading): (TaskId, Reading) = (columns.parsed()?, columns.doc()?);
        if newest.iter().all(|(_, newer)| newer.agent != reading.agent) {
            newest.push((task, reading));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::class::Class;
    use crate::core::id::JobId;
    use crate::store::migrate::migrate;
    use crate::store::sqlite::Sqlite;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    /// A job without runs.
    fn store() -> Sqlite {
        let mut store = Sqlite::in_memory().expect("a database");
        migrate(&mut store).expect("a schema");
        let job = "INSERT INTO jobs (id, name, state, created_at, version, doc) VALUES (?1, 'x', 'active', 0, 1, '')";
        store.execute(job, &[JobId::from_bits(1).as_str().into()]).expect("a job");
        store
    }

    /// A run with one attempt for each of these agents, made at the second that is its number.
    fn run(store: &mut Sqlite, number: u32, state: &str, agents: &[&str]) -> TaskId {
        let task = TaskId::from_bits(number.into());
        let tasks = "INSERT INTO tasks (id, job, number, state, created_at, version, doc) \
            SELECT ?1, id, ?2, ?3, ?4, 1, '' FROM jobs";
        let made = at(number.into());
        store
            .execute(tasks, &[task.as_str().into(), number.into(), state.into(), made.into()])
            .expect("a run");
        for (attempt, agent) in (1u32..).zip(agents) {
            let attempts = "INSERT INTO attempts (task, number, kind, ended_at, reason, cpu_ms, peak_kb, \
                stdout_bytes, stderr_bytes) VALUES (?1, ?2, 'first', ?3, 'x', 0, 0, 0, 0)";
            store
                .execute(attempts, &[task.as_str().into(), attempt.into(), made.into()])
                .expect("an attempt");
            let reading = Reading::of(agent, Class::Done);
            read(store, (task, attempt), "x", &reading).expect("what it says");
        }
        task
    }

    #[test]
    fn of_each_agent_the_newest_is_read_and_no_more_than_asked() {
        let mut store = store();
        run(&mut store, 1, "ended", &["old"]);
        run(&mut store, 2, "ended", &["rare"]);
        let often = run(&mut store, 3, "ended", &["often", "other", "often"]);
        for number in 4..10 {
            run(&mut store, number, "skipped", &[]);
        }
        run(&mut store, 10, "running", &["now"]);
        let mut found = |most| {
            let newest = newest_of_agents(&mut store, at(2), most).expect("they are read");
            newest.into_iter().map(|(task, reading)| (task, reading.agent)).collect::<Vec<_>>()
        };
        let newest = [
            (often, "often".to_owned()),
            (often, "other".to_owned()),
            (TaskId::from_bits(2), "rare".to_owned()),
        ];
        assert_eq!(found(4), newest);
        // The runs that were skipped count for nothing, and the third attempt is one too many.
        assert_eq!(found(3), newest[..2]);
        assert_eq!(found(1), newest[..1]);
    }

    #[test]
    fn the_newest_are_found_by_their_age() {
        let plan = format!("EXPLAIN QUERY PLAN {NEWEST_READ}");
        let rows = store().query(&plan, &[at(0).into(), 1u32.into()]).expect("a plan");
        let steps: Vec<Value> = rows.into_iter().filter_map(|mut row| row.pop()).collect();
        assert!(steps.contains(&"SEARCH tasks USING INDEX tasks_age (created_at>?)".into()), "{steps:?}");
    }
}
