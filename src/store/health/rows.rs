//! Rows: whether each can be read, and whether its columns say what its document says.
//!
//! The engine finds rows by their columns and decides by their documents; where they differ it does the
//! wrong thing or nothing at all. Rows are read a page at a time, however many there are.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::core::definition::Definition;
use crate::core::job::Job;
use crate::core::task::Task;
use crate::store::health::Problem;
use crate::store::tx::{Row, StoreError, Tx, Value};
use crate::store::{attempts, jobs, tasks};

/// How many rows are read at once.
const PAGE: u32 = 500;

/// How many rows are named that break the same rule.
const NAMED_MOST: usize = 10;

const JOBS: &str = "SELECT id, name, live_name, state, due_at, archived_at, created_at, doc FROM jobs \
    WHERE id > ?1 ORDER BY id LIMIT ?2";
const TASKS: &str = "SELECT id, job, number, slot, state, due_at, created_at, doc FROM tasks \
    WHERE id > ?1 ORDER BY id LIMIT ?2";
const EVENTS: &str = "SELECT seq, data FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const REVISIONS: &str = "SELECT revision, definition FROM revisions WHERE job = ?1 ORDER BY revision";

/// All rows that cannot be read or contradict themselves.
pub(super) fn problems(tx: &mut dyn Tx) -> Result<Vec<Problem>, StoreError> {
    let mut found = Found(Vec::new());
    each(tx, JOBS, "".into(), |tx, row| found.job(tx, row))?;
    each(tx, TASKS, "".into(), |tx, row| found.task(tx, row))?;
    each(tx, EVENTS, 0i64.into(), |_, row| {
        if let Err(why) = document::<Json>(row) {
            found.tell("an event can be read", format!("{} ({why})", name(row)));
        }
        Ok(())
    })?;
    Ok(found.0)
}

/// Shows every row of `sql` to `look`; its first column is the one that pages are cut by.
fn each(
    tx: &mut dyn Tx,
    sql: &str,
    first: Value,
    mut look: impl FnMut(&mut dyn Tx, &[Value]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = first;
    loop {
        let page: Vec<Row> = tx.query(sql, &[after.clone(), PAGE.into()])?;
        for row in &page {
            look(tx, row)?;
        }
        match page.last().and_then(|row| row.first()) {
            Some(last) => after = last.clone(),
            None => return Ok(()),
        }
    }
}

/// The problems so far.
struct Found(Vec<Problem>);

impl Found {
    fn tell(&mut self, rule: &str, row: String) {
        match self.0.iter_mut().find(|problem| problem.rule == rule) {
            Some(problem) if problem.rows.len() == NAMED_MOST => {}
            Some(problem) => problem.rows.push(row),
            None => self.0.push(Problem { rule: rule.to_owned(), rows: vec![row] }),
        }
    }

    fn job(&mut self, tx: &mut dyn Tx, row: &[Value]) -> Result<(), StoreError> {
        let mut newest = None;
        for revision in tx.query(REVISIONS, &row[..1])? {
            match document::<Definition>(&revision) {
                Ok(definition) => newest = Some((revision[0].clone(), definition)),
                Err(why) => {
                    let row = format!("{} revision {} ({why})", name(row), name(&revision));
                    self.tell("a revision can be read", row);
                }
            }
        }
        let job = match document::<Job>(row) {
            Ok(job) => job,
            Err(why) => {
                self.tell("a job can be read", format!("{} ({why})", name(row)));
                return Ok(());
            }
        };
        let newest = newest.filter(|(revision, _)| *revision == job.revision.into());
        let Some((_, definition)) = newest else {
            self.tell("a job has the revision it says", name(row));
            return Ok(());
        };
        let live_name = job.is_live().then_some(job.name.as_str());
        let said = [
            ("id", job.id.as_str().into()),
            ("name", job.name.as_str().into()),
            ("live_name", Value::maybe(live_name)),
            ("state", job.state.word().into()),
            ("due_at", Value::maybe(job.due_at(&definition))),
            ("archived_at", Value::maybe(job.archived_at)),
            ("created_at", job.created_at.into()),
        ];
        self.compare("the columns of a job say what its document says", row, &said);
        Ok(())
    }

    fn task(&mut self, tx: &mut dyn Tx, row: &[Value]) -> Result<(), StoreError> {
        let task = match document::<Task>(row) {
            Ok(task) => task,
            Err(why) => {
                self.tell("a run can be read", format!("{} ({why})", name(row)));
                return Ok(());
            }
        };
        let said = [
            ("id", task.id.as_str().into()),
            ("job", task.job.as_str().into()),
            ("number", task.number.into()),
            ("slot", Value::maybe(task.slot)),
            ("state", tasks::word(&task.state).into()),
            ("due_at", Value::maybe(tasks::due_at(&task.state))),
            ("created_at", task.created_at.into()),
        ];
        self.compare("the columns of a run say what its document says", row, &said);
        if task.is_open()
            && is_read(jobs::definition(tx, task.job, task.revision))?.is_none_or(|found| found.is_none())
        {
            self.tell("an open run has the revision it says", name(row));
        }
        if task.claims > 0 && is_read(attempts::of_task(tx, task.id))?.is_none() {
            self.tell("an attempt can be read", name(row));
        }
        Ok(())
    }

    fn compare(&mut self, rule: &str, row: &[Value], said: &[(&str, Value)]) {
        let other = row.iter().zip(said).filter(|(column, (_, said))| *column != said);
        let other: Vec<&str> = other.map(|(_, (column, _))| *column).collect();
        if !other.is_empty() {
            self.tell(rule, format!("{} ({})", name(row), other.join(", ")));
        }
    }
}

/// The last column of a row as a document, or why it is none.
fn document<T: DeserializeOwned>(row: &[Value]) -> Result<T, String> {
    match row.last() {
        Some(Value::Text(text)) => serde_json::from_str(text).map_err(|error| error.to_string()),
        other => Err(format!("{other:?} is no document")),
    }
}

/// What is read, or nothing when it is there and cannot be read.
fn is_read<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::BadRow { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first column of a row, which names it.
fn name(row: &[Value]) -> String {
    match row.first() {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Int(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
