//! What `doctor --deep` says of rows that somebody changed behind our back.

use std::fs;

use converge::store::health::{self, Depth};
use converge::store::migrate::migrate;
use converge::store::sqlite::Sqlite;
use converge::store::tx::Database;

use super::golden;

/// What is said of a life that ended well, after `damage`: each broken rule with a part of what it names.
#[track_caller]
fn check(damage: &str, broken: &[(&str, &str)]) {
    let home = tempfile::tempdir().expect("a directory");
    let copy = home.path().join("converge.db");
    fs::copy(golden(1), &copy).expect("it is copied");
    let mut sqlite = Sqlite::open(&copy).expect("it opens");
    migrate(&mut sqlite).expect("it is migrated");
    sqlite.execute_batch(damage).expect("it can be damaged");
    let problems = health::problems(sqlite.tx(), Depth::Rows).expect("it is looked at");
    let rules: Vec<&str> = problems.iter().map(|problem| problem.rule.as_str()).collect();
    let expected: Vec<&str> = broken.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, expected, "{damage}: {problems:?}");
    for (problem, (_, words)) in problems.iter().zip(broken) {
        assert!(problem.rows.iter().any(|row| row.contains(words)), "`{words}` is not in {problem:?}");
    }
}

#[test]
fn rows_that_nobody_changed_are_whole() {
    check("", &[]);
}

#[test]
fn a_document_that_cannot_be_read_is_told() {
    check("UPDATE jobs SET doc = '{' WHERE name = 'job 0'", &[("a job can be read", "(EOF while")]);
    let ended = "id = (SELECT MIN(id) FROM tasks WHERE state = 'ended')";
    check(&format!("UPDATE tasks SET doc = '{{}}' WHERE {ended}"), &[("a run can be read", "missing field")]);
    check("UPDATE events SET data = 'x' WHERE seq = 9", &[("an event can be read", "9 (expected")]);
    check(
        "UPDATE revisions SET definition = 'x' WHERE job = (SELECT id FROM jobs WHERE name = 'job 0')",
        &[("a revision can be read", "revision 1 (expected"), ("a job has the revision it says", "")],
    );
    check("UPDATE attempts SET cpu_ms = -1", &[("an attempt can be read", "")]);
}

#[test]
fn a_column_that_is_not_what_the_document_says_is_told() {
    let run = "the columns of a run say what its document says";
    let ended = "id = (SELECT MIN(id) FROM tasks WHERE state = 'ended')";
    check(
        &format!("UPDATE tasks SET state = 'pending', due_at = 0 WHERE {ended}"),
        &[(run, "(state, due_at)")],
    );
    check(
        &format!("UPDATE tasks SET number = 99, created_at = 1 WHERE {ended}"),
        &[(run, "(number, created_at)")],
    );
    let job = "the columns of a job say what its document says";
    check("UPDATE jobs SET due_at = 5 WHERE name = 'job 1'", &[(job, "(due_at)")]);
    check("UPDATE jobs SET name = 'x', live_name = 'y' WHERE name = 'job 1'", &[(job, "(name, live_name)")]);
    check("UPDATE jobs SET archived_at = 5 WHERE name = 'job 0'", &[(job, "(archived_at)")]);
}

#[test]
fn the_revision_of_a_job_is_the_newest_there_is() {
    let (job, run) = ("a job has the revision it says", "an open run has the revision it says");
    check("UPDATE revisions SET revision = 7 WHERE revision = 2", &[(job, ""), (run, "")]);
}
