//! Everything that is tested from outside the crate, in one binary.
#![expect(clippy::disallowed_methods, reason = "tests start programs and wait for them")]

mod powercut;
mod sim;
mod store;
