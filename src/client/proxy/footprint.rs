//! The footprint: the code that only the start needed, given back.
//!
//! There are as many proxies as sessions, and each sleeps most of its life. What it gives back is what
//! the program's file still holds: the system reads a page again when it is needed after all.

use std::ffi::c_void;
use std::fs;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

/// Gives back the code that is in memory; where the system does not show which, nothing.
pub(super) fn shrink() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for Code { start, length } in maps.lines().filter_map(Code::read) {
        let start = NonNull::<c_void>::with_exposed_provenance(start);
        #[expect(
            unsafe_code,
            reason = "code is mapped from a file and never written, so the page that is read again is the same"
        )]
        // A mapping that cannot be given back stays.
        let _ = unsafe { madvise(start, length, MmapAdvise::MADV_DONTNEED) };
    }
}

/// Where code of a file is mapped.
#[derive(Debug, PartialEq, Eq)]
struct Code {
    start: NonZeroUsize,
    length: usize,
}

impl Code {
    /// Reads a line of the system's list of mappings; nothing from one that is not code of a file.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (range, rights, path) = (fields.next()?, fields.next()?, fields.nth(3)?);
        if rights != "r-xp" || !path.starts_with('/') {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        Some(Self { start: NonZeroUsize::new(start)?, length: end.checked_sub(start)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_files_is_given_back() {
        let read = |line: &str| Code::read(line).map(|code| (code.start.get(), code.length));
        assert_eq!(read("1000-3000 r-xp 00001000 08:01 42       /usr/bin/converge"), Some((0x1000, 0x2000)));
        assert_eq!(read("1000-3000 r--p 00001000 08:01 42       /usr/bin/converge"), None);
        assert_eq!(read("1000-3000 rwxp 00001000 08:01 42       /usr/bin/converge"), None);
        assert_eq!(read("1000-3000 r-xp 00000000 00:00 0        [vdso]"), None);
        assert_eq!(read("1000-3000 r-xp 00000000 00:00 0"), None);
        assert_eq!(read("nonsense"), None);
        // This very code is read again.
        shrink();
        assert_eq!(read("0-3000 r-xp 00001000 08:01 42 /x"), None);
    }
}
