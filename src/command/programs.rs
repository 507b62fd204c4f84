//! Programs as a caller has them: those that the service would find for its jobs, and those of its shell.

use std::collections::BTreeMap;

use crate::command::Context;
use crate::command::caller::Caller;
use crate::programs::{Program, repaired};

/// Where programs are looked for when the caller says nothing of its path.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The program that a job of this caller would run, as far as that is known without asking a shell.
pub fn find(names: &[String], caller: &Caller) -> Option<Program> {
    Program::find(names, &repaired(path(caller), home(caller), None))
}

/// The program that a job of this caller would run.
pub fn of_service(names: &[String], cx: &Context<'_>) -> Option<Program> {
    let login = (cx.house.login_path)();
    Program::find(names, &repaired(path(cx.caller), home(cx.caller), login))
}

/// The program that the shell of this caller would run.
pub fn of_shell(names: &[String], caller: &Caller) -> Option<Program> {
    Program::find(names, path(caller))
}

/// The variables that a program of this caller is asked something with.
pub fn environment(caller: &Caller) -> BTreeMap<String, String> {
    let mut env = caller.env.clone();
    env.insert("PATH".to_owned(), repaired(path(caller), home(caller), None));
    env
}

fn path(caller: &Caller) -> &str {
    caller.env.get("PATH").map_or(USUAL_PATH, String::as_str)
}

fn home(caller: &Caller) -> Option<&str> {
    caller.env.get("HOME").map(String::as_str)
}
