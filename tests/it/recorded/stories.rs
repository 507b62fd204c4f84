//! What somebody who watches is shown of each recording.

use std::fmt::Write;

use converge::agent::manifest::Manifest;
use converge::agent::story::{Moment, Story};

use super::{RECORDED, Recording, check_pieces, manifest};

/// What is shown of output that comes in pieces of this size.
fn moments(manifest: &Manifest, stdout: &[u8], piece: usize) -> Vec<Moment> {
    let mut story = Story::new(manifest);
    let mut moments: Vec<Moment> = stdout.chunks(piece).flat_map(|piece| story.stdout(piece)).collect();
    moments.extend(story.end());
    moments
}

fn told(manifest: &Manifest, stdout: &[u8]) -> String {
    let mut told = String::new();
    for moment in moments(manifest, stdout, usize::MAX) {
        writeln!(told, "{moment}").unwrap();
    }
    told
}

#[track_caller]
fn check(agent: &str, case: &str, expected: &str) {
    let manifest = manifest(agent);
    let told = told(&manifest, &Recording::of(&manifest, case).stdout);
    let expected: String = expected.lines().map(str::trim).skip(1).collect::<Vec<_>>().join("\n");
    assert_eq!(told, expected, "{agent} {case}");
}

#[test]
fn each_agent_is_shown_as_it_says_and_calls_and_is_answered() {
    check(
        "claude",
        "denied",
        "
        → Bash: command=curl -s http://127.0.0.1:9/x > y description=fetch
        ! not allowed: Bash
        ✗ Permission for this tool use was denied. It requires approval, and this session has no approval surface — nobody can answer a permission prompt here — so it was denied automatically. The action was N…
        I could not do that.
        · 2 turns, 2100 tokens read and 50 written, $0.0094 since the conversation began
        ",
    );
    check(
        "codex",
        "denied",
        "
        ! Model metadata for `scripted` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.
        I could not do that.
        · 2100 tokens read and 50 written since the conversation began
        ",
    );
    check(
        "gemini",
        "denied",
        "
        → run_shell_command: touch y
        ✗ Tool \"run_shell_command\" not found. Did you mean one of: \"update_topic\", \"grep_search\", \"replace\"?
        I could not do that.
        · 2101 tokens read and 51 written
        ",
    );
    check(
        "opencode",
        "denied",
        "
        → bash: command=touch /etc/y description=d workdir=/etc
        ✗ The user rejected permission to use this specific tool call.
        ! not allowed: bash
        · 1000 tokens read and 40 written
        ",
    );
    check(
        "copilot",
        "denied",
        "
        → bash: command=touch y description=d
        ✗ Permission denied because no interactive user response was available. Retry in an interactive session so the user can approve it, or try an alternative that does not require this permission.
        I could not do that.
        ",
    );
    check(
        "qwen",
        "denied",
        "
        → run_shell_command: command=touch y description=d is_background=false
        ✗ Qwen Code requires permission to use \"run_shell_command\", but that permission was declined. Matching deny rule: \"run_shell_command\".
        I could not do that.
        ! not allowed: run_shell_command
        · 2 turns, 2100 tokens read and 50 written since the conversation began
        ",
    );
    check(
        "kimi",
        "denied",
        "
        → Bash: touch y
        ← Command executed successfully.
        I could not do that.
        ",
    );
}

#[test]
fn what_goes_wrong_is_shown_once() {
    check(
        "claude",
        "overloaded",
        "
        API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment. If it persists, check your inference gateway (127.0.0.1:8801).
        · 1 turn
        ",
    );
    check(
        "codex",
        "quota",
        "
        ! Model metadata for `scripted` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.
        ! You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/settings/usage to purchase more credits or try again at Nov 21st, 2026 7:00 AM.
        ",
    );
    check(
        "kimi",
        "overloaded",
        "
        ! 503 Overloaded
        ",
    );
    check(
        "opencode",
        "auth",
        "
        ! invalid x-api-key
        ",
    );
}

#[test]
fn each_run_that_is_done_shows_its_answer() {
    for agent in RECORDED {
        let manifest = manifest(agent);
        for (case, answer) in [("first", "The tests pass."), ("resume", "Still passing.")] {
            let stdout = Recording::of(&manifest, case).stdout;
            let said = Moment::Said(answer.to_owned());
            let count =
                moments(&manifest, &stdout, usize::MAX).iter().filter(|moment| **moment == said).count();
            assert_eq!(count, 1, "{agent} {case}");
        }
    }
}

