//! Quotas: how the service of each client says that an account has used up what it may.

use serde_json::json;

use super::clients::Client;
use super::model::turn::Failure;

/// A quota that is used up.
pub(crate) struct UsedUp {
    /// What the service answers.
    pub(crate) failure: Failure,
    /// Whether the client tells when it is there again.
    pub(crate) is_stated: bool,
}

/// It is there again after so many seconds.
pub(crate) const RESET_SECONDS: i64 = 3 * 3600;

/// What most say of it.
pub(crate) const EXCEEDED: &str =
    "You exceeded your current quota, please check your plan and billing details.";

/// A used-up quota, told so that the client gives up rather than tries again for hours.
pub(crate) fn used_up(client: &dyn Client) -> UsedUp {
    let resets_at = jiff::Timestamp::now().as_second() + RESET_SECONDS;
    let failure = Failure::quota(EXCEEDED);
    let stated = |failure| UsedUp { failure, is_stated: true };
    let unstated = |failure| UsedUp { failure, is_stated: false };
    match client.name() {
        "claude" => stated(
            failure
                .header("anthropic-ratelimit-unified-status", "rejected")
                .header("anthropic-ratelimit-unified-reset", &resets_at.to_string())
                .header("anthropic-ratelimit-unified-representative-claim", "five_hour"),
        ),
        "codex" => stated(failure.body(json!({ "error": {
            "type": "usage_limit_reached", "message": "The usage limit has been reached",
            "plan_type": "plus", "resets_at": resets_at, "resets_in_seconds": RESET_SECONDS,
        } }))),
        "gemini" => stated(failure.body(json!({ "error": {
            "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota.",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{RESET_SECONDS}s"),
            }],
        } }))),
        // With a 429 these two try again, one for ever and one for an hour and more, until their silence is
        // too long; as other services say it, they give up. Neither has a word for when it is there again.
        "opencode" | "qwen" => unstated(
            Failure { status: 402, ..failure }
                .body(json!({ "error": { "code": 402, "message": "Insufficient credits" } })),
        ),
        // They tell that it is used up, and nothing of what the service says about its end.
        _ => unstated(failure.header("retry-after", &RESET_SECONDS.to_string())),
    }
}
