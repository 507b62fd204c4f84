use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::core::condition::Condition;
use crate::core::condition::evaluate::{Answer, Evaluation, Truth};
use crate::core::condition::fact::{Fact, Facts, Need};
use crate::core::condition::pattern::Pattern;
use crate::core::process::{Cut, Ending, Outcome};

/// Evaluates `text` after an exit (if any) and with facts given as conditions.
fn evaluate(text: &str, exit: Option<i32>, met: &[&str], not_met: &[&str], unknown: &[&str]) -> Answer {
    let need = |text: &&str| Need::of(&text.parse().expect("a good value")).expect("a good value");
    let mut known = BTreeMap::new();
    known.extend(met.iter().map(|text| (need(text), Fact::Met { evidence: format!("yes {text}") })));
    known.extend(not_met.iter().map(|text| (need(text), Fact::NotMet { evidence: format!("no {text}") })));
    known.extend(unknown.iter().map(|text| (need(text), Fact::Unknown { why: format!("who knows {text}") })));
    text.parse::<Condition>().expect(text).evaluate(&Facts { exit, known })
}

fn is(truth: Truth, evidence: &str) -> Answer {
    Answer::Is(Evaluation { truth, evidence: evidence.to_owned() })
}

#[test]
fn an_unknown_part_is_never_taken_for_a_known_one() {
    assert_eq!(evaluate("exit 0", Some(0), &[], &[], &[]), is(Truth::Met, "exit code 0"));
    assert_eq!(evaluate("exit 0", Some(1), &[], &[], &[]), is(Truth::NotMet, "exit code 1, not 0"));
    assert_eq!(evaluate("not exit 0", None, &[], &[], &[]), is(Truth::Unknown, "there is no exit code"));
    assert_eq!(
        evaluate("not output /x/", None, &["output /x/"], &[], &[]),
        is(Truth::Unknown, "there is no output of a run that exited"),
    );
    assert_eq!(evaluate("not file a", None, &[], &[], &["file a"]), is(Truth::Unknown, "who knows file a"));
    assert_eq!(
        evaluate("any(file a, file b)", None, &["file b"], &[], &["file a"]),
        is(Truth::Met, "yes file b"),
    );
    assert_eq!(
        evaluate("any(file a, file b)", None, &[], &["file b"], &["file a"]),
        is(Truth::Unknown, "who knows file a"),
    );
    assert_eq!(
        evaluate("all(file a, file b)", None, &["file b"], &[], &["file a"]),
        is(Truth::Unknown, "who knows file a"),
    );
    assert_eq!(
        evaluate("all(file a, file b)", None, &[], &["file b"], &["file a"]),
        is(Truth::NotMet, "no file b"),
    );
    assert_eq!(
        evaluate("all(exit 0, file a)", Some(0), &["file a"], &[], &[]),
        is(Truth::Met, "exit code 0; yes file a"),
    );
}

#[test]
fn only_facts_that_can_still_decide_are_asked_for() {
    let needs = |texts: &[&str]| {
        Answer::Needs(
            texts
                .iter()
                .map(|text| Need::of(&text.parse().expect("a good value")).expect("a good value"))
                .collect(),
        )
    };
    let text = "any(all(exit 0, file a), check \"x\", not file a)";
    assert_eq!(evaluate(text, Some(0), &[], &[], &[]), needs(&["file a", "check \"x\""]));
    assert_eq!(evaluate(text, Some(1), &[], &[], &[]), needs(&["check \"x\"", "file a"]));
    assert_eq!(evaluate(text, Some(0), &["file a"], &[], &[]), is(Truth::Met, "exit code 0; yes file a"));
    assert_eq!(
        evaluate("all(output /x/, exit 0)", Some(1), &[], &[], &[]),
        is(Truth::NotMet, "exit code 1, not 0")
    );
    let condition: Condition = text.parse().expect("a good value");
    assert_eq!(needs(&["file a", "check \"x\""]), Answer::Needs(condition.needs()));
}

#[test]
fn evidence_stays_short() {
    let many: Vec<_> = (0..10).map(|code| format!("exit {code}")).collect();
    let any = format!("any({})", many.join(", "));
    let seen =
        "exit code 99, not 0; exit code 99, not 1; exit code 99, not 2; exit code 99, not 3; and 6 more";
    assert_eq!(evaluate(&any, Some(99), &[], &[], &[]), is(Truth::NotMet, seen));
}

#[test]
fn facts_say_what_was_seen() {
    let pattern = Pattern::new("all/passed").expect("a good value");
    assert_eq!(
        Fact::of_pattern(&pattern, b"12 all/passed\n"),
        Fact::Met { evidence: r"output matches /all\/passed/".into() },
    );
    assert_eq!(
        Fact::of_pattern(&pattern, b""),
        Fact::NotMet { evidence: r"output does not match /all\/passed/".into() },
    );
    assert_eq!(Fact::of_text("a.b", b"x a.b y"), Fact::Met { evidence: "output contains \"a.b\"".into() });
    assert_eq!(
        Fact::of_text("a.b", b"axb"),
        Fact::NotMet { evidence: "output does not contain \"a.b\"".into() }
    );
    assert_eq!(Fact::of_file("a", false), Fact::NotMet { evidence: "`a` does not exist".into() });
}

#[test]
fn a_check_that_was_ended_has_not_answered() {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let of = |ending, cut| {
        let outcome = Outcome {
            started_at: at,
            ended_at: at,
            ending,
            cut,
            cpu_ms: 0,
            peak_kb: 0,
            stdout_bytes: 0,
            stderr_bytes: 0,
            unread: None,
        };
        Fact::of_check("cargo test", &outcome)
    };
    assert_eq!(of(Ending::Exited(0), None), Fact::Met { evidence: "`cargo test` exited 0".into() });
    assert_eq!(of(Ending::Exited(101), None), Fact::NotMet { evidence: "`cargo test` exited 101".into() });
    assert_eq!(
        of(Ending::Exited(0), Some(Cut::Wall)),
        Fact::Unknown { why: "`cargo test` was ended at its time limit".into() },
    );
    assert_eq!(
        of(Ending::Signalled(9), None),
        Fact::Unknown { why: "`cargo test` was ended by signal 9".into() },
    );
    assert_eq!(
        of(Ending::SpawnFailed { cause: "no `sh`".into() }, None),
        Fact::Unknown { why: "`cargo test` could not be started: no `sh`".into() },
    );
}

#[test]
fn stored_facts_and_needs_keep_their_form() {
    fn keeps<T>(value: &T, stored: &Value)
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        assert_eq!(serde_json::to_value(value).expect("a good value"), *stored);
        assert_eq!(serde_json::from_value::<T>(stored.clone()).expect("a good value"), *value);
    }
    keeps(&Fact::Met { evidence: "a".into() }, &json!({"truth": "met", "evidence": "a"}));
    keeps(&Fact::NotMet { evidence: "a".into() }, &json!({"truth": "not_met", "evidence": "a"}));
    keeps(&Fact::Unknown { why: "a".into() }, &json!({"truth": "unknown", "why": "a"}));
    keeps(
        &Need::Matches(Pattern::new("a").expect("a good value")),
        &json!({"type": "stdoutMatches", "pattern": "a"}),
    );
    keeps(&Need::Contains("a".into()), &json!({"type": "output", "pattern": "a"}));
    keeps(&Need::Check("a".into()), &json!({"type": "check", "command": "a"}));
    keeps(&Need::File("a".into()), &json!({"type": "file", "path": "a"}));
    assert!(serde_json::from_value::<Need>(json!({"type": "exitCode"})).is_err());
}
