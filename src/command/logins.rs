//! Logins: whether somebody is logged in at an agent, as far as its program says.

use crate::agent::account::choose;
use crate::agent::catalogue::Known;
use crate::command::{Context, programs};
use crate::programs::Question;

/// How a person logs in where the program of an agent says that nobody is; none where it says nothing of that.
pub fn missing(known: &Known, account: Option<&str>, cx: &Context<'_>) -> Option<String> {
    let manifest = &known.manifest;
    let hint = manifest.login.as_ref()?;
    let program = programs::find(&manifest.programs, cx.caller)?.path;
    let mut env = programs::environment(cx.caller);
    let mut pass = manifest.environment.pass.clone();
    let mut begins = manifest.programs.first()?.clone();
    if let Some(account) = account {
        let base = cx.house.places.home.display().to_string();
        let choice = choose(account, manifest, &cx.house.accounts, &base).ok()?;
        // Who an account of variables is, its run alone finds out.
        let home = choice
            .login
            .home
            .filter(|_| choice.login.env_file.is_none() && choice.login.command.is_none())?;
        begins = home.log_in;
        env.insert(home.variable, home.path);
        pass.retain(|name| !manifest.environment.strip.contains(name));
        env.retain(|name, _| !manifest.environment.strip.contains(name));
    }
    let question = Question { program, arguments: hint.ask.clone(), env, pass, unless: hint.unless.clone() };
    let answer = (cx.house.ask)(&question)?;
    hint.is_denied(&answer)
        .then(|| std::iter::once(begins).chain(hint.log_in.clone()).collect::<Vec<_>>().join(" "))
}
