//! From arguments to a definition: everything is read, and every problem is told at once.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::command::defaults::WAIT;
use crate::command::reader::Reader;
use crate::core::assignment::Prompt;
use crate::core::condition::{Condition, Operator};
use crate::core::definition::{Environment, Target};
use crate::core::goal::{Criterion, Goal, UNTIL};
use crate::core::process::Command;
use crate::core::refusal::Problem;
use crate::core::schedule::{Anchor, Schedule};

/// How many conditions or checks a job may have.
const CRITERIA_MOST: usize = 32;

/// The longest command, all arguments together.
const COMMAND_BYTES_MAX: usize = 4 << 20;

impl Reader<'_> {
    /// The command: a shell line or a program with its arguments.
    pub fn command(&mut self, cmd: Option<&str>, argv: &[String]) -> Option<Command> {
        let command = match (cmd, argv) {
            (Some(_), [_, ..]) => {
                self.refuse("cmd", "both a shell line and a program", "give either `--cmd` or `argv`");
                return None;
            }
            (Some(line), []) => Command::Shell(line.to_owned()),
            (None, []) => return None,
            (None, argv) => Command::Argv(argv.to_vec()),
        };
        let (place, texts): (_, &[String]) = match &command {
            Command::Shell(line) => ("cmd", std::slice::from_ref(line)),
            Command::Argv(argv) => ("argv", argv),
        };
        if texts[0].trim().is_empty() {
            self.refuse(place, "an empty command", "write what is to be run, such as `cargo test`");
        } else if texts.iter().any(|text| text.contains('\0')) {
            self.refuse(place, "a NUL character", "no program can be given one");
        } else if texts.iter().map(String::len).sum::<usize>() > COMMAND_BYTES_MAX {
            self.refuse(place, "longer than 4 MiB", "put it in a file and run that");
        } else {
            return Some(command);
        }
        None
    }

    /// The directory: the one that was named, or the caller's.
    pub fn cwd(&mut self, named: Option<&str>) -> Option<String> {
        let fix = "name the project's directory with `--cwd`";
        let base = Path::new(&self.caller.cwd);
        let path = named.map_or_else(|| base.to_path_buf(), |named| base.join(named));
        let path = plain(&path);
        let home = self.caller.env.get("HOME").map(|home| plain(Path::new(home)));
        if !path.is_absolute() {
            self.refuse("cwd", "a relative path, and nothing it could start from", "write an absolute path");
        } else if path.to_str().is_none_or(|text| text.contains('\0')) {
            self.refuse("cwd", "not a path in UTF-8", fix);
        } else if path == Path::new("/") || Some(&path) == home.as_ref() {
            self.refuse(
                "cwd",
                format!("`{}` is too wide a place for a loop to work in", path.display()),
                fix,
            );
        } else if !path.is_dir() {
            self.refuse(
                "cwd",
                format!("no directory `{}`", path.display()),
                "make it first, or name another",
            );
        } else {
            return Some(path.display().to_string());
        }
        None
    }

    /// The environment: what the caller has of the usual variables, and names of others.
    pub fn environment(&mut self, names: &[String], env_file: Option<&str>) -> Environment {
        let mut captured = BTreeMap::new();
        for (name, value) in &self.caller.env {
            if Environment::captures(name) && !value.contains('\0') {
                captured.insert(name.clone(), value.clone());
            }
        }
        for name in names {
            if let Some((name, _)) = name.split_once('=') {
                let fix = format!("write `{name}` alone and its value into a file for `--env-file`");
                self.refuse("env", "a value: only names are kept, values are read at each start", fix);
            } else if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                self.refuse(
                    "env",
                    format!("`{name}` is no name of a variable"),
                    "write a name such as `API_TOKEN`",
                );
            }
        }
        if env_file.is_some_and(|file| file.contains('\0')) {
            self.refuse("env_file", "a NUL character", "no file is named with one");
        }
        let env_file =
            env_file.map(|file| plain(&Path::new(&self.caller.cwd).join(file)).display().to_string());
        Environment { captured, pass: names.to_vec(), env_file }
    }

    /// The goal: every check, and any of the conditions.
    pub fn goal(&mut self, until: &[String], checks: &[String]) -> Option<Goal> {
        let mut criteria = Vec::new();
        for (place, text) in checks.iter().enumerate() {
            criteria.extend(self.check(place, checks.len(), text, &criteria));
        }
        let mut conditions = Vec::new();
        for (place, text) in until.iter().enumerate() {
            match text.parse::<Condition>() {
                Ok(condition) => conditions.push(condition),
                Err(problems) => {
                    let outer = if until.len() == 1 { "until".to_owned() } else { format!("until[{place}]") };
                    self.problems.extend(problems.into_iter().map(|problem| problem.within(&outer)));
                }
            }
        }
        if criteria.len() + conditions.len() > CRITERIA_MOST {
            self.refuse(
                "until",
                format!("more than {CRITERIA_MOST} conditions and checks"),
                "put several into one script",
            );
        }
        let condition = match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Condition::Compound { operator: Operator::Any, conditions }),
        };
        criteria.extend(condition.map(|condition| Criterion { name: UNTIL.to_owned(), condition }));
        (!criteria.is_empty()).then_some(Goal { criteria })
    }

    /// The goal that `old` becomes: conditions replace the condition, checks the checks, `none` takes away.
    pub fn amended_goal(&mut self, old: Option<Goal>, until: &[String], checks: &[String]) -> Option<Goal> {
        let is_until = |criterion: &Criterion| criterion.name == UNTIL;
        let written = |texts: &[String]| if texts == ["none"] { Vec::new() } else { texts.to_vec() };
        let fresh = self.goal(&written(until), &written(checks));
        let parts = |goal: Option<Goal>| -> (Vec<Criterion>, Vec<Criterion>) {
            goal.into_iter().flat_map(|goal| goal.criteria).partition(is_until)
        };
        let ((old_until, old_checks), (new_until, new_checks)) = (parts(old), parts(fresh));
        let mut criteria = if checks.is_empty() { old_checks } else { new_checks };
        criteria.extend(if until.is_empty() { old_until } else { new_until });
        (!criteria.is_empty()).then_some(Goal { criteria })
    }

    fn check(&mut self, place: usize, count: usize, text: &str, before: &[Criterion]) -> Option<Criterion> {
        let outer = if count == 1 { "checks".to_owned() } else { format!("checks[{place}]") };
        let fix = "write a name and a shell line, such as `tests: cargo test`";
        let Some((name, line)) = text.split_once(':').map(|(name, line)| (name.trim(), line.trim())) else {
            self.refuse(&outer, format!("`{}` has no name", shorten(text)), fix);
            return None;
        };
        if name.is_empty() || name.len() > 40 || name.contains(|letter: char| !may_name_check(letter)) {
            self.refuse(&outer, format!("`{}` is no name of a check", shorten(name)), fix);
            return None;
        }
        if name == UNTIL || before.iter().any(|criterion| criterion.name == name) {
            self.refuse(&outer, format!("the name `{name}` is taken"), "give each check a name of its own");
            return None;
        }
        let object = serde_json::json!({ "type": "check", "command": line });
        match Condition::from_json(&object) {
            Ok(condition) => Some(Criterion { name: name.to_owned(), condition }),
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| problem.within(&outer)));
                None
            }
        }
    }
}

