//! What the harness promises, and that it can fail.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::dice::{Dice, Luck};
use super::file::File;
use super::{Fault, PowerCut};

/// How a test wants its commits kept.
#[derive(Clone, Copy)]
struct Mode {
    journal: &'static str,
    synchronous: &'static str,
}

const WAL: Mode = Mode { journal: "WAL", synchronous: "FULL" };

/// Enough to fill the WAL and begin it again several times.
const TRANSACTIONS: u32 = 14;

fn open(power: &PowerCut, mode: Mode) -> rusqlite::Result<Connection> {
    let connection = power.open()?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", mode.journal)?;
    connection.pragma_update(None, "synchronous", mode.synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 6)?;
    connection.execute("CREATE TABLE IF NOT EXISTS kept (n INTEGER PRIMARY KEY, body TEXT)", ())?;
    Ok(connection)
}

/// Different for each transaction, from nothing to two pages.
fn body(n: u32) -> String {
    format!("{n}.").repeat(usize::try_from(n * 617 % 2500).expect("a small number"))
}

fn insert(connection: &Connection, n: u32) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO kept VALUES (?1, ?2)", (n, body(n))).map(drop)
}

fn count(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT COUNT(*) FROM kept", (), |row| row.get(0))
}

/// Adds transactions after the first `before` until the power goes; says how many were acknowledged.
fn work(power: &PowerCut, mode: Mode, before: u32) -> u32 {
    let Ok(connection) = open(power, mode) else { return before };
    let next = before + 1..=before + TRANSACTIONS;
    next.take_while(|n| insert(&connection, *n).is_ok()).last().unwrap_or(before)
}

/// What is found on the disk.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// So many transactions, each whole, without a gap.
    Whole(u32),
    /// Something that SQLite or we cannot accept.
    Damaged(String),
}

fn look(power: &PowerCut, mode: Mode) -> Found {
    let read = || -> rusqlite::Result<Found> {
        let connection = open(power, mode)?;
        let integrity: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
        if integrity != "ok" {
            return Ok(Found::Damaged(integrity));
        }
        let mut rows = connection.prepare("SELECT n, body FROM kept ORDER BY n")?;
        let rows: Vec<(u32, String)> =
            rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let whole = (1..).zip(&rows).all(|(n, row)| *row == (n, body(n)));
        let found = u32::try_from(rows.len()).expect("a small number");
        Ok(if whole { Found::Whole(found) } else { Found::Damaged("other rows than were written".into()) })
    };
    read().unwrap_or_else(|error| Found::Damaged(error.to_string()))
}

/// What became of the acknowledged transactions of many power cuts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    kept: u32,
    lost: u32,
    damaged: u32,
}

/// Cuts the power at every change of a short history, and once more while going on after that.
fn cut_everywhere(mode: Mode, seeds: u64) -> Tally {
    let whole = PowerCut::new(0);
    assert_eq!(work(&whole, mode, 0), TRANSACTIONS);
    let changes = whole.changes();
    let mut tally = Tally::default();
    for seed in 0..seeds {
        for nth in 1..=changes + 1 {
            let mut power = PowerCut::new(seed * 100_000 + nth);
            let mut before = 0;
            for cut_at in [nth, 1 + (nth * 31 + seed) % changes] {
                power.inject(Fault::PowerGoesAt(cut_at));
                let acknowledged = work(&power, mode, before);
                power.cut();
                match look(&power, mode) {
                    // One more, when the power went between the commit and its acknowledgement.
                    Found::Whole(found) if found >= acknowledged && found <= acknowledged + 1 => {
                        tally.kept += 1;
                        before = found;
                    }
                    Found::Whole(found) => {
                        assert!(found < acknowledged, "{found} of {acknowledged} transactions");
                        tally.lost += 1;
                        before = found;
                    }
                    Found::Damaged(_) => {
                        tally.damaged += 1;
                        break;
                    }
                }
            }
        }
    }
    tally
}

#[test]
fn nothing_acknowledged_is_lost_with_full_synchronous() {
    let tally = cut_everywhere(WAL, 6);
    assert_eq!((tally.lost, tally.damaged), (0, 0), "{tally:?}");
    assert!(tally.kept > 1000, "{tally:?}");
}

