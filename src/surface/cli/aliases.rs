//! Aliases: the words that users of other loop tools know, accepted as input and nowhere shown.

use std::ffi::OsString;

/// Another name of a command.
struct OfCommand {
    old: &'static str,
    new: &'static str,
}

/// Another name of a flag of one command.
pub(super) struct OfFlag {
    command: &'static str,
    /// What users know it as.
    pub(super) old: &'static str,
    /// The argument's name here.
    pub(super) flag: &'static str,
}

const COMMANDS: [OfCommand; 11] = [
    OfCommand { old: "status", new: "show" },
    OfCommand { old: "get", new: "show" },
    OfCommand { old: "inspect", new: "show" },
    OfCommand { old: "list", new: "ls" },
    OfCommand { old: "runs", new: "logs" },
    OfCommand { old: "stop", new: "cancel" },
    OfCommand { old: "remove", new: "rm" },
    OfCommand { old: "delete", new: "rm" },
    OfCommand { old: "trigger", new: "run-now" },
    OfCommand { old: "edit", new: "update" },
    OfCommand { old: "why", new: "explain" },
];

const FLAGS: [OfFlag; 17] = [
    OfFlag { command: "add", old: "task", flag: "prompt" },
    OfFlag { command: "add", old: "stop", flag: "until" },
    OfFlag { command: "add", old: "interval", flag: "every" },
    OfFlag { command: "add", old: "max-iterations", flag: "max_runs" },
    OfFlag { command: "add", old: "max-attempts", flag: "max_runs" },
    OfFlag { command: "add", old: "timezone", flag: "tz" },
    OfFlag { command: "add", old: "expires-at", flag: "ends_at" },
    OfFlag { command: "add", old: "checks", flag: "checks" },
    OfFlag { command: "add", old: "auth-profile", flag: "account" },
    OfFlag { command: "update", old: "auth-profile", flag: "account" },
    OfFlag { command: "update", old: "task", flag: "prompt" },
    OfFlag { command: "update", old: "stop", flag: "until" },
    OfFlag { command: "update", old: "interval", flag: "every" },
    OfFlag { command: "update", old: "max-iterations", flag: "max_runs" },
    OfFlag { command: "update", old: "timezone", flag: "tz" },
    OfFlag { command: "update", old: "expires-at", flag: "ends_at" },
    OfFlag { command: "logs", old: "tail", flag: "lines" },
];

/// The other names of a command.
pub(super) fn of_command(name: &'static str) -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().filter(move |alias| alias.new == name).map(|alias| alias.old)
}

/// The other names of a command's flags.
pub(super) fn of_flags(command: &'static str) -> impl Iterator<Item = &'static OfFlag> {
    FLAGS.iter().filter(move |alias| alias.command == command)
}

/// The command line with forms of several words put into ours.
///
/// `create command NAME …` is `add NAME …`, and of `--attempts N` the first is no retry.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut rewritten = Vec::with_capacity(arguments.len());
    let mut rest = arguments.into_iter().peekable();
    rewritten.extend(rest.next());
    while let Some(flag) = rest.next_if(|first| first == "--json") {
        rewritten.push(flag);
    }
    if rest.peek().is_some_and(|first| first == "create") {
        rest.next();
        rest.next_if(|second| second == "command");
        rewritten.push("add".into());
    }
    let adds =
        rewritten.last().is_some_and(|last| last == "add") || rest.peek().is_some_and(|first| first == "add");
    while let Some(argument) = rest.next() {
        if argument == "--" {
            rewritten.push(argument);
            rewritten.extend(rest);
            break;
        }
        let attempts = argument.to_str().and_then(|text| text.strip_prefix("--attempts")).filter(|_| adds);
        match attempts {
            Some("") => {
                rewritten.push("--retries".into());
                rewritten.extend(rest.next().map(one_less));
            }
            Some(value) if value.starts_with('=') => {
                rewritten.push("--retries".into());
                rewritten.push(one_less(value[1..].into()));
            }
            Some(_) | None => rewritten.push(argument),
        }
    }
    rewritten
}

fn one_less(count: OsString) -> OsString {
    match count.to_str().and_then(|count| count.parse::<u32>().ok()) {
        Some(count) => count.saturating_sub(1).to_string().into(),
        None => count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::cli::tree;

    #[test]
    fn every_other_name_of_a_command_reaches_it() {
        for alias in &COMMANDS {
            let root = tree::root();
            let found = root.find_subcommand(alias.old).map(clap::Command::get_name);
            assert_eq!(found, Some(alias.new), "{}", alias.old);
        }
    }

    #[test]
    fn every_other_name_of_a_flag_reaches_it() {
        for alias in &FLAGS {
            let root = tree::root();
            let command = root.find_subcommand(alias.command).expect(alias.command);
            let argument =
                command.get_arguments().find(|argument| argument.get_id() == alias.flag).expect(alias.flag);
            assert!(argument.get_all_aliases().expect(alias.old).contains(&alias.old), "{}", alias.old);
        }
    }

    fn check(written: &str, read: &str) {
        let rewritten = rewrite(written.split(' ').map(OsString::from).collect());
        let rewritten: Vec<String> =
            rewritten.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(rewritten.join(" "), read);
    }

    #[test]
    fn forms_of_several_words_are_put_into_ours() {
        check("converge create command nightly --every 1m", "converge add nightly --every 1m");
        check("converge --json create command nightly", "converge --json add nightly");
        check("converge add --attempts 3 --cmd true", "converge add --retries 2 --cmd true");
        check("converge create command x --attempts=1", "converge add x --retries 0");
        check("converge add -- tool --attempts 3", "converge add -- tool --attempts 3");
        check("converge ls --attempts 3", "converge ls --attempts 3");
    }
}
