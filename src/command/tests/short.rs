//! However much there is, what a model reads is short.

use serde_json::{Value as Json, json};

use crate::command::room::REPLY_MOST;
use crate::command::tests::house::Guest;

/// Writes a lot of what escapes badly.
#[expect(clippy::unnecessary_wraps, reason = "it is a script")]
fn floods(_: &str) -> Option<(i32, String)> {
    Some((1, "\"\\\t\u{1b}[31mü\n".repeat(30_000)))
}

#[track_caller]
fn check_short(guest: &Guest, verb: &str, arguments: Json) -> Json {
    let sent = format!("{:.100}", arguments.to_string());
    let told = guest.ask(verb, arguments);
    let told = told.unwrap_or_else(|refusal| serde_json::to_value(refusal).expect("plain data"));
    let size = told.to_string().chars().count();
    assert!(size < REPLY_MOST, "{verb:.40} {sent} is answered with {size} characters");
    told
}

#[test]
fn a_job_of_megabytes_is_told_briefly() {
    let guest = Guest::model(floods);
    let cmd = format!("echo {}", "\"x\" ".repeat(250_000));
    let until: Vec<String> = (0..12).map(|number| format!("output /{}{number}/", "a".repeat(3900))).collect();
    let name = "n".repeat(64);
    let add =
        json!({ "name": name, "cmd": cmd, "until": until, "every": "1h", "max_runs": 2, "start": "next" });
    guest.told("add_job", add.clone());
    let added = check_short(&guest, "add_job", add);
    assert!(
        added["command"].as_str().expect("text").contains("more characters: converge://jobs/j"),
        "{added}"
    );
    let run = check_short(&guest, "run_now", json!({ "job": name }));
    let run = run["id"].as_str().expect("an id");
    guest.wait(run);
    for job in [name.as_str(), run] {
        for verb in ["show_job", "run_logs", "explain_job"] {
            check_short(&guest, verb, json!({ "job": job }));
        }
        check_short(&guest, "wait", json!({ "job": job, "timeout": "10ms" }));
    }
    check_short(&guest, "run_logs", json!({ "job": run, "lines": 2000, "limit": 500 }));
    check_short(&guest, "update_job", json!({ "job": name, "every": "2h", "cmd": "y".repeat(1_000_000) }));
    check_short(&guest, "control_job", json!({ "action": "pause", "jobs": [name], "note": "z".repeat(500) }));
    for stderr in [false, true] {
        let piece = check_short(&guest, "read_output", json!({ "run": run, "stderr": stderr }));
        let stream = if stderr { "stream=\"stderr\"" } else { "stream=\"stdout\"" };
        assert!(piece["text"].as_str().is_some_and(|text| text.contains(stream)), "{piece}");
    }
    for verb in ["list_events", "test_condition", "daemon_status"] {
        let refusal = guest.ask(verb, json!({})).expect_err("no model is told of it");
        assert!(refusal.message.starts_with("no verb"), "{refusal:?}");
    }
    check_short(&guest, "doctor", json!({}));
}

#[test]
fn output_that_was_removed_for_room_is_not_told_as_none() {
    let guest = Guest::model(floods);
    guest.told("add_job", json!({ "name": "x", "cmd": "ls", "manual": true }));
    let run = guest.told("run_now", json!({ "job": "x" }))["id"].as_str().expect("an id").to_owned();
    guest.wait(&run);
    let says = |told: &Json| {
        told["next_step"].as_str().is_some_and(|next| next.contains("the output was removed for room"))
    };
    assert!(!says(&guest.told("run_logs", json!({ "job": run }))));
    let folder = guest.house.places.runs.join(&run);
    std::fs::write(folder.join(crate::core::process::files::OUTPUT_GONE), []).expect("a mark");
    let told = guest.told("run_logs", json!({ "job": run }));
    assert!(says(&told), "{told}");
}

#[test]
fn a_refusal_of_megabytes_is_short() {
    let guest = Guest::model(floods);
    let long = "q".repeat(1_000_000);
    for (verb, arguments) in [
        (
            "add_job",
            json!({ "cmd": long, "every": long, "at": long, "until": long, "tz": long, "name": long }),
        ),
        ("add_job", json!({ long.as_str(): long, "cmd": "ls" })),
        ("add_job", json!({ "cmd": "ls", "checks": vec!["x".repeat(300); 2000] })),
        ("add_job", Json::Object((0..5000).map(|number| (format!("field {number}"), json!(1))).collect())),
        ("add_job", json!(long)),
        ("show_job", json!({ "job": long })),
        ("control_job", json!({ "action": long, "jobs": vec![long.as_str(); 3] })),
        ("list_jobs", json!({ "state": long, "after": long })),
        ("wait", json!({ "job": "x", "timeout": long })),
        (
            "remove_job",
            json!({ "jobs": (0..5000).map(|number| format!("job {number}")).collect::<Vec<_>>() }),
        ),
        (long.as_str(), json!({})),
    ] {
        assert!(guest.ask(verb, arguments.clone()).is_err());
        check_short(&guest, verb, arguments);
    }
}

