//! Assigning: from agent terms to what agents are asked, with everything that an agent cannot do refused.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::agent::catalogue::Catalogue;
use crate::agent::invocation::{self, Invocation};
use crate::agent::manifest::{Manifest, PROFILES};
use crate::command::agent_terms::{self, AgentTerms};
use crate::command::define::{plain, shorten};
use crate::command::preflight;
use crate::command::reader::Reader;
use crate::command::structured;
use crate::command::trees;
use crate::core::account;
use crate::core::assignment::{Assignment, Candidate, OnQuota, Prompt, Session, is_word};
use crate::core::nearest::nearest;
use crate::core::prompt::{self, PROMPT_MAX};
use crate::core::refusal::Problem;
use crate::core::schedule::Schedule;
use crate::core::span::Span;

/// The most agents of a chain.
const CHAIN_MOST: usize = 8;

/// The profile when none is named.
const PERMISSIONS: &str = PROFILES[0];

/// The profile that changes nothing.
const READ_ONLY: &str = PROFILES[1];

/// The profile with which nothing is asked about.
pub const FULL: &str = PROFILES[2];

/// The longest wait for a quota when nothing is said.
const QUOTA_WAIT: Span = Span::from_secs(8 * 24 * 3600);

/// What an assignment is made for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The job's directory.
    pub cwd: Option<&'a str>,
    /// When it starts.
    pub schedule: Option<&'a Schedule>,
}

/// Whether the programs of agents are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// They are: one of them must be here.
    Found,
    /// They were when the agents were named.
    Known,
}

impl AgentTerms {
    /// What agents are asked in a new job.
    pub fn assignment(&self, reader: &mut Reader<'_>, place: Place<'_>) -> Option<Assignment> {
        self.read(reader, place, Look::Found, None)
    }

    /// What `old` becomes by these terms; what they do not name stays.
    pub fn amend(&self, old: &Assignment, reader: &mut Reader<'_>, place: Place<'_>) -> Option<Assignment> {
        let look = if self.agent.is_some() { Look::Found } else { Look::Known };
        let kept = old.session.clone();
        self.over(old).read(reader, place, look, Some(kept).filter(|_| self.session.is_none()))
    }

    fn read(
        &self,
        reader: &mut Reader<'_>,
        place: Place<'_>,
        look: Look,
        kept: Option<Session>,
    ) -> Option<Assignment> {
        let agents = reader.agents();
        let prompt = self.read_prompt(reader);
        let chain = self.read_chain(reader, &agents, look);
        let session = match kept {
            Some(kept) => Some(kept),
            None => self.read_session(reader, &agents, chain.as_deref(), place.schedule),
        };
        let directories = self.read_directories(reader);
        let schema = structured::read(self.schema.as_deref(), reader);
        let count = chain.as_ref().map(Vec::len);
        let on_quota = self.read_on_quota(reader, count);
        let quota_wait = match self.quota_wait.as_deref() {
            Some(text) => reader.interval("quota_wait", Some(text)),
            None => Some(QUOTA_WAIT),
        };
        let permissions = self.permissions.clone().unwrap_or_else(|| PERMISSIONS.to_owned());
        let folders = place.cwd.into_iter().chain(directories.iter().flatten().map(String::as_str));
        let trees = if permissions == READ_ONLY { Vec::new() } else { trees::of(folders) };
        let assignment = Assignment {
            chain: chain?,
            prompt: prompt?,
            effort: self.effort.clone(),
            permissions,
            session: session?,
            directories: directories?,
            tools: self.allow_tool.clone(),
            schema: schema.ok()?,
            on_quota: on_quota?,
            quota_wait: quota_wait?,
            trees,
        };
        for candidate in &assignment.chain {
            if let Some(known) = agents.find(&candidate.agent) {
                fits(reader, &assignment, candidate, (&known.manifest, &agents));
            }
        }
        Some(assignment)
    }

    fn read_prompt(&self, reader: &mut Reader<'_>) -> Option<Prompt> {
        let (place, text, prompt) = match (&self.prompt, &self.prompt_file) {
            (Some(_), Some(_)) => {
                let fix = "give either `--prompt` or `--prompt-file`";
                reader.refuse("prompt", "both a text and a file", fix);
                return None;
            }
            (Some(text), None) => ("prompt", text.clone(), Prompt::Text(text.clone())),
            (None, Some(file)) => {
                let path = plain(&Path::new(&reader.caller.cwd).join(file));
                let text = match text_of(&path) {
                    Ok(text) => text,
                    Err(why) => {
                        let message = format!("`{}` {why}", shorten(&path.display().to_string()));
                        reader.refuse("prompt_file", message, "name a text file that you may read");
                        return None;
                    }
                };
                ("prompt_file", text, Prompt::File(path.display().to_string()))
            }
            (None, None) => return None,
        };
        let before = reader.problems.len();
        if text.trim().is_empty() {
            reader.refuse(
                place,
                "says nothing",
                "write what the agent is to do, such as `fix the failing tests`",
            );
        } else if text.contains('\0') {
            reader.refuse(place, "a NUL character", "write plain text");
        } else if u64::try_from(text.len()).is_ok_and(|length| length > PROMPT_MAX) {
            reader.refuse(place, "longer than 4 MiB", "put it in a file and ask to read that");
        }
        reader.problems.extend(prompt::problems(place, &text));
        (reader.problems.len() == before).then_some(prompt)
    }

