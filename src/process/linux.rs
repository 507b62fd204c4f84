//! What Linux gives, since 5.3: subreapers, pidfds and `/proc`.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::process::identity::Identity;
use crate::process::mark::{self, Search};

/// Makes this process the parent of every orphan below it.
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(prctl::set_child_subreaper(true)?)
}

/// Undoes `adopt_orphans`, which would outlast an exec.
pub(super) fn leave_orphans() {
    let _ = prctl::set_child_subreaper(false);
}

/// Makes the calling process die with `parent`, also when that has died already.
///
/// Called between fork and exec, so it must not allocate.
pub(super) fn die_with(parent: Pid) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if Pid::parent() == parent { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotFound)) }
}

/// This program, also when its file is replaced while it runs.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every platform")]
pub(super) fn own_program() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// Closes every descriptor but the first three; for a process that has not opened any itself.
pub(super) fn close_inherited() {
    #[expect(unsafe_code, reason = "nobody owns the descriptors that were open before this program")]
    unsafe {
        libc::close_range(3, libc::c_uint::MAX, 0);
    }
}

/// Makes room in a pipe, as much as anybody may have; a system with less to give leaves it as it is.
pub(super) fn widen(pipe: &impl AsFd) {
    let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(1 << 20));
}

/// The time since boot, suspended time included.
pub(super) fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// Which boot of the machine this is.
pub(super) fn boot() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// Who `pid` is now.
pub(super) fn identity_of(pid: i32) -> io::Result<Identity> {
    let stat = Stat::of(pid).ok_or(io::ErrorKind::NotFound)?;
    let pid_namespace = fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned();
    Ok(Identity { pid, started_ticks: stat.started_ticks, boot: boot()?, pid_namespace })
}

/// A process that cannot be mistaken for a later one with its pid.
#[derive(Debug)]
pub(super) struct Handle(OwnedFd);

impl Handle {
    /// Gets hold of the process, when it is there and is the one meant.
    pub(super) fn open(identity: &Identity) -> Option<Self> {
        let fd = pidfd_open(identity.pid).ok()?;
        // After the opening, so that what is verified is what was opened.
        (identity_of(identity.pid).ok()? == *identity).then_some(Self(fd))
    }

    /// Tells it to end.
    pub(super) fn terminate(&self) {
        let _ = pidfd_signal(&self.0, Signal::SIGTERM);
    }

    /// Tells it that what bounds its process has changed.
    pub(super) fn tell_control(&self) {
        let _ = pidfd_signal(&self.0, Signal::SIGUSR1);
    }

