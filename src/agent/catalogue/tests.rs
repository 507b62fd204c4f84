use super::*;

const MINE: &str = "name = \"mine\"\nprograms = [\"mine\"]\nprompt = \"stdin\"\n[output]\nform = \"text\"\n";

fn file(stem: &str, text: &str) -> UserFile {
    UserFile { path: format!("agents/{stem}.toml"), stem: stem.to_owned(), text: Ok(text.to_owned()) }
}

#[test]
fn every_manifest_that_comes_along_is_right_and_named_like_its_file() {
    for (name, text) in BUILT_IN {
        let manifest = Manifest::parse(text).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:#?}"));
        assert_eq!(manifest.name, *name);
    }
}

#[test]
fn a_file_adds_an_agent_or_takes_the_place_of_one() {
    let catalogue =
        Catalogue::of(vec![file("mine", MINE), file("kimi", &MINE.replace("\"mine\"", "\"kimi\""))]);
    assert_eq!(catalogue.refused, []);
    assert_eq!(catalogue.agents.len(), BUILT_IN.len() + 1);
    let origin = |name| catalogue.find(name).map(|known| known.origin.clone());
    assert_eq!(origin("mine"), Some(Origin::Added("agents/mine.toml".to_owned())));
    assert_eq!(origin("kimi"), Some(Origin::Replaced("agents/kimi.toml".to_owned())));
    assert_eq!(origin("claude"), Some(Origin::BuiltIn));
}

#[test]
fn a_file_that_is_refused_changes_nothing() {
    let unreadable = UserFile { text: Err("it is a directory".to_owned()), ..file("codex", "") };
    let files = vec![file("claude", "nonsense"), file("other", MINE), unreadable, file("mine", MINE)];
    let catalogue = Catalogue::of(files);
    assert_eq!(catalogue.find("claude").map(|known| &known.origin), Some(&Origin::BuiltIn));
    assert_eq!(catalogue.find("codex").map(|known| &known.origin), Some(&Origin::BuiltIn));
    assert!(catalogue.find("mine").is_some());
    let refused: Vec<(&str, String)> =
        catalogue.refused.iter().map(|file| (file.path.as_str(), file.mistakes[0].to_string())).collect();
    assert_eq!(refused[1..], [
        (
            "agents/other.toml",
            "line 1: `name` is `mine` in a file named `other`; give both the same name".to_owned()
        ),
        (
            "agents/codex.toml",
            "line 1: cannot be read: it is a directory; make it a text file of at most 256 KiB that you may read"
                .to_owned()
        ),
    ]);
    assert_eq!(refused[0].0, "agents/claude.toml");
}
