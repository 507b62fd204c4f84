use std::path::Path;

use super::*;
use crate::agent::catalogue::Catalogue;

fn plain() -> Invocation<'static> {
    Invocation {
        session: Session::Fresh,
        model: None,
        effort: None,
        permissions: "edit",
        directories: &[],
        tools: &[],
        account: None,
        prompt_file: "/runs/1/prompt",
        schema: None,
        register: None,
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
fn a_schema_is_handed_on_as_text_or_as_a_private_file() {
    let schema = Schema { text: "{\"type\":\"object\"}", file: "/runs/1/agent/.schema.json" };
    let asked = Invocation { schema: Some(schema), session: Session::Resume("id-1"), ..plain() };
    let file = PrivateFile { name: SCHEMA_FILE.to_owned(), text: schema.text.to_owned() };
    for (agent, words, files) in [
        ("claude", "--resume id-1 --json-schema {\"type\":\"object\"}", vec![]),
        ("codex", "--output-schema /runs/1/agent/.schema.json resume id-1 -", vec![file.clone()]),
        ("qwen", "--resume id-1 --json-schema @/runs/1/agent/.schema.json", vec![file]),
    ] {
        let call = call(agent, &asked).expect(agent);
        assert!(call.arguments.join(" ").ends_with(words), "{agent}: {:?}", call.arguments);
        assert_eq!(call.files, files, "{agent}");
    }
    check_refused(
        "gemini",
        &Invocation { session: Session::Fresh, ..asked },
        &[("schema", "Gemini CLI gives no structured results")],
    );
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
fn an_agent_that_reads_no_standard_input_is_told_where_the_prompt_lies() {
    for known in Catalogue::of(Vec::new()).agents {
        for permissions in known.manifest.permissions.keys() {
            let call = Invocation { permissions, ..plain() }.call(&known.manifest).expect(permissions);
            if call.input == Input::File {
                let names = |word: &String| word.contains("/runs/1/prompt");
                assert!(call.arguments.iter().any(names), "{}", known.manifest.name);
            }
        }
    }
}

#[test]
fn converge_is_registered_where_that_is_wanted_and_can_be() {
    let register = Register {
        program: Path::new("/bin/converge"),
        home: Path::new("/h"),
        run_dir: Path::new("/r"),
        attempt: "r0abc1234.2".parse().expect("a key"),
    };
    let inside = Invocation { register: Some(register), ..plain() };
    let claude = call("claude", &inside).expect("a call");
    let [.., flag, file, allow, tools] = claude.arguments.as_slice() else { panic!("{claude:?}") };
    assert_eq!(
        [flag, file, allow, tools],
        ["--mcp-config", "/r/agent/mcp.json", "--allowedTools", "mcp__converge"]
    );
    let text = r#"{"mcpServers":{"converge":{"type":"stdio","command":"/bin/converge","args":["mcp"],"env":{"CONVERGE_HOME":"/h","CONVERGE_ATTEMPT":"r0abc1234.2"}}}}"#;
    assert_eq!(claude.files, [PrivateFile { name: "mcp.json".to_owned(), text: text.to_owned() }]);
    let opencode = call("opencode", &inside).expect("a call");
    assert!(opencode.set["OPENCODE_CONFIG_CONTENT"].contains("/bin/converge"));
    let kimi = call("kimi", &Invocation { permissions: "full", ..inside.clone() }).expect("a call");
    let overlay = kimi.overlay.expect("a home");
    assert_eq!((overlay.variable.as_str(), overlay.document.as_str()), ("KIMI_CODE_HOME", "mcp.json"));
    assert_eq!(overlay.adds["mcpServers"]["converge"]["command"], "/bin/converge");
    // Where it is not wanted nothing is said of it, and where it cannot be nothing is refused.
    let without = call("opencode", &plain()).expect("a call");
    assert!(!without.set.contains_key("OPENCODE_CONFIG_CONTENT"));
    assert_eq!(call("test", &inside), call("test", &plain()));
    let nowhere = Invocation { register: Some(Register { home: Path::new("h"), ..register }), ..plain() };
    check_refused("claude", &nowhere, &[("agent", "Converge cannot be registered with the path `h`")]);
}

#[test]
fn every_agent_finds_its_way_out() {
    for known in Catalogue::of(Vec::new()).agents {
        let name = &known.manifest.name;
        let profile = known.manifest.permissions.keys().next().map_or("edit", String::as_str);
        let invocation = Invocation { permissions: profile, ..plain() };
        let passed = invocation.call(&known.manifest).expect(name).pass;
        for variable in ["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            assert_eq!(passed.iter().filter(|passed| *passed == variable).count(), 1, "{name} {variable}");
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
    let call = call("claude", &Invocation { account: Some(Account::Home("/home/me/work")), ..plain() })
        .expect("a call");
    assert_eq!(call.set["CLAUDE_CONFIG_DIR"], "/home/me/work");
    assert!(call.strip.contains(&"ANTHROPIC_API_KEY".to_owned()));
    assert!(!call.pass.contains(&"ANTHROPIC_API_KEY".to_owned()));
    assert!(!call.pass.contains(&"CLAUDE_CONFIG_DIR".to_owned()));
}

#[test]
fn an_account_of_variables_takes_the_usual_home_away() {
    let call = call("claude", &Invocation { account: Some(Account::Variables), ..plain() }).expect("a call");
    assert!(call.strip.contains(&"CLAUDE_CONFIG_DIR".to_owned()), "{:?}", call.strip);
}

#[test]
fn a_cli_that_keeps_accounts_is_told_which() {
    let account = Some(Account::Profile("work"));
    check(
        "codewith",
        &Invocation { account, ..plain() },
        "--ask-for-approval never --auth-profile work exec --json --ephemeral --skip-git-repo-check --sandbox \
         workspace-write -",
    );
    check_refused(
        "claude",
        &Invocation { account, ..plain() },
        &[("account", "Claude Code keeps no accounts")],
    );
}
