//! Logins: whether somebody is logged in at an agent, as far as its program says.

use std::path::Path;

use crate::agent::account::choose;
use crate::agent::catalogue::Known;
use crate::command::list_accounts::HomeState;
use crate::command::{Context, leave, programs};
use crate::core::definition::Definition;
use crate::core::login::Heard;
use crate::programs::{Question, is_here};

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
/// It is asked for a job where there is one, which may hand it more variables and lie in a project that pays.
pub fn missing(known: &Known, at: At<'_>, job: Option<&Definition>, cx: &Context<'_>) -> Option<String> {
    // A program is started for it, on a path that the caller names.
    if cx.caller.inside.is_some() || !leave::is_free(cx) {
        return None;
    }
    let manifest = &known.manifest;
    let question = manifest.login.as_ref()?;
    let program = programs::find(&manifest.programs, cx.caller)?.path;
    let mut env = programs::environment(cx.caller);
    let mut pass = manifest.environment.handed_on();
    if let Some(definition) = job {
        let home = env.get("HOME").map(Path::new);
        let is_paid = is_here(&question.unless_here, Path::new(&definition.cwd), home);
        // What is in a file of the job its runs alone find out.
        if is_paid || definition.environment.env_file.is_some() {
            return None;
        }
        pass.extend(definition.environment.pass.iter().cloned());
    }
    let mut unless = question.unless.clone();
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
    (question.put(answer) == Heard::Nobody).then(|| question.line(begins))
}
