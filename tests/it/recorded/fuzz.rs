//! Fuzz: recordings that were cut, spliced, repeated, nested and made nonsense of.
//!
//! It runs a few seconds among the other tests, and as long as `CONVERGE_FUZZ_SECONDS` says. What goes wrong
//! is told with the number of its round, which alone determines what is read.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use converge::agent::interpret::Interpreter;
use converge::agent::manifest::Manifest;
use converge::agent::outcome;
use converge::agent::price::Prices;
use converge::agent::signals::Signals;
use converge::agent::story::{Moment, Story};
use converge::core::process::Ending;

use super::{RECORDED, Recording, cases, manifest};

/// How long it runs among the other tests.
const USUAL: Duration = Duration::from_secs(3);

/// No output is longer.
const SIZE_MAX: usize = 4 << 20;

/// Far more than reading any such output takes, and far less than if a byte were looked at once for each piece.
const PATIENCE: Duration = Duration::from_mins(1);

/// Chance that is the same each time: xorshift.
struct Chance(u64);

impl Chance {
    fn of_round(round: u64) -> Self {
        Self(round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

/// What nobody writes on purpose.
const SCRAPS: [&[u8]; 14] = [
    b"\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-",
    b"null",
    b"\xff\xfe",
    b"\x1b]0;",
    b"{\"type\":",
];

fn mangle(bytes: &mut Vec<u8>, all: &[(Manifest, Vec<Vec<u8>>)], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let span = at..at + chance.below(bytes.len() - at + 1);
    match chance.below(10) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(span)),
        2 => {
            let (_, recordings) = chance.pick(all);
            let other = chance.pick(recordings);
            let from = chance.below(other.len() + 1);
            let end = from + chance.below(other.len() - from + 1);
            bytes.splice(at..at, other[from..end].iter().copied());
        }
        3 | 4 => {
            for _ in 0..chance.below(20) {
                let at = chance.below(bytes.len() + 1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
        }
        5 => {
            let part = bytes[span.clone()].repeat(chance.below(8));
            bytes.splice(at..at, part);
        }
        6 => {
            let opens: [&[u8]; 4] = [b"[", b"{\"a\":", b"{\"message\":", b"[{\"content\":"];
            let open = *chance.pick(&opens);
            let deep = open.repeat(chance.below(100_000));
            bytes.splice(at..at, deep);
        }
        7 => {
            let long = vec![chance.byte(); chance.below(1 << 20)];
            bytes.splice(at..at, long);
        }
        8 => {
            let noise: Vec<u8> = (0..chance.below(200)).map(|_| chance.byte()).collect();
            bytes.splice(at..at, noise);
        }
        _ => {
            let scrap = chance.pick(&SCRAPS).repeat(chance.below(5));
            bytes.splice(at..at, scrap);
        }
    }
    bytes.truncate(SIZE_MAX);
}

fn signals(manifest: &Manifest, stdout: &[u8], piece: usize) -> Signals {
    let mut interpreter = Interpreter::new(manifest);
    stdout.chunks(piece).for_each(|piece| interpreter.stdout(piece));
    interpreter.stderr(&stdout[stdout.len() / 2..]);
    interpreter.end()
}

fn moments(manifest: &Manifest, stdout: &[u8], piece: usize) -> Vec<Moment> {
    let mut story = Story::new(manifest);
    let mut moments: Vec<Moment> = stdout.chunks(piece).flat_map(|piece| story.stdout(piece)).collect();
    moments.extend(story.end());
    moments
}

fn round(number: u64, all: &[(Manifest, Vec<Vec<u8>>)]) {
    let mut chance = Chance::of_round(number);
    let (manifest, recordings) = chance.pick(all);
    let mut stdout = chance.pick(recordings).clone();
    for _ in 0..=chance.below(8) {
        mangle(&mut stdout, all, &mut chance);
    }
    let bits = chance.below(17);
    let piece = 1 + chance.below(1 << bits);
    let started = Instant::now();
    let read = signals(manifest, &stdout, piece);
    assert_eq!(read, signals(manifest, &stdout, usize::MAX), "the pieces made a difference");
    assert!(read.result.as_ref().is_none_or(|result| result.len() <= 3 << 20) && read.errors.len() <= 50);
    for ending in [Ending::Exited(0), Ending::Exited(1), Ending::Signalled(9)] {
        outcome::judge(manifest, &read, (&ending, None));
    }
    let told = moments(manifest, &stdout, piece);
    assert_eq!(told, moments(manifest, &stdout, usize::MAX), "the pieces made a difference to the story");
    for moment in told {
        let shown = moment.to_string();
        assert!(shown.len() <= 20 << 10, "{} bytes are shown at once", shown.len());
        assert!(!shown.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter)), "{shown:?}");
    }
    let text = String::from_utf8_lossy(&stdout[..stdout.len().min(2000)]);
    drop((Manifest::parse(&text), Prices::parse(&text)));
    assert!(started.elapsed() < PATIENCE, "{} bytes took {:?}", stdout.len(), started.elapsed());
}

#[test]
fn nothing_that_an_agent_can_write_does_any_harm() {
    let seconds = std::env::var("CONVERGE_FUZZ_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    let until = Instant::now() + seconds.map_or(USUAL, Duration::from_secs);
    let all: Vec<(Manifest, Vec<Vec<u8>>)> = RECORDED
        .iter()
        .map(|agent| {
            let manifest = manifest(agent);
            let stdouts = cases(&manifest).iter().map(|case| Recording::of(&manifest, case).stdout).collect();
            (manifest, stdouts)
        })
        .collect();
    let mut number = 0;
    while Instant::now() < until {
        let read = catch_unwind(AssertUnwindSafe(|| round(number, &all)));
        assert!(read.is_ok(), "round {number} went wrong");
        number += 1;
    }
    assert!(number > 0);
    let _ = writeln!(std::io::stdout(), "{number} rounds");
}
