//! Autostart: a daemon on first use.
#![expect(clippy::disallowed_methods, reason = "a daemon is started and waited for")]

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::client::connect::{ClientError, Link};
use crate::client::preface::Preface;
use crate::paths::Paths;

/// The variable that tells a daemon when it was asked for, in nanoseconds since 1970: one that comes
/// late must not undo that a person stopped it meanwhile.
pub const ASKED_AT: &str = "CONVERGE_ASKED_AT";

/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked whether it does.
const STEP: Duration = Duration::from_millis(1);

/// How often somebody else's daemon is asked for.
const WAIT_STEP: Duration = Duration::from_millis(50);

/// How long after a daemon lost the lock to another is one started again: the other may have been leaving.
const AGAIN: Duration = Duration::from_millis(200);

/// How long after a stop the next daemon may take, when somebody restarts it.
const RESTART_PATIENCE: Duration = Duration::from_secs(2);

/// How the program begins the sentence it fails with.
const LAST_WORDS: &str = "error: ";

/// How many of the last lines of the log are shown when a daemon does not start.
const SAID_LINES: usize = 5;

/// The stack of a thread that only waits.
const STACK_BYTES: usize = 64 << 10;

/// What to do when no daemon answers.
#[derive(Debug, Clone)]
pub enum Autostart {
    /// Say so.
    Never,
    /// Wait as long as a restart takes, since a person stopped it while it was asked.
    AfterStop,
    /// Start one, unless this says that the process is inside a run: then wait for one to come back.
    Outside {
        /// Whether this process is inside a run; asked only when no daemon answers.
        inside_run: fn() -> bool,
        /// What is started.
        program: Program,
    },
}

/// Where the program of this process lies, asked for while it is sure to lie there: an upgrade puts
/// another in its place, or another path.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    file: Option<PathBuf>,
    /// What it was called as; without a slash it is looked for in `PATH`.
    called: Option<PathBuf>,
}

impl Program {
    /// That of this process, which is young.
    pub fn of_this_process() -> Self {
        Self { file: std::env::current_exe().ok(), called: std::env::args_os().next().map(PathBuf::from) }
    }

    /// Its absolute path, as far as there is one.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl Autostart {
    /// Gets a daemon to answer, or says why none does.
    pub(super) fn link(&self, paths: &Paths, preface: &Preface) -> Result<Link, ClientError> {
        match self {
            Self::Never => Err(ClientError::NoDaemon),
            Self::AfterStop => after_stop(paths, preface)?.ok_or(ClientError::NoDaemon),
            // It would die with the run, or keep the run from ending.
            Self::Outside { inside_run, .. } if inside_run() => wait(paths, preface),
            Self::Outside { program, .. } => start(paths, preface, program),
        }
    }
}

/// Waits for the daemon that follows one that a person stopped; nothing when nobody stopped it.
///
/// A stop is not undone by whoever waits. A restart is a stop too, and its new daemon comes soon.
pub(super) fn after_stop(paths: &Paths, preface: &Preface) -> Result<Option<Link>, ClientError> {
    let give_up_at = Instant::now() + RESTART_PATIENCE;
    while paths.stopped().exists() {
        if let Some(link) = Link::dial(paths, preface)? {
            return Ok(Some(link));
        }
        if Instant::now() >= give_up_at {
            return Err(ClientError::Stopped);
        }
        std::thread::sleep(WAIT_STEP);
    }
    Ok(None)
}

fn wait(paths: &Paths, preface: &Preface) -> Result<Link, ClientError> {
    let give_up_at = Instant::now() + PATIENCE;
    while Instant::now() < give_up_at {
        if let Some(link) = Link::dial(paths, preface)? {
            return Ok(link);
        }
        thread::sleep(WAIT_STEP);
    }
    Err(ClientError::InsideRun)
}

