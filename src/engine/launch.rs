//! Launches: all that is needed to start a process, from the row of its task.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::agent::account::Choice;
use crate::agent::invocation::{Input, Invocation, SCHEMA_FILE, Schema, Session};
use crate::agent::manifest::Manifest;
use crate::agent::register::Register;
use crate::core::assignment::Assignment;
use crate::core::definition::{Definition, Target};
use crate::core::login::{self, LoginCheck};
use crate::core::process::files::{AGENT, PROMPT};
use crate::core::process::{Bounds, Command, Control, ProcessKey};
use crate::core::refusal::Problem;
use crate::core::span::Span;
use crate::core::task::Task;
use crate::engine::Settings;
use crate::engine::acts;
use crate::engine::environment;
use crate::engine::ports::{Agents, Execute, Launch, Progress, Prompt, Stdin};
use crate::store::jobs;

/// How long a check may take.
const CHECK_WALL: Span = Span::from_secs(600);

/// How much a check may write to one stream.
const CHECK_OUTPUT_BYTES: u64 = 64 << 20;

/// How long a call of a tool may take without a word; a build or a test run may be long.
const TOOL_IDLE: Span = Span::from_secs(30 * 60);

/// What the engine knows beside its rows.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What it was told once.
    pub settings: &'a Settings,
    /// The agents there are.
    pub agents: &'a dyn Agents,
    /// The instant it is.
    pub now: Timestamp,
}

/// The launch of an attempt.
pub fn attempt(task: &Task, stored: &jobs::Stored, contract: &Definition, known: Known<'_>) -> Launch {
    let env = environment::of_run(task, &stored.job, contract, known.settings);
    let plain = Launch {
        last: environment::last_document(&stored.job, known.settings),
        ..bare(contract, env, (task.attempt_key(), acts::control(stored)))
    };
    match &contract.target {
        Target::Command(command) => Launch { execute: Execute::Command(command.clone()), ..plain },
        Target::Agent(assignment) => {
            let name = &task.course.candidate(assignment).agent;
            let Some(manifest) = known.agents.find(name) else {
                let cause = format!("there is no agent `{name}` any more");
                return Launch { execute: Execute::Missing { cause }, ..plain };
            };
            let asked = Asked { task, stored, assignment, manifest: &manifest };
            asked.launch(plain.clone(), contract, known).unwrap_or_else(|problems| {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Launch { execute: Execute::Nothing { cause: told.join("; ") }, ..plain }
            })
        }
    }
}

/// The launch of a check.
pub fn check(
    task: &Task,
    stored: &jobs::Stored,
    contract: &Definition,
    (known, line): (Known<'_>, String),
) -> Launch {
    let bounds = Bounds {
        wall: Some(CHECK_WALL),
        idle: None,
        memory_bytes: contract.bounds.memory_bytes,
        output_bytes: CHECK_OUTPUT_BYTES,
        grace: contract.bounds.grace,
    };
    let key = task.process(contract).expect("a wanted check has a name");
    let control = Control { bounds, cut_at: None };
    let env = environment::of_run(task, &stored.job, contract, known.settings);
    Launch { execute: Execute::Command(Command::Shell(line)), ..bare(contract, env, (key, control)) }
}

/// A launch of nothing yet, in the place and with the variables of a job.
fn bare(
    contract: &Definition,
    env: BTreeMap<String, String>,
    (key, control): (ProcessKey, Control),
) -> Launch {
    Launch {
        key,
        execute: Execute::Nothing { cause: "nothing was to be executed".to_owned() },
        cwd: PathBuf::from(&contract.cwd),
        env,
        pass: contract.environment.pass.clone(),
        env_file: contract.environment.env_file.as_ref().map(PathBuf::from),
        strip: Vec::new(),
        login: None,
        control,
        last: None,
        prompt: None,
        files: Vec::new(),
        login_check: None,
        overlay: None,
        stdin: Stdin::Nothing,
        progress: None,
    }
}

/// What is asked of an agent, and by which manifest.
struct Asked<'a> {
    task: &'a Task,
    stored: &'a jobs::Stored,
    assignment: &'a Assignment,
    manifest: &'a Manifest,
}

