//! What is written for the command line reads as calls.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

#[track_caller]
fn check(written: &str, spoken: &str) {
    assert_eq!(text(written), spoken);
}

#[test]
fn commands_become_calls() {
    check("`converge cancel x` first", "`control_job {\"action\": \"cancel\", \"jobs\": [\"x\"]}` first");
    check("`converge ls` shows them", "`list_jobs` shows them");
    check("`converge ls --all`", "`list_jobs {\"all\": true}`");
    check("`converge rm --force x`", "`remove_job {\"jobs\": [\"x\"], \"force\": true}`");
    check("`converge update x …`", "`update_job {\"job\": \"x\", …}`");
    check("`converge wait r0abc1234`", "`wait {\"job\": \"r0abc1234\"}`");
    check("`converge logs x --follow`", "`run_logs {\"job\": \"x\"}`");
    check("`converge run-now` starts one", "`run_now` starts one");
    check(
        "`converge add --cmd 'cargo test' --until 'exit 0' --wait 1m`",
        "`add_job {\"cmd\": \"cargo test\", \"wait\": \"1m\", \"until\": [\"exit 0\"]}`",
    );
}

#[test]
fn flags_become_fields() {
    check(
        "bound it with --max-runs, --max-hours or --ends-at",
        "bound it with max_runs, max_hours or ends_at",
    );
    check("name one, or say `--all`", "name one, or say `\"all\": true`");
    check("`--max-runs` bounds a loop", "`max_runs` bounds a loop");
    check("such as `--cmd 'cargo test'`", "such as `\"cmd\": \"cargo test\"`");
    check("--check is checks", "checks is checks");
    check("a--b -- --nothing", "a--b -- --nothing");
}

#[test]
fn what_only_a_person_does_stays_a_command() {
    check("`converge daemon restart` makes it anew", "`converge daemon restart` makes it anew");
    check("`converge bogus`, ` and `unclosed", "`converge bogus`, ` and `unclosed");
}

#[test]
fn what_others_wrote_is_not_reworded() {
    check(
        "`converge resume x`: <data>`converge ls` --all</data> --all",
        "`control_job {\"action\": \"resume\", \"jobs\": [\"x\"]}`: <data>`converge ls` --all</data> all",
    );
}

/// Every literal of the source that names a command, with its places filled, reads as a call.
#[test]
fn no_hint_in_the_source_names_a_command_that_has_a_verb() {
    let mut seen = 0;
    for folder in ["src/core", "src/engine", "src/command", "src/store", "tools", "prompts"] {
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let source = fs::read_to_string(&path).expect("a source file");
            let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            for code in lines.flat_map(|line| line.split('`').skip(1).step_by(2)) {
                if !code.starts_with("converge ") {
                    continue;
                }
                seen += 1;
                let filled = code
                    .replace('{', "x{")
                    .split('{')
                    .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
                    .collect::<String>();
                let spoken = text(&format!("`{filled}`"));
                let named = spoken.strip_prefix("`converge ").map(|rest| split(rest.trim_end_matches('`')));
                let verb = named.as_deref().and_then(find).map(|(entry, ..)| entry.name);
                assert!(
                    !verb.is_some_and(published::is_published),
                    "{}: `{code}` is spoken as {spoken}",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 20, "only {seen} hints name a command");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of this repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}
