//! Disks that are read-only or full.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::home::{Home, Said};

/// A file system of its own, gone with the test.
struct Mount<'a> {
    place: &'a Path,
}

impl<'a> Mount<'a> {
    /// Mounts one of `size`; nothing where that is not allowed, which is said.
    fn of(place: &'a Path, size: &str) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let option = format!("size={size},mode=0700");
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &option, "converge-test"]).arg(place).output();
        if done.is_ok_and(|output| output.status.success()) {
            return Some(Self { place });
        }
        let _ = writeln!(std::io::stderr(), "not tested: mounting is not allowed here");
        None
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.place).output();
        assert!(done.unwrap().status.success());
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily, since a daemon may still be leaving.
        let _ = Command::new("umount").arg("-l").arg(self.place).output();
    }
}

fn run(home: &Home, place: &Path, words: &[&str]) -> Said {
    Said::of(&home.command(words).env("CONVERGE_HOME", place).output().unwrap())
}

#[test]
fn a_read_only_home_is_refused_with_the_cause() {
    let home = Home::new();
    let place = home.folder().join("disk");
    let Some(mount) = Mount::of(&place, "16M") else { return };
    let inner = place.join("home");
    run(&home, &inner, &["add", "kept", "--manual", "--cmd", "true"]).done();
    run(&home, &inner, &["daemon", "stop"]).done();
    mount.remount("ro");
    let said = run(&home, &inner, &["ls"]).ended(69);
    assert!(said.err.to_lowercase().contains("read-only"), "{said:?}");
    run(&home, &inner, &["doctor", "--json"]).json();
    mount.remount("rw");
    run(&home, &inner, &["show", "kept"]).done();
    run(&home, &inner, &["daemon", "stop"]).done();
}

#[test]
fn a_full_disk_stores_nothing_and_loses_nothing() {
    let home = Home::new();
    let place = home.folder().join("disk");
    let Some(_mount) = Mount::of(&place, "24M") else { return };
    let inner = place.join("home");
    run(&home, &inner, &["add", "before", "--manual", "--cmd", "true"]).done();
    let filler = place.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let refused = (0..2000).find_map(|number| {
        let name = format!("more-{number}");
        let said = run(&home, &inner, &["add", &name, "--manual", "--cmd", &name, "--json"]);
        (said.code != 0).then_some((name, said))
    });
    let (name, said) = refused.expect("a full disk takes no two thousand jobs");
    assert_eq!(said.code, 69, "{said:?}");
    assert!(said.all().contains("full"), "{said:?}");
    drop(file);
    fs::remove_file(&filler).unwrap();
    run(&home, &inner, &["show", "before"]).done();
    run(&home, &inner, &["show", &name]).refused(&["no job"]);
    run(&home, &inner, &["add", &name, "--manual", "--cmd", "true", "--again"]).done();
    run(&home, &inner, &["run-now", &name]).done();
    let health = run(&home, &inner, &["doctor", "--deep", "--json"]).json();
    let store = health["findings"].as_array().unwrap().iter().find(|finding| finding["subject"] == "store");
    // That there is less space than anybody should have is told beside it.
    assert_eq!(store.unwrap()["state"], "good", "{health}");
    run(&home, &inner, &["daemon", "stop"]).done();
}

#[test]
fn a_home_that_is_somebody_elses_or_everybodys_is_refused() {
    let home = Home::new();
    let user = home.folder().join("user");
    let said = run(&home, &user, &["ls"]).ended(69);
    assert!(said.err.contains("CONVERGE_HOME"), "{said:?}");
    assert_eq!(fs::metadata(&user).unwrap().permissions().mode() & 0o777, 0o755, "and left as it is");
    run(&home, Path::new("/"), &["ls"]).ended(69);
}
