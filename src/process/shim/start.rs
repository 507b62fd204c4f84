//! Starting the process of a shim.
#![expect(clippy::disallowed_methods, reason = "this is where the process of a run is started")]

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::unistd::Pid;

use crate::core::process::files::{AGENT, AGENT_HOME, LINE, PROMPT, VERSION};
use crate::core::process::{self, Ending};
use crate::engine::ports::{Execute, Launch, Stdin};
use crate::process::platform;
use crate::process::rundir::RunDir;
use crate::process::shim::overlay::Laid;
use crate::process::shim::{environment, find, logged_in, login};
use crate::programs::Program;

/// A shell line longer than this goes by a file: Linux takes no single argument of 128 KiB.
const LINE_MAX: usize = 100_000;

/// Starts the process in a group of its own, or says how it ended before it began.
///
/// What is laid over its home must stay for as long as anything of it lives.
pub(super) fn start(mut launch: Launch, dir: &RunDir) -> Result<(Child, Option<Laid>), Ending> {
    let failed = |cause: String| Ending::SpawnFailed { cause };
    let mut variables = environment::of(&mut launch).map_err(failed)?;
    if let Some(login) = &launch.login {
        login::apply(login, &mut variables, &launch.cwd)?;
    }
    let is_agent = matches!(launch.execute, Execute::Program { .. });
    let argv = match launch.execute {
        Execute::Command(command) => {
            arguments(command, dir).map_err(|error| failed(format!("shell line: {error}")))?
        }
        Execute::Program { names, arguments } => {
            let path = find::program(&names, &variables).map_err(|cause| Ending::Missing { cause })?;
            let Program { path: program, version } = Program::at(path);
            if let Some(version) = version {
                // Without it nobody hears which version it was, and that is all.
                let _ = dir.replace(VERSION, version.as_bytes());
            }
            if let Some(check) = &launch.login_check {
                logged_in::look(check, &program, &variables, &launch.cwd)?;
            }
            let program = program.into_os_string().into_string();
            let program = program.map_err(|_| failed("the path of the program is not UTF-8".to_owned()))?;
            std::iter::once(program).chain(arguments).collect()
        }
        Execute::Nothing { cause } => return Err(failed(cause)),
        Execute::Missing { cause } => return Err(Ending::Missing { cause }),
    };
    let home = dir.file(AGENT).join(AGENT_HOME);
    let lay = |overlay| Laid::lay(overlay, home, &mut variables, &launch.cwd).map_err(failed);
    let laid = launch.overlay.map(lay).transpose()?.flatten();
    let [program, rest @ ..] = argv.as_slice() else { return Err(failed("no program given".to_owned())) };
    let stdin = match launch.stdin {
        Stdin::Nothing => Stdio::null(),
        Stdin::Prompt => {
            let prompt = File::open(dir.file(PROMPT));
            prompt.map_err(|error| failed(format!("the prompt: {error}")))?.into()
        }
    };
    let mut command = Command::new(program);
    command
        .args(rest)
        .current_dir(&launch.cwd)
        .env_clear()
        .envs(variables)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let shim = Pid::this();
    #[expect(
        unsafe_code,
        reason = "between fork and exec this makes two system calls and allocates nothing"
    )]
    unsafe {
        command.pre_exec(move || platform::die_with(shim))
    };
    let child = command.spawn().map_err(|error| failed(cause(&error, program, &launch.cwd)))?;
    if is_agent {
        // What an agent has not got rid of when it exits is lost with some, however slowly it is read.
        child.stdout.iter().for_each(platform::widen);
        child.stderr.iter().for_each(platform::widen);
    }
    Ok((child, laid))
}

fn arguments(command: process::Command, dir: &RunDir) -> io::Result<Vec<String>> {
    Ok(match command {
        process::Command::Argv(argv) => argv,
        process::Command::Shell(line) if line.len() <= LINE_MAX => shell(["-c", &line]),
        process::Command::Shell(line) => {
            dir.replace(LINE, line.as_bytes())?;
            let path = dir.file(LINE).into_os_string().into_string();
            let path = path.map_err(|_| io::Error::other("the path of the run directory is not UTF-8"))?;
            shell(["-c", ". \"$1\"", "/bin/sh", &path])
        }
    })
}

fn shell<const N: usize>(arguments: [&str; N]) -> Vec<String> {
    std::iter::once("/bin/sh").chain(arguments).map(str::to_owned).collect()
}

/// Names what was missing: the system's word alone does not tell a directory from a program.
fn cause(error: &io::Error, program: &str, cwd: &Path) -> String {
    if error.kind() == io::ErrorKind::InvalidInput {
        return format!("`{}`: an argument or variable holds a NUL byte", program.escape_default());
    }
    match cwd.metadata() {
        Err(error) => return format!("working directory `{}`: {error}", cwd.display()),
        Ok(found) if !found.is_dir() => {
            return format!("working directory `{}`: it is not a directory", cwd.display());
        }
        Ok(_) => {}
    }
    let is_path = program.as_bytes().contains(&b'/');
    if error.kind() == io::ErrorKind::NotFound && is_path && cwd.join(program).exists() {
        return format!("`{program}`: the interpreter in its first line, or its loader, does not exist");
    }
    format!("`{program}`: {error}")
}
