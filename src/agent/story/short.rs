//! Short forms: values of events on one line, cut where they are long.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::core::plain::plain;

/// Members in which a tool's answer or an error has its words.
const WORDS: [&str; 6] = ["text", "content", "message", "output", "detailedContent", "stdout"];

/// So much of a text is looked at for its short form, in bytes for each character of that.
const LOOKED_AT: usize = 16;

/// So deep and so far are values looked into.
const DEPTH_MAX: usize = 4;
const PARTS_MAX: usize = 20;

/// A value in at most so many characters, without what surrounds its words.
pub(super) fn of(value: &Json, most: usize) -> String {
    of_text(&words(value, most, DEPTH_MAX), most)
}

/// A text on one line of at most so many characters.
pub(super) fn of_text(text: &str, most: usize) -> String {
    let seen = &text[..text.floor_char_boundary(most * LOOKED_AT)];
    let mut line = plain(seen).split_whitespace().collect::<Vec<_>>().join(" ");
    if seen.len() < text.len() {
        line.push('…');
    }
    cut(&line, most)
}

/// The beginning of a line, with `…` where it was cut.
pub(super) fn cut(line: &str, most: usize) -> String {
    if line.char_indices().nth(most).is_none() {
        return line.to_owned();
    }
    let end = line.char_indices().nth(most.saturating_sub(1)).map_or(0, |(end, _)| end);
    format!("{}…", line[..end].trim_end_matches('…'))
}

/// The beginning of a text of many lines, with `…` where it was cut.
pub(super) fn end_cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

fn words(value: &Json, most: usize, depth: usize) -> Cow<'_, str> {
    if depth == 0 {
        return Cow::Borrowed("…");
    }
    match value {
        Json::String(text) => match inner(text) {
            Some(value) => Cow::Owned(words(&value, most, depth - 1).into_owned()),
            None => Cow::Borrowed(&text[..text.floor_char_boundary(most * LOOKED_AT)]),
        },
        Json::Array(items) => {
            let items: Vec<_> =
                items.iter().take(PARTS_MAX).map(|item| words(item, most, depth - 1)).collect();
            Cow::Owned(items.join(" "))
        }
        Json::Object(members) => {
            let said = WORDS.iter().find_map(|name| members.get(*name)).filter(|said| !said.is_null());
            if let Some(said) = said.filter(|_| !members.contains_key("file_path")) {
                return words(said, most, depth - 1);
            }
            let named = members.iter().take(PARTS_MAX).map(|(name, value)| {
                let value = of_text(&words(value, most, depth - 1), most / 2);
                if members.len() == 1 { value } else { format!("{name}={value}") }
            });
            Cow::Owned(named.collect::<Vec<_>>().join(" "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => Cow::Owned(value.to_string()),
    }
}

/// The arguments within a text, as some agents write them.
fn inner(text: &str) -> Option<Json> {
    let looks_so = text.len() < 64 << 10 && text.starts_with('{') && text.ends_with('}');
    looks_so.then(|| serde_json::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &Json, expected: &str) {
        assert_eq!(of(value, 30), expected);
    }

    #[test]
    fn a_value_is_told_by_its_words() {
        check(&json!("cargo\n  test"), "cargo test");
        check(&json!({ "command": "cargo test" }), "cargo test");
        check(&json!("{\"command\":\"cargo test\"}"), "cargo test");
        check(&json!({ "path": "a.rs", "line": 3 }), "path=a.rs line=3");
        check(&json!([{ "type": "text", "text": "one" }, { "type": "text", "text": "two" }]), "one two");
        check(&json!({ "message": "no", "code": 3 }), "no");
        check(&json!("\u{1b}[31mred\u{1b}[0m\u{202e}!"), "red!");
    }

    #[test]
    fn what_is_long_is_cut() {
        check(&json!("x".repeat(30)), &"x".repeat(30));
        check(&json!("ü".repeat(31)), &format!("{}…", "ü".repeat(29)));
        check(&json!("x".repeat(10_000)), &format!("{}…", "x".repeat(29)));
        check(&json!({ "a": "x".repeat(10_000), "b": 1 }), "a=xxxxxxxxxxxxxx… b=1");
        check(&json!([[[[[[1]]]]]]), "…");
    }
}
