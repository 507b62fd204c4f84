//! An agent is proven by asking it, on the path that its jobs take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::home::{Home, until};

/// Puts an agent among the user's whose program is this shell script.
fn put(home: &Home, script: &str) {
    let folder = home.user().join(".local/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("mine"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(folder.join("mine"), fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = "name = \"mine\"\nprograms = [\"mine\"]\nprompt = \"stdin\"\narguments = []\n\
                    [permissions]\nread-only = []\n[output]\nform = \"text\"\n\
                    [[failure]]\nclass = \"auth\"\nsays = \"not logged in\"\n";
    fs::create_dir_all(home.home().join("agents")).unwrap();
    fs::write(home.home().join("agents/mine.toml"), manifest).unwrap();
}

#[test]
fn an_agent_that_answers_is_proven_and_nothing_is_left_of_the_proof() {
    let home = Home::new();
    let checked = home.json(&["agents", "check", "test"]);
    assert_eq!(
        (&checked["ok"], &checked["said"]),
        (&json!(true), &json!("Reply with the single word: ready"))
    );
    assert!(checked["program"].as_str().unwrap().ends_with("/cat"), "{checked}");
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
    let text = home.run(&["agents", "check", "test"]).done().out;
    assert!(text.starts_with("test works: it answered in ") && text.contains("single word"), "{text}");
}

#[test]
fn a_failure_is_told_with_its_class_and_what_to_do() {
    let home = Home::new();
    put(&home, "echo 'not logged in' >&2; exit 1");
    let said = home.run(&["agents", "check", "mine"]).ended(1);
    assert!(
        said.out.contains("mine does not work: auth") && said.out.contains("log in by starting `mine`"),
        "{}",
        said.out
    );
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
    let said = home.run(&["agents", "check", "mine@work"]).ended(1);
    assert!(said.out.contains("spawn failed") && said.out.contains("mine has no accounts"), "{}", said.out);
    home.run(&["agents", "check", "nobody"]).ended(64).refused(&["no agent `nobody`"]);
}

#[test]
fn a_program_that_lies_beside_the_path_is_found_by_runs_and_told_by_doctor() {
    let home = Home::new();
    put(&home, "cat >/dev/null; echo \"$PATH\"");
    let checked = home.json(&["agents", "check", "mine"]);
    let beside = home.user().join(".local/bin");
    assert_eq!(checked["program"], json!(beside.join("mine")));
    assert!(checked["said"].as_str().unwrap().starts_with(&format!("{}:", beside.display())), "{checked}");
    let doctor = home.json(&["doctor"]);
    let findings = doctor["findings"].as_array().unwrap();
    let told = findings.iter().filter(|found| found["subject"] == "agents");
    let told: Vec<&str> = told.filter_map(|found| found["message"].as_str()).collect();
    assert!(
        told.iter().any(|told| told.contains("mine (") && told.contains("your shell does not find")),
        "{told:?}"
    );
}

#[test]
fn an_interrupted_check_leaves_no_job_and_no_process() {
    let home = Home::new();
    put(&home, "echo started > $HOME/started; exec sleep 600");
    let mut check = home.spawn(&["agents", "check", "mine"]);
    until(|| home.user().join("started").exists());
    kill(Pid::from_raw(i32::try_from(check.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(check.wait().unwrap().signal(), Some(2), "it dies of what it was told");
    assert_eq!(home.json(&["ls", "--all"])["jobs"], json!([]));
    until(|| home.processes().len() <= 1);
}

#[test]
fn a_check_that_ignores_hangups_outlives_one() {
    let home = Home::new();
    put(&home, "echo started > $HOME/started; until test -e $HOME/go; do sleep 0.02; done; echo ready");
    let check = home.command(&["agents", "check", "mine"]);
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(check.get_program()).args(check.get_args());
    let set = check.get_envs().filter_map(|(name, value)| Some((name, value?)));
    ignoring.env_clear().envs(set).current_dir(home.project()).stdout(Stdio::piped());
    let check = ignoring.spawn().unwrap();
    until(|| home.user().join("started").exists());
    kill(Pid::from_raw(i32::try_from(check.id()).unwrap()), Signal::SIGHUP).unwrap();
    fs::write(home.user().join("go"), "").unwrap();
    let said = check.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).starts_with("mine works: "), "{said:?}");
}

#[test]
fn variables_a_model_and_an_account_are_handed_on_to_a_check() {
    let home = Home::new();
    put(&home, "echo \"$MINE\"");
    fs::write(home.project().join("env"), "MINE=from a file\n").unwrap();
    let checked = home.json(&["agents", "check", "mine", "--env-file", "env"]);
    assert_eq!(checked["said"], "from a file", "{checked}");
    home.run(&["agents", "check", "mine", "--model", "big"]).refused(&["mine takes no model"]);
    let said = home.run(&["agents", "check", "mine", "--account", "work"]).ended(1);
    assert!(said.out.contains("mine@work does not work"), "{}", said.out);
}

#[test]
fn an_agent_that_answers_otherwise_than_its_manifest_says_is_told() {
    let home = Home::new();
    put(&home, "echo '{\"kind\":\"news\"}'");
    let manifest = home.home().join("agents/mine.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let event = "form = \"lines\"\n[[output.event]]\nwhen = { type = \"result\" }\nresult = \"text\"";
    fs::write(&manifest, text.replace("form = \"text\"", event)).unwrap();
    let said = home.run(&["agents", "check", "mine"]).done().out;
    assert!(said.contains("wrote otherwise than the agent's manifest says"), "{said}");
    assert!(said.contains("agents show mine --toml"), "{said}");
}
