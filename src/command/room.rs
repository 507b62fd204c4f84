//! Room: a reply that a model reads is shorter than what clients pass on, whatever the data.
//!
//! Verbs give as many rows as there is room for and a cursor, and shorten texts with a word on where the rest
//! is. What is too long all the same is cut at the end, so that the limit holds for any reply.

use serde::Serialize;
use serde_json::Value as Json;

use crate::command::fence;

/// No reply to a model has more characters of JSON.
pub const REPLY_MOST: usize = 10_000;

/// What the rows of a reply may take; the rest is for what stands around them.
const ROWS_MOST: usize = 7_000;

/// What is left for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    left: usize,
}

impl Room {
    /// All of it.
    pub fn whole() -> Self {
        Self { left: ROWS_MOST }
    }

    /// No end of it, for people.
    pub fn endless() -> Self {
        Self { left: usize::MAX }
    }

    /// Takes the room for `row`, if there is any left.
    pub fn take(&mut self, row: &impl Serialize) -> bool {
        let size = serde_json::to_string(row).map_or(usize::MAX, |text| text.chars().count() + 1);
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// The rows that there is room for, at least one, and whether those are all.
    pub fn rows<T: Serialize>(&mut self, rows: impl IntoIterator<Item = T>) -> (Vec<T>, bool) {
        let mut kept = Vec::new();
        for row in rows {
            if !self.take(&row) && !kept.is_empty() {
                return (kept, false);
            }
            kept.push(row);
        }
        (kept, true)
    }
}

/// The beginning of a text, with a word on where the rest is when that is known.
pub fn head(text: &str, most: usize, rest: Option<&str>) -> String {
    let Some((place, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let left = text[place..].chars().count();
    let rest = rest.map_or_else(String::new, |rest| format!(": {rest}"));
    format!("{} ({left} more characters{rest})", fence::closed(text[..place].to_owned(), "…"))
}

/// The end of a text, from the beginning of a line if there is one, and whether that is less than all.
pub fn tail(text: &str, most: usize) -> (&str, bool) {
    let count = text.chars().count();
    let Some((place, _)) =
        count.checked_sub(most).filter(|skip| *skip > 0).and_then(|skip| text.char_indices().nth(skip))
    else {
        return (text, false);
    };
    let end = &text[place..];
    (end.split_once('\n').map_or(end, |(_, lines)| lines), true)
}

/// Some of many texts, each shortened, and how many more there are.
pub fn few(texts: &[String], most: usize, length: usize) -> Vec<String> {
    let mut few: Vec<String> = texts.iter().take(most).map(|text| head(text, length, None)).collect();
    if texts.len() > most {
        few.push(format!("… ({} more)", texts.len() - most));
    }
    few
}

/// The reply cut down to [`REPLY_MOST`] characters, its longest texts and lists first.
pub fn fit(mut reply: Json) -> Json {
    for (text, rows) in [(2000, 100), (500, 40), (200, 20), (80, 8), (20, 3), (5, 1)] {
        // Bytes are never fewer than characters, and counted without looking at each.
        if reply.to_string().len() <= REPLY_MOST {
            break;
        }
        cut(&mut reply, text, rows);
    }
    reply
}

fn cut(value: &mut Json, text_most: usize, rows_most: usize) {
    match value {
        Json::String(text) => *text = cut_text(text, text_most),
        Json::Array(rows) => {
            rows.truncate(rows_most);
            for row in rows {
                cut(row, text_most, rows_most);
            }
        }
        Json::Object(members) => {
            let surplus: Vec<String> = members.keys().skip(rows_most.max(32)).cloned().collect();
            for name in surplus {
                members.remove(&name);
            }
            members.values_mut().for_each(|member| cut(member, text_most, rows_most));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// A text cut so that a fence around it stays closed.
fn cut_text(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    fence::closed(text.chars().take(most).collect(), "…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_told_fits() {
        let long = "\"\\\n".repeat(400_000);
        let wide: serde_json::Map<String, Json> =
            (0..5000).map(|number| (format!("name {number}"), json!(number))).collect();
        let many: Vec<Json> =
            (0..10_000).map(|number| json!({ "id": number, "text": "x".repeat(200) })).collect();
        for reply in [
            json!({ "id": "j1", "text": long }),
            json!({ "rows": many, "next": "j2" }),
            Json::Object(wide),
            json!({ "a": [[[["x".repeat(20_000)]]]], "b": "ü".repeat(20_000) }),
        ] {
            let told = fit(reply).to_string();
            assert!(told.chars().count() <= REPLY_MOST, "{} characters", told.chars().count());
        }
        let short = json!({ "id": "j1", "text": "x".repeat(9000) });
        assert_eq!(fit(short.clone()), short, "what fits stays as it is");
    }

    #[test]
    fn a_fence_that_is_cut_stays_closed() {
        let fenced = crate::command::fence::output("r1", "stdout", &"y".repeat(50_000));
        let cut = fit(json!({ "output": fenced.clone() }));
        assert!(cut["output"].as_str().expect("text").ends_with("…</output>"));
        let within = format!("it said {}, twice, and then no more", fence::data(&"y".repeat(50)));
        assert_eq!(cut_text(&within, 20), "it said <data>yyyyyy…</data>");
        assert_eq!(cut_text(&within, 80), format!("it said <data>{}</data>, twice, …", "y".repeat(50)));
        assert_eq!(cut_text(&fenced, 20), "…");
        assert_eq!(head(&within, 20, None), "it said <data>yyyyyy…</data> (76 more characters)");
    }

    #[test]
    fn rows_are_given_as_far_as_there_is_room() {
        let rows: Vec<String> = (0..1000).map(|_| "x".repeat(97)).collect();
        let (kept, all) = Room::whole().rows(rows.clone());
        assert_eq!((kept.len(), all), (70, false));
        assert!(Room::endless().rows(rows).1);
        assert_eq!(Room::whole().rows(["x".repeat(50_000)]).0.len(), 1, "one row there always is");
    }

    #[test]
    fn a_text_is_shortened_with_a_word_on_the_rest() {
        assert_eq!(head("häuser", 6, None), "häuser");
        assert_eq!(
            head("häuser", 2, Some("converge://jobs/j1")),
            "hä… (4 more characters: converge://jobs/j1)"
        );
        assert_eq!(tail("one\ntwo\nthree", 8), ("three", true));
        assert_eq!(tail("one", 8), ("one", false));
    }
}