fn start(paths: &Paths, preface: &Preface, program: &Program) -> Result<Link, ClientError> {
    paths.prepare()?;
    let log_start = fs::metadata(paths.log()).map_or(0, |log| log.len());
    let did_not_start = || ClientError::DidNotStart { said: said(paths, log_start) };
    let mut daemon = Started::spawn(paths, program)?;
    let mut gone_at: Option<Instant> = None;
    let give_up_at = Instant::now() + PATIENCE;
    while Instant::now() < give_up_at {
        if let Some(link) = Link::dial(paths, preface)? {
            return Ok(link);
        }
        match (gone_at, daemon.0.try_wait().map_err(ClientError::Spawn)?) {
            (_, Some(status)) if !status.success() => return Err(did_not_start()),
            (None, Some(_)) => gone_at = Some(Instant::now()),
            (Some(at), Some(_)) if at.elapsed() >= AGAIN => {
                daemon = Started::spawn(paths, program)?;
                gone_at = None;
            }
            (_, None | Some(_)) => {}
        }
        thread::sleep(STEP);
    }
    Err(did_not_start())
}

/// A daemon that was started here. Its end is waited for beside everything else, however its start is
/// left: a process that lives long must not keep its remains.
struct Started(Child);

impl Started {
    fn spawn(paths: &Paths, program: &Program) -> Result<Self, ClientError> {
        spawn(paths, program).map(Self).map_err(ClientError::Spawn)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let Ok(None) = self.0.try_wait() else { return };
        let Ok(pid) = i32::try_from(self.0.id()) else { return };
        let waiter = thread::Builder::new().name("reaper".to_owned()).stack_size(STACK_BYTES);
        // Nobody else waits for it, so the pid is not given away. Without a thread the remains are kept
        // for as long as this process lives.
        let _ = waiter.spawn(move || waitpid(Pid::from_raw(pid), None));
    }
}

/// Now, in nanoseconds since 1970.
fn asked_at() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// Starts a daemon from where the program lies.
fn spawn(paths: &Paths, program: &Program) -> io::Result<Child> {
    let mut missing = io::Error::from(io::ErrorKind::NotFound);
    for place in [&program.file, &program.called].into_iter().flatten() {
        match spawn_from(place, paths) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = error,
            spawned => return spawned,
        }
    }
    Err(missing)
}

/// Starts a daemon in a session of its own, so that no signal to this one's group or terminal reaches it.
fn spawn_from(program: &Path, paths: &Paths) -> io::Result<Child> {
    let log = File::options().create(true).append(true).mode(0o600).open(paths.log())?;
    let mut command = Command::new(program);
    command
        .args(["daemon", "run"])
        .env("CONVERGE_HOME", paths.home())
        .env("CONVERGE_SOCKET_PATH", paths.socket())
        .env(ASKED_AT, asked_at().to_string())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    #[expect(
        unsafe_code,
        reason = "between fork and exec the closure makes one system call and allocates nothing"
    )]
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(|error: Errno| error.into()));
    }
    command.spawn()
}

/// What the daemon says in its log since `start`: its last words when it has any, else the last lines.
fn said(paths: &Paths, start: u64) -> String {
    let text = read_from(&paths.log(), start).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.iter().rev().find_map(|line| line.strip_prefix(LAST_WORDS)) {
        Some(words) => words.to_owned(),
        None if lines.is_empty() => "it says nothing".to_owned(),
        None => lines[lines.len().saturating_sub(SAID_LINES)..].join("\n"),
    }
}

/// What is in a file from `start` on, or from its beginning when it is a new one; at most the last page.
fn read_from(path: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = if start > length { 0 } else { start };
    file.seek(SeekFrom::Start(start.max(length.saturating_sub(4096))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::kill;

    use super::*;

    #[test]
    fn the_remains_of_a_daemon_are_taken_away_however_its_start_is_left() {
        let mut daemon = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a process");
        let pid = Pid::from_raw(i32::try_from(daemon.id()).expect("a pid"));
        let stdin = daemon.stdin.take();
        // As by a `?`, while it still runs.
        drop(Started(daemon));
        kill(pid, None).expect("it runs");
        drop(stdin);
        let give_up_at = Instant::now() + PATIENCE;
        while kill(pid, None) != Err(Errno::ESRCH) {
            assert!(Instant::now() < give_up_at, "its remains are kept");
            thread::sleep(STEP);
        }
    }
}
