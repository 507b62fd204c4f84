//! The path of the user's login shell, which may know of programs that the path of a service does not.
#![expect(clippy::disallowed_methods, reason = "the environment says which shell the user has")]

use std::sync::OnceLock;
use std::time::Duration;

use nix::unistd::{Uid, User};

use crate::process::ask::{ask, shell};

/// A shell that takes longer to say its path is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a shell has to start with.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Stands before the path, since what a shell reads at its start may write something too.
const MARK: &str = "converge-path=";

/// The path of the user's login shell; none when it does not say.
///
/// It is asked by the first who wants to know, who may wait for seconds, and only once by this process.
pub fn get() -> Option<&'static str> {
    static ANSWER: OnceLock<Option<String>> = OnceLock::new();
    ANSWER.get_or_init(|| of(User::from_uid(Uid::current()).ok()??)).as_deref()
}

fn of(user: User) -> Option<String> {
    let said = std::env::var("SHELL").ok().filter(|shell| shell.starts_with('/'));
    let program = said.or_else(|| user.shell.to_str().map(str::to_owned))?;
    let home = std::env::home_dir().unwrap_or(user.dir);
    let line = format!("printf '%s%s\\n' {MARK} \"$PATH\"");
    let mut command = shell(&program, &["-l", "-c", &line]);
    // As for a login: what this process was started with is not what a login has.
    command.env_clear().current_dir(&home).env("HOME", &home).env("SHELL", &program);
    command.env("PATH", PATH).env("USER", &user.name).env("LOGNAME", &user.name).env("TERM", "dumb");
    match ask(&mut command, PATIENCE, || false) {
        Ok(answer) => path_in(&String::from_utf8_lossy(&answer.stdout)),
        Err(error) => {
            tracing::info!(shell = program, %error, "the login shell does not say its path");
            None
        }
    }
}

fn path_in(said: &str) -> Option<String> {
    let path = said.lines().rev().find_map(|line| line.strip_prefix(MARK))?;
    path.contains('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_among_whatever_a_shell_says() {
        let check = |said: &str, expected: Option<&str>| {
            assert_eq!(path_in(said).as_deref(), expected, "{said}");
        };
        check("converge-path=/bin:/usr/bin\n", Some("/bin:/usr/bin"));
        check("Welcome\nconverge-path=/bin\nGood bye\n", Some("/bin"));
        check("converge-path=\n", None);
        check("/bin\n", None);
    }
}
