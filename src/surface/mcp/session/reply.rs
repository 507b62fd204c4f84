//! Replies: what a verb answered, as the result of a tool.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value as Json, json};

use crate::command::caller::Audience;
use crate::core::refusal::Refusal;

/// The result of a tool for what a verb answered.
///
/// Each client shows its model either the text or the structure, so both hold the same. A refusal has no
/// structure, since that is promised to be a reply: many clients would tell their model of the broken promise,
/// and of nothing else. Our own programs read the structure alone.
pub(super) fn result(reader: Audience, answer: Result<Json, Refusal>) -> CallToolResult {
    let text = |text: String| match reader {
        Audience::Person => Vec::new(),
        Audience::Model => vec![ContentBlock::text(text)],
    };
    match answer {
        Ok(reply) => {
            let reply = without_nulls(reply);
            let mut result = CallToolResult::success(text(reply.to_string()));
            result.structured_content = Some(reply);
            result
        }
        Err(refusal) => {
            let mut result = CallToolResult::error(text(told(&refusal)));
            result.structured_content = match reader {
                Audience::Person => Some(without_nulls(json!(refusal))),
                Audience::Model => None,
            };
            result
        }
    }
}

/// A refusal as text: what is wrong, where, and what to send instead.
pub(super) fn told(refusal: &Refusal) -> String {
    match &refusal.hint {
        Some(hint) => format!("{refusal}\n{hint}"),
        None => refusal.to_string(),
    }
}

/// A document without what says nothing.
pub(super) fn without_nulls(mut json: Json) -> Json {
    drop_nulls(&mut json);
    json
}

/// Leaves out what says nothing.
fn drop_nulls(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::refusal::{Code, Problem};

    #[test]
    fn text_and_structure_hold_the_same() {
        let reply = json!({"id": "j1", "next": null, "runs": [{"note": null}, null]});
        let kept = json!({"id": "j1", "runs": [{}, null]});
        let shown = result(Audience::Model, Ok(reply.clone()));
        assert_eq!(shown.structured_content, Some(kept.clone()));
        assert_eq!(shown.content, [ContentBlock::text(kept.to_string())]);
        let ours = result(Audience::Person, Ok(reply));
        assert_eq!((ours.structured_content, ours.content.len()), (Some(kept), 0));
    }

    #[test]
    fn a_refusal_says_everything_as_text() {
        let problems = vec![Problem::new("every", "`5`").fix("`5m`"), Problem::new("cmd", "empty")];
        let refusal = Refusal::invalid(problems).hint("write both");
        let shown = result(Audience::Model, Err(refusal.clone()));
        assert_eq!((shown.is_error, shown.structured_content), (Some(true), None));
        let text = "2 problems\n  every: `5` (`5m`)\n  cmd: empty\nwrite both";
        assert_eq!(shown.content, [ContentBlock::text(text)]);
        let ours = result(Audience::Person, Err(refusal)).structured_content.expect("a structure");
        assert_eq!(ours["code"], json!(Code::Invalid));
    }
}
