//! Prompts: requests that people pick from a menu, as an agent should read them.

use rmcp::model::{
    CacheScope, ErrorData, GetPromptRequestParams, GetPromptResult, ListPromptsResult, Prompt,
    PromptArgument, PromptMessage, Role,
};
use serde_json::Value as Json;

use crate::core::nearest::nearest;
use crate::words::prompts::{self, Unfilled};

/// How long a client may keep the list: it changes only with the program.
const LIST_TTL_MS: u64 = 3_600_000;

/// The prompts there are.
pub(super) fn list() -> ListPromptsResult {
    let shown = prompts::all().map(|prompt| {
        let arguments = prompt.arguments().into_iter().map(|argument| {
            PromptArgument::new(argument.name)
                .with_description(argument.description)
                .with_required(argument.required)
        });
        Prompt::new(prompt.name, Some(prompt.description()), Some(arguments.collect()))
            .with_title(prompt.title())
    });
    let mut list = ListPromptsResult::with_all_items(shown.collect());
    list.ttl_ms = Some(LIST_TTL_MS);
    list.cache_scope = Some(CacheScope::Public);
    list
}

/// One prompt with its arguments filled in.
pub(super) fn get(request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    let refused = |message: String| ErrorData::invalid_params(message, None);
    let name = &request.name;
    let prompt = prompts::find(name).ok_or_else(|| {
        let names = || prompts::all().map(|prompt| prompt.name);
        refused(match nearest(name, names()) {
            Some(near) => format!("no prompt `{name}`; did you mean `{near}`?"),
            None => format!("no prompt `{name}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        })
    })?;
    let given: Vec<(&str, String)> =
        request.arguments.iter().flatten().map(|(name, value)| (name.as_str(), text(value))).collect();
    let filled = prompt.fill(given.iter().map(|(name, value)| (*name, value.as_str())));
    let text = filled.map_err(|unfilled| refused(told(&prompt, &unfilled)))?;
    let mut result = GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]);
    result.description = Some(prompt.description().to_owned());
    Ok(result)
}

fn told(prompt: &prompts::Prompt, unfilled: &Unfilled) -> String {
    let known = prompt.arguments();
    let names = || known.iter().map(|argument| argument.name);
    match unfilled {
        Unfilled::Missing(name) => {
            let argument = known.iter().find(|argument| argument.name == *name);
            format!("`{name}` is missing: {}", argument.map_or("", |argument| argument.description))
        }
        Unfilled::Unknown(name) => match nearest(name, names()) {
            Some(near) => format!("no argument `{name}`; did you mean `{near}`?"),
            None => format!("no argument `{name}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        },
    }
}

/// Values are texts by the protocol; whoever sends a number means the same.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
