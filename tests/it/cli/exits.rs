//! Exit codes and errors: one sentence, the cause, the next step.

use crate::home::Home;

#[test]
fn usage_is_64_and_names_the_nearest() {
    let home = Home::new();
    for (words, near) in [
        (&["add", "--evry", "5m", "--cmd", "true"][..], "--every"),
        (&["paus", "x"], "pause"),
        (&["daemon", "statu"], "status"),
        (&["ls", "--josn"], "--json"),
        (&["logs", "x", "--folow"], "--follow"),
    ] {
        home.run(words).refused(&[near]);
    }
    home.run(&["show"]).refused(&["<JOB>"]);
    home.run(&["daemon"]).refused(&["daemon"]);
    assert!(!home.home().exists(), "and nothing is made or started for it");
}

#[test]
fn help_and_version_are_0_and_start_nothing() {
    let home = Home::new();
    assert!(home.run(&["--help"]).done().out.contains("Usage: converge"));
    assert!(home.run(&["add", "--help"]).done().out.contains("--until <CONDITION>"));
    assert_eq!(home.run(&["--version"]).done().out, format!("converge {}\n", env!("CARGO_PKG_VERSION")));
    assert!(!home.home().exists());
}

#[test]
fn without_a_daemon_to_be_had_it_is_69() {
    let home = Home::new();
    std::fs::write(home.home(), "a file").unwrap();
    let said = home.run(&["ls"]).ended(69);
    assert!(said.err.contains("not a directory") && said.err.contains("CONVERGE_HOME"), "{said:?}");
    assert_eq!(home.run(&["ls", "--json"]).ended(69).json()["error"]["code"], "unavailable");
}

#[test]
fn an_error_says_what_why_and_what_next() {
    let home = Home::new();
    let said = home.run(&["show", "nobody"]).ended(64);
    assert_eq!(
        said.err,
        "error: no job `nobody`\nhint: `converge ls` shows the jobs, `converge ls --all` also the archived ones\n"
    );
    assert_eq!(said.out, "");
}
