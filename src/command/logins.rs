//! Logins: whether somebody is logged in at an agent, as far as its program says.

use std::path::Path;

use crate::agent::account::choose;
use crate::agent::catalogue::Known;
use crate::command::list_accounts::HomeState;
use crate::command::{Context, leave, programs};
use crate::programs::Question;

/// Which login of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At<'a> {
    /// Its usual one.
    Usual,
    /// That of an account.
    Account(&'a str),
}

/// How a person logs in where the program of an agent says that nobody is; none where it says nothing of that.
///
/// `more` are the variables that it is handed beside those of its manifest.
pub fn missing(known: &Known, at: At<'_>, more: &[String], cx: &Context<'_>) -> Option<String> {
    // A program is started for it, on a path that the caller names.
    if cx.caller.inside.is_some() || !leave::is_free(cx) {
        return None;
    }
    let manifest = &known.manifest;
    let hint = manifest.login.as_ref()?;
    let program = programs::find(&manifest.programs, cx.caller)?.path;
    let mut env = programs::environment(cx.caller);
    let mut pass = [&manifest.environment.pass, more].concat();
    let mut unless = hint.unless.clone();
    let mut begins = manifest.programs.first()?.clone();
    if let At::Account(account) = at {
        let base = cx.house.places.home.display().to_string();
        let choice = choose(account, manifest, &cx.house.accounts, &base).ok()?;
        // Who an account of variables is, its run alone finds out.
        let home = choice
            .login
            .home
            .filter(|_| choice.login.env_file.is_none() && choice.login.command.is_none())?;
        // Where nobody has ever been nobody is logged in, and to ask would leave traces of somebody.
        if HomeState::of(Path::new(&home.path)) != HomeState::Used {
            return None;
        }
        begins = home.log_in;
        let strip = &manifest.environment.strip;
        pass.retain(|name| !strip.contains(name) && *name != home.variable);
        unless.retain(|name| !strip.contains(name));
        env.retain(|name, _| !strip.contains(name));
        env.insert(home.variable, home.path);
    }
    let answer = |words: &[String]| {
        let (program, arguments) = (program.clone(), words.to_vec());
        let (env, pass, unless) = (env.clone(), pass.clone(), unless.clone());
        (cx.house.ask)(&Question { program, arguments, env, pass, unless })
    };
    hint.is_missing(answer).then(|| hint.line(begins))
}
