//! Prompts as they are given to agents: read, filled in and never anywhere but in a private file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

use crate::core::assignment;
use crate::core::process::ProcessKey;
use crate::core::process::files::{SAID, STDOUT};
use crate::core::prompt::{PROMPT_MAX, mentions, problems, render};
use crate::engine::ports::Prompt;
use crate::process::rundir::RunDir;

/// So much is told of what the run before said.
const RESULT_MAX: u64 = 64 << 10;

/// The prompt of a launch with everything in it that differs from run to run, or what is wrong with it where.
pub(super) fn written(runs: &Path, prompt: Prompt) -> Result<String, String> {
    let Prompt { source, values, result_of, feedback } = prompt;
    let (place, text) = match source {
        assignment::Prompt::Text(text) => ("prompt".to_owned(), text),
        assignment::Prompt::File(path) => {
            let place = format!("prompt file `{path}`");
            let text = read(Path::new(&path)).map_err(|error| format!("{place}: {error}"))?;
            (place, text)
        }
    };
    if let Some(problem) = problems("prompt", &text).into_iter().next() {
        let fix = problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
        return Err(format!("{place}: {}{fix}", problem.message));
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
    // A pipe that nobody writes to is neither waited for nor read.
    let file = File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.len() > PROMPT_MAX {
        let length = found.len();
        return Err(io::Error::other(format!("{length} bytes, more than {PROMPT_MAX}")));
    }
    let mut text = String::new();
    file.take(PROMPT_MAX).read_to_string(&mut text)?;
    if text.trim().is_empty() {
        return Err(io::Error::other("it says nothing"));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_prompt_is_read_from_a_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let refused = |name: &str| read(&at(name)).expect_err(name).to_string();
        std::fs::write(at("good"), "tidy up").expect("a file");
        assert_eq!(read(&at("good")).expect("it is text"), "tidy up");
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert!(refused("pipe").ends_with("it is no file"));
        assert!(refused("").ends_with("it is no file"));
        let long = File::create(at("long")).expect("a file");
        long.set_len(PROMPT_MAX + 1).expect("a long file");
        assert!(refused("long").ends_with("more than 4194304"));
        std::fs::write(at("empty"), " \n").expect("a file");
        assert!(refused("empty").ends_with("it says nothing"));
    }

    #[test]
    fn what_is_wrong_with_a_prompt_is_said_with_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ask.md").display().to_string();
        let refused = |source| {
            let prompt = Prompt { source, values: BTreeMap::new(), result_of: None, feedback: None };
            written(folder.path(), prompt).expect_err("a refusal")
        };
        let of_file = |text: &str| {
            std::fs::write(&file, text).expect("a file");
            refused(assignment::Prompt::File(file.clone()))
        };
        let gone = refused(assignment::Prompt::File("/gone.md".to_owned()));
        assert!(gone.starts_with("prompt file `/gone.md`: No such file"), "{gone}");
        assert_eq!(of_file(" "), format!("prompt file `{file}`: it says nothing"));
        let unknown = of_file("do {{job.nmae}}");
        assert!(
            unknown.starts_with(&format!("prompt file `{file}`: ")) && unknown.contains("job.name"),
            "{unknown}"
        );
        let text = refused(assignment::Prompt::Text("do {{job.nmae}}".to_owned()));
        assert!(text.starts_with("prompt: "), "{text}");
    }
}
