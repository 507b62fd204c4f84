//! In a shell: which agent opened the one that a command is typed in, by the variables that it sets there.

use std::path::Path;

use crate::agent::catalogue::{Known, Origin};
use crate::agent::manifest::Environment;
use crate::command::agent_files;

/// An agent, and the conversation in which it opened a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InShell {
    /// Its name; of several that name the same variables the one that comes along.
    pub agent: String,
    /// What it calls the conversation, where it tells.
    pub conversation: Option<String>,
}

/// The agent whose shell this is; none where nothing says so, or several do since one was started by another. A
/// copy of a manifest says the same as the manifest, and is no other agent here.
pub fn agent(home: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<InShell> {
    let agents = agent_files::catalogue(home).agents;
    let told = |environment: &Environment| {
        let conversation = environment.conversation.as_deref().and_then(&variable);
        let is_its_own = conversation.is_some() || environment.shell.as_deref().and_then(&variable).is_some();
        is_its_own.then_some(conversation)
    };
    let is_found = |known: &&Known| told(&known.manifest.environment).is_some();
    let found: Vec<&Known> = agents.iter().filter(is_found).collect();
    let first = *found.iter().find(|known| known.origin == Origin::BuiltIn).or_else(|| found.first())?;
    let environment = &first.manifest.environment;
    let is_one = found.iter().all(|known| known.manifest.environment.tells_as(environment));
    is_one.then(|| InShell { agent: first.manifest.name.clone(), conversation: told(environment).flatten() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Option<(&str, Option<&str>)>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        let found = agent(Path::new("/nowhere"), variable);
        let found = found.as_ref().map(|found| (found.agent.as_str(), found.conversation.as_deref()));
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn the_agent_that_opened_a_shell_is_known_by_its_variables() {
        check(&[], None);
        check(&[("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "a-b")], Some(("claude", Some("a-b"))));
        check(&[("CLAUDECODE", "1")], Some(("claude", None)));
        check(&[("CODEX_THREAD_ID", "c-d")], Some(("codex", Some("c-d"))));
        check(&[("COPILOT_AGENT_SESSION_ID", "e")], Some(("copilot", Some("e"))));
        check(&[("QWEN_CODE", "1"), ("QWEN_CODE_SESSION_ID", "f")], Some(("qwen", Some("f"))));
        check(&[("GEMINI_CLI", "1")], Some(("gemini", None)));
        check(&[("OPENCODE", "1")], Some(("opencode", None)));
    }

    #[test]
    fn a_shell_of_an_agent_and_of_a_copy_of_its_manifest_is_the_agents() {
        let home = tempfile::tempdir().expect("a folder");
        let agents = home.path().join("agents");
        std::fs::create_dir(&agents).expect("a folder");
        let known = agent_files::catalogue(home.path());
        let claude = known.find("claude").expect("it comes along").text.replacen("claude", "aclaude", 1);
        std::fs::write(agents.join("aclaude.toml"), claude).expect("a file");
        let known = agent_files::catalogue(home.path());
        assert!(known.find("aclaude").is_some(), "{:?}", known.refused);
        let variable = |name: &str| (name == "CLAUDE_CODE_SESSION_ID").then(|| "a-b".to_owned());
        let expected = InShell { agent: "claude".to_owned(), conversation: Some("a-b".to_owned()) };
        assert_eq!(agent(home.path(), variable), Some(expected));
    }

    #[test]
    fn of_agents_that_were_started_by_each_other_none_is_taken_for_the_one_that_asks() {
        check(&[("CLAUDECODE", "1"), ("CODEX_THREAD_ID", "c-d")], None);
    }
}
