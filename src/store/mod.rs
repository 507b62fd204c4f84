//! The store: rows in and out, in SQL that is written once.
//!
//! Functions take a [`tx::Tx`] and core types and decide nothing. Rows are the truth; events are the audit
//! beside them, written in the same transaction.

pub mod attempts;
pub mod events;
pub mod gates;
pub mod health;
pub mod jobs;
pub mod keys;
pub mod migrate;
pub mod readers;
pub mod retention;
pub mod sqlite;
pub mod tasks;
pub mod tx;
