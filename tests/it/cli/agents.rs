//! Agents on the command line: which are here, how each is driven, and files of one's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value as Json;

use crate::home::{Home, Said};

const MINE: &str = "name = \"mine\"\nprograms = [\"mine\"]\nprompt = \"stdin\"\narguments = [\"--go\"]\n\
                    [permissions]\nedit = []\n[output]\nform = \"text\"\n";

/// Puts a manifest among the user's.
fn put(home: &Home, name: &str, text: &str) {
    let folder = home.home().join("agents");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

/// Puts a program on a path of its own, in a package of this version.
fn install(home: &Home, name: &str, version: &str) -> String {
    install_saying(home, name, version, "")
}

/// One that does this.
fn install_saying(home: &Home, name: &str, version: &str, line: &str) -> String {
    let folder = home.folder().join("programs").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("package.json"), format!("{{\"version\":\"{version}\"}}")).unwrap();
    fs::write(folder.join(name), format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    folder.display().to_string()
}

fn row<'a>(agents: &'a Json, name: &str) -> &'a Json {
    let rows = agents["agents"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} in {agents}"))
}

#[test]
fn every_agent_is_listed_with_what_is_here_of_it() {
    let home = Home::new();
    let path = [
        install(&home, "claude", "2.1.329"),
        install(&home, "codex", "9.9.9"),
        install(&home, "codewith", "1.0"),
    ];
    let output = home.command(&["agents", "--json"]).env("PATH", path.join(":")).output().unwrap();
    let agents: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(agents["refused"], serde_json::json!([]));
    assert_eq!(agents["agents"].as_array().unwrap().len(), 11);
    for (name, state, version) in [
        ("claude", "found", Some("2.1.329")),
        ("codex", "other_version", Some("9.9.9")),
        ("codewith", "unverified", Some("1.0")),
        ("gemini", "missing", None),
    ] {
        let row = row(&agents, name);
        assert_eq!((row["state"].as_str(), row["version"].as_str()), (Some(state), version), "{row}");
    }
    assert_eq!(row(&agents, "claude")["program"], format!("{}/claude", path[0]));
    let text = home.run(&["agents"]).done().out;
    assert!(text.starts_with("NAME") && text.contains("converge agents show NAME"), "{text}");
}

#[test]
fn an_agent_at_which_nobody_is_logged_in_is_told_with_how_to() {
    let home = Home::new();
    let says = |in_or_not: bool| {
        format!("test \"$*\" = 'auth status' && echo '{{ \"loggedIn\": {in_or_not} }}' >&2")
    };
    let path = [false, true].map(|in_or_not| {
        let folder = install_saying(&home, "claude", "2.1.329", &says(in_or_not));
        let own = format!("{folder}-{in_or_not}");
        fs::rename(folder, &own).unwrap();
        format!("{own}:/usr/bin:/bin")
    });
    let run = |words: &[&str], in_or_not: bool| {
        let mut command = home.command(words);
        Said::of(&command.env("PATH", &path[usize::from(in_or_not)]).output().unwrap()).done()
    };
    assert_eq!(row(&run(&["agents", "--json"], true).json(), "claude")["log_in"], Json::Null);
    let agents = run(&["agents", "--json"], false).json();
    assert_eq!(row(&agents, "claude")["log_in"], "claude auth login");
    let text = run(&["agents"], false).out;
    assert!(text.contains("Nobody is logged in at claude, as it says: `claude auth login`"), "{text}");
    let add = ["add", "--agent", "claude", "--prompt", "x", "--manual"];
    let added = run(&add, false).out;
    assert!(added.contains("`claude` says that nobody is logged in"), "{added}");
}

#[test]
fn a_run_tells_of_which_version_its_agent_was() {
    let home = Home::new();
    let says =
        r#"echo '{"type":"result","subtype":"success","is_error":false,"result":"hi","session_id":"s"}'"#;
    let folder = install_saying(&home, "qwen", "9.9.9", says);
    let run = |words: &[&str]| {
        let mut command = home.command(words);
        Said::of(&command.env("PATH", format!("{folder}:/usr/bin:/bin")).output().unwrap()).done()
    };
    run(&["add", "v", "--agent", "qwen", "--prompt", "x", "--manual"]);
    run(&["run-now", "v"]);
    let id = home.json(&["logs", "v"])["runs"][0]["id"].as_str().unwrap().to_owned();
    let attempt = &home.json(&["show", &id])["attempt_list"][0];
    assert_eq!((&attempt["version"], &attempt["seen"]), (&"9.9.9".into(), &"0.24.4".into()), "{attempt:#}");
    let text = home.run(&["show", &id]).done().out;
    assert!(text.contains("attempt 1 was qwen 9.9.9; how it is driven was seen with 0.24.4"), "{text}");
    // It is upgraded between two runs.
    install_saying(&home, "qwen", "0.24.4", says);
    run(&["run-now", "v"]);
    let id = home.json(&["logs", "v"])["runs"][0]["id"].as_str().unwrap().to_owned();
    let attempt = &home.json(&["show", &id])["attempt_list"][0];
    assert_eq!((&attempt["version"], &attempt["seen"]), (&"0.24.4".into(), &Json::Null), "{attempt:#}");
}