impl Asked<'_> {
    fn launch(&self, plain: Launch, contract: &Definition, known: Known<'_>) -> Result<Launch, Vec<Problem>> {
        let Self { task, stored, assignment, manifest } = self;
        let candidate = task.course.candidate(assignment);
        let session = match task.course.continued(candidate) {
            Some(kept) if task.course.forks => Session::Fork(&kept.id),
            Some(kept) => Session::Resume(&kept.id),
            None => Session::Fresh,
        };
        let tools: Vec<&str> = assignment.tools.iter().map(String::as_str).collect();
        let directories: Vec<&str> = assignment.directories.iter().map(String::as_str).collect();
        let home =
            known.settings.runs_dir.parent().map(|home| home.display().to_string()).unwrap_or_default();
        let choice = candidate.account.as_ref().map(|name| known.agents.account(name, manifest, &home));
        let choice = choice.transpose().map_err(|problem| vec![problem])?;
        let run_dir = known.settings.runs_dir.join(plain.key.directory());
        let register = Register {
            program: &known.settings.program,
            home: Path::new(&home),
            run_dir: &run_dir,
            attempt: plain.key,
        };
        let schema = assignment.schema.as_ref().map(ToString::to_string);
        let schema_file = run_dir.join(AGENT).join(SCHEMA_FILE).display().to_string();
        let invocation = Invocation {
            session,
            model: candidate.model.as_deref(),
            effort: assignment.effort.as_deref(),
            permissions: &assignment.permissions,
            directories: &directories,
            tools: &tools,
            account: choice.as_ref().map(Choice::said),
            prompt_file: &run_dir.join(PROMPT).display().to_string(),
            schema: schema.as_deref().map(|text| Schema { text, file: &schema_file }),
            register: Some(register),
        };
        let call = invocation.call(manifest).or_else(|problems| {
            // An agent's name for its conversation may be nothing that can be said back to it.
            let is_named = problems.iter().all(|problem| problem.place == "session");
            let anew = Invocation { session: Session::Fresh, ..invocation };
            if is_named { anew.call(manifest) } else { Err(problems) }
        })?;
        let feedback = environment::feedback(&stored.job);
        let prompt = Prompt {
            source: assignment.prompt.clone(),
            values: environment::prompt_values(task, &stored.job, contract),
            result_of: stored.job.last.as_ref().map(environment::attempt_of),
            feedback,
        };
        let output = &manifest.output;
        let is_told = !output.progress.is_empty();
        let progress = Progress {
            lines: output.progress.clone(),
            tool_starts: output.tool_starts.clone(),
            tool_ends: output.tool_ends.clone(),
            tool_idle: Some(TOOL_IDLE),
        };
        let login_check = login_check(manifest, choice.as_ref(), &known.settings.logins_dir);
        let set: BTreeMap<String, String> = call.set.into_iter().collect();
        let mut env = plain.env;
        env.extend(set);
        Ok(Launch {
            execute: Execute::Program { names: call.programs, arguments: call.arguments },
            env,
            pass: [plain.pass, call.pass].concat(),
            strip: call.strip,
            login: choice.map(|choice| choice.login),
            prompt: Some(prompt),
            files: call.files,
            login_check,
            overlay: call.overlay,
            stdin: match call.input {
                Input::Stdin => Stdin::Prompt,
                Input::File => Stdin::Nothing,
            },
            progress: is_told.then_some(progress),
            ..plain
        })
    }
}

/// What is asked of an agent's program before it is started.
fn login_check(manifest: &Manifest, choice: Option<&Choice>, notes: &Path) -> Option<LoginCheck> {
    let question = manifest.login.clone()?;
    let program = || manifest.programs.first().cloned().unwrap_or_default();
    let (who, begins) = match choice {
        None => (manifest.title.clone(), Some(program())),
        // It is not told whom it is asked about.
        Some(Choice { profile: Some(_), .. }) => return None,
        Some(Choice { login, .. }) => {
            let who = format!("{} with the account `{}`", manifest.title, login.account);
            // Where variables say who that is, to log in is no matter of the program.
            let is_home = login.env_file.is_none() && login.command.is_none();
            (who, login.home.as_ref().filter(|_| is_home).map(|home| home.log_in.clone()))
        }
    };
    let log_in = begins.map(|begins| question.line(begins));
    let named_by = ["HOME".to_owned()].into_iter().chain(manifest.environment.account.clone()).collect();
    let notes = notes.to_owned();
    Some(LoginCheck { question, who, log_in, named_by, notes, patience: login::PATIENCE })
}