#[test]
fn it_makes_no_difference_in_which_pieces_output_comes() {
    check_pieces(moments);
}

#[test]
fn codex_is_shown_running_commands_and_tools() {
    let events = [
        r#"{"type":"item.started","item":{"id":"1","type":"command_execution","command":"cargo test","status":"in_progress"}}"#,
        r#"{"type":"item.completed","item":{"id":"1","type":"command_execution","command":"cargo test","aggregated_output":"1 failed\n","exit_code":101,"status":"failed"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"file_change","changes":[{"path":"src/a.rs","kind":"update"}],"status":"completed"}}"#,
        r#"{"type":"item.started","item":{"id":"3","type":"mcp_tool_call","server":"converge","tool":"add_job","arguments":{"name":"x"}}}"#,
        r#"{"type":"item.completed","item":{"id":"3","type":"mcp_tool_call","server":"converge","tool":"add_job","result":{"content":[{"type":"text","text":"Added x"}]},"error":null}}"#,
    ];
    let told = told(&manifest("codex"), events.join("\n").as_bytes());
    let expected = "→ command_execution: cargo test\n✗ 1 failed\n→ file_change: path=src/a.rs kind=update\n\
        → add_job: x\n← Added x\n";
    assert_eq!(told, expected);
}

#[test]
fn what_several_items_of_an_event_say_keeps_its_order() {
    let event = r#"{"type":"assistant","message":{"content":[
        {"type":"thinking","thinking":"hm"},{"type":"tool_use","name":"Read","input":{"file_path":"a"}},
        {"type":"text","text":"Next."},{"type":"tool_use","name":"Exit"},{"type":"tool_use","name":"Edit","input":{"file_path":"b"}}
    ]}}"#;
    let event = event.replace('\n', " ");
    assert_eq!(told(&manifest("claude"), event.as_bytes()), "→ Read: a\nNext.\n→ Exit\n→ Edit: b\n");
}

#[test]
fn an_answer_that_comes_in_pieces_is_shown_by_the_line() {
    let piece = |text: &str| {
        format!("{}\n", serde_json::json!({ "type": "message", "role": "assistant", "content": text }))
    };
    let manifest = manifest("gemini");
    let mut story = Story::new(&manifest);
    let said = |text: &str| vec![Moment::Said(text.to_owned())];
    assert_eq!(story.stdout(piece("One and").as_bytes()), []);
    assert_eq!(story.stdout(piece(" a half\nTwo").as_bytes()), said("One and a half"));
    assert_eq!(story.stdout(piece(" more").as_bytes()), []);
    assert_eq!(story.end(), said("Two more"));
}

#[test]
fn output_that_is_not_understood_is_shown_as_it_is() {
    let strange: String =
        (0..100).map(|number| format!("{{\"new\":{number}}}\n")).collect::<Vec<_>>().concat();
    let manifest = manifest("claude");
    assert_eq!(told(&manifest, strange.as_bytes()), strange);
    let text = "no JSON at all\nof two lines\n";
    assert_eq!(told(&manifest, text.as_bytes()), text);
    // What is not known beside what is means nothing.
    let known = r#"{"type":"system","subtype":"init"}"#;
    assert_eq!(told(&manifest, format!("{{\"new\":1}}\n{known}\n{{\"new\":2}}\n{{cut off").as_bytes()), "");
}

#[test]
fn what_is_shown_is_short_and_harmless() {
    let nasty = format!("\u{1b}[2J\u{1b}]0;title\u{7}red\u{202e}\r\n{}", "x".repeat(100_000));
    let event = serde_json::json!({ "type": "assistant", "message": { "content": [
        { "type": "text", "text": nasty },
        { "type": "tool_use", "name": nasty, "input": { "a": nasty, "b": [nasty, nasty] } },
    ] } });
    let answer = serde_json::json!({ "type": "user", "message": { "content": [
        { "type": "tool_result", "content": nasty, "is_error": true },
    ] } });
    let manifest = manifest("claude");
    for moment in moments(&manifest, format!("{event}\n{answer}\n{nasty}").as_bytes(), 1000) {
        let shown = moment.to_string();
        assert!(
            !shown.contains(|letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}')
        );
        let most = if matches!(moment, Moment::Said(_)) { 20_000 } else { 600 };
        assert!(shown.chars().count() < most, "{shown}");
    }
}
