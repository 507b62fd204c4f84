//! Output that nobody would write on purpose: cut off, mangled, endless. It is read all the same.

use std::time::{Duration, Instant};

use converge::agent::interpret::Interpreter;
use converge::agent::manifest::Manifest;
use converge::agent::signals::Signals;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{RECORDED, Recording, cases, check_pieces, manifest};

/// Reads output in pieces of this size.
fn read(manifest: &Manifest, stdout: &[u8], piece: usize) -> Signals {
    let mut interpreter = Interpreter::new(manifest);
    for piece in stdout.chunks(piece) {
        interpreter.stdout(piece);
    }
    interpreter.end()
}

#[test]
fn it_makes_no_difference_in_which_pieces_output_comes() {
    check_pieces(read);
}

#[test]
fn what_stands_before_a_line_that_is_cut_off_is_known() {
    let manifest = manifest("codex");
    let stdout = Recording::of(&manifest, "first").stdout;
    let signals = read(&manifest, &stdout[..stdout.len() - 20], usize::MAX);
    assert_eq!(signals.result.as_deref(), Some("The tests pass."));
    assert_eq!((signals.tokens, signals.lines.broken), (None, 1));
}

#[test]
fn events_of_a_version_to_come_are_skipped_and_text_in_their_place_is_the_result() {
    let manifest = manifest("claude");
    let strange = read(&manifest, b"{\"kind\":\"end\"}\nAll is well.\n", usize::MAX);
    assert!(strange.is_strange());
    assert_eq!(strange.result.as_deref(), Some("{\"kind\":\"end\"}\nAll is well."));
    let known = b"{\"kind\":\"new\"}\n{\"type\":\"result\",\"is_error\":false,\"result\":\"Done.\"}\n";
    let known = read(&manifest, known, usize::MAX);
    assert!(!known.is_strange());
    assert_eq!((known.result.as_deref(), known.lines.unknown), (Some("Done."), 1));
}

#[test]
fn what_a_model_says_is_no_event() {
    let manifest = manifest("opencode");
    let said =
        r#"{"type":"text","part":{"text":"{\"type\":\"error\",\"error\":{\"data\":{\"message\":\"x\"}}}"}}"#;
    let signals = read(&manifest, said.as_bytes(), usize::MAX);
    assert_eq!((signals.errors.len(), signals.progress), (0, 1));
}

#[test]
fn time_grows_with_the_output_and_no_faster() {
    const SIZE: usize = 24 << 20;
    let event =
        b"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a word\"}]}}\n";
    let many: Vec<u8> = event.iter().copied().cycle().take(SIZE).collect();
    let nested = vec![b'['; SIZE];
    let line = [b"{\"type\":\"".as_slice(), &vec![b'x'; SIZE]].concat();
    let lines = vec![b'\n'; SIZE];
    for (what, bytes) in [("events", many), ("nested", nested), ("one line", line), ("empty lines", lines)] {
        for agent in ["claude", "test"] {
            let manifest = manifest(agent);
            let started = Instant::now();
            read(&manifest, &bytes, 512);
            // A second is usual. Anything that looks at a byte once for each piece would take hours.
            assert!(started.elapsed() < Duration::from_mins(1), "{what} {agent}: {:?}", started.elapsed());
        }
    }
}

#[test]
fn what_is_kept_has_a_bound() {
    let manifest = manifest("claude");
    let mut output = Vec::new();
    for number in 0..500 {
        let long = "x".repeat(20_000);
        output.extend(
            format!(
                "{{\"type\":\"result\",\"is_error\":true,\"result\":\"{number}{long}\"}}\nplain {long}\n"
            )
            .bytes(),
        );
    }
    let signals = read(&manifest, &output, 4096);
    assert_eq!(signals.errors.len(), 50);
    assert!(signals.errors.iter().all(|error| error.len() <= 8192));
    assert!(signals.errors[49].starts_with("499"), "the newest is kept");
    assert!(signals.complaints.len() <= 64 << 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mangled_output_is_read_without_a_panic(
        agent in 0..RECORDED.len(),
        case in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), any::<Index>(), prop::collection::vec(any::<u8>(), 0..8)), 0..6),
        piece in 1_usize..5000,
    ) {
        let manifest = manifest(RECORDED[agent]);
        let cases = cases(&manifest);
        let mut recording = Recording::of(&manifest, case.get::<String>(&cases));
        for stream in [&mut recording.stdout, &mut recording.stderr] {
            for (from, to, put) in &cuts {
                let (from, to) = (from.index(stream.len() + 1), to.index(stream.len() + 1));
                stream.splice(from.min(to)..from.max(to).min(from.min(to) + 50), put.iter().copied());
            }
        }
        let whole = recording.read(&manifest);
        prop_assert_eq!(read(&manifest, &recording.stdout, piece).result, whole.signals.result);
    }
}
