#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::io::Read;

use super::*;
use crate::core::process::{CheckTry, ProcessKey};
use crate::engine::work::output::{Chunk, read};

const KEEP: Keep = Keep { head_bytes: 1000, tail_bytes: 3000, plain_bytes: 500 };

struct Runs(tempfile::TempDir);

impl Runs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, key: ProcessKey, name: &str, content: &[u8]) -> PathBuf {
        let directory = self.path().join(key.directory());
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(name), content).unwrap();
        directory
    }

    fn tidy(&self, result: Option<&str>) {
        tidy(self.path(), &KEEP, &Tidy { key: key(), result: result.map(str::to_owned) });
    }

    fn read(&self, from: u64, most: usize) -> Chunk {
        read(self.path(), key(), Stream::Stdout, from, most).unwrap()
    }
}

fn key() -> ProcessKey {
    ProcessKey::attempt(TaskId::from_bits(7), 2)
}

/// Bytes that are different everywhere.
fn output(length: usize) -> Vec<u8> {
    (0..).flat_map(|number: u32| format!("{number}\n").into_bytes()).take(length).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn small_output_stays_and_the_files_of_the_process_go() {
    let runs = Runs::new();
    for name in ["spec", "started", "line", "last.json", "control", "version", "outcome", "revoked"] {
        runs.write(key(), name, b"x");
    }
    let directory = runs.write(key(), "stdout", b"hello\n");
    fs::create_dir(directory.join("agent")).unwrap();
    runs.write(key(), "agent/mcp.json", b"{}");
    runs.tidy(Some("{}"));
    assert_eq!(names(&directory), ["outcome", "revoked", "stdout"]);
    let result = directory.parent().unwrap().join("result.json");
    assert_eq!(fs::read_to_string(result).unwrap(), "{}");
    let whole = Chunk { bytes: b"hello\n".to_vec(), next: 6, total: 6, complete: true };
    assert_eq!(runs.read(0, 100), whole);
}

#[test]
fn what_an_overlay_leads_to_stays() {
    let runs = Runs::new();
    let user = runs.path().join("user");
    fs::create_dir(&user).unwrap();
    fs::write(user.join("key"), "secret").unwrap();
    let home = runs.write(key(), "stdout", b"hello\n").join("agent/.home");
    fs::create_dir_all(&home).unwrap();
    std::os::unix::fs::symlink(&user, home.join(".agent")).unwrap();
    // Nor does output that cannot be put away keep a secret there.
    fs::create_dir(home.join("../../stderr")).unwrap();
    runs.tidy(None);
    assert!(!home.parent().unwrap().exists());
    assert_eq!(fs::read_to_string(user.join("key")).unwrap(), "secret");
}

#[test]
fn large_output_is_compressed_whole() {
    let runs = Runs::new();
    let written = output(4000);
    let directory = runs.write(key(), "stdout", &written);
    runs.tidy(None);
    assert_eq!(names(&directory), ["stdout.gz"]);
    assert_eq!(runs.read(0, 9999).bytes, written);
    assert_eq!(runs.read(100, 10).bytes, written[100..110]);
}

#[test]
fn very_large_output_keeps_head_and_tail_and_says_what_was_cut() {
    let runs = Runs::new();
    let written = output(50_000);
    let directory = runs.write(key(), "stdout", &written);
    runs.write(key(), "outcome", b"{}");
    runs.tidy(None);
    let mut shown = Vec::new();
    let file = File::open(directory.join("stdout.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut shown).unwrap();
    let marker = b"\n[converge: 46000 bytes were cut out here]\n";
    let expected = [&written[..1000], marker, &written[47_000..]].concat();
    assert_eq!(String::from_utf8(shown).unwrap(), String::from_utf8(expected.clone()).unwrap());
    let whole = Chunk { bytes: expected, next: 50_000, total: 50_000, complete: true };
    assert_eq!(runs.read(0, usize::MAX), whole);
}

#[test]
fn a_reader_keeps_its_place_when_the_middle_is_cut() {
    let runs = Runs::new();
    let written = output(50_000);
    runs.write(key(), "stdout", &written);
    let before = runs.read(47_100, 200);
    runs.tidy(None);
    assert_eq!(runs.read(47_100, 200), before);
    assert_eq!(
        runs.read(900, 100),
        Chunk { bytes: written[900..1000].to_vec(), next: 1000, total: 50_000, complete: false }
    );
    let inside = runs.read(20_000, 60);
    assert!(inside.bytes.starts_with(b"\n[converge: 46000"), "{inside:?}");
    assert_eq!(inside.next, 47_000 + 60 - 43);
    assert_eq!(
        runs.read(99_999, 10),
        Chunk { bytes: Vec::new(), next: 50_000, total: 50_000, complete: false }
    );
}

#[test]
fn tidying_again_changes_nothing_and_mends_what_was_cut_short() {
    let runs = Runs::new();
    let written = output(50_000);
    let directory = runs.write(key(), "stdout", &written);
    runs.tidy(None);
    let once = runs.read(0, usize::MAX);
    runs.tidy(None);
    assert_eq!(runs.read(0, usize::MAX), once);
    // As if the process had ended before the plain file was gone, or in the middle of a draft.
    runs.write(key(), "stdout", &written);
    runs.write(key(), "stdout.gz.new", b"half");
    runs.tidy(None);
    assert_eq!(names(&directory), ["stdout.gz"]);
    assert_eq!(runs.read(0, usize::MAX), once);
}

#[test]
fn checks_are_tidied_with_their_attempt() {
    let runs = Runs::new();
    let check = ProcessKey { check: Some(CheckTry { need: 3, number: 1 }), ..key() };
    runs.write(check, "spec", b"x");
    let directory = runs.write(check, "stderr", &output(600));
    runs.tidy(None);
    assert_eq!(names(&directory), ["stderr.gz"]);
}

#[test]
fn a_growing_file_is_read_as_far_as_it_goes() {
    let runs = Runs::new();
    assert_eq!(runs.read(0, 10), Chunk { bytes: Vec::new(), next: 0, total: 0, complete: false });
    runs.write(key(), "stdout", b"one ");
    let first = runs.read(0, 10);
    assert_eq!((first.next, first.complete), (4, false));
    runs.write(key(), "stdout", b"one two");
    runs.write(key(), "outcome", b"{}");
    assert_eq!(runs.read(4, 10), Chunk { bytes: b"two".to_vec(), next: 7, total: 7, complete: true });
}

#[test]
fn discarding_removes_a_run_and_follows_no_link() {
    let runs = Runs::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("precious"), "").unwrap();
    let directory = runs.write(key(), "stdout", b"x");
    std::os::unix::fs::symlink(elsewhere.path(), directory.join("link")).unwrap();
    let linked = TaskId::from_bits(8);
    std::os::unix::fs::symlink(elsewhere.path(), runs.path().join(linked.as_str())).unwrap();
    discard(runs.path(), &[key().task, linked, TaskId::from_bits(9)]);
    assert_eq!(names(runs.path()), [""; 0]);
    assert_eq!(names(elsewhere.path()), ["precious"]);
}

#[test]
fn a_run_that_was_never_claimed_leaves_no_directory() {
    let runs = Runs::new();
    let key = ProcessKey::attempt(TaskId::from_bits(7), 0);
    tidy(runs.path(), &KEEP, &Tidy { key, result: Some("{}".to_owned()) });
    assert_eq!(names(runs.path()), [""; 0]);
}
