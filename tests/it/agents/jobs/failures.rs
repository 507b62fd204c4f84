//! Failures: what a service or an account says no to is told for what it is, and followed up accordingly.

use serde_json::json;

use super::Desk;
use crate::agents::clients::{self, Client};
use crate::agents::installed;
use crate::agents::model::Model;
use crate::agents::model::script::Script;
use crate::agents::model::turn::{Failure, Turn};
use crate::agents::quotas::{EXCEEDED, RESET_SECONDS, UsedUp, used_up};
use crate::home::{Home, text, until};

/// Runs a job once by hand and answers the words for how its only attempt ended.
pub(super) fn once(
    client: &'static dyn Client,
    script: Script,
    words: &[&str],
) -> (String, serde_json::Value) {
    let home = Home::new();
    let model = Model::start(script);
    let desk = Desk::take(client, &home, &model);
    desk.add(&[&["once", "--prompt", "do it", "--manual"], words].concat());
    let run = desk.start("once");
    desk.over(&run);
    let attempt = desk.attempt("once");
    (text(&attempt["reason"]).to_owned(), attempt)
}

every_client!(a_request_that_is_not_understood_fails, |client| {
    let failure = Failure::invalid("the sky is green").header("x-should-retry", "false");
    let (reason, attempt) = once(client, Script::new().fail(failure), &[]);
    assert_eq!(reason, "agent_failed", "{attempt:#}");
    assert!(attempt["message"].to_string().contains("the sky is green"), "{attempt:#}");
});

every_client!(a_key_that_is_not_accepted_is_told, |client| {
    let failure = Failure::auth("invalid x-api-key").header("x-should-retry", "false");
    let (reason, attempt) = once(client, Script::new().fail(failure), &[]);
    assert_eq!(reason, "auth", "{attempt:#}");
});

every_client!(what_is_not_allowed_is_listed_and_no_success, |client| {
    // Codex goes on without a word, and Kimi knows no profile in which it would have to ask.
    if matches!(client.name(), "codex" | "kimi") {
        return;
    }
    let (tool, arguments) = crate::agents::driven::command(client.name());
    let script = Script::new().turn(Turn::call_own(tool, arguments)).say("I could not do that.");
    let (reason, attempt) = once(client, script, &[]);
    assert_eq!(reason, "permission_denied", "{attempt:#}");
    assert!(!attempt["denials"].as_array().unwrap().is_empty(), "{attempt:#}");
});

every_client!(what_is_allowed_by_its_name_is_done, |client| {
    let recorded = crate::recorded::manifest(client.name());
    if recorded.options.tool.is_none() {
        return;
    }
    // By the name in the denials of the agent; Copilot has another word for what a tool needs.
    let (tool, arguments) = crate::agents::driven::command(client.name());
    let allowed = if client.name() == "copilot" { "shell" } else { tool };
    let script = Script::new().turn(Turn::call_own(tool, arguments)).say("I did that.");
    let (reason, attempt) = once(client, script, &["--allow-tool", allowed]);
    assert_eq!(reason, "exit_zero", "{attempt:#}");
});

every_client!(a_service_that_is_overloaded_is_tried_again_by_the_agent_or_by_us, |client| {
    let failure = Failure::overloaded("too much to do").header("x-should-retry", "false");
    let script = Script::new().fail_first(1, failure, Turn::say("well again"));
    let home = Home::new();
    let model = Model::start(script);
    let desk = Desk::take(client, &home, &model);
    desk.add(&["once", "--prompt", "do it", "--manual"]);
    let run = desk.start("once");
    // A pause of ours is half a minute or so; nobody has to sit it out.
    until_quiet(&desk, &run);
    let over = desk.over(&run);
    assert_eq!(over["state"], "succeeded", "{over:#}");
});

/// Asks for a retry at once when there is to be one later.
fn until_quiet(desk: &Desk<'_>, run: &str) {
    until_slow(|| {
        let view = desk.json(&["show", run]);
        let state = text(&view["state"]).to_owned();
        if state == "pending" && !view["attempt_list"].as_array().unwrap().is_empty() {
            desk.run(&["run-now", "once", "--no-wait"]);
        }
        !matches!(state.as_str(), "pending" | "claimed" | "running")
    });
}

