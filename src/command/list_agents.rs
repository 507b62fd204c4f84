//! `list_agents`: which agent CLIs are known, and which of them are here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::catalogue::{Known, Origin, Refused};
use crate::command::logins::{self, At};
use crate::command::page::{Page, Tone};
use crate::command::programs;
use crate::command::schema::Object;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, agent_files};
use crate::core::refusal::Refusal;
use crate::programs::Program;

/// Lists agents.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ListAgents {}

/// Agents, and the files that were to add some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agents {
    /// Each agent.
    pub agents: Vec<AgentRow>,
    /// Files that were refused.
    pub refused: Vec<RefusedFile>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Whether it is here.
    pub state: Presence,
    /// Its program.
    pub program: Option<String>,
    /// The program's version, where that can be seen.
    pub version: Option<String>,
    /// The version that its manifest was seen to be right for.
    pub seen: Option<String>,
    /// How a person logs in, where its program says that nobody is; null otherwise.
    pub log_in: Option<String>,
    /// The user's file that it is from.
    pub file: Option<String>,
}

/// Whether an agent is here, as far as its manifest is known to be right for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Its program is.
    Found,
    /// Its program is, in another version than the one the manifest was seen to be right for.
    OtherVersion,
    /// Its program is, and nobody has seen the manifest to be right.
    Unverified,
    /// Its program is not.
    Missing,
}

/// A file that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFile {
    /// Which.
    pub file: String,
    /// Each mistake, with its line and what to write instead.
    pub mistakes: Vec<String>,
}

impl Presence {
    fn of(known: &Known, program: Option<&Program>) -> Self {
        let Some(program) = program else { return Self::Missing };
        let manifest = &known.manifest;
        let is_other = |version: &String| manifest.seen_with_other_than(version).is_some();
        match manifest.seen {
            None => Self::Unverified,
            Some(_) if program.version.as_ref().is_some_and(is_other) => Self::OtherVersion,
            Some(_) => Self::Found,
        }
    }

    /// How it reads, and in which tone.
    pub fn words(self) -> (&'static str, Tone) {
        match self {
            Self::Found => ("found", Tone::Good),
            Self::OtherVersion => ("other version", Tone::Busy),
            Self::Unverified => ("unverified", Tone::Busy),
            Self::Missing => ("missing", Tone::Faint),
        }
    }
}

impl AgentRow {
    /// How an agent is here.
    pub fn of(known: &Known, cx: &Context<'_>) -> Self {
        let names = &known.manifest.programs;
        // A shell that takes its time is asked for nothing that is found without it.
        let program = programs::find(names, cx.caller).or_else(|| programs::of_service(names, cx));
        let file = match &known.origin {
            Origin::BuiltIn => None,
            Origin::Added(file) | Origin::Replaced(file) => Some(file.clone()),
        };
        Self {
            name: known.manifest.name.clone(),
            title: known.manifest.title.clone(),
            state: Presence::of(known, program.as_ref()),
            seen: known.manifest.seen.clone(),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path.display().to_string()),
            log_in: None,
            file,
        }
    }

    /// With what its program says of logins.
    #[must_use]
    pub fn asked(self, known: &Known, cx: &Context<'_>) -> Self {
        Self { log_in: logins::missing(known, At::Usual, None, cx), ..self }
    }
}

impl RefusedFile {
    /// What is told of a file that was refused.
    pub fn of(refused: &Refused) -> Self {
        let mistakes = refused.mistakes.iter().map(ToString::to_string).collect();
        Self { file: refused.path.clone(), mistakes }
    }
}

impl Command for ListAgents {
    const NAME: &'static str = "list_agents";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("agents")];
    type Reply = Agents;

    fn run(self, cx: &Context<'_>) -> Result<Agents, Refusal> {
        let catalogue = agent_files::catalogue(&cx.house.places.home);
        Ok(Agents {
            agents: catalogue.agents.iter().map(|known| AgentRow::of(known, cx).asked(known, cx)).collect(),
            refused: catalogue.refused.iter().map(RefusedFile::of).collect(),
        })
    }
}

impl Tell for Agents {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for Agents {
    fn render(&self, page: &mut Page) {
        let row = |agent: &AgentRow| {
            let (word, tone) = agent.state.words();
            let state = word.split(' ').map(|word| page.tone(word, tone)).collect::<Vec<_>>().join(" ");
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let from = agent.file.clone().unwrap_or_else(|| "built in".to_owned());
            vec![agent.name.clone(), state, or_nothing(&agent.version), or_nothing(&agent.program), from]
        };
        let rows: Vec<Vec<String>> = self.agents.iter().map(row).collect();
        page.table(&["NAME", "STATE", "VERSION", "PROGRAM", "FROM"], &rows);
        for refused in &self.refused {
            page.gap();
            page.line(format!("{} {}", page.tone("Refused:", Tone::Bad), refused.file));
            for mistake in &refused.mistakes {
                page.wrapped(mistake, "  ");
            }
        }
        page.gap();
        for agent in &self.agents {
            if let Some(log_in) = &agent.log_in {
                let told = format!("Nobody is logged in at {}, as it says: `{log_in}`", agent.name);
                page.wrapped(&told, "  ");
            }
        }
        page.line("`converge agents show NAME` shows how one is driven.");
    }
}
