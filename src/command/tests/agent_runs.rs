//! Runs of agents: how they are listed, shown and told, and how refusals about them read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::agents::{guest, guest_of};
use super::house::Guest;
use crate::command::caller::Audience;
use crate::command::page::{Colour, Page};
#[test]
fn what_a_run_wrote_is_read_by_its_own_agent() {
    let mut guest = guest_of(&["claude", "kimi"], |_| {
        Some((0, "{\"role\":\"assistant\",\"content\":\"tidied\"}\n".to_owned()))
    });
    guest.told(
        "add_job",
        json!({ "name": "tidy", "prompt": "tidy", "agent": "kimi", "permissions": "full", "manual": true }),
    );
    let run = guest.told("run_now", json!({ "job": "tidy" }))["id"].clone();
    guest.wait(run.as_str().expect("an id"));
    guest.told("update_job", json!({ "job": "tidy", "agent": "claude", "permissions": "edit" }));
    guest.caller.reader = Audience::Model;
    let logs = guest.told("run_logs", json!({ "job": run }));
    let output = logs["output"].as_str().expect("a text");
    assert!(output.contains("tidied") && !output.contains("assistant"), "{logs}");
}

#[test]
fn what_stands_in_a_prompt_is_shown_to_nobody() {
    let guest = guest(&["claude"]);
    let add = json!({ "name": "tidy", "prompt": "the hidden one\n\ntidy up\n", "every": "1h" });
    assert_eq!(guest.told("add_job", add)["command"], "claude: a prompt of 3 lines");
    let listed = guest.told("list_jobs", json!({}));
    assert_eq!(listed["jobs"][0]["command"], "claude: a prompt of 3 lines");
    assert!(!listed.to_string().contains("hidden"), "{listed}");
}

/// What `doctor` says of agents.
fn drifted(guest: &Guest) -> Vec<Json> {
    let findings = guest.told("doctor", json!({}))["findings"].clone();
    let told = findings.as_array().expect("a list").iter();
    let told = told.filter(|finding| finding["state"] == "warn").cloned();
    told.filter(|finding| finding["subject"] == "agents").collect()
}

#[test]
fn an_agent_that_wrote_otherwise_instead_of_a_structured_result_is_told() {
    let guest = guest_of(&["codex"], |_| Some((0, "{\"kind\":\"news\"}\n".to_owned())));
    guest.told(
        "add_job",
        json!({ "name": "look", "prompt": "look", "agent": "codex", "manual": true, "schema": {} }),
    );
    let run = guest.told("run_now", json!({ "job": "look" }))["id"].clone();
    guest.wait(run.as_str().expect("an id"));
    let run = guest.told("show_job", json!({ "job": run }));
    assert_eq!(run["reason"], "schema_error", "{run}");
    let told = drifted(&guest);
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn an_agent_that_wrote_otherwise_than_its_manifest_says_is_told_until_it_is_understood_again() {
    static IS_MENDED: AtomicBool = AtomicBool::new(false);
    let guest = guest_of(&["codex", "claude"], |line| {
        let text = match line {
            "codex" if IS_MENDED.load(Ordering::SeqCst) => {
                "{\"type\":\"thread.started\",\"thread_id\":\"a\"}\n"
            }
            "codex" => "{\"kind\":\"news\"}\n",
            _ => "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"ok\"}\n",
        };
        Some((0, text.to_owned()))
    });
    let drifted = || drifted(&guest);
    guest.told("add_job", json!({ "name": "tidy", "prompt": "tidy", "agent": "codex", "manual": true }));
    guest.told("add_job", json!({ "name": "mend", "prompt": "mend", "agent": "claude", "manual": true }));
    assert_eq!(drifted(), [] as [Json; 0]);
    for job in ["tidy", "mend"] {
        let run = guest.told("run_now", json!({ "job": job }))["id"].clone();
        guest.wait(run.as_str().expect("an id"));
    }
    let told = drifted();
    assert_eq!(told.len(), 1, "{told:?}");
    let message = told[0]["message"].as_str().expect("a text");
    assert!(
        message.starts_with("codex wrote otherwise") && message.contains("seen to be right for 0."),
        "{message}"
    );
    let fix = told[0]["fix"].as_str().expect("a text");
    assert!(fix.contains("converge agents check codex") && fix.contains("--toml"), "{fix}");
    IS_MENDED.store(true, Ordering::SeqCst);
    let run = guest.told("run_now", json!({ "job": "tidy" }))["id"].clone();
    guest.wait(run.as_str().expect("an id"));
    assert_eq!(drifted(), [] as [Json; 0]);
}

#[test]
fn a_run_that_waits_is_listed_as_one_that_waits() {
    let mut guest = guest_of(&["claude", "codex"], |line| {
        let limit = "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\
                     \"result\":\"Claude AI usage limit reached|4102444800\"}\n";
        (line == "claude").then(|| (1, limit.to_owned()))
    });
    for (name, agent) in [("holds", "codex"), ("behind", "codex"), ("used-up", "claude")] {
        let profile = if agent == "claude" { "read-only" } else { "edit" };
        guest.told(
            "add_job",
            json!({ "name": name, "prompt": name, "agent": agent, "permissions": profile, "manual": true }),
        );
        guest.told("run_now", json!({ "job": name }));
    }
    let listed = || guest.told("list_jobs", json!({}))["jobs"].clone();
    // What the last one wrote has to be read first.
    let patience = (0..1_000).find(|_| {
        guest.house.engine.changed_since(u64::MAX, Duration::from_millis(20));
        !listed()[2]["waiting"].is_null()
    });
    assert!(patience.is_some(), "{}", listed());
    let jobs = listed();
    assert_eq!(jobs[0]["waiting"], Json::Null, "{jobs}");
    let behind = &jobs[1]["waiting"];
    assert!(behind["why"].as_str().expect("a text").ends_with("works in the same tree"), "{jobs}");
    assert_eq!(behind["until"], Json::Null);
    let used_up = &jobs[2]["waiting"];
    assert!(used_up["until"].is_string(), "{jobs}");
    let mut page = Page::new(200, Colour::Off, TimeZone::UTC, guest.house.engine.now());
    let entry = crate::command::find("list_jobs").expect("a verb");
    (entry.render)(&json!({ "jobs": jobs, "next": null }), &mut page).expect("jobs");
    let text = page.finish();
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).expect(name).to_owned();
    assert!(line("holds").ends_with("running"), "{text}");
    assert!(line("behind").ends_with("waiting"), "{text}");
    assert!(line("used-up").contains("waiting, goes on in "), "{text}");
    guest.caller.reader = Audience::Model;
    let told = guest.told("list_jobs", json!({}))["jobs"][1].clone();
    assert!(told["waiting"].as_str().expect("a text").ends_with("works in the same tree"), "{told}");
}

