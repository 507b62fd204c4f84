//! The complaint: what is said to whoever reads the log of a client, as far as anybody does.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd;

/// The most that a pipe which is ready takes without making us wait.
const BYTES_MAX: usize = 4 << 10;

/// Says a sentence, unless that would mean to wait: one that nobody reads is not worth a session.
pub(super) fn say(sentence: &str, to: &impl AsFd) {
    let mut fds = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    let is_ready = poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
    let is_open = fds[0].revents().is_some_and(|flags| flags.contains(PollFlags::POLLOUT));
    if is_ready && is_open {
        let mut line = format!("converge mcp: {sentence}").into_bytes();
        line.truncate(BYTES_MAX - 1);
        line.push(b'\n');
        let _ = unistd::write(to, &line);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    #[test]
    fn a_pipe_that_nobody_reads_keeps_nobody_waiting() {
        let (read, write) = unistd::pipe().expect("a pipe");
        // Would never come to an end if one of them had to wait.
        for _ in 0..1000 {
            say(&"x".repeat(10_000), &write);
        }
        drop(write);
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert!(!lines.is_empty() && lines.len() < 1000, "{}", lines.len());
        for line in lines {
            assert!(line.starts_with("converge mcp: xxx") && line.len() == BYTES_MAX - 1, "{}", line.len());
        }
    }
}