#[test]
fn an_agent_is_shown_with_what_is_unverified() {
    let home = Home::new();
    let shown = home.json(&["agents", "show", "claude"]);
    let fork = serde_json::json!("--resume {session} --fork-session");
    assert_eq!(shown["options"]["fork"], fork);
    assert_eq!(shown["examples"]["edit"][0], "claude");
    assert!(shown["unverified"].as_array().unwrap().contains(&"permissions.full".into()), "{shown}");
    let text = home.run(&["agents", "show", "claude"]).done().out;
    for part in
        ["Claude Code", "--permission-mode acceptEdits", "recorded: auth", "unverified", "A first run, edit"]
    {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    let text = home.run(&["agents", "show", "cursor-agent"]).done().out;
    assert!(text.contains("Unverified: everything"), "{text}");
    home.run(&["agents", "show", "claud"]).ended(64).refused(&["no agent `claud`", "did you mean `claude`?"]);
}

#[test]
fn a_file_adds_an_agent_and_another_takes_the_place_of_one() {
    let home = Home::new();
    put(&home, "mine.toml", MINE);
    put(&home, "kimi.toml", &MINE.replace("mine", "kimi"));
    put(&home, "notes.txt", "not a manifest");
    let agents = home.json(&["agents"]);
    assert_eq!(agents["agents"].as_array().unwrap().len(), 12);
    for name in ["mine", "kimi"] {
        assert!(
            row(&agents, name)["file"].as_str().unwrap().ends_with(&format!("agents/{name}.toml")),
            "{agents}"
        );
    }
    assert_eq!(home.json(&["agents", "show", "kimi"])["arguments"], serde_json::json!(["--go"]));
    assert!(!home.run(&["doctor"]).done().out.contains("refused"));
}

#[test]
fn a_file_that_is_wrong_is_refused_with_line_and_fix_and_harms_no_other() {
    let home = Home::new();
    put(&home, "mine.toml", MINE);
    put(
        &home,
        "bad.toml",
        "name = \"bad\"\nprogram = [\"bad\"]\nprompt = \"stdin\"\n[output]\nform = \"text\"\n",
    );
    let mistake = "line 2: `program` is not known; did you mean `programs`?";
    let agents = home.json(&["agents"]);
    assert_eq!(agents["agents"].as_array().unwrap().len(), 12);
    assert!(agents["refused"][0]["mistakes"].as_array().unwrap().contains(&mistake.into()), "{agents}");
    let text = home.run(&["agents"]).done().out;
    assert!(
        text.contains("Refused:") && text.contains("bad.toml") && text.contains("did you mean `programs`?"),
        "{text}"
    );
    home.run(&["agents", "show", "bad"]).ended(64).refused(&["no agent `bad`", "bad.toml was refused"]);
    let doctor = home.json(&["doctor"]);
    let finding =
        doctor["findings"].as_array().unwrap().iter().find(|found| found["subject"] == "agents").unwrap();
    assert_eq!(finding["state"], "warn");
    assert!(finding["message"].as_str().unwrap().contains("bad.toml is refused: line "), "{finding}");
}

#[test]
fn a_manifest_is_printed_as_a_file_of_ones_own_begins() {
    let home = Home::new();
    let printed = home.run(&["agents", "show", "claude", "--toml"]).done().out;
    assert!(printed.starts_with("# From the manifest that comes along with converge "), "{printed}");
    put(&home, "claude.toml", &printed.replace("title = \"Claude Code\"", "title = \"My Claude\""));
    let shown = home.json(&["agents", "show", "claude", "--toml"]);
    assert_eq!(shown["title"], "My Claude");
    let (from, rest) = shown["toml"].as_str().unwrap().split_once('\n').unwrap();
    assert_eq!(from, format!("# From {}", home.home().join("agents/claude.toml").display()));
    assert_eq!(rest, printed.replace("\"Claude Code\"", "\"My Claude\"").split_once('\n').unwrap().1);
}

#[test]
fn what_is_typed_in_the_shell_of_an_agent_is_for_that_agent() {
    let home = Home::new();
    let path = [install(&home, "claude", "2.1.329"), install(&home, "codex", "0.169.0")].join(":");
    let add = |variables: &[(&str, &str)]| {
        let words = ["add", "--prompt", "go on", "--every", "1h", "--session", "mine", "--again", "--json"];
        let mut command = home.command(&words);
        command.env("PATH", &path).envs(variables.iter().copied());
        serde_json::from_slice::<Json>(&command.output().unwrap().stdout).unwrap()
    };
    let added = add(&[("CODEX_THREAD_ID", "a-b-c")]);
    assert_eq!(added["agent"], "codex", "{added}");
    assert!(added["defaults"].as_array().unwrap().contains(&"--agent codex".into()), "{added}");
    for unclear in [&[][..], &[("CODEX_THREAD_ID", "a-b-c"), ("CLAUDE_CODE_SESSION_ID", "d-e-f")]] {
        let refused = add(unclear);
        assert_eq!(refused["error"]["problems"][0]["place"], "session", "{refused}");
    }
}
