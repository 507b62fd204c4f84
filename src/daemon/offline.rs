//! Looking for problems when no daemon answers: in this process, and without changing
//! what is stored: what a writer that died left half done is undone, as by whoever opens a database next.

use crate::command::doctor::Finding;
use crate::command::drift;
use crate::command::examine;
use crate::command::places::Places;
use crate::config::Config;
use crate::daemon::control;
use crate::engine::clock::SystemClock;
use crate::engine::ports::Clock;
use crate::paths::Paths;
use crate::store::events;
use crate::store::health;
use crate::store::migrate;
use crate::store::sqlite::Sqlite;
use crate::store::tx::{StoreError, Tx};

/// Everything that can be seen from outside.
pub fn examine(paths: &Paths, deep: bool) -> Vec<Finding> {
    let mut findings = daemon(paths);
    if let Err(error) = Config::load(paths) {
        let told = format!("{:#}", anyhow::Error::from(error));
        findings.push(Finding::bad("config", told, "no daemon starts until that is right"));
    }
    if paths.home().symlink_metadata().is_ok() {
        findings.extend(examine::places(&places(paths)));
        findings.extend(store(paths, deep));
    } else {
        findings.push(Finding::good("home", format!("{}, not made yet", paths.home().display())));
    }
    findings
}

/// Where everything lies, for the verbs.
pub fn places(paths: &Paths) -> Places {
    Places {
        home: paths.home().to_owned(),
        database: paths.database(),
        runs: paths.runs(),
        socket: paths.socket().to_owned(),
        lock: paths.lock(),
        log: paths.log(),
    }
}

fn daemon(paths: &Paths) -> Vec<Finding> {
    let lock = paths.lock();
    match control::status(paths) {
        Ok(Some(note)) => vec![
            Finding::bad(
                "daemon",
                "does not answer",
                "`converge daemon restart`, and look at `converge daemon logs`",
            ),
            Finding::good("lock", format!("{}, held by pid {}", lock.display(), note.pid)),
        ],
        Ok(None) => vec![
            Finding::warn("daemon", "not running", "any command that needs it starts it"),
            Finding::good("lock", format!("{}, free", lock.display())),
        ],
        Err(error) => vec![Finding::bad("lock", format!("{error:#}"), "look at the home's permissions")],
    }
}

fn store(paths: &Paths, deep: bool) -> Vec<Finding> {
    let path = paths.database();
    if !path.exists() {
        return vec![Finding::good("store", "not made yet")];
    }
    match look(paths, deep) {
        Ok(findings) => findings,
        Err(error @ StoreError::Newer { .. }) => {
            vec![Finding::bad(
                "store",
                error.to_string(),
                "run the newer converge, or set CONVERGE_HOME to another home",
            )]
        }
        Err(error) => {
            let fix = format!("move `{}` away, or put a copy of it back", path.display());
            vec![Finding::bad("store", error.with_causes(), fix)]
        }
    }
}

fn look(paths: &Paths, deep: bool) -> Result<Vec<Finding>, StoreError> {
    let mut reader = Sqlite::open_reader(&paths.database())?;
    let found = migrate::version(&mut reader)?;
    if found > migrate::NEWEST {
        return Err(StoreError::Newer { found, known: migrate::NEWEST });
    }
    reader.execute("BEGIN", &[])?;
    let mut findings = examine::store(health::problems(&mut reader, deep.into())?, deep.into());
    let newest = events::newest_at(&mut reader)?.unwrap_or(jiff::Timestamp::MIN);
    findings.extend(examine::clock(newest, SystemClock.now()));
    findings.extend(examine::strays(&mut reader, &paths.runs())?);
    // Which program a job would run follows from whoever asks a daemon for one.
    // A store of an older version knows no readings; the next daemon brings it up to date.
    if found == migrate::NEWEST {
        findings.extend(drift::findings(&mut reader, paths.home(), SystemClock.now(), &|_| None)?);
    }
    Ok(findings)
}
