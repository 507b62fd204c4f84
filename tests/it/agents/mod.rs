//! Real agent CLIs against a model that says what a test wrote down.
//!
//! `tests/agents` names them with exact versions; `npm ci` there installs them. Where they are not
//! installed, their tests say so and pass, unless `CONVERGE_REQUIRE_AGENTS` is 1. A scenario is a script
//! for the model, a seat for the client, and a prompt:
//!
//! ```ignore
//! every_client!(a_job_is_added_and_seen, |client| {
//!     let home = Home::new();
//!     let model = Model::start(
//!         Script::new()
//!             .call("add_job", json!({ "name": "probe", "cmd": "true", "every": "1h" }))
//!             .then(|ask| Turn::call("show_job", json!({ "job": ask.conversation.find("job-[0-9]+") })))
//!             .say("all set"),
//!     );
//!     let seat = Seat::take(client, &home, &model).with(&Server::converge(&home));
//!     assert_eq!(seat.ask("check every hour").answer(), "all set");
//!     assert!(model.last().result_of("show_job").unwrap().contains("probe"));
//! });
//! ```
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

/// A test per client, each named after it: `claim::claude`, `claim::codex` and so on.
macro_rules! every_client {
    ($claim:ident, $check:expr) => {
        mod $claim {
            use super::*;
            every_client!(@ $check; claude codex gemini opencode copilot qwen kimi);
        }
    };
    (@ $check:expr; $($client:ident)+) => {
        $(
            #[test]
            fn $client() {
                let check: fn(&'static dyn $crate::agents::clients::Client) = $check;
                $crate::agents::installed::with(&$crate::agents::clients::$client::Cli, check);
            }
        )+
    };
}

mod allowed;
pub(crate) mod clients;
mod driven;
mod first_words;
pub(crate) mod installed;
mod jobs;
mod killed;
mod loops;
pub(crate) mod model;
mod printed;
mod prompts;
mod quotas;
mod running;
pub(crate) mod seat;
mod shell;
