//! Children that do not want to end, do not say anything, or say too much.

use serde_json::json;

use crate::home::{Home, is_alive, number, text};

fn pid(home: &Home, name: &str) -> i32 {
    home.text(name).trim().parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn one_that_ignores_term_is_killed() {
    let home = Home::new();
    let line = "trap '' TERM; echo $$ > pid; while true; do sleep 0.05; done";
    home.add(&["deaf", "--manual", "--cmd", line, "--timeout", "300ms"]);
    let run = home.run(&["run-now", "deaf", "--json"]).ended(1).json();
    assert_eq!((&run["state"], &run["reason"]), (&json!("timed_out"), &json!("timeout")));
    assert!(!is_alive(pid(&home, "pid")));
}

#[test]
fn one_that_closes_its_output_is_waited_for_all_the_same() {
    let home = Home::new();
    home.add(&["mute", "--manual", "--cmd", "exec >&- 2>&- <&-; sleep 0.3; exit 6"]);
    let run = home.run(&["run-now", "mute", "--json"]).ended(1).json();
    assert_eq!(run["exit_code"], 6, "{run}");
}

#[test]
fn one_that_forks_twice_into_a_session_of_its_own_is_ended_with_the_run() {
    let home = Home::new();
    let line =
        "(setsid sh -c 'echo $$ > pid; exec sleep 300' &) ; until test -s pid; do sleep 0.01; done; exit 2";
    home.add(&["escape", "--manual", "--cmd", line]);
    let run = home.run(&["run-now", "escape", "--json"]).ended(1).json();
    assert_eq!(run["exit_code"], 2);
    assert!(!is_alive(pid(&home, "pid")));
}

#[test]
fn one_that_scrubs_its_environment_is_ended_while_its_shim_lives() {
    let home = Home::new();
    // Only when the shim is killed, too, is there nothing left to know it by.
    let line = "(env -i setsid sh -c 'echo $$ > pid; exec sleep 300' &) ; until test -s pid; do sleep 0.01; done; exit 2";
    home.add(&["scrub", "--manual", "--cmd", line]);
    home.run(&["run-now", "scrub"]).ended(1);
    assert!(!is_alive(pid(&home, "pid")));
}

#[test]
fn one_that_floods_is_cut_and_what_is_kept_is_bounded() {
    let home = Home::new();
    let line = "head -c 60000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo the end";
    home.add(&["flood", "--manual", "--cmd", line]);
    let run = home.run(&["run-now", "flood", "--json"]).done().json();
    assert!(number(&run["attempt_list"][0]["stdout_bytes"]) > 60_000_000);
    let logs = home.json(&["logs", "flood"]);
    assert!(text(&logs["output"]["stdout"]).ends_with("the end"), "{logs}");
    let directory = home.home().join("runs").join(text(&run["id"]));
    let size = || {
        let mut folders = vec![directory.clone()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let Ok(data) = entry.metadata() else { continue };
                if data.is_dir() { folders.push(entry.path()) } else { bytes += data.len() }
            }
        }
        bytes
    };
    crate::home::until(|| size() < 20_000_000);
}

#[test]
fn one_that_floods_a_gigabyte_is_ended() {
    let home = Home::new();
    home.add(&["flood", "--manual", "--cmd", "yes"]);
    let run = home.run(&["run-now", "flood", "--json"]).ended(1).json();
    assert_eq!((&run["state"], &run["reason"]), (&json!("failed"), &json!("output_limit")));
    assert_eq!(number(&run["attempt_list"][0]["stdout_bytes"]), 1 << 30);
}

#[test]
fn a_directory_that_is_gone_fails_the_run_and_says_so() {
    let home = Home::new();
    let place = home.project().join("gone");
    std::fs::create_dir(&place).unwrap();
    home.add(&["gone", "--manual", "--cmd", "true", "--cwd", "gone"]);
    std::fs::remove_dir(&place).unwrap();
    let run = home.run(&["run-now", "gone", "--json"]).ended(1).json();
    assert_eq!(run["reason"], "spawn_failed", "{run}");
    assert!(text(&run["note"]).contains("gone"), "{run}");
}