    /// The agents that were named, or the one that is at hand.
    fn read_chain(&self, reader: &mut Reader<'_>, agents: &Catalogue, look: Look) -> Option<Vec<Candidate>> {
        if let Some(model) = self.model.as_deref().filter(|model| !is_word(model)) {
            let fix = "write it without `@`, `,` and white space, which a chain of agents is made of";
            reader.refuse("model", format!("`{}` is no model", shorten(model)), fix);
            return None;
        }
        let Some(text) = self.agent.as_deref() else {
            let Some(agent) = preflight::at_hand(agents, reader.caller) else {
                let fix = "install one (npm install -g @anthropic-ai/claude-code), or run a command with `--cmd`; \
                           `converge agents` lists those that are known";
                reader.refuse("agent", "none of the usual agents is on your PATH", fix);
                return None;
            };
            let agent = agent.manifest.name.clone();
            return Some(vec![Candidate { agent, model: self.model.clone(), account: self.account.clone() }]);
        };
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let mut chain = Vec::new();
        for word in &words {
            match word.parse::<Candidate>() {
                Ok(candidate) if agents.find(&candidate.agent).is_some() => chain.push(Candidate {
                    model: candidate.model.or_else(|| self.model.clone()),
                    account: candidate.account.or_else(|| self.account.clone()),
                    agent: candidate.agent,
                }),
                Ok(candidate) => no_agent(reader, agents, text, &candidate),
                Err(why) => {
                    let fix = "write names such as `claude`, `codex:gpt-5` or `codex,claude`";
                    reader.refuse("agent", format!("`{}` is {why}", shorten(word)), fix);
                }
            }
        }
        if chain.len() < words.len() {
            return None;
        }
        if chain.len() > CHAIN_MOST {
            reader.refuse("agent", format!("more than {CHAIN_MOST}"), "name the best few");
            return None;
        }
        if let Some(twice) =
            chain.iter().enumerate().find_map(|(at, one)| chain[..at].contains(one).then_some(one))
        {
            reader.refuse("agent", format!("`{twice}` is there twice"), "name each once");
            return None;
        }
        if look == Look::Found
            && chain.iter().all(|candidate| !preflight::is_here(agents, candidate, reader.caller))
        {
            let fix = match preflight::at_hand(agents, reader.caller) {
                Some(here) => format!("name one that is, such as `{}`, or install it", here.manifest.name),
                None => "install it; `converge agents` lists what was found where".to_owned(),
            };
            reader.refuse("agent", format!("`{}` is not on your PATH", agent_terms::chain(&chain)), fix);
            return None;
        }
        Some(chain)
    }

    fn read_session(
        &self,
        reader: &mut Reader<'_>,
        agents: &Catalogue,
        chain: Option<&[Candidate]>,
        schedule: Option<&Schedule>,
    ) -> Option<Session> {
        let can_go_on = |candidate: &Candidate| {
            agents.find(&candidate.agent).is_some_and(|known| known.manifest.options.resume.is_some())
        };
        match self.session.as_deref() {
            Some("fresh") => Some(Session::Fresh),
            Some("resume") => Some(Session::Resume),
            Some("fork") => Some(Session::Fork),
            Some("auto") => Some(Session::Auto),
            Some("mine") => mine(reader, agents, chain?),
            Some(other) => {
                let words = ["fresh", "resume", "fork", "auto", "mine"];
                let fix = match nearest(other, words) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `fresh`, `resume`, `fork`, `auto` or `mine`".to_owned(),
                };
                reader.refuse("session", format!("`{}` is no session", shorten(other)), fix);
                None
            }
            None if matches!(schedule, Some(Schedule::Loop { .. })) => Some(Session::Fresh),
            None if chain.is_some_and(|chain| chain.iter().all(can_go_on)) => Some(Session::Auto),
            None => Some(Session::Fresh),
        }
    }

    fn read_directories(&self, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        let before = reader.problems.len();
        let mut read = Vec::new();
        for directory in &self.add_dir {
            let path = plain(&Path::new(&reader.caller.cwd).join(directory));
            if path.is_absolute() && path.is_dir() {
                read.push(path.display().to_string());
            } else {
                let message = format!("no directory `{}`", shorten(&path.display().to_string()));
                reader.refuse("add_dir", message, "make it first, or name another");
            }
        }
        (reader.problems.len() == before).then_some(read)
    }

    fn read_on_quota(&self, reader: &mut Reader<'_>, chain: Option<usize>) -> Option<OnQuota> {
        let several = chain.is_none_or(|count| count > 1);
        let Some(word) = self.on_quota.as_deref() else {
            return Some(if chain.is_some() && several { OnQuota::Fallback } else { OnQuota::Wait });
        };
        let Some(read) = OnQuota::ALL.into_iter().find(|known| known.word() == word) else {
            let fix = match nearest(word, OnQuota::ALL.map(OnQuota::word)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write `wait`, `fail` or `fallback`".to_owned(),
            };
            reader.refuse("on_quota", format!("`{}` is none of the words", shorten(word)), fix);
            return None;
        };
        if read == OnQuota::Fallback && !several {
            let fix = "leave it out, or name a chain such as `codex,claude` with `--agent`";
            reader.refuse("on_quota", "there is no second agent to fall back to", fix);
            return None;
        }
        Some(read)
    }
}

