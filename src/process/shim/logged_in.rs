//! Whether somebody is logged in at an agent, as far as its program says, before it is asked to work.
//!
//! It is asked in the very environment that it is to work in. Who is logged in is not asked again for a while; who
//! is not is asked each time, so that a person who has just logged in waits for nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::core::login::{Heard, LoginCheck};
use crate::core::process::Ending;
use crate::process::ask::said;
use crate::process::shim::signals;
use crate::programs::is_here;

/// For so long nobody who is logged in is asked again.
const KEPT: Duration = Duration::from_mins(10);

/// Asks, and says how the process ends before it has begun when nobody is logged in.
pub(super) fn look(
    check: &LoginCheck,
    program: &Path,
    variables: &BTreeMap<OsString, OsString>,
    cwd: &Path,
) -> Result<(), Ending> {
    let question = &check.question;
    let value = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let is_paid = question.unless.iter().any(|name| value(name).is_some());
    if is_paid || is_here(&question.unless_here, cwd, value("HOME").map(Path::new)) {
        return Ok(());
    }
    let note = check.notes.join(note_name(check, program, variables, cwd));
    if is_fresh(&note) {
        return Ok(());
    }
    let patience = Duration::from_millis(check.patience.as_ms());
    let answer = |words: &[String]| said((program, words), variables, cwd, (patience, signals::is_told)).ok();
    let heard = question.put(answer);
    if signals::is_told() {
        return Err(Ending::SpawnFailed { cause: "it was ended before it began".to_owned() });
    }
    match heard {
        Heard::Nobody => {
            let how = check.log_in.as_ref().map(|line| format!("; do it by `{line}`")).unwrap_or_default();
            Err(Ending::NoLogin { cause: format!("nobody is logged in at {}{how}", check.who) })
        }
        Heard::Somebody => {
            // Without a note it is asked again, and that is all.
            let _ = put(&check.notes, &note);
            Ok(())
        }
        Heard::Nothing => Ok(()),
    }
}

/// The name of the note about whoever these variables mean.
fn note_name(
    check: &LoginCheck,
    program: &Path,
    variables: &BTreeMap<OsString, OsString>,
    cwd: &Path,
) -> String {
    let value = |name: &String| variables.get(OsStr::new(name));
    let named_by: Vec<_> = check.named_by.iter().map(|name| (name, value(name))).collect();
    // Not by their values, of which a note is no place to keep anything.
    let others: Vec<_> = variables.keys().filter(|name| !name.as_bytes().starts_with(b"CONVERGE_")).collect();
    let mut hasher = DefaultHasher::new();
    (program, cwd, &check.question.first, named_by, others).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[expect(clippy::disallowed_methods, reason = "how old a note is, the system's clock tells")]
fn is_fresh(note: &Path) -> bool {
    let made = fs::metadata(note).and_then(|found| found.modified());
    made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age < KEPT))
}

/// Makes a note, and removes those that count no more.
fn put(notes: &Path, note: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(notes)?;
    for entry in fs::read_dir(notes)? {
        let path = entry?.path();
        if !is_fresh(&path) {
            // Somebody else may have done so.
            let _ = fs::remove_file(path);
        }
    }
    File::create(note).map(drop)
}
