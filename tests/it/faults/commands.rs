//! Commands, patterns and ids as nobody should write them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::home::{Home, text};

#[test]
fn a_command_is_run_exactly_as_written_whatever_is_in_it() {
    let home = Home::new();
    for line in [
        r#"printf '%s' "a'b" 'c"d' \$x"#,
        "printf one\nprintf two\n\n",
        "# a comment\nprintf 'tab\there'",
        "printf '%s' 'ünïcödé ✓ \u{202e}rtl'",
        "printf '%%s %%d'",
    ] {
        let expected = std::process::Command::new("/bin/sh").args(["-c", line]).output().unwrap();
        let job = home.add(&["--manual", "--cmd", line]);
        home.run(&["run-now", text(&job["id"])]).done();
        let output = home.command(&["logs", text(&job["id"]), "--raw"]).output().unwrap();
        assert_eq!(output.stdout, expected.stdout, "{line}");
    }
}

#[test]
fn leading_dashes_belong_to_the_program() {
    let home = Home::new();
    home.run(&["add", "dashes", "--manual", "--", "printf", "--", "%s,", "--help", "-x", "--every"]).done();
    home.run(&["run-now", "dashes"]).done();
    assert_eq!(home.json(&["logs", "dashes"])["output"]["stdout"], "--help,-x,--every,");
    home.run(&["add", "line", "--manual", "--cmd", "--not-a-program --at-all"]).refused(&["--not-a-program"]);
    home.run(&["add", "line", "--manual", "--cmd=--not-a-program"]).done();
    home.run(&["run-now", "line"]).ended(1);
}

#[test]
fn a_command_of_a_megabyte_runs_and_is_shown_in_short() {
    let home = Home::new();
    let word = "x".repeat(1 << 20);
    // A single argument of the system is shorter than this, so the client is spoken to directly.
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    let added = client.call(
        "add_job",
        &json!({ "name": "big", "manual": true, "cmd": format!("wc -c <<'END'\n{word}\nEND") }),
    );
    assert_eq!(added["reply"]["name"], "big", "{}", &added.to_string()[..200]);
    let run = home.run(&["run-now", "big", "--json"]);
    // The system gives one argument 128 KiB; whoever needs more uses a file, and is told so.
    let run = run.json();
    assert!(
        run["state"] == "succeeded" || run["reason"] == "spawn_failed" && run["note"].is_string(),
        "{run}"
    );
    let listed = home.run(&["ls"]).done();
    assert!(listed.out.len() < 4096, "{} bytes", listed.out.len());
    let huge =
        client.call("add_job", &json!({ "name": "huge", "manual": true, "cmd": "y".repeat(17 << 20) }));
    assert!(!huge["error"].is_null());
    home.run(&["show", "huge"]).refused(&["no job"]);
}

#[test]
fn a_nul_is_refused_wherever_it_is() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    for (field, value) in [
        ("cmd", json!("echo a\0b")),
        ("argv", json!(["echo", "a\0b"])),
        ("name", json!("a\0b")),
        ("cwd", json!("/tmp/a\0b")),
        ("until", json!("output \"a\\u{0}b\"\0")),
        ("env", json!(["A\0B"])),
    ] {
        let mut arguments = json!({ "manual": true });
        if !["cmd", "argv"].contains(&field) {
            arguments["cmd"] = json!("true");
        }
        arguments[field] = value;
        let refused = client.call("add_job", &arguments);
        assert_eq!(refused["error"]["code"], "invalid", "{field}: {refused}");
        assert!(text(&refused["error"]["problems"][0]["place"]).starts_with(field), "{field}: {refused}");
    }
    for verb in ["show_job", "run_now", "run_logs", "explain_job", "wait"] {
        assert!(!client.call(verb, &json!({ "job": "a\0b" }))["error"].is_null(), "{verb}");
    }
    assert_eq!(client.call("list_jobs", &json!({}))["reply"]["jobs"], json!([]));
}

