//! What a program is asked before it is started: whether somebody is logged in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use converge::core::login::{LoginCheck, LoginQuestion, Words};

use super::*;

/// An agent that notes what it is asked, and says what stands in the files `first` and `second`.
const AGENT: &str = "#!/bin/sh\necho \"$*\" >> \"$HOME/asked\"\ncat \"$HOME/$1\" >&2\n";

fn words(word: &str) -> Vec<String> {
    vec![word.to_owned()]
}

fn question(ask: &str, denied: &str, granted: &str) -> Words {
    Words { ask: words(ask), denied: denied.to_owned(), granted: granted.to_owned() }
}

/// A launch of the agent in a home of its own.
fn agent(world: &World) -> Launch {
    let home = world.folder.path().join("user");
    fs::create_dir_all(&home).unwrap();
    let program = home.join("agent");
    fs::write(&program, AGENT).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let login = LoginQuestion {
        first: question("first", "nobody", "you"),
        confirm: None,
        unless: words("KEY"),
        unless_here: words("settings"),
        log_in: words("login"),
    };
    let login_check = LoginCheck {
        question: login,
        who: "Agent".to_owned(),
        log_in: Some("agent login".to_owned()),
        named_by: words("HOME"),
        notes: world.folder.path().join("logins"),
        patience: Span::from_ms(500),
    };
    let names = words("agent");
    let mut launch = argv(&[]);
    launch.env.insert("HOME".to_owned(), home.display().to_string());
    launch.env.insert("PATH".to_owned(), format!("{}:/usr/bin:/bin", home.display()));
    Launch {
        execute: Execute::Program { names, arguments: words("work") },
        login_check: Some(login_check),
        ..launch
    }
}

fn say(world: &World, question: &str, answer: &str) {
    fs::write(world.folder.path().join("user").join(question), answer).unwrap();
}

/// Starts it, and answers what it was asked since the last time, `work` being the work itself.
fn asked(world: &World, launch: &Launch) -> (Option<String>, String) {
    let ending = world.run(&Launch { key: fresh_key(), ..launch.clone() }).ending;
    let path = world.folder.path().join("user/asked");
    let asked = fs::read_to_string(&path).unwrap_or_default().replace('\n', " ");
    let _ = fs::remove_file(path);
    match ending {
        Ending::NoLogin { cause } => (Some(cause), asked),
        Ending::Exited(_) => (None, asked),
        other => panic!("{other:?}"),
    }
}

fn forget(world: &World) {
    fs::remove_dir_all(world.folder.path().join("logins")).unwrap();
}

#[test]
fn where_nobody_is_logged_in_no_work_is_begun() {
    let world = World::new();
    let launch = agent(&world);
    say(&world, "first", "nobody is");
    let (cause, asked_of_it) = asked(&world, &launch);
    assert_eq!(cause.unwrap(), "nobody is logged in at Agent; do it by `agent login`");
    assert_eq!(asked_of_it, "first ");
    // Somebody does, and waits for nothing.
    say(&world, "first", "you are");
    assert_eq!(asked(&world, &launch), (None, "first work ".to_owned()));
}

#[test]
fn who_is_logged_in_is_not_asked_again_for_a_while() {
    let world = World::new();
    let launch = agent(&world);
    say(&world, "first", "you are");
    assert_eq!(asked(&world, &launch).1, "first work ");
    assert_eq!(asked(&world, &launch).1, "work ");
    let notes = || fs::read_dir(world.folder.path().join("logins")).unwrap().flatten();
    let [note] = notes().map(|entry| entry.path()).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(fs::read(&note).unwrap(), b"");
    // Somebody else is another question, and so is the same one later.
    let mut other = launch.clone();
    other.env.insert("OTHER".to_owned(), "x".to_owned());
    assert_eq!(asked(&world, &other).1, "first work ");
    let long_ago = std::time::SystemTime::now() - Duration::from_mins(11);
    for entry in notes() {
        fs::File::options().write(true).open(entry.path()).unwrap().set_modified(long_ago).unwrap();
    }
    assert_eq!(asked(&world, &launch).1, "first work ");
    assert_eq!(notes().map(|entry| entry.path()).collect::<Vec<_>>(), [note], "old notes are gone");
}

#[test]
fn who_has_another_way_in_is_not_asked() {
    let world = World::new();
    let mut launch = agent(&world);
    say(&world, "first", "nobody is");
    launch.env.insert("KEY".to_owned(), "k".to_owned());
    assert_eq!(asked(&world, &launch).1, "work ");
    launch.env.insert("KEY".to_owned(), String::new());
    assert!(asked(&world, &launch).0.is_some(), "an empty key is none");
    launch.env.remove("KEY");
    launch.cwd = world.folder.path().join("project");
    fs::create_dir(&launch.cwd).unwrap();
    assert!(asked(&world, &launch).0.is_some());
    fs::write(launch.cwd.join("settings"), "").unwrap();
    assert_eq!(asked(&world, &launch).1, "work ");
    // What the user has set, the program knows of.
    launch.cwd = PathBuf::from(&launch.env["HOME"]);
    say(&world, "settings", "");
    assert!(asked(&world, &launch).0.is_some());
}

#[test]
fn the_second_answer_is_the_last_word() {
    let world = World::new();
    let mut launch = agent(&world);
    launch.login_check.as_mut().unwrap().question.confirm = Some(question("second", "no key", "pays"));
    say(&world, "first", "nobody is");
    say(&world, "second", "there is no key");
    let (cause, asked_of_it) = asked(&world, &launch);
    assert!(cause.is_some());
    assert_eq!(asked_of_it, "first second ");
    say(&world, "second", "somebody else pays");
    assert_eq!(asked(&world, &launch).1, "first second work ");
    assert_eq!(asked(&world, &launch).1, "work ");
    forget(&world);
    say(&world, "first", "you are");
    assert_eq!(asked(&world, &launch).1, "first work ");
}

#[test]
fn who_cannot_be_asked_works_and_is_asked_again() {
    let world = World::new();
    let launch = agent(&world);
    let program = Path::new(&launch.env["HOME"]).join("agent");
    fs::write(program, "#!/bin/sh\necho \"$*\" >> \"$HOME/asked\"\ntest \"$1\" = work || sleep 60\n")
        .unwrap();
    for _ in 0..2 {
        assert_eq!(asked(&world, &launch), (None, "first work ".to_owned()));
    }
    assert!(!world.folder.path().join("logins").exists());
}

#[test]
fn who_is_ended_while_asked_does_not_begin() {
    let world = World::new();
    let mut launch = agent(&world);
    launch.login_check.as_mut().unwrap().patience = Span::from_secs(60);
    let home = Path::new(&launch.env["HOME"]).to_owned();
    fs::write(home.join("agent"), "#!/bin/sh\necho \"$*\" >> \"$HOME/asked\"\nsleep 60\n").unwrap();
    world.launch(&launch);
    until(|| home.join("asked").exists());
    world.supervisor().stop(launch.key);
    let ending = world.ended(launch.key).ending;
    assert!(matches!(ending, Ending::SpawnFailed { .. }), "{ending:?}");
    assert_eq!(fs::read_to_string(home.join("asked")).unwrap(), "first\n");
    // What was killed may take a moment to be gone.
    until(|| alive(launch.key).is_empty());
}