#[test]
fn a_list_goes_on_where_it_was_cut() {
    let guest = Guest::model(floods);
    for number in 0..120 {
        let name = format!("{}-{number:03}", "long-name".repeat(6));
        guest.told("add_job", json!({ "name": name, "cmd": format!("ls {number}"), "manual": true }));
    }
    let mut seen = Vec::new();
    let mut after = Json::Null;
    loop {
        let page = check_short(&guest, "list_jobs", json!({ "limit": 1000, "after": after }));
        let rows = page["jobs"].as_array().expect("rows");
        seen.extend(rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
        assert!(rows.len() >= 20, "a page holds some: {}", rows.len());
    }
    assert_eq!(seen.len(), 120);
    seen.dedup();
    assert_eq!(seen.len(), 120, "each once");
    let all = check_short(&guest, "control_job", json!({ "action": "cancel", "all": true }));
    assert_eq!(all["count"], 120);
    let all = check_short(&guest, "remove_job", json!({ "all": true, "force": true }));
    assert_eq!(all["count"], 120);
}

#[test]
fn the_usual_replies_are_small() {
    let guest = Guest::model(|_| Some((1, "error: it does not work\n".repeat(10))));
    let mut sizes = Vec::new();
    let mut size = |verb: &str, arguments: Json| {
        let told = guest.told(verb, arguments);
        assert!(!told.to_string().contains("null"), "{verb}: {told}");
        sizes.push((told.to_string().len(), verb.to_owned()));
        told
    };
    size(
        "add_job",
        json!({ "name": "nightly-tests", "cmd": "cargo test", "until": "exit 0", "every": "1h", "max_runs": 20 }),
    );
    let run = loop {
        let shown = guest.told("show_job", json!({ "job": "nightly-tests" }));
        if let Some(run) = shown["last"]["id"].as_str() {
            break run.to_owned();
        }
        if let Some(run) = shown["active_run"].as_str() {
            guest.wait(run);
        }
    };
    size("list_jobs", json!({}));
    size("show_job", json!({ "job": "nightly-tests" }));
    size("show_job", json!({ "job": run }));
    size("explain_job", json!({ "job": "nightly-tests" }));
    size("run_logs", json!({ "job": "nightly-tests" }));
    size("wait", json!({ "job": run }));
    size("run_now", json!({ "job": "nightly-tests" }));
    size("update_job", json!({ "job": "nightly-tests", "every": "2h" }));
    size("control_job", json!({ "action": "pause", "jobs": ["nightly-tests"] }));
    size("control_job", json!({ "action": "cancel", "jobs": ["nightly-tests"] }));
    size("doctor", json!({}));
    sizes.sort();
    let (median, _) = sizes[sizes.len() / 2];
    assert!(median <= 1_200, "the median is {median} bytes: {sizes:?}");
    assert!(sizes.iter().all(|(size, _)| *size <= 2_400), "{sizes:?}");
}

#[test]
fn a_run_can_be_cancelled_alone() {
    let guest = Guest::model(|_| None);
    guest.told("add_job", json!({ "name": "x", "cmd": "sleep", "every": "1h", "start": "next" }));
    let run = guest.told("run_now", json!({ "job": "x" }))["id"].clone();
    let told = guest.told("control_job", json!({ "action": "cancel", "jobs": [run] }));
    assert_eq!((&told["runs"], &told["jobs"][0]["state"]), (&json!([run]), &json!("active")), "{told}");
    let over = guest.wait(run.as_str().expect("an id"));
    assert_eq!(over["state"], "cancelled", "{over}");
    assert_eq!(guest.told("show_job", json!({ "job": "x" }))["state"], "active");
    let again =
        guest.ask("control_job", json!({ "action": "cancel", "jobs": [run] })).expect_err("it is over");
    assert!(again.message.contains("too late"), "{again:?}");
    let both = guest.ask("control_job", json!({ "action": "cancel", "jobs": [run, "x"] }));
    assert!(both.is_err(), "{both:?}");
}