/// The conversation of whoever asks; it belongs as well to a copy of its agent's manifest.
fn mine(reader: &mut Reader<'_>, agents: &Catalogue, chain: &[Candidate]) -> Option<Session> {
    let own = preflight::own(agents, reader.caller).map(|known| &known.manifest);
    let (Some(own), Some(id)) = (own, reader.caller.conversation.clone()) else {
        let fix =
            "write `fresh` or `auto`: only an agent that tells which conversation calls has one of its own";
        reader.refuse("session", "nobody told which conversation `mine` is", fix);
        return None;
    };
    let is_own = |candidate: &&Candidate| {
        candidate.agent == own.name
            || agents
                .find(&candidate.agent)
                .is_some_and(|known| known.manifest.environment.tells_as(&own.environment))
    };
    let Some(candidate) = chain.iter().find(is_own) else {
        let message = format!("your conversation is with `{}`, which is not asked here", own.name);
        reader.refuse("session", message, "write `fresh`, or name your own agent with `--agent`");
        return None;
    };
    Some(Session::Mine { agent: candidate.agent.clone(), id })
}

fn no_agent(reader: &mut Reader<'_>, agents: &Catalogue, chain: &str, candidate: &Candidate) {
    let name = candidate.agent.as_str();
    let ending = format!("/{name}.toml");
    let refused = agents.refused.iter().find(|refused| refused.path.ends_with(&ending));
    let names = agents.agents.iter().map(|known| known.manifest.name.as_str());
    let fix = match (refused, nearest(name, names.clone())) {
        (Some(refused), _) => format!("its file {} is refused; `converge agents` says why", refused.path),
        (None, Some(near)) => format!("did you mean `{}`?", chain.replacen(name, near, 1)),
        (None, None) => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.refuse("agent", format!("no agent `{}`", shorten(name)), fix);
}

/// Refuses what this agent cannot do.
fn fits(
    reader: &mut Reader<'_>,
    wanted: &Assignment,
    candidate: &Candidate,
    (manifest, agents): (&Manifest, &Catalogue),
) {
    const ANY: &str = "x";
    let tools: Vec<&str> = wanted.tools.iter().map(String::as_str).collect();
    let directories: Vec<&str> = wanted.directories.iter().map(String::as_str).collect();
    let invocation = Invocation {
        session: match &wanted.session {
            Session::Fresh => invocation::Session::Fresh,
            Session::Resume | Session::Auto => invocation::Session::Resume(ANY),
            Session::Mine { agent, .. } if *agent != candidate.agent => invocation::Session::Resume(ANY),
            Session::Fork | Session::Mine { .. } => invocation::Session::Fork(ANY),
        },
        model: candidate.model.as_deref(),
        effort: wanted.effort.as_deref(),
        permissions: &wanted.permissions,
        directories: &directories,
        tools: &tools,
        // What an account is the settings say; `preflight` looks at it.
        account: candidate.account.as_ref().map(|_| invocation::Account::Variables),
        prompt_file: ANY,
        schema: wanted.schema.as_ref().map(|_| invocation::Schema { text: ANY, file: ANY }),
        register: None,
    };
    let mut problems = invocation.call(manifest).err().unwrap_or_default();
    if let Some(name) = candidate.account.as_ref().filter(|name| !account::is_name(name)) {
        let fix = "use letters, digits, and `-_.@+` between them";
        problems
            .push(Problem::new("account", format!("`{}` is no name of an account", shorten(name))).fix(fix));
    }
    for mut problem in problems {
        match problem.place.as_str() {
            "permissions" => problem.fix = Some(profiles(&wanted.permissions, manifest)),
            "schema" => problem.fix = Some(structured::agents(agents)),
            "directories" => "add_dir".clone_into(&mut problem.place),
            "tools" => "allow_tool".clone_into(&mut problem.place),
            _ => {}
        }
        if !reader.problems.contains(&problem) {
            reader.problems.push(problem);
        }
    }
}

/// What to say instead of a profile that an agent does not know.
fn profiles(named: &str, manifest: &Manifest) -> String {
    let known: Vec<&str> = manifest.permissions.keys().map(String::as_str).collect();
    match (nearest(named, known.iter().copied()), known.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "name another agent".to_owned(),
        (None, known) => {
            format!("name another agent, or a profile that it has, such as `{}`", known.join("`, `"))
        }
    }
}

/// The text of a file, or why there is none.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    if !path.is_absolute() {
        return Err("is a relative path, and there is nothing it could start from".to_owned());
    }
    let kind = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    // A pipe would be waited for.
    if !kind.is_file() {
        return Err("is no file".to_owned());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let read = file.take(PROMPT_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    Ok(text)
}
