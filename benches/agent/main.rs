//! The figures of agents.
//!
//! `cargo bench --bench agent [-- WORD…]` prints the figures that have one of the words in their names. It
//! measures and never judges; the figures of one run belong together.

#![expect(clippy::disallowed_methods, reason = "a bench starts programs and takes the time")]

#[path = "../common/figure.rs"]
#[expect(dead_code, reason = "the other benches use the rest")]
mod figure;
#[path = "../common/home.rs"]
#[expect(dead_code, reason = "the other benches use the rest")]
mod home;
#[path = "../common/system.rs"]
#[expect(dead_code, reason = "the other benches use the rest")]
mod system;

mod crowd;
mod starts;
mod streams;
mod taught;

use std::io;

use figure::Sheet;

/// Measures something and puts its figures on a sheet.
type Measure = fn(&mut Sheet) -> io::Result<()>;

/// What is measured, by the words that pick it.
const FIGURES: [(&str, Measure); 3] =
    [("starts", starts::starts), ("crowd", crowd::crowd), ("streams", streams::streams)];

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [starts::STAMP, file] => return starts::stamp(file),
        [starts::STAMP] => return starts::stamp(&io::read_to_string(io::stdin())?),
        [crowd::TALK] => return crowd::talk(),
        _ => {}
    }
    home::remove_old()?;
    let mut sheet = Sheet::begin()?;
    for (name, measure) in FIGURES {
        if words.is_empty() || words.iter().any(|word| name.contains(word)) {
            measure(&mut sheet)?;
        }
    }
    Ok(())
}
