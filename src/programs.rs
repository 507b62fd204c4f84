//! Programs: where the program of an agent is, and of which version it seems to be.
//!
//! Nothing is started to find that out: a version stands in the package that a program belongs to, or in its
//! path. Where it stands nowhere it stays unknown. A path is taken as it was captured and repaired, since that
//! of a service may lack where people's programs lie.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

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

/// A question that a program answers in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The program.
    pub program: PathBuf,
    /// The words behind it.
    pub arguments: Vec<String>,
    /// Its variables.
    pub env: BTreeMap<String, String>,
    /// Those that it has from whoever asks, where they are set.
    pub pass: Vec<String>,
    /// It is not asked where one of these is set.
    pub unless: Vec<String>,
}

impl Program {
    /// The first of these programs that is on `path`, the names before the folders.
    pub fn find(names: &[String], path: &str) -> Option<Self> {
        locate(names, path).map(Self::at)
    }

    /// The program at `path`.
    pub fn at(path: PathBuf) -> Self {
        let version = version(&path);
        Self { path, version }
    }
}

/// Where the first of these programs is on `path`; folders that are relative are passed over.
pub fn locate(names: &[String], path: &str) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| is_program(place))
}

/// The path of a service's process: where people's programs lie, the path that was captured, and what the
/// path of a login shell has beyond that.
pub fn repaired(captured: &str, home: Option<&str>, login: Option<&str>) -> String {
    let has = |path: &str, folder: &str| path.split(':').any(|known| known.trim_end_matches('/') == folder);
    let home = home.map(|home| home.trim_end_matches('/')).filter(|home| home.starts_with('/'));
    let beside = home.into_iter().flat_map(|home| BESIDE.map(|folder| format!("{home}/{folder}")));
    let mut folders: Vec<String> = beside.filter(|folder| !has(captured, folder)).collect();
    folders.extend(captured.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned));
    for folder in login.unwrap_or_default().split(':').filter(|folder| folder.starts_with('/')) {
        let is_known = has(&folders.join(":"), folder.trim_end_matches('/'));
        if !is_known {
            folders.push(folder.to_owned());
        }
    }
    folders.join(":")
}

/// Whether one of these files is in a folder that is not the home of its user.
pub fn is_here(files: &[String], folder: &Path, home: Option<&Path>) -> bool {
    Some(folder) != home && files.iter().any(|file| folder.join(file).exists())
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The version that a program seems to be of, without starting it.
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

    fn find(names: &[&str], folders: &[PathBuf]) -> Option<Program> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Program::find(&names, std::env::join_paths(folders).unwrap().to_str().unwrap())
    }

    #[test]
    fn a_program_is_found_on_the_path_and_says_the_version_of_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let package = root.join("lib/node_modules/@vendor/agent");
        make_program(&package.join("bin/agent.js"));
        fs::write(package.join("package.json"), r#"{ "version": "1.2.3-beta" }"#).unwrap();
        fs::create_dir(root.join("bin")).unwrap();
        symlink(package.join("bin/agent.js"), root.join("bin/agent")).unwrap();
        make_program(&root.join("other/agent"));
        let (first, other) = (root.join("bin"), root.join("other"));
        let expected = Program { path: first.join("agent"), version: Some("1.2.3-beta".to_owned()) };
        assert_eq!(find(&["nobody", "agent"], &[first, other.clone()]), Some(expected));
        let expected = Program { path: other.join("agent"), version: None };
        assert_eq!(find(&["agent"], &[PathBuf::from("bin"), other]), Some(expected));
    }

    #[test]
    fn a_program_may_be_named_after_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        make_program(&root.join("share/agent/2.1.329"));
        fs::create_dir(root.join("bin")).unwrap();
        symlink(root.join("share/agent/2.1.329"), root.join("bin/agent")).unwrap();
        let found = find(&["agent"], &[root.join("bin")]).unwrap();
        assert_eq!(found.version.as_deref(), Some("2.1.329"));
    }

    #[test]
    fn what_cannot_be_executed_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("agent"), "").unwrap();
        fs::create_dir(folder.path().join("other")).unwrap();
        assert_eq!(find(&["agent", "other"], &[folder.path().to_owned()]), None);
    }

    #[test]
    fn a_path_is_repaired_with_what_it_lacks() {
        let check = |captured: &str, home: Option<&str>, login: Option<&str>, expected: &str| {
            assert_eq!(repaired(captured, home, login), expected, "{captured}");
        };
        let usual = "/h/.local/bin:/h/.bun/bin:/h/.cargo/bin:/usr/bin:/bin";
        check("/usr/bin:/bin", Some("/h"), None, usual);
        check("/usr/bin:/bin", Some("/h/"), Some("/bin:/opt/bin:/h/.bun/bin:"), &format!("{usual}:/opt/bin"));
        let own = "/usr/bin:/h/.local/bin/:/h/.cargo/bin";
        check(own, Some("/h"), None, &format!("/h/.bun/bin:{own}"));
        check("/usr/bin", None, Some("/opt/bin"), "/usr/bin:/opt/bin");
        check("", None, Some("/opt/bin:/opt/bin:x"), "/opt/bin");
    }
}
