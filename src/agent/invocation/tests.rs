use super::*;
use crate::agent::catalogue::Catalogue;

const PROMPT: &str = "-- Do \"it\",\n$HOME ✓";

fn plain() -> Invocation<'static> {
    Invocation {
        prompt: PROMPT,
        session: Session::Fresh,
        model: None,
        effort: None,
        permissions: "edit",
        directories: &[],
        account: None,
        prompt_file: "/runs/1/prompt",
    }
}

fn call(agent: &str, invocation: &Invocation<'_>) -> Result<Call, Vec<Problem>> {
    let catalogue = Catalogue::of(Vec::new());
    invocation.call(&catalogue.find(agent).expect(agent).manifest)
}

fn check(agent: &str, invocation: &Invocation<'_>, expected: &str) {
    let call = call(agent, invocation).expect(agent);
    assert_eq!(call.arguments.join(" "), expected, "{agent}");
}

fn check_refused(agent: &str, invocation: &Invocation<'_>, expected: &[(&str, &str)]) {
    let problems = call(agent, invocation).expect_err(agent);
    let told: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.place.as_str(), problem.message.as_str())).collect();
    assert_eq!(told, expected, "{agent}");
}

#[test]
fn each_slot_is_filled_with_what_is_wanted() {
    let full = Invocation {
        session: Session::Resume("id-1"),
        model: Some("big"),
        effort: Some("high"),
        directories: &["/a", "/b c"],
        ..plain()
    };
    check(
        "claude",
        &full,
        "--print --output-format stream-json --verbose --permission-mode acceptEdits --permission-prompts none \
         --model big --effort high --add-dir /a --add-dir /b c --resume id-1",
    );
    check(
        "codex",
        &full,
        "exec --json --skip-git-repo-check --sandbox workspace-write --model big --config \
         model_reasoning_effort=high --add-dir /a --add-dir /b c resume id-1 -",
    );
    check(
        "copilot",
        &Invocation { session: Session::Resume("id-1"), ..plain() },
        "--no-auto-update \
         --output-format json --allow-tool=write --resume=id-1",
    );
    check(
        "codex",
        &Invocation { session: Session::Fork("id-1"), ..plain() },
        "exec --json \
         --skip-git-repo-check --sandbox workspace-write fork id-1 -",
    );
}

#[test]
fn the_prompt_is_in_no_argument_and_no_variable_of_any_agent() {
    for known in Catalogue::of(Vec::new()).agents {
        for permissions in known.manifest.permissions.keys() {
            let call = Invocation { permissions, ..plain() }.call(&known.manifest).expect(permissions);
            let words = call.arguments.iter().chain(call.set.values());
            assert_eq!(words.filter(|word| word.contains("Do \"it\"")).count(), 0, "{}", known.manifest.name);
            let bytes = match call.input {
                Input::Stdin(bytes) => bytes,
                Input::File { path, bytes } => {
                    assert!(
                        call.arguments.iter().any(|word| word.contains(&path)),
                        "{}",
                        known.manifest.name
                    );
                    bytes
                }
            };
            assert_eq!(bytes, PROMPT.as_bytes());
        }
    }
}

#[test]
fn what_an_agent_cannot_do_is_refused() {
    check_refused(
        "gemini",
        &Invocation { session: Session::Fork("x"), effort: Some("high"), ..plain() },
        &[("effort", "Gemini CLI takes no effort"), ("session", "Gemini CLI cannot copy a conversation")],
    );
    check_refused("kimi", &plain(), &[("permissions", "Kimi Code knows no profile `edit`")]);
    check_refused("claude", &Invocation { prompt: " \n", ..plain() }, &[("prompt", "says nothing")]);
}

#[test]
fn no_value_is_taken_for_a_flag() {
    for value in ["", "-x", "--dangerously-skip-permissions", "a\nb", "a\0"] {
        let place = [(Session::Resume(value), None), (Session::Fresh, Some(value))];
        for (session, model) in place {
            assert!(call("claude", &Invocation { session, model, ..plain() }).is_err(), "{value:?}");
        }
    }
}

#[test]
fn an_account_takes_the_keys_away_that_would_override_it() {
    let call = call("claude", &Invocation { account: Some("/home/me/work"), ..plain() }).expect("a call");
    assert_eq!(call.set["CLAUDE_CONFIG_DIR"], "/home/me/work");
    assert!(call.strip.contains(&"ANTHROPIC_API_KEY".to_owned()));
    assert!(!call.pass.contains(&"ANTHROPIC_API_KEY".to_owned()));
}
