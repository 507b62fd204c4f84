//! `open_run`: how a person goes on by hand with the conversation that an agent had in a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::account;
use crate::agent::manifest::Manifest;
use crate::command::page::Page;
use crate::command::schema::Object;
use crate::command::select::Selected;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, agent_files, programs, select};
use crate::core::id::TaskId;
use crate::core::reading::Conversation;
use crate::core::refusal::{Code, Refusal};
use crate::store::{jobs, tasks};

/// Opens a conversation.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenRun {
    /// A run's id, or a job's id, unique prefix or name for its newest conversation
    pub run: String,
}

/// How a conversation is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// With which agent it is.
    pub agent: String,
    /// The agent's name for it.
    pub conversation: String,
    /// The agent's program.
    pub program: String,
    /// What it is started with.
    pub arguments: Vec<String>,
    /// The variable that names the private home of its account, where it is in one.
    pub home: Option<(String, String)>,
    /// Where.
    pub cwd: String,
}

impl Command for OpenRun {
    const NAME: &'static str = "open_run";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("open")];
    type Reply = Opened;

    fn run(self, cx: &Context<'_>) -> Result<Opened, Refusal> {
        let found = match select::either(cx, &self.run)? {
            Selected::Run(run) => of_run(cx, run)?,
            Selected::Job(job) => {
                let stored = cx.read(|tx| jobs::get(tx, job))?.ok_or_else(|| gone(&job.to_string()))?;
                if let Some(active) = stored.job.active {
                    return Err(under_way(active));
                }
                let what = format!("`{}`", stored.job.name);
                Found { what, conversation: stored.job.conversation, cwd: stored.definition.cwd }
            }
        };
        opened(cx, found)
    }
}

/// A conversation, as far as there is one.
struct Found {
    /// Whose, in words.
    what: String,
    conversation: Option<Conversation>,
    cwd: String,
}

fn of_run(cx: &Context<'_>, run: TaskId) -> Result<Found, Refusal> {
    let (task, job) = cx.read(|tx| {
        let task = tasks::get(tx, run)?;
        let began = task.as_ref().map(|stored| jobs::definition(tx, stored.task.job, stored.task.revision));
        Ok((task, began.transpose()?.flatten()))
    })?;
    let (Some(stored), Some(began)) = (task, job) else { return Err(gone(&run.to_string())) };
    if stored.task.is_open() {
        return Err(under_way(run));
    }
    let what = format!("run {run}");
    Ok(Found { what, conversation: stored.task.course.latest, cwd: began.cwd })
}

fn opened(cx: &Context<'_>, found: Found) -> Result<Opened, Refusal> {
    let Found { what, conversation, cwd } = found;
    let refusal = |message: String| Refusal::new(Code::Conflict, message);
    let Some(conversation) = conversation else {
        return Err(refusal(format!("{what} has no conversation: no agent told of one"))
            .hint("only agents have conversations; `converge logs` shows what was written"));
    };
    let agents = agent_files::catalogue(&cx.house.places.home);
    let Some(known) = agents.find(&conversation.agent) else {
        return Err(refusal(format!("there is no agent `{}` any more", conversation.agent))
            .hint("`converge agents` lists those that are known"));
    };
    let manifest = &known.manifest;
    let home = match &conversation.account {
        Some(account) => Some(home(cx, account, manifest).ok_or_else(|| {
            let message =
                format!("the conversation of {what} is in the account `{account}` of {}", manifest.title);
            refusal(message).hint(format!("open {} there with {}", conversation.id, manifest.title))
        })?),
        None => None,
    };
    let Some(phrase) = &manifest.options.open else {
        let message = format!("{} cannot open a conversation by its name", manifest.title);
        return Err(refusal(message).hint(format!("its name is {}", conversation.id)));
    };
    // What an agent wrote becomes an argument.
    if conversation.id.starts_with('-') || conversation.id.contains(char::is_control) {
        return Err(refusal(format!("`{}` is no name of a conversation", conversation.id.escape_debug())));
    }
    let Some(program) = programs::find(&manifest.programs, cx.caller) else {
        let hint = format!("install it; its conversation is {}", conversation.id);
        return Err(refusal(format!("{} is not on your PATH", manifest.title)).hint(hint));
    };
    Ok(Opened {
        agent: conversation.agent,
        arguments: phrase.say(&conversation.id).collect(),
        conversation: conversation.id,
        program: program.path.display().to_string(),
        home,
        cwd,
    })
}

/// The private home of an account, with its variable; none when it is a login of another kind.
fn home(cx: &Context<'_>, account: &str, manifest: &Manifest) -> Option<(String, String)> {
    let own = cx.house.places.home.display().to_string();
    let home = account::choose(account, manifest, &cx.house.accounts, &own).ok()?.login.home?;
    Some((home.variable, home.path))
}

fn gone(what: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("{what} was removed meanwhile"))
}

fn under_way(run: TaskId) -> Refusal {
    let refusal =
        Refusal::new(Code::Conflict, format!("run {run} is under way, and two cannot speak at once"));
    refusal.hint(format!("`converge wait {run}` tells when it is over, `converge cancel {run}` ends it"))
}

impl Tell for Opened {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for Opened {
    fn render(&self, page: &mut Page) {
        page.line(format!("In {}:", self.cwd));
        let home = self.home.as_ref().map_or_else(String::new, |(name, path)| format!("{name}={path} "));
        page.line(format!("{home}{} {}", self.program, self.arguments.join(" ")));
    }
}