    /// A descriptor that becomes readable when the process ends, where there is such a thing.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature on every platform")]
    pub(super) fn end(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

/// Sends a signal to every process below this one.
pub(super) fn signal_tree(_main: Pid, signal: Signal) {
    let own = Pid::this().as_raw();
    let verified = |(pid, parent): (i32, i32)| {
        let fd = pidfd_open(pid).ok()?;
        // Verified after the opening; by then its parent may be gone, and it is ours.
        Stat::of(pid).is_some_and(|stat| [parent, own].contains(&stat.parent)).then_some(fd)
    };
    // All before the first signal: a parent that obeys at once would take its children out of sight.
    let tree: Vec<OwnedFd> = descendants().into_iter().filter_map(verified).collect();
    for process in tree {
        let _ = pidfd_signal(&process, signal);
    }
}

/// Whether processes of the tree are left that this process cannot wait for: never, by adoption.
pub(super) fn strays_left(_main: Pid) -> bool {
    false
}

/// The resident memory of all processes below this one; shared pages count for each.
pub(super) fn tree_bytes(_main: Pid) -> u64 {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| u64::try_from(size).ok());
    let pages: u64 = descendants().into_iter().filter_map(|(pid, _)| resident_pages(pid)).sum();
    pages * page.unwrap_or(4096)
}

fn resident_pages(pid: i32) -> Option<u64> {
    fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split(' ').nth(1)?.parse().ok()
}

/// Does nothing: an adopted tree is empty when there are no children left.
pub(super) fn sweep(_key: &str) {}

/// Kills what carries the mark of `key` in its environment.
pub(super) fn kill_marked(key: &str) -> Search {
    let own = Pid::this().as_raw();
    let mut search = Search { killed: 0, unclear: 0 };
    for pid in all_pids().into_iter().filter(|pid| *pid != own) {
        if is_marked(pid, key) {
            search.killed += usize::from(kill_if_marked(pid, key));
        } else {
            search.unclear += usize::from(is_between_programs(pid));
        }
    }
    search
}

fn kill_if_marked(pid: i32, key: &str) -> bool {
    // Read again after the opening: the pid may have passed to somebody else.
    let still = pidfd_open(pid).ok().filter(|_| is_marked(pid, key));
    still.is_some_and(|fd| pidfd_signal(&fd, Signal::SIGKILL).is_ok())
}

/// Whether `pid` is in the middle of an `exec`: alive, and for that moment without arguments and environment.
fn is_between_programs(pid: i32) -> bool {
    let is_blank = |file: &str| fs::read(format!("/proc/{pid}/{file}")).is_ok_and(|text| text.is_empty());
    is_blank("environ") && is_blank("cmdline") && Stat::of(pid).is_some_and(|stat| stat.is_program)
}

fn is_marked(pid: i32, key: &str) -> bool {
    environment_of(pid).is_some_and(|text| text.split(|byte| *byte == 0).any(|entry| mark::is_of(entry, key)))
}

/// The environment `pid` was started with, entries ended by NUL; none when it may not be read.
pub(super) fn environment_of(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The arguments `pid` was started with.
pub(super) fn arguments_of(pid: i32) -> Option<Vec<Vec<u8>>> {
    let text = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = text.strip_suffix(b"\0")?;
    Some(text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
}

/// The parent of `pid`.
pub(super) fn parent_of(pid: i32) -> Option<i32> {
    Stat::of(pid).map(|stat| stat.parent)
}

/// The kernel's flag for its own threads (`PF_KTHREAD`).
const OF_THE_KERNEL: u32 = 0x0020_0000;

struct Stat {
    parent: i32,
    started_ticks: u64,
    /// Whether it runs a program: it is neither dead nor a thread of the kernel.
    is_program: bool,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program comes in parentheses and may hold anything, more of them included.
        let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let flags: u32 = fields.nth(4)?.parse().ok()?;
        let started_ticks = fields.nth(12)?.parse().ok()?;
        let is_program = !matches!(state, "Z" | "X") && flags & OF_THE_KERNEL == 0;
        Some(Self { parent, started_ticks, is_program })
    }
}

/// Every process below this one, with its parent.
fn descendants() -> Vec<(i32, i32)> {
    let own = Pid::this().as_raw();
    let mut found: Vec<(i32, i32)> = children(own).into_iter().map(|child| (child, own)).collect();
    let mut next = 0;
    while let Some((parent, _)) = found.get(next).copied() {
        found.extend(children(parent).into_iter().map(|child| (child, parent)));
        next += 1;
    }
    found
}

fn children(of: i32) -> Vec<i32> {
    let tasks = pids_in(Path::new(&format!("/proc/{of}/task")));
    let lists: Vec<String> = tasks
        .iter()
        .filter_map(|task| fs::read_to_string(format!("/proc/{of}/task/{task}/children")).ok())
        .collect();
    if lists.is_empty() && !tasks.is_empty() {
        // A kernel built without these lists.
        return all_pids().into_iter().filter(|pid| parent_of(*pid) == Some(of)).collect();
    }
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}

fn all_pids() -> Vec<i32> {
    pids_in(Path::new("/proc"))
}

fn pids_in(folder: &Path) -> Vec<i32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn pidfd_open(pid: i32) -> nix::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "a system call without a safe wrapper; it takes two integers")]
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = RawFd::try_from(Errno::result(fd)?).map_err(|_| Errno::EBADF)?;
    #[expect(unsafe_code, reason = "the call has just returned this descriptor, so nobody else owns it")]
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn pidfd_signal(fd: &OwnedFd, signal: Signal) -> nix::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    #[expect(unsafe_code, reason = "a system call without a safe wrapper; the pointer may be null")]
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal as i32, none, 0) };
    Errno::result(sent).map(drop)
}
