//! Asking: a short program that is run for what it writes, and ended when that takes too long.
#![expect(clippy::disallowed_methods, reason = "this is where such a program is started")]

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::process::platform::since_boot;

/// More than this is no answer.
const LENGTH_MAX: usize = 1 << 20;

/// How long it may take to notice that the program is over while something of it still has its output open.
const NOTICE: Duration = Duration::from_millis(20);

/// What a program answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// How it ended.
    pub(super) status: ExitStatus,
    /// What it wrote to its standard output.
    pub(super) stdout: Vec<u8>,
}

/// The program of a shell line.
pub(super) fn shell(shell: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(shell);
    command.args(arguments);
    command
}

/// What a program says on both of its streams, with these variables and no others; one that a signal ended has
/// said nothing.
pub(super) fn said<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    (program, words): (&Path, &[String]),
    variables: impl IntoIterator<Item = (K, V)>,
    cwd: &Path,
    (limit, is_over): (Duration, fn() -> bool),
) -> io::Result<String> {
    let mut command = shell("/bin/sh", &["-c", "exec \"$0\" \"$@\" 2>&1"]);
    command.arg(program).args(words).env_clear().envs(variables).current_dir(cwd);
    let answer = ask(&mut command, limit, is_over)?;
    if answer.status.code().is_none() {
        return Err(io::Error::other(format!("it ended with {}", answer.status)));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// Runs a program to its end, at the longest for `limit` and until `is_over`; nothing of it is left then.
pub(super) fn ask(command: &mut Command, limit: Duration, is_over: fn() -> bool) -> io::Result<Answer> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn()?;
    let answer = listen(&mut child, limit, is_over);
    let group = i32::try_from(child.id()).map_or(Pid::this(), Pid::from_raw);
    if group != Pid::this() {
        // What it left behind, or all of it when it took too long; there may be nothing.
        let _ = killpg(group, Signal::SIGKILL);
    }
    if answer.is_err() {
        child.wait()?;
    }
    answer
}

fn listen(child: &mut Child, limit: Duration, is_over: fn() -> bool) -> io::Result<Answer> {
    let give_up_at = since_boot() + limit;
    let mut stdout = Stream::of(child.stdout.take())?;
    loop {
        // Before its output is read for the last time, so that nothing it wrote is missed.
        let status = child.try_wait()?;
        stdout.read()?;
        if let Some(status) = status {
            return Ok(Answer { status, stdout: stdout.bytes });
        }
        if since_boot() >= give_up_at {
            let message = format!("no answer within {} s", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        if is_over() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "nobody wants to know any more"));
        }
        let open = stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        let mut fds: Vec<PollFd<'_>> = open.into_iter().collect();
        match poll(&mut fds, PollTimeout::try_from(NOTICE).unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// One of the program's streams, until it is at its end.
struct Stream<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
}

impl<P: Read + AsFd> Stream<P> {
    fn of(pipe: Option<P>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { pipe, bytes: Vec::new() })
    }

    /// Reads what there is.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.bytes.extend(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if self.bytes.len() > LENGTH_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer does not end"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, limit: Duration) -> io::Result<(Option<i32>, String)> {
        let answer = ask(&mut shell("/bin/sh", &["-c", line]), limit, || false)?;
        Ok((answer.status.code(), String::from_utf8_lossy(&answer.stdout).into_owned()))
    }

    #[test]
    fn a_program_is_heard_on_its_standard_output() {
        let heard = check("echo out; echo err >&2; exit 3", Duration::from_secs(20)).expect("an answer");
        assert_eq!(heard, (Some(3), "out\n".to_owned()));
    }

    #[test]
    fn one_that_leaves_something_behind_is_not_waited_for() {
        let heard = check("sleep 1000 & echo out", Duration::from_secs(20)).expect("an answer");
        assert_eq!(heard.1, "out\n");
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let error = check("sleep 1000", Duration::from_millis(50)).expect_err("no answer");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = check("yes", Duration::from_secs(20)).expect_err("no answer");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
