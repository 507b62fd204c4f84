use serde_json::{Value, json};

use crate::core::condition::Condition;
use crate::core::condition::pattern::Pattern;
use crate::core::condition::rules::{LEAVES_MAX, LEVELS_MAX};

/// Both forms of the condition that `text` is read as.
fn check(text: &str, canonical: &str, as_json: &Value) {
    let condition: Condition = text.parse().expect(text);
    assert_eq!(condition.to_string(), canonical, "{text}");
    assert_eq!(serde_json::to_value(&condition).expect("a good value"), *as_json, "{text}");
    assert_eq!(canonical.parse(), Ok(condition.clone()), "{text}");
    assert_eq!(as_json.to_string().parse(), Ok(condition), "{text}");
}

/// The problems that `text` has, one per line.
fn check_refused(text: &str, problems: &[&str]) {
    let found = text.parse::<Condition>().expect_err(text);
    let found: Vec<_> = found
        .into_iter()
        .map(|problem| {
            format!("{}: {} | {}", problem.place, problem.message, problem.fix.unwrap_or_default())
        })
        .collect();
    assert_eq!(found, problems, "{text}");
}

#[test]
fn text_and_json_say_the_same() {
    check("exit 0", "exit 0", &json!({"type": "exitCode", "code": 0}));
    check("output /a+/", "output /a+/", &json!({"type": "stdoutMatches", "pattern": "a+"}));
    check(r#"output "a+""#, r#"output "a+""#, &json!({"type": "output", "pattern": "a+"}));
    check(
        r#"check "cargo test""#,
        r#"check "cargo test""#,
        &json!({"type": "check", "command": "cargo test"}),
    );
    check("file out.txt", "file out.txt", &json!({"type": "file", "path": "out.txt"}));
    check(r#"file "a b""#, r#"file "a b""#, &json!({"type": "file", "path": "a b"}));
    check(
        "not any(exit 1, all(file a))",
        "not any(exit 1, all(file a))",
        &json!({"type": "not", "condition": {"type": "compound", "operator": "any", "conditions": [
            {"type": "exitCode", "code": 1},
            {"type": "compound", "operator": "all", "conditions": [{"type": "file", "path": "a"}]},
        ]}}),
    );
}

#[test]
fn other_spellings_are_read_where_the_meaning_is_certain() {
    fn reads(text: &str, canonical: &str) {
        assert_eq!(text.parse::<Condition>().expect(text).to_string(), canonical, "{text}");
    }
    for text in ["exit=0", " EXIT  == 0 ", "exitCode 0", "exit_code: 0", "exit code 0", "(exit 0)"] {
        reads(text, "exit 0");
    }
    for text in ["stdout /x/", "output matches /x/", "stdoutMatches /x/", "stdout\tmatches /x/"] {
        reads(text, "output /x/");
    }
    reads("output /x/i", "output /(?i)x/");
    reads("stdout contains 'a \\ b'", r#"output "a \\ b""#);
    reads("check cargo test --all", r#"check "cargo test --all""#);
    reads("not check: make", r#"not check "make""#);
    reads("file exists out.txt", "file out.txt");
    reads("file out.txt exists", "file out.txt");
    reads("!exit 1", "not exit 1");
    reads("not (exit 1)", "not exit 1");
    reads("ANY( exit 0,\n  exit 1, )", "any(exit 0, exit 1)");
    reads("```json\n{\"type\": \"exitCode\"}\n```", "exit 0");
    reads(
        r#"{"type": "any", "conditions": ["exit 1", {"type": "file_exists", "path": "a"}]}"#,
        "any(exit 1, file a)",
    );
    reads(r#"{"type": "compound", "conditions": ["file a"]}"#, "all(file a)");
}

#[test]
fn escapes_come_back_as_they_were() {
    fn both_ways(condition: Condition, text: &str) {
        assert_eq!(condition.to_string(), text);
        assert_eq!(text.parse(), Ok(condition));
    }
    both_ways(Condition::Contains("a\n\"b\"\\\t\u{1b}".into()), r#"output "a\n\"b\"\\\t\u{1b}""#);
    both_ways(Condition::Matches(Pattern::new(r"a/b\\/\d").expect("a good value")), r"output /a\/b\\\/\d/");
    assert_eq!(Pattern::new(r"a\/b"), Pattern::new("a/b"), "both are one text");
    both_ways(Condition::File("exists".into()), r#"file "exists""#);
    both_ways(Condition::File("=".into()), r#"file "=""#);
}

#[test]
fn flags_and_bytes_match_as_said() {
    fn found(text: &str, stdout: &[u8]) -> bool {
        let condition = text.parse().expect(text);
        let Condition::Matches(pattern) = condition else { panic!("{condition} is no pattern") };
        pattern.is_match(stdout)
    }
    assert!(found("output /done|ready/i", b"... READY"));
    assert!(!found("output /ready/", b"READY"));
    assert!(found("output /^ok$/m", b"one\nok\ntwo"));
    assert!(found("output /ok/", b"\xff\xfe ok \x80"), "output need not be UTF-8");
}

#[test]
fn matching_is_linear() {
    let mut output = vec![b'a'; 1 << 20];
    output.push(b'b');
    let pattern = Pattern::new("^(a+)+$").expect("a good value");
    assert!(!pattern.is_match(&output));
    output.pop();
    assert!(pattern.is_match(&output));
}

const FORMS: &str = "write one of: exit 0, output /regex/, output \"text\", check \"command\", file PATH, not …, \
                     any(…, …), all(…, …)";

#[test]
fn a_text_that_is_no_condition_is_refused_with_the_forms() {
    check_refused("tests pass", &[&format!("column 1: `tests pass` is no condition | {FORMS}")]);
    check_refused("", &[&format!("column 1: an empty condition | {FORMS}")]);
    check_refused(
        "not ouput /x/",
        &[&format!("column 5: `ouput /x/` is no condition | did you mean `output`? otherwise {FORMS}")],
    );
    check_refused(
        "exit 0 and output /x/",
        &["column 8: `and` between conditions | write all(…, …) for and, any(…, …) for or"],
    );
    check_refused("any(exit 0", &["column 11: a parenthesis that is not closed | close it with `)`"]);
    check_refused(
        "any exit 0",
        &["column 1: `any` without its conditions | write any(exit 0, output /all passed/)"],
    );
    check_refused("exit", &["column 1: `exit` without a code | write exit 0"]);
    check_refused(
        "any(check cargo test, exit 0)",
        &[
            "column 5: `check` without a command in quotes | put the shell line in quotes, such as check \"cargo test\"",
        ],
    );
    check_refused(
        "file *.txt",
        &[
            "column 6: the path `*.txt` without quotes | put it in quotes; it is taken as it is, without ~, * or $",
        ],
    );
    check_refused(
        r#"output "\d""#,
        &[r#"column 9: an unknown escape | write \\ for a backslash; the escapes are \" \\ \n \r \t \u{…}"#],
    );
    check_refused(
        "output /x",
        &["column 8: a pattern without its closing slash | end it with / and write \\/ for a slash inside"],
    );
    check_refused("check \"x", &["column 7: a quote that is not closed | close it"]);
}

#[test]
fn every_problem_of_a_text_is_told() {
    check_refused(
        r#"any(exit 256, output /(/, check " ", all(), file "a\u{0}")"#,
        &[
            "column 10: no process exits with 256 | an exit code is a number from 0 to 255",
            "column 22: bad regex: unclosed group | correct the pattern, or look for plain text with output \"…\"",
            "column 33: an empty command | write the shell line to run, such as check \"cargo test\"",
            "column 38: `all` of no conditions | put at least one condition inside, such as all(exit 0)",
            "column 50: a NUL character | remove it",
        ],
    );
}

#[test]
fn every_problem_of_a_document_is_told_with_its_path() {
    let document = json!({"type": "compound", "operator": "some", "colour": 1, "conditions": [
        {"type": "exitCode", "code": "0"},
        {"type": "stdoutMatches", "pattern": "a(?=b)"},
        {"type": "stdoutMatch", "pattern": "x"},
        {"type": "check", "comand": "make"},
        {"type": "not", "condition": {"type": "compound", "conditions": []}},
        {"type": "file", "path": ""},
        "exit -1",
        7,
    ]});
    check_refused(
        &document.to_string(),
        &[
            "colour: unknown field `colour` | remove it; beside `type` there is `operator`, `conditions`",
            "operator: \"some\" is no operator | write \"any\" or \"all\"",
            "conditions[0].code: a string where a number belongs | write a number",
            "conditions[1].pattern: bad regex: look-around, including look-ahead and look-behind, is not supported \
             | correct the pattern, or look for plain text with output \"…\"",
            "conditions[2].type: unknown type `stdoutMatch` | did you mean `stdoutMatches`?",
            "conditions[3].comand: unknown field `comand` | did you mean `command`?",
            "conditions[3].command: no `command` | add `command`",
            "conditions[4].condition.conditions: `all` of no conditions | put at least one condition inside, \
             such as all(exit 0)",
            "conditions[5].path: an empty path | write the path of the file, such as file out.txt",
            "conditions[6].column 6: no process exits with -1 | an exit code is a number from 0 to 255",
            "conditions[7]: a number where a condition belongs | write an object such as \
             {\"type\":\"exitCode\",\"code\":0}",
        ],
    );
}

#[test]
fn broken_json_is_refused_with_its_line() {
    check_refused(
        "{\"type\": \"exitCode\",\n \"code\" 0}",
        &[
            "line 2 column 9: bad JSON: expected `:` | correct it, or use the text form, such as output /all passed/",
        ],
    );
    check_refused(
        "[]",
        &[": a list where one condition belongs | write {\"type\":\"compound\",\"operator\":\"any\",\
           \"conditions\":[…]} or say \"all\""],
    );
    check_refused(
        "{}",
        &["type: no `type` | the types are exitCode, stdoutMatches, output, check, file, not, compound"],
    );
}

/// K3: a stop type that could never come true would run a loop to its limit in silence.
#[test]
fn convergence_is_refused_and_never_silently_false() {
    let why = "`convergence` is no condition here: done is decided by what can be checked | write what must hold \
               when the work is done, such as check \"cargo test\"";
    check_refused("convergence", &[&format!("column 1: {why}")]);
    check_refused(r#"{"type": "convergence"}"#, &[&format!("type: {why}")]);
}

#[test]
fn size_and_depth_are_bounded() {
    let nested = |levels: usize| format!("{}exit 0", "not ".repeat(levels - 1));
    assert!(nested(LEVELS_MAX).parse::<Condition>().is_ok());
    check_refused(
        &nested(LEVELS_MAX + 1),
        &["column 65: more than 16 conditions inside each other \
           | flatten it, or put the logic into a script and check that"],
    );
    for deep in [
        "(".repeat(100_000),
        "!".repeat(100_000),
        "any(".repeat(100_000),
        "{\"type\":\"not\",\"condition\":".repeat(100_000),
    ] {
        assert!(deep.parse::<Condition>().is_err());
    }
    let wide = |leaves: usize| format!("any({})", vec!["exit 0"; leaves].join(","));
    assert!(wide(LEAVES_MAX).parse::<Condition>().is_ok());
    check_refused(
        &wide(LEAVES_MAX + 1),
        &[": 65 conditions, and at most 64 are taken | put the checks into a script and check that"],
    );
    check_refused(
        &format!("output /{}/", "a".repeat(4097)),
        &[
            "column 8: 4097 bytes, and at most 4096 are taken | shorten it, or put it into a script and check that",
        ],
    );
    check_refused(
        "output /\\w{999}/",
        &["column 8: bad regex: the pattern is too large once its repetitions are counted \
           | correct the pattern, or look for plain text with output \"…\""],
    );
}
