//! Agents: how each agent CLI is driven and understood, as data.
//!
//! A [`manifest::Manifest`] says it all about one CLI, so that adding one is writing a file.
//! [`invocation`] turns a wish into a command line, and [`interpret`] turns what came out of it into
//! [`signals`], of which [`outcome`] says what the run came to. Everything here is a function of its
//! arguments: files are read, programs found and processes started elsewhere.

pub mod catalogue;
pub mod document;
pub mod interpret;
pub mod invocation;
pub mod manifest;
pub mod outcome;
pub mod output;
pub mod place;
pub mod reset;
pub mod signals;
pub mod template;
