//! Tidiness: what can be said about the source as a text is a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use converge::command::REGISTRY;
use converge::words;

/// Who may import whom: a layer knows only what is named here, and itself.
const IMPORTS: [(&str, &[&str]); 14] = [
    ("core", &[]),
    ("agent", &["core"]),
    ("words", &[]),
    ("store", &["core"]),
    ("engine", &["agent", "core", "store"]),
    ("programs", &["core"]),
    ("process", &["core", "engine::ports", "programs"]),
    ("command", &["agent", "core", "engine", "programs", "store", "words"]),
    ("paths", &[]),
    ("config", &["core", "paths"]),
    ("client", &["core", "config", "paths"]),
    ("surface", &["client", "command", "config", "core", "paths", "words"]),
    (
        "daemon",
        &[
            "agent", "client", "command", "config", "core", "engine", "paths", "process", "store", "surface",
            "words",
        ],
    ),
    (
        "main",
        &[
            "client", "command", "config", "core", "daemon", "engine", "paths", "process", "store",
            "surface", "words",
        ],
    ),
];

/// The longest a file may be, its tests left out.
const LINES_MAX: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of this repository").flatten() {
            let path = entry.path();
            if path.is_dir() {
                // What others wrote and a tool put there is not ours to tidy.
                if path.file_name().is_some_and(|name| name != "node_modules") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path below the root, with `/` on every system.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").display().to_string().replace('\\', "/")
}

fn layer(path: &str) -> &str {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    inner.split('/').next().unwrap_or(inner)
}

#[test]
fn no_layer_imports_what_it_must_not_know() {
    let mut broken = Vec::new();
    for path in files("src", "rs") {
        let name = shown(&path);
        let text = fs::read_to_string(&path).expect("a source file");
        let layer = layer(&name);
        let Some((_, allowed)) = IMPORTS.iter().find(|(known, _)| *known == layer) else {
            assert_eq!(layer, "lib", "{name} belongs to no layer");
            continue;
        };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for import in line.split("crate::").skip(1) {
                let known = |allowed: &&str| {
                    import.starts_with(&format!("{allowed}::")) || import.starts_with(&format!("{allowed};"))
                };
                let own = import.starts_with(&format!("{layer}::"));
                // A list in braces would hide what it names.
                if !own && !allowed.iter().any(known) {
                    broken.push(format!("{name}: {}", line.trim()));
                }
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    let mut long = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")).chain(files("benches", "rs")) {
        let text = fs::read_to_string(&path).expect("a source file");
        let lines =
            text.lines().take_while(|line| *line != "#[cfg(test)]" || text.contains("mod tests;")).count();
        if lines > LINES_MAX {
            long.push(format!("{}: {lines} lines", shown(&path)));
        }
    }
    assert_eq!(long, [""; 0]);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = files("src", "rs")
        .into_iter()
        .chain(files("tests", "rs"))
        .filter(|path| !fs::read_to_string(path).expect("a source file").starts_with("//!"))
        .map(|path| shown(&path))
        .filter(|path| !path.ends_with("tests.rs") && !path.contains("/tests/"))
        .collect();
    assert_eq!(silent, [""; 0]);
}

#[test]
fn every_source_file_is_part_of_the_program_or_the_tests() {
    let mut forgotten = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        if ["lib", "main", "mod"].contains(&name.as_str()) {
            continue;
        }
        let folder = path.parent().expect("a file lies in a folder");
        let beside = [
            folder.join("mod.rs"),
            folder.join("lib.rs"),
            folder.join("main.rs"),
            folder.with_extension("rs"),
        ];
        let by_name = format!("mod {name};");
        let by_path = format!("path = \"{name}.rs\"");
        let names_it = |text: String| {
            text.lines().any(|line| line.trim_end().ends_with(&by_name) || line.contains(&by_path))
        };
        let declared = beside.iter().filter_map(|parent| fs::read_to_string(parent).ok()).any(names_it);
        if !declared {
            forgotten.push(shown(&path));
        }
    }
    assert_eq!(forgotten, [""; 0]);
}

#[test]
fn every_verb_has_its_words_and_no_words_are_left_over() {
    let verbs: BTreeSet<String> = REGISTRY.iter().map(|entry| entry.name.to_owned()).collect();
    let written: BTreeSet<String> = files("tools", "md")
        .iter()
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(verbs, written);
    for entry in &REGISTRY {
        let words = words::about(entry.name).expect(entry.name);
        assert!(!words.body.is_empty() && words.line("title").is_some(), "{} says nothing", entry.name);
        for cli in entry.cli {
            assert!(
                words.line(cli.name).is_some_and(|line| line.len() <= 80),
                "`converge {}` has no line",
                cli.name
            );
        }
    }
}

#[test]
fn what_is_used_is_explained_in_cargo_toml() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let mut in_dependencies = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && line.contains(" = ") {
            assert!(line.contains(" # "), "what would we otherwise write? {line}");
        }
    }
}

#[test]
fn the_readme_names_every_command() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    for cli in REGISTRY.iter().flat_map(|entry| entry.cli) {
        let name = cli.name.split(' ').next_back().unwrap_or(cli.name);
        assert!(
            readme.contains(&format!("`{}`", cli.name)) || readme.contains(&format!("`{name}")),
            "README lacks `{}`",
            cli.name
        );
    }
}