/// Letters that the name of a check may have.
fn may_name_check(letter: char) -> bool {
    letter.is_alphanumeric() || "-_./".contains(letter)
}

/// When a job starts, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct When<'a> {
    /// A distance of starts.
    pub every: Option<&'a str>,
    /// One instant.
    pub at: Option<&'a str>,
    /// A pause after each end.
    pub wait: Option<&'a str>,
    /// Only by hand.
    pub manual: bool,
}

impl Reader<'_> {
    /// The schedule; without any word on it, a loop.
    pub fn schedule(&mut self, when: When<'_>, goal: Option<&Goal>) -> Option<Schedule> {
        let named = [
            ("every", when.every.is_some()),
            ("at", when.at.is_some()),
            ("wait", when.wait.is_some()),
            ("manual", when.manual),
        ];
        let named: Vec<&str> = named.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if named.len() > 1 {
            let message = format!("more than one schedule: --{}", named.join(", --"));
            self.refuse(named[0], message, "keep one of `--every`, `--at`, `--wait` and `--manual`");
            return None;
        }
        if when.manual {
            return Some(Schedule::Manual);
        }
        if let Some(text) = when.every {
            let span = self.interval("every", Some(text))?;
            let anchor = if goal.is_some() { Anchor::Delay } else { Anchor::Rate };
            return Some(Schedule::Every { span, anchor });
        }
        if let Some(text) = when.at {
            return self.instant("at", Some(text)).map(Schedule::At);
        }
        if when.wait.is_some() {
            return self.interval("wait", when.wait).map(|wait| Schedule::Loop { wait });
        }
        if goal.is_some() {
            return Some(Schedule::Loop { wait: WAIT });
        }
        self.refuse(
            "every",
            "no schedule and no condition",
            "say when with `--every`, such as `1h`, with `--at`, `--wait` or `--manual`, or until when with `--until`",
        );
        None
    }
}

