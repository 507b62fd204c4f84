//! The system: what `/proc` says of a process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::time::Duration;

/// What each thread of a process has used since it began.
pub(crate) struct Usage(BTreeMap<OsString, Thread>);

/// What one thread has used.
#[derive(Clone, Copy, Default)]
pub(crate) struct Thread {
    /// Time on a processor.
    pub cpu: Duration,
    /// How often it slept and woke.
    pub wakes: u32,
}

impl Usage {
    /// That of `pid` now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?;
            // Nanoseconds; the ticks of `stat` are as long as what is to be measured.
            let schedule = fs::read_to_string(thread.path().join("schedstat"))?;
            let cpu = Duration::from_nanos(number(schedule.split_ascii_whitespace().next())?);
            let status = fs::read_to_string(thread.path().join("status"))?;
            let wakes = number(field(&status, "voluntary_ctxt_switches"))?;
            let wakes = u32::try_from(wakes).unwrap_or(u32::MAX);
            threads.insert(thread.file_name(), Thread { cpu, wakes });
        }
        Ok(Self(threads))
    }

    /// What the threads that are left have used since then.
    pub(crate) fn since(&self, before: &Self) -> Thread {
        let mut used = Thread::default();
        for (thread, now) in &self.0 {
            let then = before.0.get(thread).copied().unwrap_or_default();
            used.cpu += now.cpu.saturating_sub(then.cpu);
            used.wakes += now.wakes.saturating_sub(then.wakes);
        }
        used
    }
}

/// A field in kilobytes of one of the files of `pid`.
pub(crate) fn kilobytes(pid: u32, file: &str, name: &str) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let kilobytes = number(field(&text, name))?;
    Ok(f64::from(u32::try_from(kilobytes).unwrap_or(u32::MAX)))
}

/// The processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let list = fs::read_to_string(thread?.path().join("children"))?;
        children.extend(list.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Ok(children)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line?.split_ascii_whitespace().next()
}

fn number(text: Option<&str>) -> io::Result<u64> {
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no number: {text:?}")))
}
