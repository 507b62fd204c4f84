//! Tidying: the files of an attempt in their final form, and runs away for good.
//!
//! Everything may be asked twice and may be cut short anywhere: a plain file of output is whole until a
//! finished compressed file is beside it, and files that only a live process needs go last.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use crate::core::id::TaskId;
use crate::core::process::files::{
    AGENT, CONTROL, LAST, LINE, PROMPT, RESULT, RESULT_DRAFT, SPEC, STARTED, VERSION,
};
use crate::engine::ports::Tidy;
use crate::engine::work::output::{Cut, Stream};

/// Files between the daemon and a shim that mean nothing once the process has ended.
///
/// `spec` goes first: a shim that comes late and finds none starts nothing. `outcome` stays, as the word
/// that output is complete, and so does `revoked`.
const SPENT: [&str; 7] = [SPEC, LINE, LAST, CONTROL, PROMPT, STARTED, VERSION];

/// How often the removal of a run is tried; something may still be writing into it.
const DISCARD_TRIES: u32 = 5;

/// How much output is kept of an attempt that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// From the beginning of each stream.
    pub head_bytes: u64,
    /// From its end.
    pub tail_bytes: u64,
    /// Up to this size a stream stays as it is.
    pub plain_bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { head_bytes: 256 << 10, tail_bytes: 768 << 10, plain_bytes: 64 << 10 }
    }
}

impl Keep {
    /// What is cut out of a stream of this size; less than a page is not worth it.
    fn cut(&self, total: u64) -> Option<Cut> {
        let bytes = total.checked_sub(self.head_bytes + self.tail_bytes)?;
        (bytes > 4096).then_some(Cut { at: self.head_bytes, bytes })
    }
}

/// Puts the files of an attempt and of its checks in their final form.
pub(super) fn tidy(runs: &Path, keep: &Keep, tidy: &Tidy) {
    let attempt = runs.join(tidy.key.directory());
    // A run that was never claimed has no directory, and nobody would ever remove one made for it.
    let result = tidy.result.as_ref().filter(|_| tidy.key.attempt > 0);
    let run = runs.join(tidy.key.task.as_str());
    if result.is_some() {
        // The file that goes is the one that comes: where many were just removed, a file system looks
        // long for a fresh one. It is overwritten below, and nothing is lost when it is not there.
        let _ = fs::rename(attempt.join(SPEC), run.join(RESULT_DRAFT));
    }
    for directory in checks(&attempt).into_iter().chain([attempt]) {
        if let Err(error) = settle(&directory, keep) {
            tracing::warn!(directory = %directory.display(), %error, "cannot tidy a run directory");
        }
    }
    if let Some(result) = result
        && let Err(error) = write_result(&run, result)
    {
        tracing::warn!(run = %tidy.key.task, %error, "cannot write `result.json`");
    }
}

/// Removes everything that `tasks` left in `runs`; links that lead elsewhere are removed, not followed.
pub(super) fn discard(runs: &Path, tasks: &[TaskId]) {
    for task in tasks {
        let directory = runs.join(task.as_str());
        let removed = (0..DISCARD_TRIES).map(|_| fs::remove_dir_all(&directory));
        let gone = |removed: &io::Result<()>| {
            removed.as_ref().map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |()| true)
        };
        if !removed.into_iter().any(|removed| gone(&removed)) {
            tracing::warn!(directory = %directory.display(), "cannot remove a run directory");
        }
    }
}

/// The run directories of an attempt's checks: `c<need>/<try>`.
pub(super) fn checks(attempt: &Path) -> Vec<PathBuf> {
    let needs = folders(attempt, |name| name.strip_prefix('c').is_some_and(is_number));
    needs.iter().flat_map(|need| folders(need, is_number)).collect()
}

/// The folders within one whose names are as wanted; links are none.
pub(super) fn folders(within: &Path, named: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(within).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(&named))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Whether this is the name of an attempt, or of the try of a check.
pub(super) fn is_number(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn settle(directory: &Path, keep: &Keep) -> io::Result<()> {
    // First, since what an agent was given may be a secret; links in it lead to what is not ours, and stay.
    match fs::remove_dir_all(directory.join(AGENT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    for stream in Stream::ALL {
        put_away(directory, stream, keep)?;
    }
    for name in SPENT {
        match fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Replaces a stream that is large by what is kept of it.
fn put_away(directory: &Path, stream: Stream, keep: &Keep) -> io::Result<()> {
    let plain = directory.join(stream.file_name());
    let mut file = match File::open(&plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let total = file.metadata()?.len();
    if total <= keep.plain_bytes {
        return Ok(());
    }
    let kept = directory.join(stream.kept_name());
    let draft = kept.with_extension("gz.new");
    let target = private(&draft)?;
    match keep.cut(total) {
        None => {
            let mut gz = GzBuilder::new().write(target, Compression::fast());
            io::copy(&mut file, &mut gz)?;
            gz.finish()?.sync_data()?;
        }
        Some(cut) => {
            let comment = cut.to_string();
            let mut gz = GzBuilder::new().comment(comment).write(target, Compression::fast());
            io::copy(&mut (&file).take(cut.at), &mut gz)?;
            gz.write_all(cut.marker().as_bytes())?;
            file.seek(SeekFrom::Start(cut.at + cut.bytes))?;
            io::copy(&mut file, &mut gz)?;
            gz.finish()?.sync_data()?;
        }
    }
    fs::rename(&draft, &kept)?;
    fs::remove_file(&plain)
}

fn write_result(run: &Path, result: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(run)?;
    let draft = run.join(RESULT_DRAFT);
    // Cut to its length at last, not emptied at first: some file systems take the emptying of a file for
    // its replacement, and write it out at once.
    let mut file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&draft)?;
    file.write_all(result.as_bytes())?;
    file.set_len(result.len().try_into().unwrap_or(u64::MAX))?;
    fs::rename(&draft, run.join(RESULT))
}

fn private(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(true).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
