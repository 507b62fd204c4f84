//! What every condition keeps to, whichever form it was written in.

use crate::core::condition::pattern::{self, Pattern};
use crate::core::condition::{Condition, Operator};
use crate::core::refusal::Problem;

/// How many conditions may be inside each other, the innermost counted.
pub(super) const LEVELS_MAX: usize = 16;

/// How many conditions without a condition inside there may be.
pub(super) const LEAVES_MAX: usize = 64;

/// The longest text to look for, and the longest path, in bytes.
const TEXT_MAX: usize = 4096;

/// The longest shell line, in bytes; the system takes no argument twice as long.
const COMMAND_MAX: usize = 64 << 10;

/// What can be written as text, for whoever wrote something else.
pub(super) const FORMS: &str = "write one of: exit 0, output /regex/, output \"text\", check \"command\", \
                                file PATH, not …, any(…, …), all(…, …)";

/// Why `convergence` is not taken, and what to write.
pub(super) fn convergence(place: &str) -> Problem {
    Problem::new(place, "`convergence` is no condition here: done is decided by what can be checked")
        .fix("write what must hold when the work is done, such as check \"cargo test\"")
}

pub(super) fn exit_code(code: i64, place: &str) -> Result<Condition, Problem> {
    match i32::try_from(code) {
        Ok(code @ 0..=255) => Ok(Condition::ExitCode(code)),
        _ => Err(Problem::new(place, format!("no process exits with {code}"))
            .fix("an exit code is a number from 0 to 255")),
    }
}

pub(super) fn matches(source: &str, place: &str) -> Result<Condition, Problem> {
    if source.is_empty() {
        return Err(Problem::new(place, "an empty pattern, which any output matches")
            .fix("write what to look for, such as output /all passed/"));
    }
    no_nul(source, place)?;
    no_longer_than(pattern::BYTES_MAX, source, place)?;
    Pattern::new(source).map(Condition::Matches).map_err(|why| {
        Problem::new(place, format!("bad regex: {why}"))
            .fix("correct the pattern, or look for plain text with output \"…\"")
    })
}

pub(super) fn contains(text: String, place: &str) -> Result<Condition, Problem> {
    if text.is_empty() {
        return Err(Problem::new(place, "an empty text, which any output contains")
            .fix("write what to look for, such as output \"all passed\""));
    }
    no_nul(&text, place)?;
    no_longer_than(TEXT_MAX, &text, place)?;
    Ok(Condition::Contains(text))
}

pub(super) fn check(command: String, place: &str) -> Result<Condition, Problem> {
    if command.trim().is_empty() {
        return Err(Problem::new(place, "an empty command")
            .fix("write the shell line to run, such as check \"cargo test\""));
    }
    no_nul(&command, place)?;
    no_longer_than(COMMAND_MAX, &command, place)?;
    Ok(Condition::Check(command))
}

pub(super) fn file(path: String, place: &str) -> Result<Condition, Problem> {
    if path.trim().is_empty() {
        return Err(
            Problem::new(place, "an empty path").fix("write the path of the file, such as file out.txt")
        );
    }
    no_nul(&path, place)?;
    no_longer_than(TEXT_MAX, &path, place)?;
    Ok(Condition::File(path))
}

/// Refuses the compound without members; `members` is how many were written, good or bad.
pub(super) fn members(operator: Operator, members: usize, place: &str) -> Result<(), Problem> {
    if members > 0 {
        return Ok(());
    }
    let word = operator.word();
    Err(Problem::new(place, format!("`{word}` of no conditions"))
        .fix(format!("put at least one condition inside, such as {word}(exit 0)")))
}

/// Refuses a condition that would be `level` deep; asked before going deeper, so that no text can
/// exhaust the stack.
pub(super) fn level(level: usize, place: &str) -> Result<(), Problem> {
    if level <= LEVELS_MAX {
        return Ok(());
    }
    Err(Problem::new(place, format!("more than {LEVELS_MAX} conditions inside each other"))
        .fix("flatten it, or put the logic into a script and check that"))
}

/// What reading came to: the condition when nothing is wrong with it, or else all that is.
pub(super) fn finish(
    condition: Option<Condition>,
    mut problems: Vec<Problem>,
) -> Result<Condition, Vec<Problem>> {
    let mut leaves = 0;
    if let Some(condition) = &condition {
        condition.each_leaf(&mut |_| leaves += 1);
    }
    if leaves > LEAVES_MAX {
        let problem = Problem::new("", format!("{leaves} conditions, and at most {LEAVES_MAX} are taken"));
        problems.push(problem.fix("put the checks into a script and check that"));
    }
    match condition {
        Some(condition) if problems.is_empty() => Ok(condition),
        _ => Err(problems),
    }
}

/// A text as it is quoted in a sentence: one line, and not long.
pub(super) fn shorten(text: &str) -> String {
    const LETTERS_MAX: usize = 100;
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    match text.char_indices().nth(LETTERS_MAX) {
        None => text.chars().map(plain).collect(),
        Some((end, _)) => text[..end].chars().map(plain).chain(['…']).collect(),
    }
}

fn no_nul(text: &str, place: &str) -> Result<(), Problem> {
    if text.contains('\0') {
        return Err(Problem::new(place, "a NUL character").fix("remove it"));
    }
    Ok(())
}

fn no_longer_than(most: usize, text: &str, place: &str) -> Result<(), Problem> {
    if text.len() > most {
        return Err(Problem::new(place, format!("{} bytes, and at most {most} are taken", text.len()))
            .fix("shorten it, or put it into a script and check that"));
    }
    Ok(())
}
