//! The command line from end to end: the real program, its daemon, real processes.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod accounts;
mod add;
mod agents;
mod agents_check;
mod aliases;
mod asked;
mod conditions;
mod control;
mod daemon;
mod documents;
mod exits;
mod follow;
mod limits;
mod look;
mod retries;
mod runs;
mod schedules;