#[test]
fn what_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    let bytes = |bytes: &'static [u8]| std::ffi::OsStr::from_bytes(bytes);
    let words = [&b"add"[..], b"--manual", b"--cmd", b"echo \xff"].map(bytes);
    assert_eq!(home.run(&words).ended(64).out, "");
    assert_eq!(home.run(&[&b"show"[..], b"\xff\xfe"].map(bytes)).code, 64);
}

#[test]
fn ids_are_never_paths_patterns_or_sql() {
    let home = Home::new();
    home.add(&["real", "--manual", "--cmd", "true"]);
    home.run(&["run-now", "real"]).done();
    let long = "j".repeat(10_000);
    for id in [
        "../real",
        "../../etc/passwd",
        "'; DROP TABLE jobs; --",
        "\"",
        "%",
        "*",
        "j%",
        "_________",
        "r*",
        " ",
        "",
        "real/..",
        &long,
    ] {
        for verb in ["show", "logs", "explain", "cancel", "run-now", "rm", "pause", "wait", "update"] {
            // Those of a program, after two dashes, would be its own.
            let words = if verb == "update" { vec![verb, id] } else { vec![verb, "--", id] };
            // A name of nothing is none.
            let said = if id.trim().is_empty() { "job" } else { "no job" };
            home.run(&words).refused(&[said]);
        }
    }
    home.run(&["condition", "test", "exit 0", "--run", "../r"]).refused(&["no run"]);
    assert_eq!(home.json(&["ls"])["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["doctor", "--deep"])["ok"], true);
}

#[test]
fn a_name_is_of_letters_digits_dots_and_dashes_and_is_no_id() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    let add = |name: &str| json!({ "name": name, "manual": true, "cmd": format!("echo {name}") });
    for name in ["../up", "a b", "a'b", "*", "-dash", "a/b", "", "jabcdefgh", "rabcdefgh", &"n".repeat(65)] {
        let refused = client.call("add_job", &add(name));
        assert_eq!(refused["error"]["problems"][0]["place"], "name", "{name}: {refused}");
        assert!(refused["error"]["problems"][0]["fix"].is_string(), "{name}: {refused}");
    }
    for name in ["a", "nightly-tests", "v1.2_x", "übung", &"n".repeat(64)] {
        assert_eq!(client.call("add_job", &add(name))["reply"]["name"], name);
    }
}

#[test]
fn the_beginning_of_an_id_will_do_unless_it_is_that_of_several() {
    let home = Home::new();
    let ids: Vec<String> = (0..40)
        .map(|number| text(&home.add(&["--manual", "--cmd", &format!("echo {number}")])["id"]).to_owned())
        .collect();
    let first = &ids[0];
    assert_eq!(home.show(&first[..8])["id"], **first);
    home.run(&["show", "j"]).refused(&["`j`"]);
    let twins = ids.iter().enumerate().find_map(|(place, id)| {
        ids[place + 1..].iter().find(|other| other[..2] == id[..2]).map(|_| id[..2].to_owned())
    });
    // Of forty ids two begin alike, or the sun does not rise.
    let refused = home.run(&["show", &twins.unwrap(), "--json"]).ended(64).json();
    assert_eq!(refused["error"]["code"], "ambiguous", "{refused}");
}

#[test]
fn a_pattern_that_would_explode_elsewhere_stays_linear() {
    let home = Home::new();
    let line = "head -c 5000000 /dev/zero | tr '\\0' a; echo '!'";
    home.add(&["evil", "--cmd", line, "--until", "output /^(a+)+$/", "--wait", "1h", "--max-runs", "1"]);
    let begun = Instant::now();
    assert_eq!(home.over("evil")["state"], "failed");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let huge = "output /(a{1000}){1000}{1000}/";
    home.run(&["add", "--cmd", "true", "--until", huge]).refused(&["until"]);
}
