//! Reviving the daemon: a shim that ends and finds none turns into one.
//!
//! So an outcome is acted on even when whatever killed the daemon did not bring it back.
#![expect(clippy::disallowed_methods, reason = "the last shim becomes the daemon")]

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::process::lock::Lock;
use crate::process::platform;

/// The lock of the one daemon of a home.
const DAEMON_LOCK: &str = "daemon.lock";
/// There when a person stopped the daemon, so that nobody else starts it.
const DAEMON_STOPPED: &str = "daemon.stopped";

/// Turns into the daemon of `home`, when it has none and nobody wanted it so.
pub(super) fn revive(home: &Path) -> ExitCode {
    if !lacks_daemon(home) {
        return ExitCode::SUCCESS;
    }
    platform::leave_orphans();
    let Ok(program) = platform::own_program() else { return ExitCode::FAILURE };
    // Comes back only when it cannot be done.
    let _ = Command::new(program)
        .arg0("converge")
        .args(["daemon", "run"])
        .env("CONVERGE_HOME", home)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .exec();
    ExitCode::FAILURE
}

/// Whether `home` is there without a daemon and without a person's word that it should have none.
fn lacks_daemon(home: &Path) -> bool {
    let stopped = home.join(DAEMON_STOPPED).try_exists().unwrap_or(true);
    // Let go at once; of several that find it free, the daemons they become keep one.
    !stopped && Lock::try_take(&home.join(DAEMON_LOCK)).is_ok_and(|lock| lock.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_lacks_a_daemon_unless_one_runs_or_was_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path();
        assert!(lacks_daemon(home));
        let running = Lock::try_take(&home.join(DAEMON_LOCK)).expect("a lock");
        assert!(!lacks_daemon(home));
        drop(running);
        assert!(lacks_daemon(home));
        std::fs::write(home.join(DAEMON_STOPPED), "").expect("a file");
        assert!(!lacks_daemon(home));
        assert!(!lacks_daemon(&home.join("gone")));
    }
}
