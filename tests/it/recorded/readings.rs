//! What is read from each recording.

use converge::agent::interpret::Interpreter;
use converge::agent::output::Counts;
use converge::core::reading::{Dollars, Tokens};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{RECORDED, Recording, cases, manifest};

/// What each case comes to, by agent in the order of [`RECORDED`]; `-` where nothing is recorded.
const OUTCOMES: &str = "
    case        claude             codex            gemini             opencode           copilot            qwen               kimi
    first       done               done             done               done               done               done               done
    resume      done               done             done               done               done               done               done
    denied      permission_denied  done             permission_denied  permission_denied  permission_denied  permission_denied  done
    invalid     failed             failed           failed             failed             failed             failed             failed
    auth        auth               auth             auth               auth               auth               auth               auth
    quota       rate_limit         quota            quota              quota              quota              idle               quota
    rate        rate_limit         rate_limit       idle               rate_limit         rate_limit         idle               idle
    limit       quota              quota            quota              quota              quota              quota              quota
    overloaded  overloaded         overloaded       overloaded         overloaded         overloaded         idle               idle
    context     context_full       context_full     context_full       context_full       context_full       context_full       context_full
    model       model_missing      failed           model_missing      model_missing      model_missing      model_missing      model_missing
    unknown     session_missing    session_missing  session_missing    session_missing    session_missing    session_missing    session_missing
    schema      done               done             -                  -                  -                  done               -
    misfit      schema_error       done             -                  -                  -                  schema_error       -
    network     idle               -                -                  -                  network            network            idle
";

