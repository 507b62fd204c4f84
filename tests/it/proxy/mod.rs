//! The proxy: nothing is lost, nothing is doubled, and it ends with its client.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

pub(crate) mod agent;
mod ends;
pub(crate) mod fake;
mod lines;
mod losses;
mod real;
mod registers;
