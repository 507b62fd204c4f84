//! Jobs of agents: what is made of the arguments, what is chosen, and what an agent cannot do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value as Json, json};

use super::house::{Guest, Script};
use crate::command::caller::Audience;

/// Somebody with these programs on the path.
pub(super) fn guest(programs: &[&str]) -> Guest {
    guest_of(programs, |_| None)
}

/// The same, whose processes do what `script` says.
pub(super) fn guest_of(programs: &[&str], script: Script) -> Guest {
    let mut guest = Guest::model(script);
    let folder = guest.house.places.home.join("bin");
    fs::create_dir(&folder).expect("a folder");
    for program in programs {
        let path = folder.join(program);
        fs::write(&path, "#!/bin/sh\n").expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }
    guest.caller.env.insert("PATH".to_owned(), folder.display().to_string());
    guest.caller.reader = Audience::Person;
    guest
}

/// The definition that `arguments` make, and every default that was chosen.
#[track_caller]
fn made(guest: &Guest, arguments: Json) -> (Json, Vec<String>) {
    let added = guest.told("add_job", arguments);
    let defaults = added["defaults"].as_array().expect("a list").iter();
    let defaults = defaults.map(|default| default.as_str().expect("a text").to_owned()).collect();
    let shown = guest.told("show_job", json!({ "job": added["id"] }));
    (shown["definition"].clone(), defaults)
}

/// That `arguments` are refused at `place` with these words.
#[track_caller]
fn check_refused(guest: &Guest, arguments: Json, place: &str, words: &str) {
    let text = arguments.to_string();
    let refusal = guest.ask("add_job", arguments).expect_err(&text);
    let told = |problem: &crate::core::refusal::Problem| {
        format!("{}: {} ({})", problem.place, problem.message, problem.fix.as_deref().unwrap_or_default())
    };
    let problems: Vec<String> = refusal.problems.iter().map(told).collect();
    let is_told = problems.iter().any(|told| told.starts_with(&format!("{place}: ")) && told.contains(words));
    assert!(is_told, "{text}: {problems:?}");
}

#[test]
fn what_is_not_said_is_chosen_and_echoed() {
    let guest = guest(&["codex", "claude"]);
    let (definition, defaults) = made(&guest, json!({ "prompt": "fix it", "checks": "t: true" }));
    let chosen = |name: &str| definition[name].clone();
    assert_eq!(chosen("agent"), "claude");
    assert_eq!(chosen("permissions"), "edit");
    assert_eq!(chosen("session"), "fresh", "a loop begins anew");
    assert_eq!(chosen("on_quota"), "wait");
    assert_eq!(chosen("timeout"), "1h");
    assert_eq!(chosen("idle_timeout"), "15m");
    for flag in [
        "--agent claude",
        "--permissions edit",
        "--session fresh",
        "--on-quota wait",
        "--quota-wait 8d",
        "--timeout 1h",
        "--idle-timeout 15m",
        "--max-runs 10",
    ] {
        assert!(defaults.iter().any(|told| told == flag), "{flag}: {defaults:?}");
    }
    let (scheduled, defaults) = made(
        &guest,
        json!({ "prompt": "tidy up", "every": "1h", "checks": "t: true", "agent": "codex,claude" }),
    );
    assert_eq!((&scheduled["session"], &scheduled["on_quota"]), (&json!("auto"), &json!("fallback")));
    assert!(defaults.contains(&"--max-runs 50".to_owned()), "{defaults:?}");
}

#[test]
fn the_agent_that_asks_is_the_one_that_does_it() {
    let mut guest = guest(&["claude", "codex"]);
    guest.caller.client = Some("codex-mcp-client".to_owned());
    let (definition, _) = made(&guest, json!({ "prompt": "fix it", "manual": true }));
    assert_eq!(definition["agent"], "codex");
    guest.caller.client = Some("gemini-cli-mcp-client".to_owned());
    let (definition, _) = made(&guest, json!({ "prompt": "fix more", "manual": true }));
    assert_eq!(definition["agent"], "claude", "gemini is not here");
}

#[test]
fn the_conversation_of_whoever_asks_goes_on() {
    let mut guest = guest(&["claude", "codex"]);
    let mine = json!({ "prompt": "go on", "session": "mine", "every": "1h" });
    check_refused(&guest, mine.clone(), "session", "nobody told which conversation");
    guest.caller.client = Some("claude-code".to_owned());
    check_refused(&guest, mine.clone(), "session", "nobody told which conversation");
    guest.caller.conversation = Some("a-b-c".to_owned());
    let (definition, _) = made(&guest, mine);
    assert_eq!((&definition["session"], &definition["agent"]), (&json!("mine"), &json!("claude")));
    let other = json!({ "prompt": "go on", "session": "mine", "agent": "codex", "every": "1h" });
    check_refused(&guest, other, "session", "your conversation is with `claude`");
}