#[test]
fn each_recording_comes_to_what_it_is() {
    let mut rows = OUTCOMES
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| !row.is_empty());
    let head = rows.next().unwrap();
    let rows: Vec<Vec<&str>> = rows.collect();
    let mut wrong = Vec::new();
    for (column, agent) in RECORDED.iter().enumerate() {
        assert_eq!(head[column + 1], *agent);
        let manifest = manifest(agent);
        let expected = rows.iter().filter(|row| row[column + 1] != "-");
        let mut told: Vec<&str> = expected.clone().map(|row| row[0]).collect();
        told.sort_unstable();
        assert_eq!(told, cases(&manifest), "{agent}");
        for row in expected {
            let found = Recording::of(&manifest, row[0]).read(&manifest).outcome;
            if found.class.word() != row[column + 1] {
                wrong.push(format!("{agent} {}: {found:?}", row[0]));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_call_of_a_tool_that_begins_has_an_end() {
    for agent in RECORDED {
        let manifest = manifest(agent);
        let mut calls = 0;
        for case in cases(&manifest) {
            let [began, ended] = Recording::of(&manifest, &case).tools(&manifest);
            assert_eq!(began, ended, "{agent} {case}");
            calls += began;
        }
        // One makes no event of a call that its sandbox denies, and one makes none when a call begins.
        assert_eq!(calls > 0, !["codex", "opencode"].contains(&agent), "{agent}");
    }
}

#[test]
fn a_failure_that_cites_a_recording_is_read_from_it() {
    for agent in RECORDED {
        let manifest = manifest(agent);
        for failure in &manifest.output.failures {
            let Some(case) = failure.from.as_deref().and_then(|from| from.strip_prefix("recorded: ")) else {
                continue;
            };
            let recording = Recording::of(&manifest, case);
            if let Some(says) = &failure.says {
                let all = [recording.stdout.as_slice(), &recording.stderr].concat();
                assert!(
                    says.is_match(&String::from_utf8_lossy(&all)),
                    "{agent} {case} does not say /{says}/"
                );
            }
            if recording.exit.is_some() {
                assert_eq!(recording.read(&manifest).outcome.class, failure.class, "{agent} {case}");
            }
        }
    }
}

#[test]
fn the_conversation_and_the_answer_are_found_in_every_run_that_is_done() {
    for agent in RECORDED {
        let manifest = manifest(agent);
        for (case, answer) in [("first", "The tests pass."), ("resume", "Still passing.")] {
            let signals = Recording::of(&manifest, case).read(&manifest).signals;
            assert_eq!(signals.result.as_deref(), Some(answer), "{agent} {case}");
            assert!(signals.session.is_some_and(|session| session.len() > 20), "{agent} {case}");
            assert!(signals.progress > 0 && signals.lines.broken == 0, "{agent} {case}: {:?}", signals.lines);
            assert!(signals.errors.is_empty() && signals.denials.is_empty(), "{agent} {case}");
        }
    }
}

#[test]
fn a_structured_result_is_found_where_one_was_asked_for() {
    for agent in ["claude", "codex", "qwen"] {
        let manifest = manifest(agent);
        let found = |case| Recording::of(&manifest, case).read(&manifest).signals.structured;
        assert_eq!(found("schema").as_deref(), Some(r#"{"n":3,"ok":true}"#), "{agent}");
        // It hands on whatever its model says.
        let misfit = (agent == "codex").then_some(r#"{"n":3,"ok":"perhaps"}"#);
        assert_eq!(found("misfit").as_deref(), misfit, "{agent}");
    }
}

#[test]
fn what_a_conversation_counts_is_not_counted_twice() {
    let tokens = |input, output| Some(Tokens { input, output, ..Tokens::default() });
    for (agent, first, resumed, run) in [
        ("claude", tokens(1200, 34), tokens(1300, 21), tokens(1300, 21)),
        ("codex", tokens(1200, 34), tokens(2500, 55), tokens(1300, 21)),
        // It asks its model a question of its own, beside.
        ("gemini", tokens(1201, 35), tokens(1301, 22), tokens(1301, 22)),
        ("opencode", tokens(1200, 34), tokens(1300, 21), tokens(1300, 21)),
        ("copilot", None, None, None),
        ("qwen", tokens(1200, 34), tokens(2500, 55), tokens(1300, 21)),
        ("kimi", None, None, None),
    ] {
        let manifest = manifest(agent);
        let read = |case| Recording::of(&manifest, case).read(&manifest).signals;
        let (before, after) = (read("first"), read("resume"));
        assert_eq!((before.tokens, after.tokens), (first, resumed), "{agent}");
        assert_eq!(after.tokens_since(manifest.output.tokens, before.tokens), run, "{agent}");
        // A counter that goes back says nothing.
        if manifest.output.tokens == Counts::Session {
            assert_eq!(before.tokens_since(Counts::Session, after.tokens), None, "{agent}");
        }
    }
}

#[test]
fn a_cost_is_told_by_claude_alone_and_counts_the_conversation() {
    for agent in RECORDED {
        let manifest = manifest(agent);
        let read = |case| Recording::of(&manifest, case).read(&manifest).signals;
        let (before, after) = (read("first"), read("resume"));
        let run = after.cost_since(manifest.output.cost, before.dollars());
        if agent == "claude" {
            assert_eq!((after.dollars(), run), (Some(Dollars(11_100)), Some(Dollars(5_620))));
        } else {
            assert_eq!((before.cost, after.cost, run), (None, None, None), "{agent}");
        }
    }
}

#[test]
fn what_was_denied_is_told() {
    let denied = |agent| {
        let manifest = manifest(agent);
        Recording::of(&manifest, "denied").read(&manifest).signals.denials
    };
    assert_eq!(denied("claude"), ["Bash"]);
    assert_eq!(denied("qwen"), ["run_shell_command"]);
    assert_eq!(denied("opencode"), ["bash"]);
    assert!(denied("gemini")[0].starts_with("Tool \"run_shell_command\" not found"));
    assert!(denied("copilot")[0].starts_with("Permission denied because no interactive user"));
}

#[test]
fn a_reset_is_read_where_it_is_stated_and_nowhere_else() {
    let now: Timestamp = "2026-11-20T20:34:00Z".parse().unwrap();
    for agent in RECORDED {
        let manifest = manifest(agent);
        let reset = Recording::of(&manifest, "quota").read(&manifest).outcome.reset;
        let at = reset.and_then(|reset| reset.instant(now, &TimeZone::UTC)).map(|at| at.to_string());
        let expected = match agent {
            "codex" => Some("2026-11-21T07:00:00Z"),
            "gemini" => Some("2026-11-21T12:31:40Z"),
            _ => None,
        };
        assert_eq!(at.as_deref(), expected, "{agent}");
        let is_stated = Recording::of(&manifest, "limit").read(&manifest).outcome.reset.is_some();
        assert_eq!(is_stated, ["claude", "codex", "gemini"].contains(&agent), "{agent}");
    }
}

#[test]
fn who_was_ended_while_trying_again_tells_what_it_was_waiting_for() {
    for (agent, case, expected) in [
        ("kimi", "overloaded", Some("503 Overloaded")),
        ("claude", "network", Some("unknown")),
        ("qwen", "overloaded", None),
        ("gemini", "overloaded", Some("status: 503")),
        ("opencode", "overloaded", Some("Overloaded")),
        ("opencode", "rate", Some("Rate limit reached. Please try again in 20s.")),
        (
            "opencode",
            "quota",
            Some("You exceeded your current quota, please check your plan and billing details."),
        ),
    ] {
        let manifest = manifest(agent);
        let outcome = Recording::of(&manifest, case).read(&manifest).outcome;
        assert_eq!(outcome.message.as_deref(), expected, "{agent} {case}");
    }
}

#[test]
fn the_model_and_how_much_of_its_window_is_full_are_told_by_some() {
    for (agent, case, model, context, window) in [
        ("claude", "first", Some("claude-opus-5-5"), Some(1200), Some(1_000_000)),
        ("claude", "denied", Some("claude-opus-5-5"), Some(1100), Some(1_000_000)),
        ("claude", "auth", Some("claude-opus-5-5"), None, None),
        ("codex", "first", None, None, None),
        ("gemini", "first", None, None, None),
        ("opencode", "first", None, Some(1234), None),
        ("copilot", "denied", Some("scripted"), Some(10_393), Some(128_000)),
        ("qwen", "resume", Some("scripted"), Some(1321), None),
        ("kimi", "first", None, None, None),
    ] {
        let manifest = manifest(agent);
        let signals = Recording::of(&manifest, case).read(&manifest).signals;
        let found = (signals.model.as_deref(), signals.context, signals.window);
        assert_eq!(found, (model, context, window), "{agent} {case}");
    }
}

#[test]
fn what_a_helper_of_the_agent_reads_does_not_fill_its_window() {
    let event = |helper: &str, tokens: u64| {
        format!(
            "{{\"type\":\"assistant\",\"parent_tool_use_id\":{helper},\"message\":{{\"usage\":\
            {{\"input_tokens\":{tokens},\"cache_read_input_tokens\":7,\"output_tokens\":1}}}}}}\n"
        )
    };
    let manifest = manifest("claude");
    let mut interpreter = Interpreter::new(&manifest);
    interpreter.stdout(event("null", 100).as_bytes());
    interpreter.stdout(event("\"toolu_1\"", 5000).as_bytes());
    assert_eq!(interpreter.end().context, Some(107));
}
