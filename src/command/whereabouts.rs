//! Whereabouts: which program of each agent the service would run, and where that is another than the caller's.

use std::path::Path;

use crate::agent::catalogue::Known;
use crate::command::doctor::Finding;
use crate::command::{Context, agent_files, programs};
use crate::programs::Program;

/// What is said about.
const SUBJECT: &str = "agents";

/// A finding for each agent that is here in two ways, and one for all others that are here.
pub fn findings(cx: &Context<'_>) -> Vec<Finding> {
    let catalogue = agent_files::catalogue(&cx.house.places.home);
    let mut findings = Vec::new();
    let mut told = Vec::new();
    for known in &catalogue.agents {
        let names = &known.manifest.programs;
        let Some(service) = programs::of_service(names, cx) else { continue };
        match programs::of_shell(names, cx.caller) {
            Some(shell) if shell != service => findings.push(other(known, &service, &shell)),
            Some(_) => told.push(here(known, &service)),
            None => told.push(format!("{}, which your shell does not find", here(known, &service))),
        }
    }
    if !told.is_empty() {
        findings.push(Finding::good(SUBJECT, told.join("; ")));
    }
    findings
}

/// An agent with its version, and the one that it was seen with where that is another.
fn here(known: &Known, program: &Program) -> String {
    let name = &known.manifest.name;
    let place = program.path.display();
    let Some(version) = &program.version else { return format!("{name} ({place})") };
    match known.manifest.seen_with_other_than(version) {
        Some(seen) => format!("{name} {version} ({place}; how it is driven was seen with {seen})"),
        None => format!("{name} {version} ({place})"),
    }
}

fn other(known: &Known, service: &Program, shell: &Program) -> Finding {
    let with_version = |program: &Program| match &program.version {
        Some(version) => format!("{}, {version}", program.path.display()),
        None => program.path.display().to_string(),
    };
    let name = &known.manifest.name;
    let message =
        format!("{name}: runs take {}; your shell takes {}", with_version(service), with_version(shell));
    let folder = |program: &Program| program.path.parent().unwrap_or(Path::new("/")).display().to_string();
    let fix = format!(
        "remove one of them, or have {} on your PATH, behind {}, for the one of your shell",
        folder(service),
        folder(shell)
    );
    Finding::warn(SUBJECT, message, fix)
}
