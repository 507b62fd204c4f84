//! Health: whether the database is whole and its rows fit together.

mod rows;

use std::fmt;

use crate::store::tx::{Columns, StoreError, Tx};

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The database file.
    File,
    /// The rows too.
    Rows,
}

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What rule it breaks.
    pub rule: String,
    /// Which rows break it.
    pub rows: Vec<String>,
}

/// Rules about rows: each with a query for the rows that break it.
const RULES: [(&str, &str); 5] = [
    ("only a live job is due", "SELECT id FROM jobs WHERE due_at IS NOT NULL AND live_name IS NULL LIMIT 10"),
    (
        "a job is live exactly while it is active or paused",
        "SELECT id FROM jobs WHERE (live_name IS NOT NULL) <> (state IN ('active', 'paused')) LIMIT 10",
    ),
    (
        "a job has at most one open run",
        "SELECT job FROM tasks WHERE state IN ('pending', 'claimed', 'running') GROUP BY job HAVING COUNT(*) > 1 LIMIT 10",
    ),
    (
        "only a pending run is due",
        "SELECT id FROM tasks WHERE (due_at IS NOT NULL) <> (state = 'pending') LIMIT 10",
    ),
    (
        "an attempt belongs to a run",
        "SELECT task FROM attempts WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = attempts.task) LIMIT 10",
    ),
];

/// Everything that is wrong with the database.
pub fn problems(tx: &mut dyn Tx, depth: Depth) -> Result<Vec<Problem>, StoreError> {
    let mut problems = Vec::new();
    let check = match depth {
        Depth::File => "PRAGMA quick_check(10)",
        Depth::Rows => "PRAGMA integrity_check(10)",
    };
    let told = texts(tx, check)?;
    if told != ["ok"] {
        problems.push(Problem { rule: "the file is whole".to_owned(), rows: told });
    }
    if depth == Depth::Rows {
        for (rule, sql) in RULES {
            let rows = texts(tx, sql)?;
            if !rows.is_empty() {
                problems.push(Problem { rule: rule.to_owned(), rows });
            }
        }
        problems.extend(rows::problems(tx)?);
    }
    Ok(problems)
}

fn texts(tx: &mut dyn Tx, sql: &str) -> Result<Vec<String>, StoreError> {
    tx.query(sql, &[])?.into_iter().map(|row| Columns::of("check", row).text()).collect()
}

impl From<bool> for Depth {
    fn from(deep: bool) -> Self {
        if deep { Self::Rows } else { Self::File }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not true: {}; see {}", self.rule, self.rows.join(", "))
    }
}