#[test]
fn nothing_acknowledged_is_lost_with_a_rollback_journal() {
    let tally = cut_everywhere(Mode { journal: "DELETE", synchronous: "EXTRA" }, 2);
    assert_eq!((tally.lost, tally.damaged), (0, 0), "{tally:?}");
}

/// The directory counts: a deleted journal that comes back undoes its transaction.
#[test]
fn a_journal_whose_deletion_was_not_synced_can_come_back() {
    let tally = cut_everywhere(Mode { journal: "DELETE", synchronous: "FULL" }, 2);
    assert!(tally.lost > 0 && tally.damaged == 0, "{tally:?}");
}

/// What SQLite says of NORMAL: consistent, but not durable.
#[test]
fn normal_synchronous_loses_transactions_and_no_more() {
    let tally = cut_everywhere(Mode { synchronous: "NORMAL", ..WAL }, 2);
    assert!(tally.lost > 0 && tally.damaged == 0, "{tally:?}");
}

#[test]
fn without_syncs_the_harness_loses_and_damages() {
    let tally = cut_everywhere(Mode { synchronous: "OFF", ..WAL }, 2);
    assert!(tally.lost > 0 && tally.damaged > 0, "{tally:?}");
}

#[test]
fn a_seed_decides_all() {
    let run = || {
        let mut power = PowerCut::new(7);
        power.inject(Fault::PowerGoesAt(40));
        let mode = Mode { synchronous: "OFF", ..WAL };
        let acknowledged = work(&power, mode, 0);
        power.cut();
        (acknowledged, look(&power, mode))
    };
    assert_eq!(run(), run());
}

#[test]
fn connections_from_before_the_cut_are_dead() {
    let mut power = PowerCut::new(1);
    let old = open(&power, WAL).expect("a fresh disk");
    insert(&old, 1).expect("there is power");
    power.cut();
    let error = insert(&old, 2).expect_err("there was a cut");
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
    drop(old);
    assert_eq!(look(&power, WAL), Found::Whole(1));
}

#[test]
fn connections_on_many_threads_share_one_database() {
    let power = PowerCut::new(1);
    drop(open(&power, WAL).expect("a fresh disk"));
    let write = |writer: u32| {
        let connection = open(&power, WAL).expect("an open database");
        for n in 1..=30 {
            insert(&connection, writer * 1000 + n).expect("a writer waits for the others");
        }
    };
    let reader = open(&power, WAL).expect("an open database");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3).map(|writer| scope.spawn(move || write(writer))).collect();
        let mut seen = 0;
        while writers.iter().any(|writer| !writer.is_finished()) {
            let now = count(&reader).expect("readers are never blocked");
            assert!(now >= seen, "{now} after {seen}");
            seen = now;
        }
    });
    assert_eq!(count(&reader), Ok(90));
}

#[test]
fn a_reader_keeps_its_snapshot_beside_a_writer() {
    let power = PowerCut::new(1);
    let (writer, reader) = (open(&power, WAL).expect("opens"), open(&power, WAL).expect("opens"));
    let snapshot = reader.unchecked_transaction().expect("a transaction");
    assert_eq!(count(&snapshot), Ok(0));
    insert(&writer, 1).expect("a reader blocks no writer");
    assert_eq!(count(&snapshot), Ok(0));
    drop(snapshot);
    assert_eq!(count(&reader), Ok(1));
}

/// Whether `sql` is refused because of another connection's lock.
fn is_blocked(connection: &Connection, sql: &str) -> bool {
    connection.busy_timeout(Duration::ZERO).expect("any time will do");
    match connection.execute_batch(sql) {
        Ok(()) => false,
        Err(error) => error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy),
    }
}

#[test]
fn one_connection_writes_at_a_time() {
    let rollback = Mode { journal: "DELETE", ..WAL };
    for mode in [WAL, rollback] {
        let power = PowerCut::new(1);
        let (one, other) = (open(&power, mode).expect("opens"), open(&power, mode).expect("opens"));
        one.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        assert!(is_blocked(&other, "BEGIN IMMEDIATE"), "{}", mode.journal);
        one.execute_batch("COMMIT").expect("nobody else writes");
        assert!(!is_blocked(&other, "BEGIN IMMEDIATE"), "{}", mode.journal);
    }
}

