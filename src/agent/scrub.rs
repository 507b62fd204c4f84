//! Scrubbing: what looks like a key goes out of the words that are kept beside an attempt.
//!
//! Services repeat keys when they refuse them. The output of an attempt is its owner's file and stays as it is;
//! what goes into rows and events has no use for a key.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// How keys of the makers of models and of code forges begin, and what stands before others.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    let begins = "sk-|sk_|gh[oprsu]_|github_pat_|glpat-|AIza|xox[abprs]-|ya29\\.|eyJ";
    let before = "bearer\\s+|(?:api[ _-]?key|token|secret|password)[\"']?\\s*[:=]\\s*[\"']?";
    let pattern = format!(r"\b({begins})[\w.*/+-]{{8,}}|(?i:\b({before}))[\w.*/+-]{{16,}}");
    Regex::new(&pattern).expect("a pattern that was tried")
});

/// The text without what looks like a key; a few letters tell which kind it was.
pub fn scrub(text: &str) -> Cow<'_, str> {
    KEY.replace_all(text, "$1$2…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_and_everything_else_stays() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected);
        check(
            "Incorrect API key provided: sk-proj-abcDEF0123456789. See",
            "Incorrect API key provided: sk-… See",
        );
        check("401 {\"api_key\":\"0123456789abcdef01\"}", "401 {\"api_key\":\"…\"}");
        check("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer …");
        check("bad credentials ghp_0123456789abcdef for x", "bad credentials ghp_… for x");
        check("token eyJhbGciOiJIUzI1NiJ9.e30.x_y expired", "token eyJ… expired");
        for text in
            ["no conversation found with session ID 5c5b44f0-aaaa", "used 123456 tokens: 99", "task-sk-1", ""]
        {
            check(text, text);
        }
    }
}
