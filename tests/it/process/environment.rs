//! The environment is exact, and secrets stay off the disk.

use converge::core::account::{Login, PrivateHome};

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
fn files_for_an_agent_are_private_and_in_no_other_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let mut launch = shell("");
    launch.files = vec![PrivateFile { name: "mcp.json".to_owned(), text: "{\"a\":\"find me\"}".to_owned() }];
    let dir = world.dir(launch.key);
    let path = dir.file("agent/mcp.json");
    let line = format!("tr a-z A-Z < '{}'", path.display());
    launch.execute = Execute::Command(Command::Shell(line));
    assert_eq!(variables(&world, &launch), ["{\"A\":\"FIND ME\"}"]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    for entry in std::fs::read_dir(dir.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let text = std::fs::read(entry.path()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("find me"), "{entry:?}");
    }
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

/// A shell that tells of two variables, under a login.
fn under(login: Login) -> Launch {
    let mut launch = shell("echo \"$KEY $HOME_OF_AGENT\"");
    for (name, value) in [("KEY", "captured"), ("HOME_OF_AGENT", "usual")] {
        launch.env.insert(name.to_owned(), value.to_owned());
    }
    Launch { login: Some(login), strip: vec!["KEY".to_owned(), "USER".to_owned()], ..launch }
}

fn login() -> Login {
    Login { account: "work".to_owned(), home: None, env_file: None, command: None }
}

fn private_home(path: &Path) -> PrivateHome {
    let text = |text: &str| text.to_owned();
    PrivateHome { variable: text("HOME_OF_AGENT"), path: path.display().to_string(), log_in: text("log in") }
}

#[test]
fn what_is_stripped_is_seen_neither_from_a_file_nor_by_name() {
    let world = World::new();
    let env_file = world.folder.path().join("env");
    std::fs::write(&env_file, "KEY=in file\n").unwrap();
    let strip = vec!["KEY".to_owned(), "HOME".to_owned()];
    let pass = vec!["HOME".to_owned()];
    let launch = Launch { strip, pass, env_file: Some(env_file), ..argv(&["/usr/bin/env"]) };
    let seen = variables(&world, &launch);
    assert!(seen.iter().all(|line| !line.starts_with("KEY=") && !line.starts_with("HOME=")), "{seen:?}");
}

#[test]
fn an_account_says_who_a_process_is() {
    let world = World::new();
    let home = world.folder.path().join("account");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("login"), "").unwrap();
    let env_file = world.folder.path().join("account.env");
    std::fs::write(&env_file, "KEY=of the file\n").unwrap();
    let of_home = Login { home: Some(private_home(&home)), ..login() };
    assert_eq!(variables(&world, &under(of_home)), [format!(" {}", home.display())]);
    let of_file = Login { env_file: Some(env_file.display().to_string()), ..login() };
    assert_eq!(variables(&world, &under(of_file)), ["of the file usual"]);
}

#[test]
fn what_a_command_says_of_an_account_is_in_the_process_alone() {
    let world = World::new();
    let command = Some("echo \"KEY=se\"\"cret-$HOME_OF_AGENT\"".to_owned());
    let launch = under(Login { command, ..login() });
    assert_eq!(variables(&world, &launch), ["secret-usual usual"]);
    for entry in std::fs::read_dir(world.dir(launch.key).path()).unwrap().flatten() {
        let is_output = entry.file_name() == "stdout";
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        assert!(is_output || !text.contains("secret-usual"), "{:?}", entry.path());
    }
}

#[test]
fn an_account_that_is_not_there_fails_a_process_before_it_begins() {
    let world = World::new();
    let check = |login: Login, expected: &str| {
        let launch = under(login);
        let outcome = world.run(&launch);
        let Ending::NoLogin { cause } = outcome.ending else { panic!("{outcome:?}") };
        assert!(cause.starts_with("account `work`: ") && cause.contains(expected), "{cause}");
        assert_eq!(world.stdout(launch.key), "");
    };
    let missing = world.folder.path().join("missing");
    check(Login { home: Some(private_home(&missing)), ..login() }, "No such file or directory");
    std::fs::create_dir(&missing).unwrap();
    check(Login { home: Some(private_home(&missing)), ..login() }, "nobody has logged in at");
    check(Login { env_file: Some("/no/such/env".to_owned()), ..login() }, "env file `/no/such/env`");
    let command = |line: &str| Login { command: Some(line.to_owned()), ..login() };
    check(
        command("echo no such profile >&2; echo more >&2; exit 4"),
        "its command ended with exit status: 4",
    );
    check(command("true"), "wrote no `NAME=value`");
    // What a command wrote may be a secret, and so may be what stands in its line.
    let told = under(command("echo KEY=hidden; echo hidden >&2; exit 4 # hidden"));
    let Ending::NoLogin { cause } = world.run(&told).ending else { panic!("it is no account") };
    assert!(!cause.contains("hidden"), "{cause}");
}
