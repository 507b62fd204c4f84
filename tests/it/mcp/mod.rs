//! MCP: the daemon's server, the proxy in front of it, and the agents' programs that call it.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod conformance;
mod eras;
mod inside;
mod inspector;
mod published;
mod resources;
mod server;
mod tasks;
