//! Agents: how each agent CLI is driven and understood, as data.
//!
//! A [`manifest::Manifest`] says it all about one CLI, so that adding one is writing a file.
//! [`invocation`] turns a wish into a command line, and [`interpret`] turns what came out of it into
//! [`signals`], of which [`outcome`] says what the run came to. A [`story::Story`] tells it all to
//! somebody who watches, and [`price`] what it may have cost. Everything here is a function of its
//! arguments: files are read, programs found and processes started elsewhere.

pub mod account;
pub mod catalogue;
pub mod document;
pub mod interpret;
pub mod invocation;
mod lines;
pub mod login;
pub mod manifest;
pub mod outcome;
mod outline;
pub mod output;
pub mod place;
pub mod price;
pub mod register;
pub mod reset;
mod rules;
pub mod scrub;
pub mod signals;
pub mod story;
pub mod take;
pub mod template;
