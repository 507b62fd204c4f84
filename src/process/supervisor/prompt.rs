//! Prompts as they are given to agents: read, filled in and never anywhere but in a private file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::core::assignment;
use crate::core::process::ProcessKey;
use crate::core::process::files::{SAID, STDOUT};
use crate::core::prompt::{mentions, problems, render};
use crate::engine::ports::Prompt;
use crate::process::rundir::RunDir;

/// A longer prompt is refused.
const PROMPT_MAX: u64 = 16 << 20;

/// So much is told of what the run before said.
const RESULT_MAX: u64 = 64 << 10;

/// The prompt of a launch with everything in it that differs from run to run.
pub(super) fn written(runs: &Path, prompt: Prompt) -> io::Result<String> {
    let Prompt { source, values, result_of, feedback } = prompt;
    let text = match source {
        assignment::Prompt::Text(text) => text,
        assignment::Prompt::File(path) => read(Path::new(&path))?,
    };
    if let Some(problem) = problems("prompt", &text).into_iter().next() {
        return Err(io::Error::other(format!("the prompt: {}", problem.message)));
    }
    let written = render(&text, |name| match name {
        "last.result" => result_of.map(|key| result(runs, key)),
        name => values.get(name).cloned(),
    });
    Ok(match feedback.filter(|_| !mentions(&text, "feedback")) {
        Some(feedback) => format!("{}\n\n{feedback}\n", written.trim_end()),
        None => written,
    })
}

fn read(path: &Path) -> io::Result<String> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("prompt file `{}`: {error}", path.display()));
    let file = File::open(path).map_err(named)?;
    let length = file.metadata().map_err(named)?.len();
    if length > PROMPT_MAX {
        return Err(named(io::Error::other(format!("{length} bytes, more than {PROMPT_MAX}"))));
    }
    let mut text = String::new();
    file.take(PROMPT_MAX).read_to_string(&mut text).map_err(named)?;
    if text.trim().is_empty() {
        return Err(named(io::Error::other("it says nothing")));
    }
    Ok(text)
}

/// What an attempt said in the end: an agent's own words, or the end of what a command wrote.
fn result(runs: &Path, key: ProcessKey) -> String {
    let dir = RunDir::of(runs, key);
    let found = [SAID, STDOUT].iter().find_map(|name| end(&dir.file(name)).ok());
    found.unwrap_or_default()
}

fn end(path: &Path) -> io::Result<String> {
    use std::io::Seek;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(length.saturating_sub(RESULT_MAX)))?;
    let mut bytes = Vec::new();
    file.take(RESULT_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
