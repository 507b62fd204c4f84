//! Real processes below real shims.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names what it wants, and all else fails it")]

mod adoption;
mod endings;
mod environment;
mod limits;
mod logged_in;
mod shim;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use converge::core::id::TaskId;
use converge::core::process::{Bounds, Command, Control, Ending, Outcome, PrivateFile, ProcessKey};
use converge::core::span::Span;
use converge::core::task::report::Report;
use converge::engine::ports::{Execute, Launch, Processes, Stdin};
use converge::process::caller::mark_of;
use converge::process::rundir::RunDir;
use converge::process::supervisor::{Options, Supervisor};

/// The longest a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of run directories with a supervisor that can be replaced.
struct World {
    folder: tempfile::TempDir,
    supervisor: Option<Supervisor>,
    reports: Receiver<Report>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (supervisor, reports) = supervise(folder.path(), program());
        Self { folder, supervisor: Some(supervisor), reports }
    }

    /// What is left when the daemon dies: the processes, and nobody who watches them.
    fn leave(&mut self) {
        self.supervisor = None;
    }

    /// The daemon is back.
    fn come_back(&mut self) {
        self.leave();
        let (supervisor, reports) = supervise(self.folder.path(), program());
        (self.supervisor, self.reports) = (Some(supervisor), reports);
    }

    fn supervisor(&self) -> &Supervisor {
        self.supervisor.as_ref().unwrap()
    }

    fn launch(&self, launch: &Launch) -> ProcessKey {
        self.supervisor().launch(launch.clone());
        launch.key
    }

    /// Runs a process to its end.
    fn run(&self, launch: &Launch) -> Outcome {
        let key = self.launch(launch);
        self.ended(key)
    }

    fn report(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).expect("a report in time")
    }

    fn started(&self, key: ProcessKey) {
        match self.report() {
            Report::Started { key: started, .. } if started == key => {}
            other => panic!("{key} should have started: {other:?}"),
        }
    }

    fn ended(&self, key: ProcessKey) -> Outcome {
        loop {
            match self.report() {
                Report::Started { key: started, .. } if started == key => {}
                Report::Ended { key: ended, outcome } if ended == key => return outcome,
                other => panic!("{key} should have ended: {other:?}"),
            }
        }
    }

    fn dir(&self, key: ProcessKey) -> RunDir {
        RunDir::of(self.folder.path(), key)
    }

    fn stdout(&self, key: ProcessKey) -> String {
        std::fs::read_to_string(self.dir(key).file("stdout")).unwrap_or_default()
    }

    /// The pid of the shim of `key`.
    fn shim(&self, key: ProcessKey) -> i32 {
        let text = std::fs::read_to_string(self.dir(key).file("started")).unwrap();
        let started: serde_json::Value = serde_json::from_str(&text).unwrap();
        i32::try_from(started["shim"]["pid"].as_i64().unwrap()).unwrap()
    }

    /// Waits until the process has written `text` to its output.
    fn wait_for_output(&self, key: ProcessKey, text: &str) {
        until(|| self.stdout(key).contains(text));
    }
}

fn supervise(runs: &Path, program: PathBuf) -> (Supervisor, Receiver<Report>) {
    let (sender, reports) = channel();
    let options = Options { program, home: None, workers: 4, descriptors_max: None };
    let supervisor = Supervisor::start(runs.to_owned(), options, move |report| {
        // The receiver is gone when the test has failed.
        let _ = sender.send(report);
    });
    (supervisor.unwrap(), reports)
}

/// The program under test; that of the test itself is no shim.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_converge"))
}

/// A key that no other test has, in this process or another.
fn fresh_key() -> ProcessKey {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let bits = u64::from(std::process::id()) << 16 | NEXT.fetch_add(1, Ordering::Relaxed);
    ProcessKey::attempt(TaskId::from_bits(bits), 1)
}

fn shell(line: &str) -> Launch {
    launch(Command::Shell(line.to_owned()))
}

fn argv(words: &[&str]) -> Launch {
    launch(Command::Argv(words.iter().map(|word| (*word).to_owned()).collect()))
}

fn launch(command: Command) -> Launch {
    let bounds = Bounds {
        wall: Some(Span::from_secs(60)),
        idle: None,
        memory_bytes: None,
        output_bytes: 1 << 20,
        grace: Span::from_ms(200),
    };
    Launch {
        key: fresh_key(),
        execute: Execute::Command(command),
        cwd: "/".into(),
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        pass: Vec::new(),
        env_file: None,
        strip: Vec::new(),
        login: None,
        control: Control { bounds, cut_at: None },
        last: None,
        prompt: None,
        files: Vec::new(),
        login_check: None,
        overlay: None,
        stdin: Stdin::Nothing,
        progress: None,
    }
}

/// Waits for a condition that comes about by itself.
#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up_at, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The processes that carry `key` and are not merely waiting to be reaped.
fn alive(key: ProcessKey) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| mark_of(*pid) == Some(key)).collect()
}

fn exited(code: i32) -> Ending {
    Ending::Exited(code)
}
