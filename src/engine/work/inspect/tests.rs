#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::fs;

use super::*;
use crate::core::id::TaskId;
use crate::core::process::ProcessKey;
use crate::engine::ports::Tidy;
use crate::engine::work::tidy::{Keep, tidy};

fn inspect(folder: &Path, needs: &[Need]) -> Vec<Fact> {
    let key = ProcessKey::attempt(TaskId::from_bits(7), 1);
    let inspect = Inspect { key, evidence: Evidence::Stdout, cwd: folder.to_owned(), needs: needs.to_vec() };
    facts(folder, &inspect).into_iter().map(|known| known.fact).collect()
}

fn directory(folder: &Path) -> std::path::PathBuf {
    let directory = folder.join(ProcessKey::attempt(TaskId::from_bits(7), 1).directory());
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn needs() -> [Need; 2] {
    [Need::Matches(Pattern::new("^done$|(?m)^done$").unwrap()), Need::Contains("all green".to_owned())]
}

#[test]
fn output_is_looked_at_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = vec![b'.'; 3 << 20];
    written.extend_from_slice(b"\ndone\nall green\n");
    written.extend(vec![b'.'; 3 << 20]);
    fs::write(directory(folder.path()).join("stdout"), &written).unwrap();
    let [pattern, text] = inspect(folder.path(), &needs()).try_into().unwrap();
    assert!(matches!(pattern, Fact::Met { .. }), "{pattern:?}");
    assert!(matches!(text, Fact::Met { .. }), "{text:?}");
}

#[test]
fn of_an_agent_the_answer_alone_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    fs::write(directory.join("stdout"), "all green").unwrap();
    let look = |evidence| {
        let key = ProcessKey::attempt(TaskId::from_bits(7), 1);
        let needs = vec![Need::Contains("all green".to_owned())];
        facts(folder.path(), &Inspect { key, evidence, cwd: folder.path().to_owned(), needs })
            .pop()
            .unwrap()
            .fact
    };
    assert_eq!(
        look(Evidence::Answer),
        Fact::Unknown { why: "the output cannot be read: the agent gave no answer".to_owned() }
    );
    fs::write(directory.join(SAID), "{\"ok\":false}").unwrap();
    assert!(matches!(look(Evidence::Answer), Fact::NotMet { .. }));
    assert!(matches!(look(Evidence::Nothing { why: "no" }), Fact::Unknown { .. }));
    fs::write(directory.join(SAID), "{\"ok\":\"all green\"}").unwrap();
    assert!(matches!(look(Evidence::Answer), Fact::Met { .. }));
    assert!(matches!(look(Evidence::Nothing { why: "no" }), Fact::Unknown { .. }));
}

#[test]
fn large_output_is_looked_at_whole() {
    let folder = tempfile::tempdir().unwrap();
    let size = usize::try_from(HELD_MAX + PIECE).unwrap();
    let text = b"\ndone\nall green\n";
    // Across the border of two pieces, and at the very end.
    for place in [2 * usize::try_from(PIECE).unwrap() - 10, size - text.len()] {
        let mut written = vec![b'.'; size];
        written[place..place + text.len()].copy_from_slice(text);
        let stdout = directory(folder.path()).join("stdout");
        let _ = fs::remove_file(&stdout);
        fs::write(&stdout, &written).unwrap();
        let facts = inspect(folder.path(), &needs());
        assert!(facts.iter().all(|fact| matches!(fact, Fact::Met { .. })), "{place}: {facts:?}");
        let other = [Need::Contains("all red".to_owned())];
        assert!(matches!(inspect(folder.path(), &other)[0], Fact::NotMet { .. }));
    }
}

#[test]
fn output_that_was_put_away_is_still_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(directory(folder.path()).join("stdout"), "done\nall green\n".repeat(10_000)).unwrap();
    let key = ProcessKey::attempt(TaskId::from_bits(7), 1);
    tidy(folder.path(), &Keep::default(), &Tidy { key, result: None });
    let facts = inspect(folder.path(), &needs());
    assert!(facts.iter().all(|fact| matches!(fact, Fact::Met { .. })), "{facts:?}");
}

#[test]
fn no_output_is_empty_output() {
    let folder = tempfile::tempdir().unwrap();
    let facts = inspect(folder.path(), &needs());
    assert!(facts.iter().all(|fact| matches!(fact, Fact::NotMet { .. })), "{facts:?}");
    fs::write(directory(folder.path()).join("stdout"), "").unwrap();
    assert_eq!(inspect(folder.path(), &needs()), facts);
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(directory(folder.path()).join("stdout")).unwrap();
    let facts = inspect(folder.path(), &needs());
    assert!(facts.iter().all(|fact| matches!(fact, Fact::Unknown { .. })), "{facts:?}");
}

#[test]
fn files_lie_below_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("here"), "").unwrap();
    let facts = inspect(
        folder.path(),
        &["here", "gone", "here/below", "nul\0"].map(|path| Need::File(path.to_owned())),
    );
    assert!(
        matches!(
            facts.as_slice(),
            [Fact::Met { .. }, Fact::NotMet { .. }, Fact::NotMet { .. }, Fact::Unknown { .. }]
        ),
        "{facts:?}"
    );
}
