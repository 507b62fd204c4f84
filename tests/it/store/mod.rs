//! The store against what people and accidents give it: foreign and damaged files, odd names, rivals.

mod golden;
mod health;
mod plans;
mod rules;

use std::path::{Path, PathBuf};

use converge::store::migrate::{migrate, version};
use converge::store::sqlite::Sqlite;
use converge::store::tx::{Database, StoreError};
use converge::store::{jobs, tasks};

/// The database of every released schema, as the code of its time made it.
pub(crate) fn golden(schema: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{schema}.db"))
}

/// Opens and migrates a file of these bytes; answers what the store says about it.
fn check_file(bytes: &[u8], says: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("converge.db");
    std::fs::write(&path, bytes).expect("it is written");
    let opened = Sqlite::open(&path).and_then(|mut sqlite| migrate(&mut sqlite));
    let told = opened.map_err(|error| error.to_string());
    assert_eq!(told, Err(says.to_owned()));
    let left = std::fs::read(&path).expect("it is read");
    assert!(left == bytes, "what is not ours is left as it is");
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    check_file(&b"these are the notes of somebody else\n".repeat(40), "the file is not a database");
}

#[test]
fn a_truncated_database_is_refused() {
    let whole = std::fs::read(golden(1)).expect("the golden database");
    check_file(&whole[..whole.len() / 3], "the database is damaged: database disk image is malformed");
}

/// A database that `sql` made.
fn made_by(sql: &str) -> Sqlite {
    let mut sqlite = Sqlite::in_memory().expect("a database in memory");
    sqlite.execute_batch(sql).expect("it is made");
    sqlite
}

#[test]
fn the_database_of_another_program_is_refused() {
    let mut sqlite = made_by("CREATE TABLE notes (text TEXT)");
    let told = migrate(&mut sqlite).map_err(|error| error.to_string());
    assert_eq!(told, Err("the file is a database of another program".to_owned()));
    let mut sqlite = made_by("CREATE TABLE meta (name TEXT, value TEXT)");
    let told = migrate(&mut sqlite).map_err(|error| error.to_string());
    assert_eq!(told, Err("the file is a database of another program".to_owned()));
}

#[test]
fn a_database_from_a_newer_version_is_refused() {
    let mut sqlite = Sqlite::in_memory().expect("a database in memory");
    assert_eq!(migrate(&mut sqlite).expect("it is migrated"), 0);
    sqlite.execute_batch("UPDATE meta SET value = '99' WHERE name = 'schema'").expect("it is set");
    assert!(matches!(migrate(&mut sqlite), Err(StoreError::Newer { found: 99, known: 2 })));
    assert_eq!(version(&mut sqlite).expect("it is read"), 99);
}

#[test]
fn a_name_is_compared_and_never_interpreted() {
    let mut sqlite = rules::with_jobs(&["plain", "100%", "a_b", "it's", "../../etc", "new\nline"]);
    let tx = sqlite.tx();
    let mut check = |text: &str, names: &[&str]| {
        let found = jobs::named(tx, text, 10).expect(text);
        let found: Vec<_> = found.into_iter().map(|(_, name)| name).collect();
        assert_eq!(found, names, "{text:?}");
        assert_eq!(tasks::named(tx, text, 10).expect(text), [], "{text:?}");
    };
    for name in ["plain", "100%", "a_b", "it's", "../../etc", "new\nline"] {
        check(name, &[name]);
    }
    for odd in [
        "%",
        "100_",
        "a%b",
        "_",
        "*",
        "j*",
        "j%",
        "j_______",
        "../",
        "' OR 1=1 --",
        "plain\0",
        "\0",
        "",
        "jé",
        "{",
    ] {
        check(odd, &[]);
    }
    // Ids count from 0 and are written from their lowest digit, so `j10` begins one of them.
    check("j10", &["100%"]);
    check("j1000000", &["100%"]);
    check("j10000000", &["100%"]);
    check("j100000000", &[]);
    check("j", &[]);
}
