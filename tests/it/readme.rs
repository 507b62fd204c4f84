//! The README, executed: every command it shows is run, in order, by a shell.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// The blocks of shell commands.
fn blocks(text: &str) -> Vec<String> {
    let after = text.split("```sh\n").skip(1);
    after.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_command_of_the_readme_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let blocks = blocks(&readme);
    let [demo, tests, rest @ ..] = blocks.as_slice() else { panic!("the README begins with two commands") };
    assert!(demo.starts_with("cargo run --release -- add "), "the first command shows a loop: {demo}");
    assert_eq!(tests, "cargo test\n", "the second command runs all tests, and so this one");

    let folder = tempfile::tempdir().expect("a folder");
    let (home, bin, work) =
        (folder.path().join("home"), folder.path().join("bin"), folder.path().join("work"));
    for made in [&home, &bin, &work] {
        fs::create_dir(made).expect("a folder");
    }
    symlink(env!("CARGO_BIN_EXE_converge"), bin.join("converge")).expect("a link");
    let mut script = String::from("set -eu\n");
    script.push_str(&demo.replace("cargo run --release --", "converge"));
    for block in rest {
        script.push_str(block);
    }
    let run = |script: &str| {
        Command::new("/bin/bash")
            .args(["-c", script])
            .env_clear()
            .env("HOME", &home)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()))
            .current_dir(&work)
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    };
    let ran = run(&script);
    run("converge daemon stop");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{script}\n--- said\n{out}\n--- and\n{err}");
    for said in [
        "demo is completed: condition met: exit code 0",
        "flaky is completed",
        "files is completed: converged",
        "Paused heartbeat.",
        "survivor is active",
        "exit code 7",
    ] {
        assert!(out.contains(said), "the README's commands did not say `{said}`:\n{out}\n{err}");
    }
}
