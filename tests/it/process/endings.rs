//! How a process ends is recorded as it was.

use super::*;

#[track_caller]
fn check(launch: &Launch, ending: &Ending, stdout: &str) {
    let world = World::new();
    let outcome = world.run(launch);
    assert_eq!((&outcome.ending, outcome.cut), (ending, None), "{:?}", launch.execute);
    assert_eq!(world.stdout(launch.key), stdout, "{:?}", launch.execute);
    assert_eq!(outcome.stdout_bytes, stdout.len() as u64);
    assert_eq!(alive(launch.key), Vec::<i32>::new());
}

#[track_caller]
fn check_refused(launch: &Launch, cause: &str) {
    let world = World::new();
    let outcome = world.run(launch);
    assert_eq!(outcome.ending, Ending::SpawnFailed { cause: cause.to_owned() });
    assert!(world.dir(launch.key).outcome().unwrap().is_some());
}

#[test]
fn exit_codes_and_signals_are_true() {
    check(&argv(&["true"]), &exited(0), "");
    check(&shell("exit 3"), &exited(3), "");
    check(&shell("kill -9 $$"), &Ending::Signalled(9), "");
    // A real-time signal, which some wrappers do not know.
    check(&shell("kill -40 $$"), &Ending::Signalled(40), "");
}

#[test]
fn arguments_arrive_as_they_are() {
    let words = ["it's", "a \"b\"", "line\nbreak", "--leading", "$HOME `id` *", ""];
    let expected = format!("[{}]", words.join("]["));
    let mut all = vec!["printf", "[%s]"];
    all.extend(words);
    check(&argv(&all), &exited(0), &expected);
    check(&shell("printf '%s' \"it's\n-x\""), &exited(0), "it's\n-x");
}

#[test]
fn both_streams_are_kept_apart_and_whole() {
    let world = World::new();
    let launch = shell("printf out; printf problem >&2; printf put");
    let outcome = world.run(&launch);
    assert_eq!(world.stdout(launch.key), "output");
    assert_eq!(std::fs::read_to_string(world.dir(launch.key).file("stderr")).unwrap(), "problem");
    assert_eq!((outcome.stdout_bytes, outcome.stderr_bytes), (6, 7));
}

#[test]
fn a_process_without_output_leaves_no_output_files() {
    let world = World::new();
    let launch = argv(&["true"]);
    world.run(&launch);
    assert!(!world.dir(launch.key).file("stdout").exists());
    assert!(!world.dir(launch.key).file("stderr").exists());
}

#[test]
fn a_shell_line_of_a_megabyte_runs() {
    let filler = "x".repeat(1 << 20);
    check(&shell(&format!(": {filler}; printf done; exit 7")), &exited(7), "done");
    let words = vec!["x".repeat(100_000); 10];
    let mut all = vec!["sh", "-c", "printf $#", "sh"];
    all.extend(words.iter().map(String::as_str));
    check(&argv(&all), &exited(0), "10");
}

#[test]
fn what_cannot_start_says_why() {
    check_refused(&argv(&["no-such-program"]), "`no-such-program`: No such file or directory (os error 2)");
    check_refused(&argv(&["/etc/passwd"]), "`/etc/passwd`: Permission denied (os error 13)");
    check_refused(&argv(&["echo", "a\0b"]), "`echo`: an argument or variable holds a NUL byte");
    check_refused(&argv(&[]), "no program given");
    let nowhere = Launch { cwd: "/no/such/place".into(), ..argv(&["true"]) };
    check_refused(&nowhere, "working directory `/no/such/place`: No such file or directory (os error 2)");
    let file = Launch { cwd: "/etc/passwd".into(), ..argv(&["true"]) };
    check_refused(&file, "working directory `/etc/passwd`: it is not a directory");
    let huge = "x".repeat(200_000);
    check_refused(&argv(&["echo", &huge]), "`echo`: Argument list too long (os error 7)");
}

#[test]
fn a_script_without_its_interpreter_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let program = script.to_str().unwrap();
    let cause = format!("`{program}`: the interpreter in its first line, or its loader, does not exist");
    check_refused(&argv(&[program]), &cause);
}

#[test]
fn a_missing_shim_is_an_end_by_spawn_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (supervisor, reports) = supervise(folder.path(), "/no/such/converge".into());
    let launch = argv(&["true"]);
    supervisor.launch(launch.clone());
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let Report::Ended { key, outcome } = report else { panic!("{report:?}") };
    let cause = "the shim of the process: No such file or directory (os error 2)".to_owned();
    assert_eq!((key, outcome.ending), (launch.key, Ending::SpawnFailed { cause }));
}

#[test]
fn processor_time_and_peak_memory_are_those_of_the_tree() {
    let world = World::new();
    // The work is done by a grandchild; the memory is a string that a shell holds.
    let line = "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; \
                x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo ${#x}";
    let launch = shell(line);
    let outcome = world.run(&launch);
    assert_eq!(world.stdout(launch.key), "30000000\n");
    assert!((10..20_000).contains(&outcome.cpu_ms), "{outcome:?}");
    assert!((30_000..1_000_000).contains(&outcome.peak_kb), "{outcome:?}");
    assert!(outcome.started_at < outcome.ended_at);
}
