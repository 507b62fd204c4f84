//! Accounts of agents on the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::home::Home;

#[test]
fn an_account_is_a_private_home_and_how_to_log_in_there() {
    let home = Home::new();
    let path = home.home().join("accounts/work/claude");
    let text = home.run(&["account", "add", "work", "--agent", "claude"]).done().out;
    let log_in = format!("CLAUDE_CONFIG_DIR={} claude", path.display());
    assert!(text.contains("is made") && text.contains(&log_in), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let again = home.json(&["account", "add", "work", "--agent", "claude"]);
    assert_eq!((&again["existed"], &again["log_in"]), (&json!(true), &json!(log_in)));
    let list = home.json(&["account", "list"]);
    let homes = json!({ "claude": { "path": path, "state": "empty", "log_in": log_in } });
    assert_eq!(list["accounts"][0]["homes"], homes, "{list}");
    let text = home.run(&["account", "list"]).done().out;
    assert!(text.contains("work") && text.contains("nobody has logged in"), "{text}");
}

#[test]
fn what_the_settings_say_of_an_account_is_listed() {
    let home = Home::new();
    assert!(home.run(&["account", "list"]).done().out.contains("converge account add"));
    home.run(&["daemon", "stop"]).done();
    let set =
        json!({ "accounts": { "team": { "codex": "/no/such/home", "limit": 2, "command": "who {agent}" } } });
    fs::write(home.home().join("config.json"), set.to_string()).unwrap();
    let list = home.json(&["account", "list"]);
    let team = &list["accounts"][0];
    assert_eq!(
        (&team["account"], &team["limit"], &team["command"], &team["homes"]["codex"]["state"]),
        (&json!("team"), &json!(2), &json!("who {agent}"), &json!("missing"))
    );
}

#[test]
fn what_can_be_no_account_is_refused() {
    let home = Home::new();
    let add = |name: &str, agent: &str| home.run(&["account", "add", name, "--agent", agent]).ended(64);
    add("../x", "claude").refused(&["no name of an account"]);
    add("work", "claud").refused(&["no agent `claud`", "did you mean `claude`?"]);
    add("work", "qwen").refused(&["Qwen Code has no accounts of its own"]);
    assert!(!home.home().join("accounts").exists());
}

#[test]
fn an_agent_that_keeps_accounts_by_itself_is_told_one_by_either_name() {
    let home = Home::new();
    let folder = home.user().join(".local/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("codewith"), "#!/bin/sh\necho \"$*\" > asked\n").unwrap();
    fs::set_permissions(folder.join("codewith"), fs::Permissions::from_mode(0o755)).unwrap();
    for flag in ["--account", "--auth-profile"] {
        let added = home.add(&["--prompt", "x", "--agent", "codewith", flag, "work", "--manual"]);
        assert_eq!(added["agent"], "codewith@work");
        let id = added["id"].as_str().unwrap();
        home.run(&["run-now", id]);
        let asked = home.text("asked");
        assert!(asked.starts_with("--ask-for-approval never --auth-profile work exec "), "{asked}");
        home.run(&["cancel", id]).done();
        home.run(&["rm", "--force", id]).done();
    }
}