#[test]
fn a_conversation_goes_on_with_a_copy_of_the_manifest_of_its_agent_too() {
    let mut guest = guest(&["claude", "codex"]);
    guest.caller.client = Some("claude".to_owned());
    guest.caller.conversation = Some("a-b-c".to_owned());
    let agents = guest.house.places.home.join("agents");
    fs::create_dir(&agents).expect("a folder");
    let known = crate::command::agent_files::catalogue(&guest.house.places.home);
    let copy = known.find("claude").expect("it comes along").text.replacen("claude", "work-claude", 1);
    fs::write(agents.join("work-claude.toml"), copy).expect("a file");
    let mine = |agent: &str| json!({ "prompt": agent, "session": "mine", "agent": agent, "every": "1h" });
    for agent in ["claude", "work-claude", "codex,work-claude"] {
        let (definition, _) = made(&guest, mine(agent));
        assert_eq!((&definition["session"], &definition["agent"]), (&json!("mine"), &json!(agent)));
    }
    check_refused(&guest, mine("codex"), "session", "your conversation is with `claude`");
}

#[test]
fn what_an_agent_cannot_do_is_refused() {
    let guest = guest(&["claude", "kimi", "cat"]);
    let with = |more: Json| {
        let mut arguments = json!({ "prompt": "fix it", "every": "1h" });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        arguments
    };
    for (more, place, words) in [
        (json!({ "cmd": "ls" }), "prompt", "give either `--prompt` or `--cmd`"),
        (json!({ "prompt_file": "x" }), "prompt", "give either `--prompt` or `--prompt-file`"),
        (json!({ "prompt": " " }), "prompt", "says nothing"),
        (json!({ "prompt": "{{last.resalt}}" }), "prompt", "{{last.result}}"),
        (json!({ "agent": "claude,kimmi" }), "agent", "did you mean `claude,kimi`?"),
        (json!({ "agent": "nobody" }), "agent", "there are claude, codex"),
        (json!({ "agent": "claude,,kimi" }), "agent", "no agent"),
        (json!({ "agent": "claude,claude" }), "agent", "twice"),
        (json!({ "agent": "codex" }), "agent", "such as `claude`"),
        (json!({ "agent": "kimi" }), "permissions", "such as `full`"),
        (json!({ "permissions": "edti" }), "permissions", "did you mean `edit`?"),
        (json!({ "agent": "test", "model": "big" }), "model", "takes no model"),
        (json!({ "model": "opus@work" }), "model", "without `@`"),
        (json!({ "agent": "claude", "model": "a,b" }), "model", "without `@`"),
        (json!({ "account": "a b" }), "account", "no name of an account"),
        (json!({ "agent": "test", "effort": "high" }), "effort", "takes no effort"),
        (json!({ "agent": "test", "session": "resume" }), "session", "cannot go on"),
        (json!({ "agent": "test", "session": "fork" }), "session", "cannot copy"),
        (json!({ "agent": "test", "add_dir": "." }), "add_dir", "takes no further directories"),
        (json!({ "agent": "test", "max_usd": 5 }), "max_usd", "use `--max-runs` or `--max-hours`"),
        (json!({ "agent": "test", "max_tokens": "1M" }), "max_tokens", "use `--max-runs` or `--max-hours`"),
        (json!({ "session": "fersh" }), "session", "did you mean `fresh`?"),
        (json!({ "add_dir": "nowhere" }), "add_dir", "no directory"),
        (json!({ "timeout": "none" }), "timeout", "a run of an agent always has one"),
        (json!({ "on_quota": "wiat" }), "on_quota", "did you mean `wait`?"),
        (json!({ "on_quota": "fallback" }), "on_quota", "no second agent"),
        (json!({ "agent": "test", "schema": {} }), "schema", "agents that do: `claude`, `codex`, `qwen`"),
        (json!({ "agent": "claude,kimi", "schema": {} }), "schema", "gives no structured results"),
        (json!({ "schema": "{\"type\":" }), "schema", "is no JSON: EOF"),
        (json!({ "schema": { "type": "array" } }), "schema", "is of something else than an object"),
        (
            json!({ "schema": { "properties": { "b": { "type": "intger" } } } }),
            "schema",
            "`properties.b.type` that names no type",
        ),
        (json!({ "schema": "nowhere.json" }), "schema", "nowhere.json` cannot be read"),
        (json!({ "max_tokens": "many" }), "max_tokens", "no number of tokens"),
        (json!({ "max_tokens": "1.2345k" }), "max_tokens", "such as `200k` or `2.5M`; `0` is no limit"),
        (json!({ "max_usd": "much" }), "max_usd", "no amount"),
    ] {
        check_refused(&guest, with(more), place, words);
    }
    let command = json!({ "cmd": "ls", "every": "1h", "agent": "claude", "max_tokens": "1M" });
    check_refused(&guest, command.clone(), "agent", "a command has no agent");
    check_refused(&guest, command, "max_tokens", "a command spends none");
    check_refused(&guest, json!({ "every": "1h" }), "cmd", "or with `--prompt`");
    check_refused(
        &guest,
        json!({ "prompt_file": "gone.md", "every": "1h" }),
        "prompt_file",
        "cannot be read",
    );
}

