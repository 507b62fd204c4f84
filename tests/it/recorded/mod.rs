//! Recorded outputs of the real agent CLIs, and how they are read.
//!
//! `tests/agents/recorded/<cli>-<version>` holds for each case what was written and how it ended: an exit
//! code, or `late` where it was ended after trying again for a long time. Paths and ports are made plain.
//! The tests of the real CLIs record them anew with `CONVERGE_RECORD=1`.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod fuzz;
mod garbage;
mod readings;
mod stories;

use std::fs;
use std::path::{Path, PathBuf};

use converge::agent::catalogue::Catalogue;
use converge::agent::interpret::Interpreter;
use converge::agent::manifest::Manifest;
use converge::agent::outcome::{self, Outcome};
use converge::agent::signals::Signals;
use converge::core::process::{Cut, Ending};

/// What a CLI wrote and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// None when it was ended from outside.
    pub(crate) exit: Option<i32>,
}

/// How a recording is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) signals: Signals,
    pub(crate) outcome: Outcome,
}

impl Recording {
    /// The recording of a case with the version that the manifest was seen to be right for.
    #[track_caller]
    pub(crate) fn of(manifest: &Manifest, case: &str) -> Self {
        let folder = folder(manifest);
        let exit = fs::read_to_string(folder.join(format!("{case}.exit")))
            .unwrap_or_else(|error| panic!("{} {case}: {error}", manifest.name));
        Self {
            stdout: fs::read(folder.join(format!("{case}.stdout"))).unwrap(),
            // There is none where nothing was written.
            stderr: fs::read(folder.join(format!("{case}.stderr"))).unwrap_or_default(),
            exit: exit.trim().parse().ok(),
        }
    }

    /// Puts it where [`Self::of`] finds it.
    pub(crate) fn keep(&self, manifest: &Manifest, case: &str) {
        let folder = folder(manifest);
        fs::create_dir_all(&folder).unwrap();
        let write =
            |ending: &str, bytes: &[u8]| fs::write(folder.join(format!("{case}.{ending}")), bytes).unwrap();
        write("stdout", &self.stdout);
        if !self.stderr.is_empty() {
            write("stderr", &self.stderr);
        }
        let exit = self.exit.map_or_else(|| "late".to_owned(), |code| code.to_string());
        write("exit", format!("{exit}\n").as_bytes());
    }

    /// How many calls of tools begin in it, and how many end.
    pub(crate) fn tools(&self, manifest: &Manifest) -> [usize; 2] {
        let text = String::from_utf8_lossy(&self.stdout);
        let output = &manifest.output;
        [&output.tool_starts, &output.tool_ends]
            .map(|texts| texts.iter().map(|word| text.matches(word.as_str()).count()).sum())
    }

    pub(crate) fn read(&self, manifest: &Manifest) -> Reading {
        let mut interpreter = Interpreter::new(manifest);
        interpreter.stdout(&self.stdout);
        interpreter.stderr(&self.stderr);
        let signals = interpreter.end();
        let outcome = match self.exit {
            Some(code) => outcome::judge(manifest, &signals, (&Ending::Exited(code), None)),
            None => outcome::judge(manifest, &signals, (&Ending::Signalled(9), Some(Cut::Idle))),
        };
        Reading { signals, outcome }
    }
}

/// The manifest of an agent that comes along.
#[track_caller]
pub(crate) fn manifest(agent: &str) -> Manifest {
    Catalogue::of(Vec::new()).find(agent).expect(agent).manifest.as_ref().clone()
}

fn folder(manifest: &Manifest) -> PathBuf {
    let seen = manifest.seen.as_deref().expect("only what was seen is recorded");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/agents/recorded/{}-{seen}", manifest.name))
}

/// The cases that are recorded of an agent.
fn cases(manifest: &Manifest) -> Vec<String> {
    let entries = fs::read_dir(folder(manifest)).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut cases: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".exit")?.to_owned())).collect();
    cases.sort();
    cases
}

/// The agents of which there are recordings.
const RECORDED: [&str; 7] = ["claude", "codex", "gemini", "opencode", "copilot", "qwen", "kimi"];

/// That `read`, which takes output in pieces of some size, finds the same in it whatever that is.
fn check_pieces<T: PartialEq + std::fmt::Debug>(read: impl Fn(&Manifest, &[u8], usize) -> T) {
    for agent in RECORDED {
        let manifest = manifest(agent);
        for case in cases(&manifest) {
            let stdout = Recording::of(&manifest, &case).stdout;
            let whole = read(&manifest, &stdout, usize::MAX);
            for piece in [1, 7, 4096] {
                assert_eq!(read(&manifest, &stdout, piece), whole, "{agent} {case} {piece}");
            }
        }
    }
}
