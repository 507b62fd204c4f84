//! Drift: agents that wrote otherwise than their manifests say when they ran last, as a new version may.

use std::path::Path;

use jiff::Timestamp;

use crate::agent::catalogue::{Known, Origin};
use crate::agent::manifest::ANY_VERSION;
use crate::command::doctor::Finding;
use crate::command::{Context, agent_files, programs};
use crate::core::class::Class;
use crate::core::id::TaskId;
use crate::core::reading::Reading;
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::store::attempts;
use crate::store::tx::{StoreError, Tx};

/// What is said about.
const SUBJECT: &str = "agents";

/// What happened before says little about what is installed by now.
const RECENT: Span = Span::from_secs(7 * 86_400);

/// So many runs are looked at, the newest ones, and as many of their attempts.
const RUNS_MAX: u32 = 5_000;

/// Which version of an agent is here, as far as that can be told.
pub type Version<'a> = &'a dyn Fn(&Known) -> Option<String>;

/// A finding for each agent that wrote otherwise, as the daemon's store has them.
pub fn seen(cx: &Context<'_>) -> Result<Vec<Finding>, Refusal> {
    let version = |known: &Known| programs::of_service(&known.manifest.programs, cx)?.version;
    cx.read(|tx| findings(tx, &cx.house.places.home, cx.now(), &version))
}

/// A finding for each agent that wrote otherwise.
pub fn findings(
    tx: &mut dyn Tx,
    home: &Path,
    now: Timestamp,
    version: Version<'_>,
) -> Result<Vec<Finding>, StoreError> {
    let since = RECENT.before(now);
    let newest = attempts::newest_of_agents(tx, since, RUNS_MAX)?;
    let agents = agent_files::catalogue(home);
    Ok(newest
        .iter()
        .filter(|(_, reading)| is_strange(reading))
        .filter_map(|(run, reading)| Some(drifted(agents.find(&reading.agent)?, *run, version)))
        .collect())
}

/// Whether nothing of what it wrote was understood. A failure with a class was, even where it was plain text, but
/// for that of a structured result which is not there: nothing understood looks just so.
fn is_strange(reading: &Reading) -> bool {
    reading.is_strange && matches!(reading.class, Class::Done | Class::Failed | Class::SchemaError)
}

fn drifted(known: &Known, run: TaskId, version: Version<'_>) -> Finding {
    let name = &known.manifest.name;
    let seen = known.manifest.seen.as_deref().filter(|seen| *seen != ANY_VERSION);
    let right_for = match seen {
        Some(seen) => format!("was seen to be right for {seen}"),
        None => "was never seen with a version".to_owned(),
    };
    let here = version(known).map(|version| format!(", and {version} is here")).unwrap_or_default();
    let message = format!(
        "{name} wrote otherwise than its manifest says, last in {run}; the manifest {right_for}{here}"
    );
    let own = match &known.origin {
        Origin::BuiltIn => {
            let install = seen.map(|seen| format!("install {seen}, or ")).unwrap_or_default();
            format!(
                "{install}save `converge agents show {name} --toml` as agents/{name}.toml in Converge's home and \
                 mend it"
            )
        }
        Origin::Added(file) | Origin::Replaced(file) => format!("mend {file}"),
    };
    Finding::warn(SUBJECT, message, format!("`converge agents check {name}` tries it; {own}"))
}
