//! The figures of MCP: what agents read, how soon they are answered, and what a session costs.
//!
//! `cargo bench --bench mcp [-- WORD…]` prints the figures whose section has one of the words in its name. It
//! drives the real proxy in front of the real daemon, as an agent's client does. It measures and never judges.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs and takes the time")]

mod calls;
#[path = "../common/figure.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod figure;
#[path = "../common/home.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod home;
mod session;
mod size;
mod start;
#[path = "../common/system.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod system;
mod weight;

use std::io;

use figure::Sheet;

/// A part of the figures, by name.
type Section = (&'static str, fn(&mut Sheet) -> io::Result<()>);

const SECTIONS: [Section; 5] = [
    ("size", size::words),
    ("start", start::run),
    ("reads", calls::reads),
    ("writes", calls::writes),
    ("weight", weight::run),
];

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    home::remove_old()?;
    let mut sheet = Sheet::begin()?;
    for (name, measure) in SECTIONS {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            measure(&mut sheet)?;
        }
    }
    Ok(())
}
