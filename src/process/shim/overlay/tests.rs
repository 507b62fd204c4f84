#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::*;

fn overlay() -> Overlay {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Overlay {
        variable: "AGENT_HOME".to_owned(),
        usual: String::new(),
        folder: ".agent".to_owned(),
        beside: words(&[".env", ".absent"]),
        keeps: words(&["talks"]),
        apart: words(&["index"]),
        document: "settings.json".to_owned(),
        adds: json!({ "servers": { "ours": { "command": "us" } } }),
    }
}

/// A user, and what is laid over the home.
struct World {
    _folder: tempfile::TempDir,
    user: PathBuf,
    over: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (user, over) = (folder.path().join("user"), folder.path().join("run/agent/.home"));
        fs::create_dir_all(user.join(".agent")).unwrap();
        Self { _folder: folder, user, over }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.user.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.user.join(name)).ok()
    }

    #[track_caller]
    fn lay(&self) -> Laid {
        self.lay_by("HOME", &self.user, Path::new("/"))
    }

    #[track_caller]
    fn lay_by(&self, name: &str, home: &Path, cwd: &Path) -> Laid {
        let mut variables = BTreeMap::from([(OsString::from(name), home.into())]);
        let laid = Laid::lay(overlay(), self.over.clone(), &mut variables, cwd).unwrap().unwrap();
        assert_eq!(variables[OsStr::new("AGENT_HOME")], self.over);
        laid
    }

    fn said(&self) -> Json {
        serde_json::from_slice(&fs::read(self.over.join(".agent/settings.json")).unwrap()).unwrap()
    }
}

#[test]
fn all_is_as_it_was_but_for_what_one_document_says_more() {
    let world = World::new();
    let theirs = r#"{ "theme": "dark" } // as we like it"#;
    world.write(".agent/settings.json", theirs);
    // Whoever writes by way of a draft has one of this name.
    world.write(".agent/settings.json.new", "mine");
    world.write(".agent/key", "secret");
    world.write(".agent/index", "theirs");
    world.write(".env", "A=b");
    let laid = world.lay();
    assert_eq!(world.said(), json!({ "theme": "dark", "servers": { "ours": { "command": "us" } } }));
    let mode = |path: &str| fs::metadata(world.over.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".agent/settings.json"), mode(".agent")), (0o600, 0o700));
    assert_eq!(fs::read_to_string(world.over.join(".env")).unwrap(), "A=b");
    assert!(!world.over.join(".agent/index").exists());
    fs::write(world.over.join(".agent/key"), "fresh").unwrap();
    fs::write(world.over.join(".agent/index"), "ours").unwrap();
    fs::write(world.over.join(".agent/talks/one"), "hello").unwrap();
    drop(laid);
    assert!(!world.over.exists());
    for (name, expected) in [
        (".agent/settings.json", theirs),
        (".agent/settings.json.new", "mine"),
        (".agent/key", "fresh"),
        (".agent/index", "theirs"),
        (".agent/talks/one", "hello"),
        (".env", "A=b"),
    ] {
        assert_eq!(world.read(name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn what_is_new_is_brought_home() {
    let world = World::new();
    world.write(".agent/state", "old");
    world.write(".agent/contested", "old");
    let long_ago = now() - Duration::from_mins(1);
    for name in [".agent/state", ".agent/contested"] {
        let file = File::options().write(true).open(world.user.join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let laid = world.lay();
    let put = |name: &str, text: &str| {
        let (draft, path) = (world.over.join("draft"), world.over.join(name));
        fs::write(&draft, text).unwrap();
        fs::rename(draft, path).unwrap();
    };
    put(".agent/state", "new");
    put(".agent/contested", "ours");
    put(".agent/memory", "it was so");
    put(".agent/settings.json", "of this run alone");
    put(".absent", "not any more");
    fs::create_dir(world.over.join(".agent/policies")).unwrap();
    fs::write(world.over.join(".agent/policies/a"), "be kind").unwrap();
    // Somebody else was there meanwhile.
    let file = File::options().write(true).open(world.user.join(".agent/contested")).unwrap();
    file.set_modified(now() + Duration::from_mins(1)).unwrap();
    drop(laid);
    for (name, expected) in [
        (".agent/state", Some("new")),
        (".agent/contested", Some("old")),
        (".agent/memory", Some("it was so")),
        (".agent/policies/a", Some("be kind")),
        (".absent", Some("not any more")),
        (".agent/settings.json", None),
        ("draft", None),
    ] {
        assert_eq!(world.read(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn who_has_said_nothing_so_far_says_what_is_added() {
    let world = World::new();
    fs::remove_dir(world.user.join(".agent")).unwrap();
    let laid = world.lay();
    assert_eq!(world.said(), overlay().adds);
    drop(laid);
    assert!(world.user.join(".agent/talks").is_dir());
    assert_eq!(world.read(".agent/settings.json"), None);
}

#[test]
fn a_document_that_cannot_be_read_is_left_to_its_program() {
    let world = World::new();
    let settings = world.user.join(".agent/settings.json");
    let none = || {
        let mut variables = BTreeMap::from([(OsString::from("HOME"), world.user.clone().into())]);
        let laid = Laid::lay(overlay(), world.over.clone(), &mut variables, Path::new("/")).unwrap();
        assert!(laid.is_none() && variables.len() == 1 && !world.over.exists());
    };
    world.write(".agent/settings.json", "{");
    none();
    fs::remove_file(&settings).unwrap();
    // Whoever opened it would wait for somebody who writes.
    nix::unistd::mkfifo(&settings, nix::sys::stat::Mode::S_IRWXU).unwrap();
    none();
}

#[test]
fn a_home_is_where_the_process_would_find_it() {
    let world = World::new();
    world.write(".agent/key", "secret");
    let (above, name) = (world.user.parent().unwrap(), Path::new("user"));
    for (variable, home, cwd) in [
        ("AGENT_HOME", world.user.as_path(), Path::new("/")),
        ("AGENT_HOME", name, above),
        ("HOME", name, above),
    ] {
        let _laid = world.lay_by(variable, home, cwd);
        assert_eq!(fs::read_to_string(world.over.join(".agent/key")).unwrap(), "secret");
    }
    let nowhere = Laid::lay(overlay(), world.over.clone(), &mut BTreeMap::new(), Path::new("/"));
    assert!(nowhere.unwrap_err().contains("HOME"));
    let mut variables = BTreeMap::from([(OsString::from("HOME"), world.user.clone().into())]);
    fs::remove_dir_all(world.user.join(".agent/talks")).unwrap();
    world.write(".agent/talks", "a file");
    let odd = Laid::lay(overlay(), world.over.clone(), &mut variables, Path::new("/")).unwrap_err();
    assert!(odd.contains(".agent/talks`: File exists"), "{odd}");
}
