//! The mint: where ids come from.

use std::fs::File;
use std::io::{self, BufReader, Read};

/// Gives bits that were not given before.
pub trait Mint: Send {
    /// The bits of the next id.
    fn bits(&mut self) -> u64;
}

/// Bits from the system.
#[derive(Debug)]
pub struct Random(BufReader<File>);

impl Random {
    /// Opens the system's source.
    pub fn open() -> io::Result<Self> {
        File::open("/dev/urandom").map(|file| Self(BufReader::with_capacity(256, file)))
    }
}

impl Mint for Random {
    fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes).expect("the system's random source never ends");
        u64::from_le_bytes(bytes)
    }
}
