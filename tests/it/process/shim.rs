//! The shim as a program.

use std::fs;
use std::process::{Command as Program, Stdio};

use converge::process::caller::run_of;
use converge::process::lock::Lock;
use serde_json::json;

use super::*;

/// A run directory as the supervisor writes it, for a shim that is started by hand.
fn prepared(world: &World, launch: &Launch, home: Option<&Path>) -> RunDir {
    let dir = world.dir(launch.key);
    fs::create_dir_all(dir.path()).unwrap();
    fs::write(dir.file("spec"), json!({ "launch": launch, "home": home }).to_string()).unwrap();
    dir
}

fn shim(program: &Path, dir: &RunDir) -> Program {
    let mut command = Program::new(program);
    command.arg("shim").arg(dir.path()).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[test]
fn it_holds_its_lock_for_life_and_no_longer() {
    let world = World::new();
    let launch = argv(&["sleep", "60"]);
    let key = world.launch(&launch);
    world.started(key);
    let lock = world.dir(key).file("spec");
    assert!(Lock::try_take(&lock).unwrap().is_none());
    world.supervisor().stop(key);
    world.ended(key);
    assert!(Lock::try_take(&lock).unwrap().is_some());
}

#[test]
fn a_run_directory_is_used_once() {
    let world = World::new();
    let launch = shell("echo ran");
    let dir = prepared(&world, &launch, None);
    assert!(shim(&program(), &dir).status().unwrap().success());
    assert!(!shim(&program(), &dir).status().unwrap().success());
    assert_eq!(world.stdout(launch.key), "ran\n");
}

#[test]
fn a_replaced_program_keeps_its_shims_and_starts_new_ones() {
    let world = World::new();
    let copy = world.folder.path().join("converge");
    fs::copy(program(), &copy).unwrap();
    let launch = shell("echo up; until [ -e gate ]; do sleep 0.01; done; exit 9");
    let launch = Launch { cwd: world.folder.path().to_owned(), ..launch };
    let dir = prepared(&world, &launch, None);
    let mut child = shim(&copy, &dir).spawn().unwrap();
    world.wait_for_output(launch.key, "up");
    fs::remove_file(&copy).unwrap();
    // The program of a live process starts, although its file is gone.
    let second = argv(&["true"]);
    let second_dir = prepared(&world, &second, None);
    let program = PathBuf::from(format!("/proc/{}/exe", child.id()));
    assert!(shim(&program, &second_dir).status().unwrap().success());
    fs::write(world.folder.path().join("gate"), "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(dir.outcome().unwrap().unwrap().ending, exited(9));
    assert_eq!(second_dir.outcome().unwrap().unwrap().ending, exited(0));
}

#[test]
fn a_process_inside_a_run_is_known_also_without_its_mark() {
    let world = World::new();
    let key = world.launch(&shell("(env -i /usr/bin/setsid sleep 61 &); echo up; sleep 60"));
    world.wait_for_output(key, "up");
    let marked = alive(key)[0];
    assert_eq!((mark_of(marked), run_of(marked)), (Some(key), Some(key)));
    let scrubbed = || children_of(world.shim(key)).into_iter().find(|pid| mark_of(*pid).is_none());
    until(|| scrubbed().is_some());
    assert_eq!(run_of(scrubbed().unwrap()), Some(key));
    assert_eq!(run_of(world.shim(key)), None, "a shim is not inside its own run");
    world.supervisor().stop(key);
    world.ended(key);
}

fn children_of(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    list.split_ascii_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn it_is_small() {
    let world = World::new();
    let key = world.launch(&shell("head -c 300000 /dev/zero; echo up >&2; exec sleep 60"));
    until(|| world.dir(key).file("stderr").exists());
    let maps = fs::read_to_string(format!("/proc/{}/smaps", world.shim(key))).unwrap();
    // Memory of its own without a file behind it: heap, stack and the like.
    let mut kilobytes = 0;
    let mut has_file = false;
    for line in maps.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["Private_Dirty:" | "Private_Clean:", size, "kB"] if !has_file => {
                kilobytes += size.parse::<u64>().unwrap();
            }
            [range, _, _, _, _, rest @ ..] if range.contains('-') => {
                has_file = rest.first().is_some_and(|name| name.starts_with('/'));
            }
            _ => {}
        }
    }
    assert!((1..=1024).contains(&kilobytes), "{kilobytes} kB");
    world.supervisor().stop(key);
    world.ended(key);
}

#[test]
fn an_agent_that_exits_before_it_is_read_loses_nothing() {
    use nix::sys::signal::{Signal, kill};
    let world = World::new();
    let folder = world.folder.path().display();
    // Agents write without waiting, and forget what had no room. This one waits for room, and would for ever.
    let line = format!(
        "echo ready; until test -e {folder}/go; do sleep 0.01; done; head -c 900000 /dev/zero; touch {folder}/done"
    );
    let arguments = vec!["-c".to_owned(), line];
    let launch =
        Launch { execute: Execute::Program { names: vec!["sh".to_owned()], arguments }, ..argv(&[]) };
    let key = world.launch(&launch);
    world.started(key);
    let shim = nix::unistd::Pid::from_raw(world.shim(key));
    world.wait_for_output(key, "ready");
    kill(shim, Signal::SIGSTOP).unwrap();
    fs::write(world.folder.path().join("go"), "").unwrap();
    until(|| world.folder.path().join("done").exists());
    kill(shim, Signal::SIGCONT).unwrap();
    assert_eq!(world.ended(key).ending, Ending::Exited(0));
    assert_eq!(fs::metadata(world.dir(key).file("stdout")).unwrap().len(), 900_006);
}
