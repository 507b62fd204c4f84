//! Inspecting: finding out facts about an attempt that has ended.
//!
//! Output is looked at whole, and a gigabyte of it costs no memory: what is large is read in pieces to find
//! a text, and mapped to find a pattern, which may span any part of it. Whatever cannot be read makes a fact
//! unknown; nothing in here fails.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek};
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::ptr::NonNull;

use nix::libc::c_void;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};

use crate::core::condition::fact::{self, Fact, Need};
use crate::core::condition::pattern::Pattern;
use crate::core::process::files::SAID;
use crate::core::task::Known;
use crate::core::task::evidence::Evidence;
use crate::engine::ports::Inspect;
use crate::engine::work::output::{self, Stream};

/// Finds out every fact that needs no process.
pub fn facts(runs: &Path, inspect: &Inspect) -> Vec<Known> {
    let mut stdout = None;
    let known = |need: &Need| {
        let fact = match need {
            Need::Matches(_) | Need::Contains(_) => {
                let stdout = stdout.get_or_insert_with(|| Output::of(runs, inspect));
                of_output(need, stdout)?
            }
            Need::File(path) => match inspect.cwd.join(path).try_exists() {
                Ok(found) => Fact::of_file(path, found),
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => Fact::of_file(path, false),
                Err(error) => Fact::Unknown { why: format!("`{path}` cannot be looked at: {error}") },
            },
            Need::Check(_) => return None,
        };
        Some(Known { need: need.clone(), fact })
    };
    inspect.needs.iter().filter_map(known).collect()
}

/// A fact about output; none when `need` is not about it.
fn of_output(need: &Need, stdout: &io::Result<Output>) -> Option<Fact> {
    let unknown = |error: &io::Error| Fact::Unknown { why: format!("the output cannot be read: {error}") };
    let stdout = match stdout {
        Ok(stdout) => stdout,
        Err(error) => return Some(unknown(error)),
    };
    let fact = match need {
        Need::Matches(pattern) => stdout.matches(pattern),
        Need::Contains(text) => stdout.contains(text),
        Need::Check(_) | Need::File(_) => return None,
    };
    Some(fact.unwrap_or_else(|error| unknown(&error)))
}

/// Up to this size output is read into memory.
const HELD_MAX: u64 = 8 << 20;

/// How much of large output is searched at once.
const PIECE: u64 = 1 << 20;

/// The whole standard output of an attempt.
enum Output {
    /// All of it, or what was kept of it when it was put away already.
    Held(Vec<u8>),
    /// Where it lies.
    Large(File),
}

impl Output {
    fn of(runs: &Path, inspect: &Inspect) -> io::Result<Self> {
        let directory = runs.join(inspect.key.directory());
        match inspect.evidence {
            Evidence::Stdout => {}
            Evidence::Answer => {
                let said = fs::read(directory.join(SAID)).map(Self::Held);
                return said.map_err(|error| {
                    let is_missing = error.kind() == io::ErrorKind::NotFound;
                    if is_missing { io::Error::other("the agent gave no answer") } else { error }
                });
            }
            Evidence::Nothing { why } => return Err(io::Error::other(why)),
        }
        match File::open(directory.join(Stream::Stdout.file_name())) {
            Ok(file) if file.metadata()?.len() > HELD_MAX => Ok(Self::Large(file)),
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(HELD_MAX).read_to_end(&mut bytes)?;
                Ok(Self::Held(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let kept = output::read(runs, inspect.key, Stream::Stdout, 0, usize::MAX)?;
                Ok(Self::Held(kept.bytes))
            }
            Err(error) => Err(error),
        }
    }

    fn matches(&self, pattern: &Pattern) -> io::Result<Fact> {
        match self {
            Self::Held(bytes) => Ok(Fact::of_pattern(pattern, bytes)),
            Self::Large(file) => Ok(Fact::of_pattern(pattern, &Map::of(file)?)),
        }
    }

    fn contains(&self, text: &str) -> io::Result<Fact> {
        match self {
            Self::Held(bytes) => Ok(Fact::of_text(text, bytes)),
            Self::Large(file) => Ok(Fact::of_text_found(text, is_in(text, file)?)),
        }
    }
}

/// Looks for `text` in the whole of `file`, a piece at a time.
fn is_in(text: &str, mut file: &File) -> io::Result<bool> {
    let is_in = fact::finder(text);
    file.rewind()?;
    let mut window = Vec::new();
    loop {
        // What may be the beginning of the text is searched again with what follows it.
        let passed = window.len().saturating_sub(text.len());
        window.drain(..passed);
        let read = file.take(PIECE).read_to_end(&mut window)?;
        if is_in(&window) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
    }
}

/// A file in memory that is not in memory.
struct Map {
    address: NonNull<c_void>,
    length: NonZeroUsize,
}

impl Map {
    /// Maps `file`, which is not empty, to read, after making it one that nobody opens to write any more.
    fn of(file: &File) -> io::Result<Self> {
        // On a file system without modes it stays as it is.
        let _ = file.set_permissions(Permissions::from_mode(0o400));
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let length = NonZeroUsize::new(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        #[expect(unsafe_code, reason = "a fresh private mapping overlaps nothing that anybody refers to")]
        let address = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, file, 0) }?;
        #[expect(unsafe_code, reason = "advice about a mapping that was just made changes no content")]
        // Advice that is not taken costs speed alone.
        let _ = unsafe { madvise(address, length.get(), MmapAdvise::MADV_SEQUENTIAL) };
        Ok(Self { address, length })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        #[expect(
            unsafe_code,
            reason = "the mapping lives as long as `self`; the output of a process that has ended is replaced by \
                      rename and removed, never written to or shortened. This assumes that no program of the \
                      user, who is told where it lies, makes it writable again and cuts it meanwhile"
        )]
        unsafe {
            std::slice::from_raw_parts(self.address.as_ptr().cast(), self.length.get())
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the mapping is ours, whole, and nobody borrows from it any more")]
        // A mapping that cannot be removed stays until the process ends.
        let _ = unsafe { munmap(self.address, self.length.get()) };
    }
}

#[cfg(test)]
mod tests;