#[test]
fn without_wal_a_reader_blocks_the_commit_and_then_new_readers_wait() {
    let power = PowerCut::new(1);
    let mode = Mode { journal: "DELETE", ..WAL };
    let [reader, writer, late] = [(), (), ()].map(|()| open(&power, mode).expect("opens"));
    reader.execute_batch("BEGIN; SELECT * FROM kept").expect("nobody writes");
    writer.execute_batch("BEGIN; INSERT INTO kept VALUES (1, '')").expect("readers do not matter yet");
    assert!(is_blocked(&writer, "COMMIT"));
    assert!(is_blocked(&late, "SELECT * FROM kept"), "the writer is waiting");
    reader.execute_batch("COMMIT").expect("a reader can always end");
    assert!(!is_blocked(&writer, "COMMIT"));
    assert!(!is_blocked(&late, "SELECT * FROM kept"));
}

#[test]
fn each_unsynced_sector_has_its_own_fate() {
    let found = |luck: Luck, dice: &mut Dice| {
        let mut file = File::default();
        file.write(0, &[1; 3 * 512]);
        file.sync();
        file.write(0, &[2; 2 * 512]);
        let after = file.after_cut(luck, dice);
        let mut sectors = [[0; 512]; 3];
        assert_eq!(after.read(0, sectors.as_flattened_mut()), 3 * 512);
        assert_eq!(sectors[2], [1; 512], "what was synced and not written again");
        [sectors[0], sectors[1]].map(|sector| (sector[0], sector[511]))
    };
    let (old, new, torn) = ((1, 1), (2, 2), (2, 1));
    let mut dice = Dice::new(1);
    assert_eq!(found(Luck::Nothing, &mut dice), [old, old]);
    assert_eq!(found(Luck::Everything, &mut dice), [new, new]);
    let seen: BTreeSet<_> = (0..1000).map(|_| found(Luck::Percent(50), &mut dice)).collect();
    let all = [old, new, torn].into_iter().flat_map(|one| [old, new, torn].map(|other| [one, other]));
    assert_eq!(seen, all.collect());
}

#[test]
fn a_commit_in_wal_mode_is_one_sync() {
    let power = PowerCut::new(1);
    let connection = open(&power, WAL).expect("a fresh disk");
    let (syncs, changes) = (power.syncs(), power.changes());
    connection.execute("INSERT INTO kept VALUES (1, '')", ()).expect("there is power");
    assert_eq!(power.syncs() - syncs, 1);
    assert!(power.changes() - changes > 1);
}

/// Runs into `fault`, heals, and finds that nothing acknowledged is gone and that work goes on.
fn check_fault(fault: Fault, code: ErrorCode) {
    let mut power = PowerCut::new(3);
    let connection = open(&power, WAL).expect("a fresh disk");
    power.inject(fault);
    let refused = (1..=1000).find_map(|n| insert(&connection, n).err().map(|error| (n, error)));
    let (n, error) = refused.expect("the fault shows");
    assert_eq!(error.sqlite_error_code(), Some(code), "{fault:?}: {error}");
    assert_eq!(count(&connection), Ok(n - 1), "{fault:?}");
    power.heal();
    insert(&connection, n).expect("healed");
    power.cut();
    assert_eq!(look(&power, WAL), Found::Whole(n), "{fault:?}");
}

#[test]
fn a_full_disk_and_a_failing_one_refuse_and_recover() {
    for bytes in [0, 100, 5000, 50_000] {
        check_fault(Fault::FullAfter(bytes), ErrorCode::DiskFull);
    }
    for calls in [0, 1, 2, 7, 20] {
        check_fault(Fault::WritesFailAfter(calls), ErrorCode::SystemIoFailure);
        check_fault(Fault::SyncsFailAfter(calls), ErrorCode::SystemIoFailure);
    }
}
