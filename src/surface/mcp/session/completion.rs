//! Completion: what an id or a name may become.

use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, ErrorData, Reference};
use serde_json::{Value as Json, json};

use crate::command::Command;
use crate::command::list_jobs::ListJobs;
use crate::command::run_logs::RunLogs;
use crate::surface::mcp::session::uri::{JOB_TEMPLATE, LOG_TEMPLATE, RUN_TEMPLATE};
use crate::surface::mcp::session::{Session, resources};

/// How many jobs are looked at, a page at a time.
const PAGE: usize = 1000;
const PAGES_MOST: usize = 20;

/// What people say where a prompt asks for it.
const WHEN: [&str; 5] =
    ["every 10 minutes", "every hour", "every morning at 8", "every day", "once, tomorrow at 8"];
const LIMIT: [&str; 4] = ["10 runs", "20 runs", "1 hour", "3 hours"];

/// How many of the newest jobs are asked for their runs.
const JOBS_LOOKED_AT: usize = 5;

/// What the value that was begun may become.
pub(super) async fn complete(
    session: &Session,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let begun = request.argument.value.trim();
    let candidates = match (&request.r#ref, request.argument.name.as_str()) {
        (Reference::Prompt(_), "job") => jobs(session, &["name", "id"]).await?,
        (Reference::Prompt(_), "when") => examples(&WHEN),
        (Reference::Prompt(_), "limit") => examples(&LIMIT),
        (Reference::Resource(template), "id") => match template.uri.as_str() {
            JOB_TEMPLATE => jobs(session, &["id", "name"]).await?,
            RUN_TEMPLATE | LOG_TEMPLATE => runs(session).await?,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let mut found: Vec<String> = candidates.into_iter().filter(|text| text.starts_with(begun)).collect();
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let has_more = found.len() > CompletionInfo::MAX_VALUES;
    found.truncate(CompletionInfo::MAX_VALUES);
    let mut info = CompletionInfo::default();
    info.values = found;
    info.total = Some(total);
    info.has_more = Some(has_more);
    Ok(CompleteResult::new(info))
}

/// These fields of the jobs there are, the newest first.
async fn jobs(session: &Session, fields: &[&str]) -> Result<Vec<String>, ErrorData> {
    let mut found: Vec<Vec<String>> = vec![Vec::new(); fields.len()];
    let mut after = Json::Null;
    for _ in 0..PAGES_MOST {
        let arguments = json!({"limit": PAGE, "after": after});
        let listed = resources::look_whole(session, ListJobs::NAME, arguments).await?;
        for (field, found) in fields.iter().zip(&mut found) {
            found.extend(texts(&listed["jobs"], field));
        }
        after = listed["next"].clone();
        if after.is_null() {
            break;
        }
    }
    Ok(found.into_iter().flat_map(|texts| texts.into_iter().rev()).collect())
}

async fn runs(session: &Session) -> Result<Vec<String>, ErrorData> {
    let mut found = Vec::new();
    for job in jobs(session, &["id"]).await?.iter().take(JOBS_LOOKED_AT) {
        let logs = resources::look_whole(session, RunLogs::NAME, json!({"job": job, "lines": 0})).await?;
        found.extend(texts(&logs["runs"], "id"));
    }
    Ok(found)
}

fn texts<'a>(items: &'a Json, field: &'a str) -> impl Iterator<Item = String> + 'a {
    items.as_array().into_iter().flatten().filter_map(move |item| item[field].as_str().map(str::to_owned))
}

fn examples(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}
