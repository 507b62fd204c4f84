//! Output: reading back what a process wrote, wherever it lies by now.
//!
//! A plain file is always whole; one that grew large is a compressed file once its run is over, with the
//! middle cut out when it was too much. Places in a stream are counted as the process wrote it, whatever
//! was cut, so that a reader who follows a run does not lose its place when the run is put away.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use flate2::read::GzDecoder;

use crate::core::id::TaskId;
use crate::core::process::ProcessKey;
use crate::core::process::files::{OUTCOME, OUTPUT_GONE, STDERR, STDOUT};

/// One of the two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What was written there; where the middle was cut out, a line that says so.
    pub bytes: Vec<u8>,
    /// Where the next part begins.
    pub next: u64,
    /// How much was written in all, so far.
    pub total: u64,
    /// Whether the process has ended and nothing comes after this part.
    ///
    /// A process that was lost leaves no word of its end; the store knows.
    pub complete: bool,
}

/// What was cut out of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Where.
    pub(super) at: u64,
    /// How much.
    pub(super) bytes: u64,
}

/// Reads what a process wrote to a stream from place `from` on, about `most` bytes of it.
///
/// What is not there is empty: a process that wrote nothing leaves no file.
pub fn read(runs: &Path, key: ProcessKey, stream: Stream, from: u64, most: usize) -> io::Result<Chunk> {
    let directory = runs.join(key.directory());
    // Asked first: once the end is known, the size that is found after it is final.
    let ended = directory.join(OUTCOME).try_exists()?;
    // In this order, since the compressed file is complete before the plain one goes.
    let chunk = match open(&directory.join(stream.file_name()))? {
        Some(file) => of_plain(file, from, most)?,
        None => match open(&directory.join(stream.kept_name()))? {
            Some(file) => of_kept(file, from, most)?,
            None => Chunk { bytes: Vec::new(), next: 0, total: 0, complete: false },
        },
    };
    Ok(Chunk { complete: ended && chunk.next == chunk.total, ..chunk })
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn of_plain(mut file: File, from: u64, most: usize) -> io::Result<Chunk> {
    let total = file.metadata()?.len();
    let from = from.min(total);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take((total - from).min(length(most))).read_to_end(&mut bytes)?;
    let next = from + length(bytes.len());
    Ok(Chunk { bytes, next, total, complete: false })
}

/// Whether the output of a run was removed for room.
pub fn is_gone(runs: &Path, run: TaskId) -> io::Result<bool> {
    runs.join(run.as_str()).join(OUTPUT_GONE).try_exists()
}

/// Whether everything that a process wrote to a stream is still there.
pub fn is_whole(runs: &Path, key: ProcessKey, stream: Stream) -> io::Result<bool> {
    if is_gone(runs, key.task)? {
        return Ok(false);
    }
    let kept = open(&runs.join(key.directory()).join(stream.kept_name()))?;
    Ok(kept.is_none_or(|file| cut_of(&GzDecoder::new(file)).is_none()))
}

fn cut_of(decoder: &GzDecoder<File>) -> Option<Cut> {
    let comment = decoder.header().and_then(|header| header.comment());
    comment.and_then(|comment| std::str::from_utf8(comment).ok()?.parse().ok())
}

fn of_kept(file: File, from: u64, most: usize) -> io::Result<Chunk> {
    let mut decoder = GzDecoder::new(file);
    let cut = cut_of(&decoder);
    let mut kept = Vec::new();
    decoder.read_to_end(&mut kept)?;
    let Some(cut) = cut else {
        let total = length(kept.len());
        let from = from.min(total);
        let bytes = part(&kept, from..total, most);
        return Ok(Chunk { next: from + length(bytes.len()), bytes, total, complete: false });
    };
    let marker = cut.marker();
    let shift = cut.bytes - length(marker.len());
    let total = length(kept.len()) + shift;
    let mut next = from.min(total);
    let mut bytes = part(&kept, next..cut.at, most);
    next += length(bytes.len());
    if bytes.len() < most && next >= cut.at && next < cut.at + cut.bytes {
        bytes.extend_from_slice(marker.as_bytes());
        next = cut.at + cut.bytes;
    }
    if next >= cut.at + cut.bytes {
        let tail = part(&kept, next - shift..total - shift, most.saturating_sub(bytes.len()));
        next += length(tail.len());
        bytes.extend(tail);
    }
    Ok(Chunk { bytes, next, total, complete: false })
}

/// At most the first `most` bytes of a range, which may be empty or turned around.
fn part(bytes: &[u8], range: Range<u64>, most: usize) -> Vec<u8> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let (start, end) = (place(range.start), place(range.end));
    bytes.get(start..end.min(start.saturating_add(most))).unwrap_or_default().to_vec()
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Stream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// The file in the run directory that holds it whole.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Stdout => STDOUT,
            Self::Stderr => STDERR,
        }
    }

    /// The file that holds what was kept of it.
    pub(super) fn kept_name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout.gz",
            Self::Stderr => "stderr.gz",
        }
    }
}

impl Cut {
    /// What stands in the place of what was cut.
    pub(super) fn marker(self) -> String {
        format!("\n[converge: {} bytes were cut out here]\n", self.bytes)
    }
}

/// As it stands in the comment of a compressed file.
impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {} {}", self.at, self.bytes)
    }
}

impl FromStr for Cut {
    type Err = NotACut;

    fn from_str(text: &str) -> Result<Self, NotACut> {
        let (at, bytes) = text.strip_prefix("cut ").and_then(|rest| rest.split_once(' ')).ok_or(NotACut)?;
        let number = |text: &str| text.parse().map_err(|_| NotACut);
        Ok(Self { at: number(at)?, bytes: number(bytes)? })
    }
}

/// A comment that somebody else wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotACut;
