use super::*;

/// A manifest that is right, with one line put in the place of another.
fn with(old: &str, new: &str) -> String {
    const RIGHT: &str = r#"name = "mine"
seen = "1.0"
programs = ["mine"]
prompt = "stdin"
arguments = ["run", "{permissions}", "{model}", "{session}"]
unverified = ["options.model"]
[options]
model = ["--model", "{model}"]
resume = ["--resume={session}"]
[permissions]
edit = ["--edit"]
[environment]
set = { MINE = "1" }
[output]
form = "lines"
[[output.event]]
when = { type = "result" }
result = "text"
[[failure]]
class = "quota"
says = 'again at (?<epoch>\d+)'
"#;
    assert!(RIGHT.contains(old), "{old}");
    RIGHT.replacen(old, new, 1)
}

fn check(old: &str, new: &str, expected: &[&str]) {
    let text = with(old, new);
    let mistakes = Manifest::parse(&text).err().unwrap_or_default();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected, "{new}");
}

#[test]
fn a_manifest_that_is_right_is_read_whole() {
    let manifest = Manifest::parse(&with("", "")).expect("a manifest");
    assert_eq!((manifest.name.as_str(), manifest.title.as_str()), ("mine", "mine"));
    assert_eq!(manifest.permissions["edit"], ["--edit"]);
    assert_eq!(manifest.environment.set["MINE"], "1");
    assert_eq!(manifest.doubts(), ["options.model", "failure[0] (quota)"]);
}

#[test]
fn what_was_seen_on_no_version_is_doubted_whole() {
    let manifest = Manifest::parse(&with("seen = \"1.0\"\n", "")).expect("a manifest");
    assert_eq!(manifest.doubts(), ["everything"]);
}

