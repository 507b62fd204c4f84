use std::fs;
use std::sync::Barrier;

use super::*;
use crate::core::id::TaskId;
use crate::core::process::Bounds;
use crate::core::span::Span;

/// A supervisor without threads, so that work stays where it is.
fn idle(runs: PathBuf) -> (Supervisor, UnixStream) {
    let (wake, woken) = UnixStream::pair().expect("sockets");
    let options =
        Options { program: PathBuf::from("/nonexistent"), home: None, workers: 0, descriptors_max: None };
    let shared = Arc::new(Shared {
        runs,
        options,
        state: Mutex::default(),
        work: Condvar::new(),
        pen: Mutex::new(()),
        wake,
        report: Mutex::new(Box::new(|_| {})),
    });
    (Supervisor { shared, threads: Vec::new() }, woken)
}

fn key() -> ProcessKey {
    ProcessKey::attempt(TaskId::from_bits(7), 1)
}

fn control(output_bytes: u64) -> Control {
    let bounds = Bounds { wall: None, idle: None, memory_bytes: None, output_bytes, grace: Span::from_ms(1) };
    Control { bounds, cut_at: None }
}

#[test]
fn bounds_that_change_often_are_written_once_as_they_are_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let (supervisor, _woken) = idle(folder.path().to_owned());
    supervisor.shared.state().stages.insert(key(), Stage::Watched);
    for bytes in 1..=100 {
        supervisor.control(key(), control(bytes));
    }
    assert_eq!(supervisor.shared.state().queue.len(), 1);
    supervisor.shared.control(key());
    let written: Option<Control> = RunDir::of(folder.path(), key()).read(CONTROL).expect("a document");
    assert_eq!(written, Some(control(100)));
    supervisor.control(key(), control(101));
    assert_eq!(supervisor.shared.state().queue.len(), 2, "one that comes later is written later");
}

#[test]
fn no_bounds_bring_back_the_directory_of_a_run_that_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (supervisor, _woken) = idle(folder.path().to_owned());
    let dir = RunDir::of(folder.path(), key());
    let shared = &supervisor.shared;
    for _ in 0..500 {
        shared.state().stages.insert(key(), Stage::Watched);
        supervisor.control(key(), control(1));
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                shared.control(key());
            });
            start.wait();
            shared.finish(key(), Report::Lost { key: key() });
            // As the engine does once it was told.
            let _ = fs::remove_dir_all(dir.path());
        });
        assert!(!dir.path().exists(), "it came back");
    }
}
