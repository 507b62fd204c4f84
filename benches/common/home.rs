//! Homes: a daemon with a store of its own, and clients of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use converge::client::autostart::Autostart;
use converge::client::connect::Connection;
use converge::paths::Paths;
use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::{Connection as Database, OpenFlags};
use serde_json::{Value as Json, json};

/// The program under measurement.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_converge");

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// How many clients add jobs at the same time; their requests share commits.
const ADDERS: usize = 16;

/// Where homes are made, and how their names begin.
const TMP: &str = env!("CARGO_TARGET_TMPDIR");
const PREFIX: &str = "loop-";

/// For so long a file system may look for a fresh inode among those that were just given back: the
/// homes of one measurement, removed, would slow down the next.
const SETTLED: Duration = Duration::from_mins(10);

/// Removes the homes that earlier benches left.
pub(crate) fn remove_old() -> io::Result<()> {
    for entry in fs::read_dir(TMP)? {
        let entry = entry?;
        let is_home = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if is_home && age > SETTLED {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A home with a project beside it; it is left for a later bench to remove.
pub(crate) struct Home {
    folder: PathBuf,
    lanes: u32,
    daemon: Option<Child>,
}

impl Home {
    /// An empty one, whose daemon will have so many lanes.
    pub(crate) fn new(lanes: u32) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(TMP)?.keep();
        fs::create_dir(folder.join("project"))?;
        Ok(Self { folder, lanes, daemon: None })
    }

    /// One whose daemon answers.
    pub(crate) fn started(lanes: u32) -> io::Result<Self> {
        let mut home = Self::new(lanes)?;
        home.start()?;
        Ok(home)
    }

    /// The directory of the jobs.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// Where everything of it lies.
    pub(crate) fn paths(&self) -> Paths {
        Paths::at(self.folder.join("converge"))
    }

    /// A command line of the program, in this home and silent.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.folder)
            .env("CONVERGE_HOME", self.paths().home())
            .env("CONVERGE_LANES", self.lanes.to_string())
            .current_dir(self.project())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts the daemon and waits for its first answer.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        self.daemon = Some(self.command(&["daemon", "run"]).spawn()?);
        let give_up_at = Instant::now() + PATIENCE;
        while Instant::now() < give_up_at {
            if let Ok(mut client) = self.connect() {
                return client.call("list_jobs", &json!({})).map(drop);
            }
            thread::sleep(Duration::from_micros(200));
        }
        Err(io::Error::other("the daemon does not answer"))
    }

    /// Ends the daemon.
    pub(crate) fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        if let Ok(pid) = i32::try_from(daemon.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = daemon.wait();
    }

    /// The process of the daemon, which was started.
    pub(crate) fn daemon_pid(&self) -> u32 {
        self.daemon.as_ref().expect("the daemon was started").id()
    }

    /// A client of the daemon that runs.
    pub(crate) fn connect(&self) -> io::Result<Client> {
        Connection::open(self.paths(), Autostart::Never).map(Client).map_err(io::Error::other)
    }

    /// Adds jobs, several at a time: `job` makes the arguments of each from its number.
    pub(crate) fn add_many(&self, count: usize, job: impl Fn(usize) -> Json + Sync) -> io::Result<()> {
        let add = |adder: usize| -> io::Result<()> {
            let mut client = self.connect()?;
            for number in (adder..count).step_by(ADDERS) {
                client.add(&self.project(), &format!("job-{number}"), &job(number))?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let adders: Vec<_> = (0..ADDERS).map(|adder| scope.spawn(move || add(adder))).collect();
            adders.into_iter().try_for_each(|adder| adder.join().expect("adding does not panic"))
        })
    }

    /// The store, to read only.
    pub(crate) fn store(&self) -> rusqlite::Result<Store> {
        let store = Database::open_with_flags(self.paths().database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.busy_timeout(Duration::from_secs(1))?;
        Ok(Store(store))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client that keeps its connection.
pub(crate) struct Client(Connection);

impl Client {
    /// Asks for a verb.
    pub(crate) fn call(&mut self, verb: &str, arguments: &Json) -> io::Result<Json> {
        self.0.call(verb, arguments, None).map_err(io::Error::other)
    }

    /// Adds a job of this name in this directory.
    pub(crate) fn add(&mut self, project: &Path, name: &str, terms: &Json) -> io::Result<Json> {
        let mut arguments = terms.clone();
        arguments["name"] = json!(name);
        arguments["cwd"] = json!(project);
        arguments["again"] = json!(true);
        self.call("add_job", &arguments)
    }
}

/// What the store says, for whoever waits for it or adds it up.
pub(crate) struct Store(Database);

impl Store {
    /// The one number that a query answers.
    pub(crate) fn number(&self, sql: &str) -> rusqlite::Result<i64> {
        self.0.query_row(sql, [], |row| row.get(0))
    }

    /// The numbers that a query answers.
    pub(crate) fn numbers(&self, sql: &str) -> rusqlite::Result<Vec<i64>> {
        self.0.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Waits until a query answers at least `count`, looking every `step`.
    pub(crate) fn wait_for(&self, sql: &str, count: i64, step: Duration) -> io::Result<()> {
        let give_up_at = Instant::now() + PATIENCE;
        while self.number(sql).map_err(io::Error::other)? < count {
            if Instant::now() > give_up_at {
                return Err(io::Error::other(format!("{count} never came: {sql}")));
            }
            thread::sleep(step);
        }
        Ok(())
    }
}

/// The instant `ahead` from now, in whole milliseconds as the store has them.
pub(crate) fn from_now(ahead: Duration) -> Timestamp {
    let now_ms = Timestamp::now().as_millisecond();
    let ahead_ms = i64::try_from(ahead.as_millis()).expect("a bench is short");
    Timestamp::from_millisecond(now_ms + ahead_ms).expect("a bench is soon")
}
