//! Surfaces: where requests come in. They translate, and know nothing else.

pub mod cli;
pub mod mcp;
