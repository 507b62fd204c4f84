//! MCP on the daemon's socket: agents' clients, the proxy that they start, and the command line.
//!
//! A connection becomes a [`session::Session`], which answers both eras of the protocol: the one that begins
//! with `initialize`, and the stateless one. Our own programs say first who they are and where they work, in a
//! [preface](crate::client::preface); whoever begins with a message of MCP is a plain client. What is
//! done for any of them is a verb of the registry. rmcp has the messages and their life; the lines, their
//! order and their bounds are ours.

mod arrival;
mod crowd;
pub mod desk;
pub mod door;
mod greeting;
mod lines;
mod news;
mod order;
mod peer;
pub mod session;
mod transport;
