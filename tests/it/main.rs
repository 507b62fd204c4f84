//! Everything that is tested from outside the crate, in one binary.
#![expect(clippy::disallowed_methods, reason = "tests start programs and wait for them")]

mod agents;
mod cli;
mod faults;
mod home;
mod known_failures;
mod mcp;
mod plumbing;
mod powercut;
mod process;
mod proxy;
mod readme;
mod recorded;
mod sim;
mod store;
mod tidy;
mod torture;