#[test]
fn nobody_at_hand_is_said_with_what_to_do() {
    let guest = guest(&[]);
    check_refused(&guest, json!({ "prompt": "fix it", "manual": true }), "agent", "npm install");
    let chain = json!({ "prompt": "fix it", "manual": true, "agent": "claude,codex" });
    check_refused(&guest, chain, "agent", "`claude,codex` is not on your PATH");
}

#[test]
fn a_job_reads_back_as_the_arguments_that_make_it() {
    let guest = guest(&["claude", "codex"]);
    fs::write(guest.house.places.home.join("project/ask.md"), "do {{job.name}}").expect("a file");
    let (definition, _) = made(
        &guest,
        json!({
            "name": "tidy", "prompt_file": "ask.md", "agent": "claude:opus@work,codex", "model": "small",
            "permissions": "read-only", "session": "resume", "on_quota": "fail", "quota_wait": "2h",
            "every": "1h", "max_tokens": "200k",
        }),
    );
    assert_eq!(definition["agent"], "claude:opus@work,codex:small");
    assert_eq!(definition["max_tokens"], "200000");
    assert!(definition["prompt_file"].as_str().expect("a path").ends_with("/project/ask.md"));
    let again = guest.told("add_job", {
        let mut again = definition.clone();
        again.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        again["name"] = json!("tidy");
        again
    });
    assert_eq!(again["existed"], true, "{again}");
}

#[test]
fn a_schema_is_said_by_its_file_or_as_an_object_and_taken_away_by_none() {
    let guest = guest(&["claude", "codex"]);
    let schema = json!({ "type": "object", "required": ["ok"] });
    fs::write(guest.house.places.home.join("project/ok.json"), format!("{schema:#}")).expect("a file");
    let job = |name: &str, schema: Json| {
        let job = json!({ "name": name, "prompt": "look", "agent": "codex,claude", "manual": true, "schema": schema });
        made(&guest, job).0["schema"].clone()
    };
    let text = json!(schema.to_string());
    assert_eq!(job("of-a-file", json!("ok.json")), text);
    assert_eq!(job("of-an-object", schema.clone()), text);
    assert_eq!(job("of-a-text", json!(format!(" {schema:#}"))), text);
    let update = |more: Json| {
        let mut request = json!({ "job": "of-a-file", "manual": true });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        guest.told("update_job", request);
        guest.told("show_job", json!({ "job": "of-a-file" }))["definition"]["schema"].clone()
    };
    assert_eq!(update(json!({ "effort": "high" })), text, "what is not named stays");
    assert_eq!(update(json!({ "schema": "none" })), Json::Null);
}

#[test]
fn an_update_changes_what_it_names() {
    let guest = guest(&["claude", "codex", "kimi"]);
    guest.told(
        "add_job",
        json!({ "name": "tidy", "prompt": "tidy up", "agent": "claude:opus", "every": "1h" }),
    );
    let update = |more: Json| {
        let mut arguments = json!({ "job": "tidy" });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        guest.told("update_job", arguments);
        guest.told("show_job", json!({ "job": "tidy" }))["definition"].clone()
    };
    assert_eq!(update(json!({ "model": "sonnet" }))["agent"], "claude:sonnet");
    assert_eq!(update(json!({ "model": "none" }))["agent"], "claude");
    assert_eq!(update(json!({ "account": "me@example.com" }))["agent"], "claude@me@example.com");
    assert_eq!(update(json!({ "model": "opus" }))["agent"], "claude:opus@me@example.com");
    let changed = update(json!({ "agent": "codex,claude" }));
    assert_eq!((&changed["agent"], &changed["on_quota"]), (&json!("codex,claude"), &json!("fallback")));
    assert_eq!(changed["prompt"], "tidy up");
    assert_eq!(update(json!({ "permissions": "full" }))["permissions"], "full");
    let warned = guest.told("list_jobs", json!({}))["jobs"][0]["warnings"].to_string();
    assert!(warned.contains("--permissions full"), "{warned}");
    let command = update(json!({ "cmd": "true" }));
    assert_eq!((&command["cmd"], &command["prompt"]), (&json!("true"), &Json::Null));
    assert_eq!((&command["timeout"], &command["idle_timeout"]), (&json!("10m"), &json!("none")));
    let agent = update(json!({ "prompt": "again", "agent": "claude" }));
    assert_eq!((&agent["prompt"], &agent["timeout"]), (&json!("again"), &json!("1h")));
}

#[test]
fn what_somebody_should_know_is_said() {
    let guest = guest(&["codex"]);
    let arguments = json!({ "prompt": "fix it", "agent": "claude,codex", "until": "exit 0", "wait": "1m" });
    let added = guest.told("add_job", arguments);
    let warnings = added["warnings"].to_string();
    for words in ["`claude` is not on your PATH", "not that the work is done"] {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
}
