//! The core: what a loop is and what happens next, as functions of their arguments.
//!
//! Nothing in here reads a clock, a file, the environment or a random source, and nothing in here
//! logs or waits. Ids and instants arrive in inputs. That is what lets the simulator run years of
//! scheduling in a second and what makes recovery the same as asking again.

pub mod account;
pub mod actor;
pub mod assignment;
pub mod class;
pub mod condition;
pub mod consent;
pub mod definition;
pub mod goal;
pub mod id;
pub mod job;
pub mod login;
pub mod nearest;
pub mod overlay;
pub mod plain;
pub mod process;
pub mod prompt;
pub mod reading;
pub mod reason;
pub mod refusal;
pub mod retry;
pub mod schedule;
pub mod schema;
pub mod size;
pub mod span;
pub mod task;
pub mod tree;
