//! Bad input and faults: a clear refusal, nothing stored, nothing lost.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod children;
mod commands;
mod daemons;
mod disks;
mod kills;
mod stores;
mod wire;