#[test]
fn a_run_whose_service_has_too_much_to_do_is_not_told_as_a_failed_one() {
    let guest = guest_of(&["claude"], |_| {
        let overloaded = "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\
                          \"api_error_status\":529,\"result\":\"API Error: 529\"}\n";
        Some((1, overloaded.to_owned()))
    });
    guest.told("add_job", json!({ "name": "tidy", "prompt": "tidy", "agent": "claude", "manual": true }));
    let run = guest.told("run_now", json!({ "job": "tidy" }))["id"].clone();
    let explained = || guest.told("explain_job", json!({ "job": "tidy" }))["because"][0].clone();
    let expected = json!(format!("run {} waits: its next try", run.as_str().expect("an id")));
    let patience = (0..1_000).find(|_| {
        guest.house.engine.changed_since(u64::MAX, Duration::from_millis(20));
        explained() == expected
    });
    assert!(patience.is_some(), "{}", explained());
}

#[test]
fn a_number_of_tokens_is_written_as_people_do() {
    let guest = guest(&["claude"]);
    guest.told("add_job", json!({ "name": "tidy", "prompt": "tidy", "agent": "claude", "every": "1h" }));
    for (written, read) in [
        (json!("200k"), json!("200000")),
        (json!("2.5k"), json!("2500")),
        (json!("1M"), json!("1000000")),
        (json!("none"), Json::Null),
        (json!("1_500_000"), json!("1500000")),
        (json!(0), Json::Null),
        (json!(".5 m"), json!("500000")),
    ] {
        guest.told("update_job", json!({ "job": "tidy", "max_tokens": written }));
        let shown = guest.told("show_job", json!({ "job": "tidy" }));
        assert_eq!(shown["definition"]["max_tokens"], read, "{written}");
    }
}

#[test]
fn a_refusal_names_flags_to_a_person_and_fields_to_a_model() {
    let mut guest = guest(&["claude"]);
    let both = json!({ "prompt": "tidy", "cmd": "make", "every": "1h" });
    let hint = |guest: &Guest| guest.ask("add_job", both.clone()).expect_err("both").hint.expect("a hint");
    assert_eq!(hint(&guest), "give either `--prompt` or `--cmd`");
    guest.caller.reader = Audience::Model;
    let told = hint(&guest);
    assert!(told.starts_with("give either `prompt` or `cmd`; for example `add_job"), "{told}");
    assert!(told.contains("\"prompt\"") && !told.contains("\"cmd\""), "{told}");
}
