//! What the database itself refuses, whatever the code above believes.

use converge::core::actor::Actor;
use converge::core::id::{JobId, TaskId};
use converge::core::job::Job;
use converge::core::schedule::Schedule;
use converge::core::task::course::Course;
use converge::core::task::{Origin, State, Task};
use converge::store::migrate::migrate;
use converge::store::sqlite::Sqlite;
use converge::store::tx::{Database, StoreError};
use converge::store::{jobs, tasks};
use jiff::Timestamp;

use crate::sim::scenario::plain;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn insert(sqlite: &mut Sqlite, number: u64, name: &str) -> Result<(), StoreError> {
    let definition = plain("make", Schedule::Manual);
    let job = Job::create(JobId::from_bits(number), name.to_owned(), &definition, at(0));
    jobs::insert(sqlite.tx(), &job, &definition, &Actor::daemon(), &format!("print {number}"))
}

/// A database with a job of each of these names.
pub(super) fn with_jobs(names: &[&str]) -> Sqlite {
    let mut sqlite = Sqlite::in_memory().expect("a database in memory");
    migrate(&mut sqlite).expect("an empty database is migrated");
    for (number, name) in (0..).zip(names) {
        insert(&mut sqlite, number, name).expect(name);
    }
    sqlite
}

/// A task of the first job.
fn task(number: u64, slot: Option<i64>) -> Task {
    Task {
        id: TaskId::from_bits(number),
        job: JobId::from_bits(0),
        revision: 1,
        number: 1,
        origin: Origin::Schedule,
        slot: slot.map(at),
        created_at: at(0),
        claims: 0,
        tries: 0,
        uncharged: 0,
        course: Course::default(),
        state: State::Pending { due_at: at(0) },
    }
}

fn is_taken(outcome: &Result<impl Sized, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Taken(_)))
}

#[test]
fn a_live_name_and_an_id_are_taken_once() {
    let mut sqlite = with_jobs(&["one"]);
    assert!(is_taken(&insert(&mut sqlite, 5, "one")));
    assert!(is_taken(&insert(&mut sqlite, 0, "another")));
    insert(&mut sqlite, 6, "another").expect("a free name under a free id");
}

#[test]
fn a_slot_of_a_job_has_one_row() {
    let mut sqlite = with_jobs(&["one"]);
    tasks::insert(sqlite.tx(), &task(1, Some(10))).expect("a fresh slot");
    assert!(is_taken(&tasks::insert(sqlite.tx(), &task(2, Some(10)))));
    tasks::insert(sqlite.tx(), &task(3, None)).expect("no slot");
    tasks::insert(sqlite.tx(), &task(4, None)).expect("no slot again");
}

#[test]
fn a_job_has_one_run_under_way() {
    let mut sqlite = with_jobs(&["one"]);
    let claimed = |number| Task { state: State::Claimed { attempt: 1, at: at(0) }, ..task(number, None) };
    tasks::insert(sqlite.tx(), &claimed(1)).expect("the first");
    assert!(is_taken(&tasks::insert(sqlite.tx(), &claimed(2))));
}

#[test]
fn of_two_writers_of_one_version_the_second_is_told() {
    let mut sqlite = with_jobs(&["one"]);
    let tx = sqlite.tx();
    let stored = jobs::get(tx, JobId::from_bits(0)).expect("it is read").expect("it is there");
    assert!(jobs::update(tx, &stored, None).expect("it is written"));
    assert!(!jobs::update(tx, &stored, None).expect("it is answered"));
    tasks::insert(tx, &task(1, None)).expect("a fresh task");
    let stored = tasks::get(tx, TaskId::from_bits(1)).expect("it is read").expect("it is there");
    assert!(tasks::update(tx, &stored).expect("it is written"));
    assert!(!tasks::update(tx, &stored).expect("it is answered"));
}
