//! Database files that are newer, truncated, or something else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::home::{Home, text};

/// A home with a store of some jobs, whole in its one file, and no daemon.
fn stored() -> (Home, PathBuf) {
    let home = Home::new();
    for number in 0..40 {
        home.add(&["--manual", "--cmd", &format!("echo {number} {}", "x".repeat(400))]);
    }
    home.run(&["daemon", "stop"]).done();
    let path = home.home().join("converge.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    for side in ["converge.db-wal", "converge.db-shm"] {
        let _ = fs::remove_file(home.home().join(side));
    }
    (home, path)
}

/// Nothing starts on it, `doctor` says what it is and how to mend it, and it is left as it is.
#[track_caller]
fn refused(home: &Home, path: &PathBuf, words: &str) {
    let before = fs::read(path).unwrap();
    let said = home.run(&["ls"]).ended(69);
    assert!(said.err.contains(words), "`{words}` is not in {said:?}");
    let reply = home.run(&["doctor", "--json"]).ended(1).json();
    let findings = reply["findings"].as_array().unwrap();
    let store = findings.iter().find(|finding| finding["subject"] == "store").unwrap();
    assert_eq!(store["state"], "bad", "{reply}");
    assert!(store["fix"].is_string(), "{reply}");
    assert!(fs::read(path).unwrap() == before, "the file was changed");
}

#[test]
fn a_newer_one_is_left_alone() {
    let (home, path) = stored();
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("UPDATE meta SET value = '9999' WHERE name = 'schema'").unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    refused(&home, &path, "newer");
}

#[test]
fn a_foreign_one_is_left_alone() {
    let (home, path) = stored();
    fs::remove_file(&path).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch("CREATE TABLE recipes (id INTEGER, text TEXT); INSERT INTO recipes VALUES (1, 'soup')")
        .unwrap();
    drop(database);
    refused(&home, &path, "store");
    fs::write(&path, "this is a letter to a friend and no database at all, however long it may be").unwrap();
    refused(&home, &path, "store");
}

/// Leaves at `path` a database whose maker was killed in the middle of its first transactions, before it had
/// a write-ahead log.
fn cut_short(path: &Path) {
    let elsewhere = tempfile::tempdir().unwrap();
    let made = elsewhere.path().join("converge.db");
    let database = rusqlite::Connection::open(&made).unwrap();
    let begin = "PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (x BLOB); DROP TABLE t; PRAGMA cache_size = 1;
        BEGIN; CREATE TABLE meta (x BLOB); INSERT INTO meta VALUES (randomblob(100000)), (randomblob(100000))";
    database.execute_batch(begin).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for side in ["", "-journal"] {
        let side = |path: &Path| PathBuf::from(format!("{}{side}", path.display()));
        assert!(fs::copy(side(&made), side(path)).unwrap() > 0);
    }
}

#[test]
fn one_whose_maker_was_killed_is_made_again() {
    let home = Home::new();
    cut_short(&home.home().join("converge.db"));
    home.add(&["--manual", "--cmd", "echo made"]);
    home.run(&["daemon", "stop"]).done();
}

#[test]
fn doctor_reads_one_whose_maker_was_killed() {
    let home = Home::new();
    cut_short(&home.home().join("converge.db"));
    let said = home.run(&["doctor"]);
    assert!(!said.all().contains("readonly"), "{said:?}");
    home.add(&["--manual", "--cmd", "echo made"]);
}

#[test]
fn one_of_an_older_version_is_whole_before_any_daemon_has_seen_it() {
    let home = Home::new();
    fs::create_dir_all(home.home()).unwrap();
    fs::copy(crate::store::golden(1), home.home().join("converge.db")).unwrap();
    let reply = home.run(&["doctor", "--json"]).json();
    let findings = reply["findings"].as_array().unwrap();
    let store = findings.iter().find(|finding| finding["subject"] == "store").unwrap();
    assert_eq!(store["state"], "good", "{reply:#}");
}

#[test]
fn a_truncated_one_is_told_and_not_overwritten() {
    let (home, path) = stored();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let deep = home.run(&["doctor", "--deep", "--json"]).ended(1).json();
    assert_eq!(deep["ok"], false);
    // Whether a daemon starts on it or not: nothing is taken for whole.
    let _ = home.run(&["ls"]);
    let doctor = home.run(&["doctor", "--deep", "--json"]);
    assert_eq!(doctor.ended(1).json()["ok"], false);
    home.run(&["daemon", "stop"]).done();
    fs::write(&path, &whole).unwrap();
    for side in ["converge.db-wal", "converge.db-shm"] {
        let _ = fs::remove_file(home.home().join(side));
    }
    assert_eq!(home.json(&["ls"])["jobs"].as_array().unwrap().len(), 40, "a copy that is put back is used");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let home = Home::new();
    fs::create_dir(home.home()).unwrap();
    fs::write(home.home().join("converge.db"), "").unwrap();
    assert_eq!(home.json(&["ls"])["jobs"], json!([]));
}

#[test]
fn a_row_that_does_not_fit_is_told_by_doctor() {
    let (home, path) = stored();
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE jobs SET state = 'dreaming' WHERE rowid = (SELECT MIN(rowid) FROM jobs)").unwrap();
    drop(database);
    let reply = home.run(&["doctor", "--deep", "--json"]).ended(1).json();
    let store =
        reply["findings"].as_array().unwrap().iter().find(|finding| finding["state"] == "bad").unwrap();
    assert!(text(&store["message"]).contains("a job is live exactly while"), "{reply}");
}
