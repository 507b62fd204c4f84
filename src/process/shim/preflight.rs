//! Before an agent is started: whether somebody is logged in, as far as its program says.
//!
//! It is asked in the very environment that it is to work in. Who is logged in is not asked again for a while; who
//! is not is asked each time, so that a person who has just logged in waits for nothing.
#![expect(clippy::disallowed_methods, reason = "how old a note is, the system's clock tells")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::core::login::LoginCheck;
use crate::core::process::Ending;
use crate::process::ask::{ask, shell};
use crate::process::shim::signals;

/// A program that takes longer has not said that nobody is logged in.
const PATIENCE: Duration = Duration::from_secs(5);

/// For so long nobody who is logged in is asked again.
const KEPT: Duration = Duration::from_mins(10);

/// Asks, and says how the process ends before it has begun when nobody is logged in.
pub(super) fn look(
    check: &LoginCheck,
    program: &Path,
    (variables, cwd): (&BTreeMap<OsString, OsString>, &Path),
) -> Result<(), Ending> {
    let hint = &check.hint;
    let is_set = |name: &String| variables.get(OsStr::new(name)).is_some_and(|value| !value.is_empty());
    let is_here = |file: &String| cwd.ancestors().any(|folder| folder.join(file).exists());
    if hint.unless.iter().any(is_set) || hint.unless_here.iter().any(is_here) {
        return Ok(());
    }
    let note = check.known.join(name(check, program, variables));
    if is_fresh(&note) {
        return Ok(());
    }
    if hint.is_missing(|words| answer(program, words, variables, cwd)) {
        let LoginCheck { title, log_in, .. } = check;
        return Err(Ending::NoLogin {
            cause: format!("nobody is logged in at {title}; do it by `{log_in}`"),
        });
    }
    // Without a note it is asked again, and that is all.
    let _ = put(&note);
    Ok(())
}

/// What the program says, on both of its streams.
fn answer(
    program: &Path,
    words: &[String],
    variables: &BTreeMap<OsString, OsString>,
    cwd: &Path,
) -> Option<String> {
    let mut command = shell("/bin/sh", &["-c", "exec \"$0\" \"$@\" 2>&1"]);
    command.arg(program).args(words).env_clear().envs(variables).current_dir(cwd);
    let answer = ask(&mut command, PATIENCE, signals::is_told).ok()?;
    Some(String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// The name of the note about whoever these variables mean.
fn name(check: &LoginCheck, program: &Path, variables: &BTreeMap<OsString, OsString>) -> String {
    let mut hasher = DefaultHasher::new();
    (program, &check.hint.ask).hash(&mut hasher);
    let value = |name: &String| variables.get(OsStr::new(name));
    for name in &check.by {
        (name, value(name)).hash(&mut hasher);
    }
    // Not by its value, of which a note is no place to keep anything.
    for name in &check.with {
        (name, value(name).is_some()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

fn is_fresh(note: &Path) -> bool {
    let made = fs::metadata(note).and_then(|found| found.modified());
    made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age < KEPT))
}

/// Makes a note, and removes those that count no more.
fn put(note: &Path) -> io::Result<()> {
    let folder = note.parent().map(PathBuf::from).unwrap_or_default();
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if !is_fresh(&path) {
            // Somebody else may have done so.
            let _ = fs::remove_file(path);
        }
    }
    File::create(note).map(drop)
}