/// So much of a text is looked at for a name.
const NAMED_BY: usize = 400;

/// A name from what is executed: the words of the command, or of the prompt, that say most.
pub fn derived_name(target: &Target) -> String {
    let line = match target {
        Target::Command(Command::Shell(line)) => line.clone(),
        Target::Command(Command::Argv(argv)) => argv.join(" "),
        Target::Agent(assignment) => match &assignment.prompt {
            Prompt::Text(text) => text.clone(),
            Prompt::File(path) => path.clone(),
        },
    };
    let line: String = line.chars().take(NAMED_BY).collect();
    let words = line.split_whitespace().filter(|word| !word.contains('=') && !word.starts_with('-'));
    let base = |word: &str| slug(word.rsplit('/').next().unwrap_or(word));
    let words: Vec<String> = words.map(base).filter(|word| !word.is_empty()).take(2).collect();
    let name: String = words.join("-").chars().take(32).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "job".to_owned() } else { name.to_owned() }
}

/// Letters and digits of `text`, in lower case, with single dashes for everything else.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Checks the name of a job.
pub fn name(reader: &mut Reader<'_>, name: &str) -> Option<String> {
    let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(fits) || name.starts_with('-') {
        let slug = slug(name);
        let fix = if slug.is_empty() {
            "write a name such as `nightly-tests`".to_owned()
        } else {
            format!("write `{slug}`")
        };
        reader.refuse(
            "name",
            format!("`{}` is no name of a job: letters, digits, dots and dashes, at most 64", shorten(name)),
            fix,
        );
        return None;
    }
    if name.parse::<crate::core::id::JobId>().is_ok() || name.parse::<crate::core::id::TaskId>().is_ok() {
        reader.refuse(
            "name",
            format!("`{name}` reads like an id"),
            "take a name that says what the job does",
        );
        return None;
    }
    Some(name.to_owned())
}

/// What is wrong with a line of text that is kept as it is: too long, or not only text.
pub fn unfit(place: &str, text: &str, most: usize) -> Option<Problem> {
    if text.chars().count() > most {
        let message = format!("longer than {most} characters");
        return Some(Problem::new(place, message).fix("write less"));
    }
    let fix = "write plain text on one line";
    text.contains(char::is_control).then(|| Problem::new(place, "a control character").fix(fix))
}

/// A text short enough for a message, without control characters.
pub fn shorten(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(80).collect();
    if text.chars().count() > 80 { format!("{plain}…") } else { plain }
}

/// A path without `.` and `..`, as far as they can be told from its text.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}
