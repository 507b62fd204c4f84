//! The figures of speed and memory, one line each: name, value, unit, and the target beside it.
//!
//! `cargo bench --bench loop [-- WORD…]` prints the figures whose section has one of the words in its
//! name. It drives the real program in homes of its own, on the disk that holds the build, with the
//! durability the product has. It measures and never judges: a busy machine is no bug.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs and takes the time")]

mod disk;
#[path = "../common/figure.rs"]
mod figure;
#[path = "../common/home.rs"]
mod home;
mod latency;
mod load;
mod rest;
#[path = "../common/system.rs"]
mod system;

use std::io;

use figure::Sheet;

/// A part of the figures, by name.
type Section = (&'static str, fn(&mut Sheet) -> io::Result<()>);

const SECTIONS: [Section; 8] = [
    ("ls", latency::list),
    ("start", latency::start),
    ("due", latency::due),
    ("herd", load::herd),
    ("rate", load::rate),
    ("idle", rest::idle),
    ("shim", rest::shim),
    ("disk", disk::run),
];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, path] = arguments.as_slice()
        && word == latency::STAMP
    {
        return latency::stamp(path);
    }
    // Cargo says `--bench`.
    let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    home::remove_old()?;
    let mut sheet = Sheet::begin()?;
    for (name, measure) in SECTIONS {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            measure(&mut sheet)?;
        }
    }
    Ok(())
}
