//! Shrinking: the oldest output goes when all of it takes too much room.
//!
//! Only runs with a `result.json` are looked at, which a run gets once it is over and its files are in
//! their final form: so nothing goes that is still written or evaluated. Everything but the output stays, and a mark says
//! that there was some.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::core::process::files::{OUTPUT_GONE, RESULT};
use crate::engine::work::output::Stream;
use crate::engine::work::tidy;

/// The output of a run that is over.
struct Kept {
    folder: PathBuf,
    over_at: SystemTime,
    bytes: u64,
    files: Vec<(PathBuf, u64)>,
}

/// Removes the output of the runs in `runs` that ended first, until the rest takes at most `most` bytes.
pub(super) fn shrink(runs: &Path, most: u64) {
    let mut all: Vec<Kept> = tidy::folders(runs, |_| true)
        .iter()
        .filter_map(|run| Kept::of(run))
        .filter(|run| run.bytes > 0)
        .collect();
    all.sort_by_key(|run| run.over_at);
    let mut total: u64 = all.iter().map(|run| run.bytes).sum();
    let mut gone = 0;
    for run in &all {
        if total <= most {
            break;
        }
        // Before it goes, so that whoever finds none knows why.
        if let Err(error) = fs::write(run.folder.join(OUTPUT_GONE), []) {
            tracing::warn!(run = %run.folder.display(), %error, "old output stays, it cannot be marked");
            continue;
        }
        for (file, bytes) in &run.files {
            match fs::remove_file(file) {
                Ok(()) => total -= bytes,
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "old output was not removed");
                }
            }
        }
        gone += 1;
    }
    if gone > 0 {
        tracing::info!(runs = gone, left_bytes = total, "removed the oldest output, there was too much");
    }
}

impl Kept {
    fn of(run: &Path) -> Option<Self> {
        let over_at = fs::metadata(run.join(RESULT)).ok()?.modified().ok()?;
        let attempts = tidy::folders(run, tidy::is_number);
        let places = attempts.into_iter().flat_map(|attempt| {
            let checks = tidy::checks(&attempt);
            checks.into_iter().chain([attempt])
        });
        let names = Stream::ALL.map(|stream| [stream.file_name(), stream.kept_name()]);
        let files = places.flat_map(|place| {
            names.as_flattened().iter().map(move |name| place.join(name)).collect::<Vec<_>>()
        });
        let mut kept = Self { folder: run.to_owned(), over_at, bytes: 0, files: Vec::new() };
        for file in files {
            if let Ok(found) = fs::metadata(&file) {
                kept.bytes += found.len();
                kept.files.push((file, found.len()));
            }
        }
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    /// A run with 100 bytes of output in its attempt and in a check, over so many seconds after 1970.
    fn run(runs: &Path, name: &str, over_at: Option<u64>) {
        let check = runs.join(name).join("1/c0/1");
        fs::create_dir_all(&check).expect("a folder");
        fs::write(runs.join(name).join("1/stdout.gz"), [0; 60]).expect("a file");
        fs::write(check.join("stderr"), [0; 40]).expect("a file");
        fs::write(runs.join(name).join("1/outcome"), [0; 1000]).expect("a file");
        if let Some(over_at) = over_at {
            let result = File::create(runs.join(name).join(RESULT)).expect("a file");
            result.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(over_at)).expect("a time");
        }
    }

    #[test]
    fn the_oldest_output_goes_and_never_that_of_a_run_under_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path();
        run(runs, "newest", Some(30));
        run(runs, "oldest", Some(10));
        run(runs, "middle", Some(20));
        run(runs, "live", None);
        let left = || {
            ["oldest", "middle", "newest", "live"].map(|name| runs.join(name).join("1/stdout.gz").exists())
        };
        shrink(runs, 300);
        assert_eq!(left(), [true; 4], "as much as there may be");
        shrink(runs, 299);
        assert_eq!(left(), [false, true, true, true]);
        let is_marked = |name: &str| runs.join(name).join(OUTPUT_GONE).exists();
        assert_eq!((is_marked("oldest"), is_marked("middle")), (true, false));
        assert!(!runs.join("oldest/1/c0/1/stderr").exists() && runs.join("oldest/1/outcome").exists());
        shrink(runs, 0);
        assert_eq!(left(), [false, false, false, true]);
    }

    #[test]
    fn what_cannot_be_removed_still_takes_its_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path();
        run(runs, "oldest", Some(10));
        run(runs, "newest", Some(20));
        // A folder is no file, and cannot be removed as one.
        fs::remove_file(runs.join("oldest/1/stdout.gz")).expect("a file");
        fs::create_dir(runs.join("oldest/1/stdout.gz")).expect("a folder");
        let stuck = fs::metadata(runs.join("oldest/1/stdout.gz")).expect("a folder").len();
        shrink(runs, 100 + stuck - 1);
        assert!(!runs.join("newest/1/stdout.gz").exists(), "the room was not there yet");
    }
}
