//! Streams: how fast the output of agents is read, for what it comes to and for those who watch.

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::Duration;

use converge::agent::catalogue::Catalogue;
use converge::agent::interpret::Interpreter;
use converge::agent::manifest::Manifest;
use converge::agent::story::Story;
use nix::time::{ClockId, clock_gettime};

use crate::figure::{Beside, Sheet};

/// How much of each stream is read.
const SIZE: usize = 200 << 20;

/// In pieces of this size, as files are read.
const PIECE: usize = 64 << 10;

/// The agents whose streams are read, with the recordings that these are made of.
const STREAMS: [(&str, &[&str]); 4] = [
    ("claude", &["first", "denied", "resume", "rate"]),
    ("codex", &["first", "denied", "resume", "rate"]),
    ("copilot", &["first", "denied"]),
    ("opencode", &["first", "denied"]),
];

/// Reads recordings of the real programs, repeated.
pub(crate) fn streams(sheet: &mut Sheet) -> io::Result<()> {
    let catalogue = Catalogue::of(Vec::new());
    for (agent, cases) in STREAMS {
        let manifest = &catalogue.find(agent).expect("it comes along").manifest;
        let once = recorded(manifest, cases)?;
        let stream = &once.repeat(SIZE.div_ceil(once.len()));
        let lines = once.split(|byte| *byte == b'\n').count();
        let from = format!("{} MB of recordings, {} bytes a line", stream.len() >> 20, once.len() / lines);
        let beside = |target| Beside { from: from.clone(), target };
        let read = rate(stream, || {
            let mut interpreter = Interpreter::new(manifest);
            for piece in stream.chunks(PIECE) {
                interpreter.stdout(piece);
            }
            black_box(interpreter.end());
        });
        sheet.put(&format!("output of {agent}, interpreted"), read, "MB/s", &beside(">= 100"))?;
        let told = rate(stream, || {
            let mut story = Story::new(manifest);
            for piece in stream.chunks(PIECE) {
                black_box(story.stdout(piece));
            }
            black_box(story.end());
        });
        sheet.put(&format!("output of {agent}, told"), told, "MB/s", &beside(""))?;
    }
    Ok(())
}

/// Megabytes a second of time on a processor, which a busy machine does not stretch.
fn rate(stream: &[u8], read: impl FnOnce()) -> f64 {
    let started = on_processor();
    read();
    let took = on_processor().saturating_sub(started);
    let size = u32::try_from(stream.len()).expect("a stream of a bench is short");
    f64::from(size) / 1e6 / took.as_secs_f64()
}

/// How long this thread was on a processor.
fn on_processor() -> Duration {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every system has this clock");
    Duration::from(now)
}

fn recorded(manifest: &Manifest, cases: &[&str]) -> io::Result<Vec<u8>> {
    let version = manifest.seen.as_deref().unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/agents/recorded/{}-{version}", manifest.name));
    let mut all = Vec::new();
    for case in cases {
        all.extend(fs::read(folder.join(format!("{case}.stdout")))?);
    }
    Ok(all)
}
