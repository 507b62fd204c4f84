//! The system: what `/proc` says of a process.

use std::fs;
use std::io;
use std::time::Duration;

/// What a process has used since it began, all its threads together.
pub(crate) struct Usage {
    /// Time on a processor.
    pub cpu: Duration,
    /// How often one of its threads slept and woke.
    pub wakes: u32,
}

impl Usage {
    /// That of `pid` now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut usage = Self { cpu: Duration::ZERO, wakes: 0 };
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?.path();
            // Nanoseconds; the ticks of `stat` are as long as what is to be measured.
            let schedule = fs::read_to_string(thread.join("schedstat"))?;
            usage.cpu += Duration::from_nanos(number(schedule.split_ascii_whitespace().next())?);
            let status = fs::read_to_string(thread.join("status"))?;
            let wakes = number(field(&status, "voluntary_ctxt_switches"))?;
            usage.wakes += u32::try_from(wakes).unwrap_or(u32::MAX);
        }
        Ok(usage)
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