/// As `until`, for what takes an agent's time.
fn until_slow(mut condition: impl FnMut() -> bool) {
    let give_up_at = std::time::Instant::now() + std::time::Duration::from_mins(5);
    while !condition() {
        assert!(std::time::Instant::now() < give_up_at, "waited in vain");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

every_client!(a_used_up_quota_is_waited_for_and_costs_no_attempt, |client| {
    let UsedUp { failure, is_stated } = used_up(client);
    let home = Home::new();
    let model = Model::start(Script::new().fail(failure.header("x-should-retry", "false")));
    let desk = Desk::take(client, &home, &model).subscribed();
    desk.add(&["first", "--prompt", "do it", "--manual"]);
    desk.add(&["second", "--prompt", "do something else", "--manual"]);
    desk.start("first");
    let state = |job: &str| text(&desk.json(&["logs", job])["runs"][0]["state"]).to_owned();
    let is_over = |job: &str| !matches!(state(job).as_str(), "pending" | "claimed" | "running");
    until_slow(|| is_over("first"));
    assert_eq!(state("first"), "waiting", "{:#}", desk.attempt("first"));
    let explained = desk.run(&["explain", "first"]).done().all();
    assert!(explained.contains("quota"), "{explained}");
    assert_eq!(explained.contains("did not say"), !is_stated, "{explained}");
    let [waits] = desk.waits("first").try_into().unwrap();
    let expected = if is_stated { RESET_SECONDS } else { 15 * 60 };
    // Some tell a time of the day without its seconds, and not all who wait start in the same instant.
    assert!((expected - 60..=expected + 90).contains(&waits), "{waits}");
    // The same account: it does not even begin.
    desk.start("second");
    until(|| state("second") == "waiting");
    let other = desk.runs("second").pop().unwrap();
    let attempts = other["attempt_list"].as_array().unwrap().len();
    assert_eq!((&other["attempts"], attempts), (&json!(0), 0), "{other:#}");
    if !is_stated {
        // Somebody looks whether it is there already: the next guess is twice as long.
        desk.run(&["run-now", "first", "--no-wait"]).done();
        until_slow(|| desk.waits("first").len() == 2);
        let again = desk.waits("first")[1];
        assert!((30 * 60..=31 * 60 + 30).contains(&again), "{again}");
    }
});

/// Runs a job on an account whose quota is used up, ends its agent after so much silence, and answers for how many
/// seconds that is waited for then.
fn sit_out(client: &'static dyn Client, failure: Failure, silence: &str) -> i64 {
    let home = Home::new();
    let model = Model::start(Script::new().fail(failure));
    let desk = Desk::take(client, &home, &model);
    desk.add(&["asleep", "--prompt", "do it", "--manual", "--idle-timeout", silence]);
    desk.start("asleep");
    until_slow(|| !desk.waits("asleep").is_empty());
    let attempt = desk.attempt("asleep");
    assert_eq!(attempt["reason"], "quota", "{attempt:#}");
    let message = text(&attempt["message"]);
    assert!(message.contains("exceeded your") || message.contains("will reset"), "{message}");
    assert!(!message.contains("timestamp="), "{message}");
    desk.waits("asleep")[0]
}

#[test]
fn a_quota_that_gemini_would_sit_out_in_silence_is_waited_for_without_it() {
    installed::with(&clients::gemini::Cli, |client| {
        // It goes to sleep for longer than that, and says so on its standard error.
        let failure = Failure::quota("").body(json!({ "error": {
            "code": 429, "status": "RESOURCE_EXHAUSTED",
            "message": "You have exhausted your capacity on this model. Your quota will reset after 3h0m0s.",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "QUOTA_EXHAUSTED", "domain": "cloudcode-pa.googleapis.com",
                },
                { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "10800s" },
            ],
        } }));
        let waits = sit_out(client, failure, "20s");
        assert!((RESET_SECONDS..=RESET_SECONDS + 90).contains(&waits), "{waits}");
    });
}

#[test]
fn a_quota_that_opencode_would_sit_out_in_silence_is_waited_for_without_it() {
    installed::with(&clients::opencode::Cli, |client| {
        guess(sit_out(client, Failure::quota(EXCEEDED), "25s"));
    });
}

#[test]
fn a_quota_that_qwen_would_sit_out_in_silence_is_waited_for_without_it() {
    // It tries seven times, each pause longer than the last by a chance of its own, before its first word of it:
    // after one to two minutes.
    installed::with(&clients::qwen::Cli, |client| {
        guess(sit_out(client, Failure::quota(EXCEEDED), "130s"));
    });
}

/// What is waited where nobody says when it is there again.
fn guess(waits: i64) {
    assert!((14 * 60..=16 * 60 + 30).contains(&waits), "{waits}");
}
