//! The client: what everything that talks to the daemon shares.
//!
//! The socket speaks one JSON document a line. The client introduces itself, is answered, and then both
//! speak MCP. Who asks need not care whether a daemon runs: one is started, and a request that lost its
//! connection is sent again.

pub mod autostart;
mod call;
pub mod connect;
pub mod key;
pub mod preface;
pub mod protocol;
pub mod proxy;