#[test]
fn an_unknown_member_is_refused_with_the_nearest_known_one() {
    check(
        "resume =",
        "resum =",
        &[
            "line 5: `arguments` has {session}, and nothing goes there; say it in `options.resume`, or leave the word out",
            "line 9: `options.resum` is not known; did you mean `resume`?",
        ],
    );
    check(
        "seen =",
        "version =",
        &[
            "line 2: `version` is not known; known here are name, title, seen, programs, prompt, arguments, options, \
         permissions, environment, register, login, output, failure, unverified",
        ],
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_to_write() {
    check(
        "[\"mine\"]",
        "\"mine\"",
        &[
            "line 3: `programs` is not a list of texts; write programs = [\"…\", \"…\"]",
            "line 3: `programs` names no program; write programs = [\"name\"]",
        ],
    );
    check(
        "\"stdin\"",
        "\"argument\"",
        &["line 4: `prompt` is `argument`, which means nothing here; write one of `stdin`, `file`"],
    );
    check(
        "MINE = \"1\"",
        "MINE = 1",
        &["line 13: `environment.set` has `MINE`, which is not a text; put it in quotes"],
    );
}

#[test]
fn a_slot_and_what_goes_there_need_each_other() {
    check(
        ", \"{model}\", ",
        ", ",
        &[
            "line 5: `arguments` has no {model} for what `options.model` says; write {model} as a word where it belongs",
        ],
    );
    check(
        "edit = [\"--edit\"]",
        "edit = []",
        &[
            "line 5: `arguments` has {permissions}, and nothing goes there; say it in `permissions`, or leave the word out",
        ],
    );
    check(
        "--resume={session}",
        "--resume={id}",
        &["line 9: `options.resume` has `{id}`; the value is `{session}`"],
    );
    check(
        "\"run\"",
        "\"{prompt}\"",
        &[
            "line 5: `arguments` has the word `{prompt}`, and nothing stands for `{prompt}`; write {permissions}, \
         {model}, {effort}, {directories}, {tools}, {account}, {session}, {schema}, {converge} as a word, or {prompt_file} in one",
        ],
    );
    check(
        "\"run\"",
        "\"{prompt_file}\"",
        &[
            "line 5: `arguments` does not fit how the prompt is given; with prompt = \"file\", and only then, write \
         {prompt_file} in a word",
        ],
    );
}

#[test]
fn an_overlay_of_a_home_is_looked_at_too() {
    let overlay = |inner: &str| format!("[register.overlay]\n{inner}\n[output]");
    let adds = "adds = \"{}\"";
    check(
        "[output]",
        &overlay(
            "variable = \"CONVERGE_C\"\nfolder = \"../x\"\nkeeps = [\"/b\"]\ndocument = \"d/e\"\nadds = \"[{port}]\"",
        ),
        &[
            "line 14: `register.overlay` has `{port}`, and nothing stands for that; write {program}, {home}, {attempt} \
             or {file:NAME}",
            "line 15: `register.overlay.variable` is `CONVERGE_C`; name a variable that is not Converge's own",
            "line 16: `register.overlay.folder` has `../x`; write where it is within the home",
            "line 17: `register.overlay.keeps` has `/b`; write a name without a path",
            "line 18: `register.overlay.document` has `d/e`; write a name without a path",
            "line 19: `register.overlay.adds` is no JSON object; write what is to be added, in braces",
        ],
    );
    check(
        "[output]",
        &overlay("variable = \"A\"\nusual = \".config/a\""),
        &[
            "line 14: `register.overlay.document` is missing; add document = \"…\"",
            "line 14: `register.overlay.adds` is missing; add adds = \"…\"",
        ],
    );
    check(
        "[output]",
        &overlay(&format!(
            "variable = \"A\"\nbeside = [\".env\"]\nkeeps = [\"d\"]\ndocument = \"d\"\n{adds}"
        )),
        &[
            "line 16: `register.overlay.beside` has `.env`, which is in the folder; leave it out: all that is in `folder` \
             is there anyway",
            "line 17: `register.overlay.keeps` has `d`, which is not shared; name a folder of the program",
        ],
    );
    let unnamed = "variable = \"A\"\nfolder = \".a/b\"\nbeside = [\".a\"]\ndocument = \"d\"\nadds = \"{\\\"a\\\":\\\"{file:x}\\\"}\"";
    check(
        "[output]",
        &overlay(unnamed),
        &[
            "line 14: `register.overlay` names a file `x`, which is not there; write it below `register.files`",
            "line 17: `register.overlay.beside` has `.a`, which is in the folder; leave it out: all that is in `folder` is \
             there anyway",
        ],
    );
}

#[test]
fn how_a_login_is_asked_for_is_looked_at_too() {
    let login = |inner: &str| format!("[login]\n{inner}\n[output]");
    check(
        "[output]",
        &login(
            "ask = []\ndenied = \" \"\nunless_here = [\"../x\"]\n[login.confirm]\nask = [\"doctor\"]\ndenied = \"no\"",
        ),
        &[
            "line 14: `login.granted` is missing; add granted = \"…\"",
            "line 15: `login.ask` says nothing; write ask = [\"auth\", \"status\"], without the program",
            "line 16: `login.denied` is in every answer; write what is said only when nobody is logged in",
            "line 17: `login.unless_here` has `../x`; write where it is within a project, such as \".agent/settings.json\"",
            "line 18: `login.confirm.granted` is missing; add granted = \"…\"",
        ],
    );
}

#[test]
fn how_converge_is_registered_is_looked_at_too() {
    check(
        "[output]",
        "[register]\nset = { A = \"{port}\", B = \"{file:x}\", CONVERGE_C = \"1\" }\nfiles = { y = \"{program}\" }\n[output]",
        &[
            "line 15: `register.set` has `{port}`, and nothing stands for that; write {program}, {home}, {attempt} or \
         {file:NAME}",
            "line 15: `register.set` names a file `x`, which is not there; write it below `register.files`",
            "line 15: `register.set` names `CONVERGE_C`; name a variable that is not Converge's own",
            "line 16: `register.files` has `y`, which nothing names; name it as {file:y}, or leave it out",
        ],
    );
    check(
        "[output]",
        "[register]\narguments = [\"{home}\"]\nfiles = { y = 1 }\n[output]",
        &[
            "line 5: `arguments` has no {converge} for what `register.arguments` says; write {converge} as a word where \
         it belongs",
            "line 16: `register.files.y` is not a text; put it in quotes",
        ],
    );
}

#[test]
fn how_tools_begin_and_end_is_said_together() {
    check(
        "form = \"lines\"",
        "form = \"lines\"\ntool_starts = [\"a\", \"\"]",
        &[
            "line 16: `output.tool_starts` has an empty text, which is in every line; leave it out",
            "line 16: `output.tool_starts` says how calls of tools begin, and nothing says how they end; write \
         tool_ends = [\"…\"]",
        ],
    );
    check(
        "form = \"lines\"",
        "form = \"lines\"\ntool_ends = \"a\"",
        &["line 16: `output.tool_ends` is not a list of texts; write tool_ends = [\"…\", \"…\"]"],
    );
}

#[test]
fn signals_are_looked_at_too() {
    check(
        "type = \"result\"",
        "",
        &["line 17: `output.event[0].when` says of no event what is in it; write when = { type = \"…\" }"],
    );
    check(
        "result = \"text\"",
        "result = \"a..b\"",
        &[
            "line 18: `output.event[0].result` `a..b` is not a place such as `usage.input_tokens` or `denials[].tool`; \
         write a place such as `usage.input`",
        ],
    );
    check(
        "result = \"text\"",
        "text = [\"a\", \"b..\"]\nitem = { type = \"text\" }",
        &[
            "line 18: `output.event[0].text` `b..` is not a place such as `usage.input_tokens` or `denials[].tool`; \
         write a place such as `usage.input`",
            "line 19: `output.event[0].item` is about the items of no list; name the list: each = \"…[]\"",
        ],
    );
    check(
        "form = \"lines\"",
        "form = \"lines\"\nwindow = 0\ncached = \"yes\"",
        &[
            "line 16: `output.window` is no number of things; write window = 200000",
            "line 17: `output.cached` is `yes`, which means nothing here; write one of `within`, `beside`",
        ],
    );
    check(
        "(?<epoch>",
        "(?<when>",
        &[
            "line 21: `failure[0].says` has a group `when`; the groups are epoch, span, seconds, date, clock, zone, said",
        ],
    );
    check(
        "(?<epoch>\\d+)",
        "(",
        &["line 21: `failure[0].says` is no pattern: unclosed group; write a regular expression"],
    );
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_lines() {
    let mistakes =
        Manifest::parse("name = \"Mine\"\nprogrammes = []\n[output]\nform = \"xml\"").expect_err("wrong");
    let lines: Vec<(usize, &str)> =
        mistakes.iter().map(|mistake| (mistake.line, mistake.place.as_str())).collect();
    assert_eq!(lines, [(1, "name"), (1, "programs"), (1, "prompt"), (2, "programmes"), (4, "output.form")]);
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let mistakes = Manifest::parse("name = \"mine\"\nprograms = [").expect_err("wrong");
    assert_eq!(mistakes[0].line, 2, "{mistakes:?}");
}
