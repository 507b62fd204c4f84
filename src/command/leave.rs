//! Leave: what an agent may not decide alone, by the setting `mcp.create`.

use crate::command::Context;
use crate::command::caller::Audience;
use crate::core::actor::Voice;
use crate::core::consent::Consent;
use crate::core::definition::Definition;
use crate::core::job::decide;
use crate::core::refusal::{Code, Refusal};

/// The note of a job that waits for a person's leave.
const PARKED: &str = "an agent made it";

/// What is said of a job that waits for a person's leave.
pub fn wanted(job: &str) -> String {
    format!("It waits for a person's leave: {}", decide::leave(job))
}

/// Whose word a request is. Inside a run nobody is a person, whichever program asks.
pub fn voice(cx: &Context<'_>) -> Voice {
    match (cx.caller.inside, cx.caller.reader) {
        (None, Audience::Person) => Voice::Person,
        (Some(_), Audience::Person) | (_, Audience::Model) => Voice::Agent,
    }
}

/// Whether whoever asks may have things run without a person's leave.
pub fn is_free(cx: &Context<'_>) -> bool {
    voice(cx) == Voice::Person || cx.house.consent == Consent::Allow
}

/// What a person should know whose leave a new job waits for; none when it needs none.
pub fn to_add(cx: &Context<'_>) -> Result<Option<String>, Refusal> {
    match (voice(cx), cx.house.consent) {
        (Voice::Person, _) | (Voice::Agent, Consent::Allow) => Ok(None),
        (Voice::Agent, Consent::Ask) => Ok(Some(PARKED.to_owned())),
        (Voice::Agent, Consent::Deny) => {
            let refusal =
                Refusal::new(Code::Denied, "agents may not make jobs here (`mcp.create` is `deny`)");
            Err(refusal.hint("tell the person which job you would make; they add it with converge add"))
        }
    }
}

/// Refuses an update that would run something else than a person gave leave to, let its runs do more, or let it
/// go on for longer.
pub fn to_change(cx: &Context<'_>, before: &Definition, after: &Definition) -> Result<(), Refusal> {
    let is_free = is_free(cx);
    let runs = |definition: &Definition| {
        (
            definition.target.clone(),
            definition.cwd.clone(),
            definition.goal.clone(),
            definition.environment.clone(),
            definition.runs_may,
            definition.limits.clone(),
        )
    };
    if is_free || runs(before) == runs(after) {
        return Ok(());
    }
    let refusal = Refusal::new(
        Code::Denied,
        "agents may not change what a job runs here (`mcp.create` is not `allow`)",
    );
    Err(refusal.hint("tell the person what should run; they change it with converge update"))
}
