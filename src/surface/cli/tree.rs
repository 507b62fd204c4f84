//! The tree of commands, grown from the registry.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::command::{Cli, Entry, REGISTRY};
use crate::surface::cli::{aliases, clients};
use crate::words;

const ABOUT: &str = "Durable loops: run a command or an agent, check the result, decide, survive";

/// What `account` is for.
const ACCOUNT: &str = "Accounts of agents beside the usual ones: private homes, or who says who they are";

const AFTER: &str = "\
Commonest:
  converge add --cmd 'cargo test' --until 'exit 0' --wait 1m --follow
  converge ls
  converge explain NAME

Every command takes --json.

Exit codes:
   0  ok
   1  the work failed
   2  a person is needed
   3  waiting took too long
  64  the command line cannot be done
  69  no daemon";

/// The command that agents start.
const MCP: &str = "mcp";

/// The order in which help shows the commands.
const ORDER: [&str; 16] = [
    "add",
    "ls",
    "show",
    "logs",
    "explain",
    "open",
    "run-now",
    "wait",
    "pause",
    "resume",
    "update",
    "cancel",
    "archive",
    "unarchive",
    "rm",
    "events",
];

/// The command line as far as these arguments need it.
///
/// A proxy lives as long as its agent, and there are many: it has no memory to give away for commands that
/// are not meant.
pub(super) fn for_arguments(arguments: &[OsString]) -> Command {
    match arguments.get(1) {
        Some(first) if first == MCP => trunk().subcommand(mcp()),
        Some(_) | None => root(),
    }
}

/// The whole command line.
pub(super) fn root() -> Command {
    let mut root = trunk();
    let mut daemon = daemon();
    let mut agents = Vec::new();
    let mut account = Command::new("account").about(ACCOUNT).subcommand_required(true);
    let mut condition = Command::new("condition").about("Try conditions").subcommand_required(true);
    for entry in &REGISTRY {
        for cli in entry.cli {
            match cli.name.split_once(' ') {
                None => root = root.subcommand(command(entry, cli, cli.name)),
                Some(("daemon", name)) => daemon = daemon.subcommand(command(entry, cli, name)),
                Some(("account", name)) => account = account.subcommand(command(entry, cli, name)),
                Some(("agents", name)) => agents.push(command(entry, cli, name)),
                Some((_, name)) => condition = condition.subcommand(command(entry, cli, name)),
            }
        }
    }
    root = root.mut_subcommand("agents", |list| list.subcommands(agents).subcommand(check()));
    root.subcommand(daemon)
        .subcommand(account)
        .subcommand(condition)
        .subcommand(mcp())
        .subcommand(completions())
}

/// What all commands share.
fn trunk() -> Command {
    Command::new("converge")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(AFTER)
        .infer_subcommands(false)
        .max_term_width(100)
        .arg(Arg::new("json").long("json").global(true).action(ArgAction::SetTrue).help("Reply as JSON"))
}

fn command(entry: &Entry, cli: &Cli, name: &'static str) -> Command {
    let words = words::about(entry.name).expect("every verb has its words");
    let mut command = (entry.arguments)(Command::new(name));
    for hidden in cli.hide {
        command = command.mut_arg(*hidden, |argument| argument.hide(true));
    }
    for (field, _) in cli.preset {
        command = command.mut_arg(*field, |argument| argument.hide(true));
    }
    if entry.access.is_write() {
        let help = "A name for this request: asking twice is asking once";
        command = command.arg(Arg::new("key").long("key").value_name("KEY").help(help));
    }
    command = extras(command, cli.name);
    for alias in aliases::of_flags(cli.name) {
        command = command.mut_arg(alias.flag, |argument| argument.alias(alias.old));
    }
    let place = ORDER.iter().position(|known| *known == cli.name).unwrap_or(ORDER.len());
    // After the arguments, or the doc of the request would be the help of the command.
    command
        .about(words.line(cli.name).unwrap_or_default())
        .long_about(None::<&str>)
        .display_order(place)
        .aliases(aliases::of_command(cli.name))
}

/// What a command does beyond its verb.
fn extras(command: Command, name: &str) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    match name {
        "add" => command.arg(flag("follow", "Show its runs as they happen, until it is over")),
        "run-now" => command
            .arg(flag("no-wait", "Do not wait for the run"))
            .arg(flag("follow", "Show what it writes").conflicts_with("no-wait")),
        "logs" => command
            .arg(flag("follow", "Show what is written as it is written").short('f'))
            .arg(flag("raw", "Only the bytes of the newest run's standard output"))
            .arg(flag("stderr", "With --raw, those of its standard error").requires("raw")),
        "update" => command
            .after_help("A new --until leaves the checks as they are, and new checks the condition; `none` removes either."),
        "events" => command.arg(flag("follow", "Show events as they happen").short('f')),
        _ => command,
    }
}

fn check() -> Command {
    let agent = Arg::new("agent").required(true).value_name("AGENT");
    let value = |name: &'static str, what: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(what).help(help)
    };
    Command::new("check")
        .about("Prove an agent: ask it for one word, as a job would")
        .arg(agent.help("Its name, perhaps with a model and an account: `claude:opus@work`"))
        .arg(value("model", "MODEL", "The model, where the name has none"))
        .arg(value("account", "NAME", "The account, where the name has none").alias("auth-profile"))
        .arg(value("env", "NAME", "A variable read at its start; repeatable").action(ArgAction::Append))
        .arg(value("env-file", "FILE", "A file of NAME=value lines, read at its start"))
}

fn daemon() -> Command {
    let plain = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let lines = Arg::new("lines").long("lines").short('n').value_name("COUNT").default_value("40");
    let logs = plain("logs", "Show the end of the daemon's log")
        .arg(lines.value_parser(clap::value_parser!(u32)).help("So many lines"));
    plain("daemon", "The background process that owns the loops; it starts by itself")
        .subcommand_required(true)
        .subcommand(plain("run", "Be the daemon, in the foreground"))
        .subcommand(plain("start", "Start it in the background"))
        .subcommand(plain("stop", "Stop it; runs under way go on and are picked up later"))
        .subcommand(plain("restart", "Stop it and start it again"))
        .subcommand(logs)
}

fn mcp() -> Command {
    let home = Arg::new("home").long("home").value_name("DIR").value_parser(clap::value_parser!(PathBuf));
    let client = Arg::new("print-config").long("print-config").value_name("CLIENT");
    Command::new(MCP)
        .about("Be an MCP server for an agent, on standard input and output")
        .arg(home.help("Where things are kept, instead of CONVERGE_HOME or ~/.converge"))
        .arg(
            client
                .value_parser(PossibleValuesParser::new(clients::names()))
                .help("Show how this is registered with an agent"),
        )
}

fn completions() -> Command {
    let shell = Arg::new("shell").required(true).value_parser(clap::value_parser!(clap_complete::Shell));
    Command::new("completions").about("Print a completion script for a shell").arg(shell.help("The shell"))
}

/// The verb behind a command.
pub(super) fn find(name: &str) -> Option<(&'static Entry, &'static Cli)> {
    REGISTRY.iter().find_map(|entry| Some((entry, entry.cli.iter().find(|cli| cli.name == name)?)))
}

/// Whether a flag was given.
pub(super) fn flag(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default()
}
