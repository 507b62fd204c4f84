//! The environment is exact, and secrets stay off the disk.

use super::*;

fn variables(world: &World, launch: &Launch) -> Vec<String> {
    let outcome = world.run(launch);
    assert_eq!(outcome.ending, exited(0), "{outcome:?}");
    let mut lines: Vec<String> = world.stdout(launch.key).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_process_sees_what_its_launch_says_and_nothing_else() {
    let world = World::new();
    let launch = argv(&["/usr/bin/env"]);
    let expected = vec![format!("CONVERGE_ATTEMPT={}", launch.key), "PATH=/usr/bin:/bin".to_owned()];
    assert_eq!(variables(&world, &launch), expected);
}

#[test]
fn variables_of_the_env_file_and_named_ones_of_the_daemon_never_touch_the_disk() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let env_file = elsewhere.path().join("env");
    std::fs::write(&env_file, "# secrets\nTOKEN='hunter2 secret'\n").unwrap();
    // Cargo sets this one for every test.
    let inherited = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let launch = Launch {
        pass: ["CARGO_MANIFEST_DIR", "NO_SUCH_VARIABLE"].map(str::to_owned).to_vec(),
        env_file: Some(env_file),
        // Upper case, so that the output does not hold the secret either.
        ..shell("echo \"$TOKEN\" | tr a-z A-Z; echo \"$CARGO_MANIFEST_DIR\"; echo \"${UNNAMED-absent}\"")
    };
    assert_eq!(variables(&world, &launch), [inherited.as_str(), "HUNTER2 SECRET", "absent"]);
    for entry in std::fs::read_dir(world.dir(launch.key).path()).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("hunter2"));
    }
}

#[test]
fn nobody_passes_another_mark() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let env_file = elsewhere.path().join("env");
    std::fs::write(&env_file, "CONVERGE_ATTEMPT=none\n").unwrap();
    let pass = vec!["CONVERGE_ATTEMPT".to_owned()];
    let launch = Launch { pass, env_file: Some(env_file), ..shell("echo \"$CONVERGE_ATTEMPT\"") };
    assert_eq!(variables(&world, &launch), [launch.key.to_string()]);
}

#[test]
fn a_missing_env_file_is_said() {
    let launch = Launch { env_file: Some("/no/such/env".into()), ..argv(&["true"]) };
    let cause = "env file `/no/such/env`: No such file or directory (os error 2)".to_owned();
    assert_eq!(World::new().run(&launch).ending, Ending::SpawnFailed { cause });
}

#[test]
fn the_runs_before_are_a_file() {
    let world = World::new();
    let launch = Launch { last: Some("{\"exit\": 3}".to_owned()), ..shell("cat \"$CONVERGE_LAST_FILE\"") };
    assert_eq!(variables(&world, &launch), ["{\"exit\": 3}"]);
}

#[test]
fn signals_and_descriptors_are_clean() {
    let world = World::new();
    // The shell itself opens the folder it lists.
    // Signals 1 to 28; higher up are two of the C library's own, which may be ignored.
    let masks = "sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.......\\)$/\\2/p' /proc/self/status";
    let launch = shell(&format!("{masks}; ls /proc/self/fd; readlink /proc/self/fd/0"));
    let expected = ["/dev/null", "0", "0000000", "0000000", "1", "2", "3"];
    assert_eq!(variables(&world, &launch), expected);
}

#[test]
fn run_directories_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let launch = Launch { last: Some("{}".to_owned()), ..shell("echo out; echo err >&2") };
    let key = launch.key;
    world.run(&launch);
    let dir = world.dir(key);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dir.path()), mode(dir.path().parent().unwrap())), (0o700, 0o700));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap().flatten() {
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["last.json", "outcome", "spec", "stderr", "stdout"]);
}
