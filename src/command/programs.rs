//! Programs: where the program of an agent is, and of which version it seems to be.
//!
//! Nothing is started to find that out: a version stands in the package that a program belongs to, or in its
//! path. Where it stands nowhere it stays unknown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::command::caller::Caller;
use crate::core::process::BESIDE;

/// So far above a program its package is looked for.
const PACKAGE_DEPTH: usize = 4;

/// A longer file is no description of a package.
const PACKAGE_MAX: u64 = 1 << 20;

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where.
    pub path: PathBuf,
    /// Its version, where that can be seen.
    pub version: Option<String>,
}

/// Finds the first of these programs on the caller's path, or where programs usually lie.
pub fn find(names: &[String], caller: &Caller) -> Option<Program> {
    let path = caller.env.get("PATH").map_or("", String::as_str);
    let home = caller.env.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let beside = home.iter().flat_map(|home| BESIDE.map(|folder| home.join(folder)));
    let folders: Vec<PathBuf> =
        std::env::split_paths(path).chain(beside).filter(|path| path.is_absolute()).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let path = places.into_iter().find(|place| is_program(place))?;
    let version = version(&path);
    Some(Program { path, version })
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn version(program: &Path) -> Option<String> {
    let real = program.canonicalize().ok()?;
    let named = real.file_name().and_then(|name| name.to_str()).filter(|name| is_version(name));
    if let Some(version) = named {
        return Some(version.to_owned());
    }
    let above = real.ancestors().skip(1).take(PACKAGE_DEPTH);
    let above = above.take_while(|folder| !folder.ends_with("node_modules"));
    above.into_iter().find_map(|folder| package_version(&folder.join("package.json")))
}

fn package_version(path: &Path) -> Option<String> {
    if fs::metadata(path).ok()?.len() > PACKAGE_MAX {
        return None;
    }
    let package: Json = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    package["version"].as_str().filter(|version| is_version(version)).map(str::to_owned)
}

/// `1.2.3`, perhaps with something behind it.
fn is_version(text: &str) -> bool {
    let mut numbers = text.split(['-', '+']).next().unwrap_or_default().split('.');
    text.len() <= 40
        && numbers.clone().count() >= 2
        && numbers.all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

    use std::os::unix::fs::symlink;

    use super::*;

    fn make_program(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn caller(path: &Path, home: &Path) -> Caller {
        let text = |path: &Path| path.display().to_string();
        let env = [("PATH".to_owned(), text(path)), ("HOME".to_owned(), text(home))];
        Caller { env: env.into(), ..Caller::default() }
    }

    #[test]
    fn a_program_is_found_on_the_path_first_and_says_the_version_of_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let package = root.join("lib/node_modules/@vendor/agent");
        make_program(&package.join("bin/agent.js"));
        fs::write(package.join("package.json"), r#"{ "version": "1.2.3-beta" }"#).unwrap();
        fs::create_dir(root.join("bin")).unwrap();
        symlink(package.join("bin/agent.js"), root.join("bin/agent")).unwrap();
        make_program(&root.join(".local/bin/agent"));
        let names = ["nobody".to_owned(), "agent".to_owned()];
        let expected = Program { path: root.join("bin/agent"), version: Some("1.2.3-beta".to_owned()) };
        assert_eq!(find(&names, &caller(&root.join("bin"), &root)), Some(expected));
        let beside = Program { path: root.join(".local/bin/agent"), version: None };
        assert_eq!(find(&names, &caller(Path::new("relative"), &root)), Some(beside));
    }

    #[test]
    fn a_program_may_be_named_after_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        make_program(&root.join("share/agent/2.1.329"));
        fs::create_dir(root.join("bin")).unwrap();
        symlink(root.join("share/agent/2.1.329"), root.join("bin/agent")).unwrap();
        let found = find(&["agent".to_owned()], &caller(&root.join("bin"), &root)).unwrap();
        assert_eq!(found.version.as_deref(), Some("2.1.329"));
    }

    #[test]
    fn what_cannot_be_executed_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("agent"), "").unwrap();
        fs::create_dir(folder.path().join("other")).unwrap();
        let names = ["agent".to_owned(), "other".to_owned()];
        assert_eq!(find(&names, &caller(folder.path(), folder.path())), None);
    }
}
