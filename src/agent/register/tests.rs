use super::*;
use crate::agent::catalogue::Catalogue;
use crate::agent::manifest::Manifest;
use crate::core::id::TaskId;

/// Paths that a careless template would break out of.
fn register() -> Register<'static> {
    Register {
        program: Path::new(r#"/a b/"c"\converge"#),
        home: Path::new("/home/me/.converge"),
        run_dir: Path::new("/runs/1"),
        attempt: ProcessKey::attempt(TaskId::from_bits(7), 2),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(Text::of(text.to_owned()).say(&register()), expected);
}

#[test]
fn a_name_stands_for_its_value_as_its_place_needs_it() {
    check("--config={home}", "--config=/home/me/.converge");
    check("@{file:mcp.json}", "@/runs/1/agent/mcp.json");
    check("{program}", r#"/a b/"c"\converge"#);
    check(r#"{"command":"{program}"}"#, r#"{"command":"/a b/\"c\"\\converge"}"#);
    check(
        r#"{a="{program}",b="x{home}",c={}}"#,
        r#"{a="/a b/\"c\"\\converge",b="x/home/me/.converge",c={}}"#,
    );
    check(r#""\"{program}""#, r#""\"/a b/\"c\"\\converge""#);
    check("{}{\"a\":{\"b\":1}}", "{}{\"a\":{\"b\":1}}");
}

#[test]
fn what_every_agent_is_told_can_be_read_whatever_the_paths_are() {
    for known in Catalogue::of(Vec::new()).agents {
        let Manifest { name, register: Some(registration), .. } = &*known.manifest else { continue };
        let files = registration.files(&register());
        let arguments = registration.arguments(&register());
        let set = registration.set(&register());
        let added = registration.overlay(&register()).map(|overlay| overlay.adds.to_string());
        let documents = files.iter().map(|file| &file.text).chain(set.values()).chain(&added);
        let documents = documents.filter(|text| text.starts_with('{'));
        for document in documents {
            let read: Json = serde_json::from_str(document).expect(name);
            assert!(
                read.to_string().contains(&Json::from(r#"/a b/"c"\converge"#).to_string()),
                "{name}: {read}"
            );
        }
        let all = [
            arguments,
            set.into_values().collect(),
            files.into_iter().map(|file| file.text).collect(),
            added.into_iter().collect(),
        ];
        let all = all.concat().join("\n");
        assert!(
            all.contains("/home/me/.converge") && all.contains(&register().attempt.to_string()),
            "{name}: {all}"
        );
    }
}

#[test]
fn what_cannot_be_said_is_a_problem() {
    let count = |home: &str| Register { home: Path::new(home), ..register() }.problems().len();
    assert_eq!((count("/home"), count("home"), count("/ho\nme")), (0, 1, 1));
}
