//! Agent terms: the arguments of a job that an agent does, and how they read back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::reader::Reader;
use crate::command::{define, lenient};
use crate::core::assignment::{Assignment, Candidate, OnQuota, Prompt};

/// What an agent is to do, which agent, and how it goes about it.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentTerms {
    /// What an agent is to do on each run
    #[arg(long, value_name = "TEXT", help_heading = "What", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// A file with the prompt, read at each start
    #[arg(long, value_name = "FILE", help_heading = "What")]
    #[schemars(extend("rare" = true))]
    pub prompt_file: Option<String>,
    /// Who does that: `codex`, or a chain `codex,claude:opus@work` [yours, else the first found]
    #[arg(long, value_name = "AGENT", help_heading = "What")]
    pub agent: Option<String>,

    /// The model, where the agent names none
    #[arg(long, value_name = "MODEL", help_heading = "Agent")]
    #[schemars(extend("rare" = true))]
    pub model: Option<String>,
    /// How hard the model thinks
    #[arg(long, value_name = "LEVEL", help_heading = "Agent")]
    #[schemars(extend("rare" = true))]
    pub effort: Option<String>,
    /// What the agent may do: `read-only`, `edit`, `full` or its own profile [edit]
    #[arg(long, value_name = "PROFILE", help_heading = "Agent")]
    pub permissions: Option<String>,
    /// Its conversation: `fresh`, `resume`, `fork`, `auto` or `mine`, which is yours [auto; in a loop fresh]
    #[arg(long, value_name = "WHICH", help_heading = "Agent")]
    pub session: Option<String>,
    /// A further directory; repeatable
    #[arg(long, value_name = "DIR", help_heading = "Agent")]
    #[serde(deserialize_with = "lenient::texts")]
    #[schemars(extend("rare" = true))]
    pub add_dir: Vec<String>,
    /// A tool it may use unasked; repeatable
    #[arg(long, value_name = "TOOL", help_heading = "Agent")]
    #[serde(deserialize_with = "lenient::texts")]
    #[schemars(extend("rare" = true))]
    pub allow_tool: Vec<String>,
    /// A JSON Schema its results fit, or a file of it
    #[arg(long, value_name = "FILE", help_heading = "Agent")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true, "document" = true))]
    pub schema: Option<String>,
    /// The account, where the agent names none
    #[arg(long, value_name = "NAME", help_heading = "Agent")]
    #[schemars(extend("rare" = true))]
    pub account: Option<String>,
    /// On a used-up quota: `wait`, `fail` or `fallback` [wait; of a chain fallback]
    #[arg(long, value_name = "WHAT", help_heading = "Agent")]
    #[schemars(extend("rare" = true))]
    pub on_quota: Option<String>,
    /// The longest such wait [8d]
    #[arg(long, value_name = "SPAN", help_heading = "Agent")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub quota_wait: Option<String>,
}

impl AgentTerms {
    /// Whether they say what an agent is to do.
    pub fn has_prompt(&self) -> bool {
        self.prompt.is_some() || self.prompt_file.is_some()
    }

    /// Whether they say anything.
    pub fn is_said(&self) -> bool {
        *self != Self::default()
    }

    /// Refuses every one of them that is given, since there is no agent in this job.
    pub fn refuse(&self, reader: &mut Reader<'_>) {
        let is_given = [
            ("agent", self.agent.is_some()),
            ("model", self.model.is_some()),
            ("effort", self.effort.is_some()),
            ("permissions", self.permissions.is_some()),
            ("session", self.session.is_some()),
            ("add_dir", !self.add_dir.is_empty()),
            ("allow_tool", !self.allow_tool.is_empty()),
            ("schema", self.schema.is_some()),
            ("account", self.account.is_some()),
            ("on_quota", self.on_quota.is_some()),
            ("quota_wait", self.quota_wait.is_some()),
        ];
        for (place, _) in is_given.iter().filter(|(_, is_given)| *is_given) {
            let fix = "leave it out, or say with `--prompt` what an agent is to do";
            reader.refuse(place, "a command has no agent", fix);
        }
    }

    /// The arguments that make `assignment`.
    pub fn of(assignment: &Assignment) -> Self {
        let (prompt, prompt_file) = match &assignment.prompt {
            Prompt::Text(text) => (Some(text.clone()), None),
            Prompt::File(path) => (None, Some(path.clone())),
        };
        Self {
            prompt,
            prompt_file,
            agent: Some(chain(&assignment.chain)),
            model: None,
            effort: assignment.effort.clone(),
            permissions: Some(assignment.permissions.clone()),
            session: Some(assignment.session.word().to_owned()),
            add_dir: assignment.directories.clone(),
            allow_tool: assignment.tools.clone(),
            schema: assignment.schema.as_ref().map(ToString::to_string),
            account: None,
            on_quota: Some(assignment.on_quota.word().to_owned()),
            quota_wait: Some(assignment.quota_wait.to_string()),
        }
    }

    /// These terms, with those of `old` where they say nothing.
    #[must_use]
    pub fn over(&self, old: &Assignment) -> Self {
        let told = Self::of(old);
        let named =
            |new: &Option<String>, old: Option<String>| new.clone().or(old).filter(|text| text != NONE);
        let (prompt, prompt_file) = if self.has_prompt() {
            (self.prompt.clone(), self.prompt_file.clone())
        } else {
            (told.prompt, told.prompt_file)
        };
        let several = |new: &[String], old: Vec<String>| match new {
            [] => old,
            [none] if none == NONE => Vec::new(),
            several => several.to_vec(),
        };
        // What becomes of a quota goes with the chain, unless somebody chose it.
        let on_quota = told.on_quota.filter(|_| self.agent.is_none() || old.on_quota == OnQuota::Fail);
        Self {
            prompt,
            prompt_file,
            agent: Some(self.agent.clone().unwrap_or_else(|| chain(&self.chain_of(old)))),
            model: named(&self.model, None),
            effort: named(&self.effort, told.effort),
            permissions: named(&self.permissions, told.permissions),
            session: named(&self.session, told.session),
            add_dir: several(&self.add_dir, told.add_dir),
            allow_tool: several(&self.allow_tool, told.allow_tool),
            schema: named(&self.schema, told.schema),
            account: named(&self.account, None),
            on_quota: named(&self.on_quota, on_quota),
            quota_wait: named(&self.quota_wait, told.quota_wait),
        }
    }

    /// The agents of `old`, without what these terms say for all of them.
    fn chain_of(&self, old: &Assignment) -> Vec<Candidate> {
        let candidate = |old: &Candidate| Candidate {
            agent: old.agent.clone(),
            model: old.model.clone().filter(|_| self.model.is_none()),
            account: old.account.clone().filter(|_| self.account.is_none()),
        };
        old.chain.iter().map(candidate).collect()
    }

    /// What was left to choose, and what was chosen.
    pub fn defaults(&self, assignment: &Assignment) -> Vec<String> {
        let chosen = Self::of(assignment);
        let flags = [
            ("--agent", &self.agent, chosen.agent),
            ("--permissions", &self.permissions, chosen.permissions),
            ("--session", &self.session, chosen.session),
            ("--on-quota", &self.on_quota, chosen.on_quota),
            ("--quota-wait", &self.quota_wait, chosen.quota_wait),
        ];
        let left = flags.into_iter().filter(|(_, said, _)| said.is_none());
        left.filter_map(|(flag, _, chosen)| Some(format!("{flag} {}", chosen?))).collect()
    }

    /// How the agent goes about it, in phrases.
    pub fn how(&self) -> Vec<String> {
        let mut told = Vec::new();
        told.extend(self.permissions.as_ref().map(|profile| format!("with {profile} permissions")));
        told.extend(self.session.as_deref().map(|session| conversation(session).to_owned()));
        told.extend(self.effort.as_ref().map(|effort| format!("{effort} effort")));
        if !self.add_dir.is_empty() {
            told.push(format!("uses {} too", self.add_dir.join(", ")));
        }
        if !self.allow_tool.is_empty() {
            told.push(format!("may use {} without asking", self.allow_tool.join(", ")));
        }
        told.extend(
            self.schema.as_ref().map(|schema| format!("each result fits {}", define::shorten(schema))),
        );
        let wait = self.quota_wait.as_deref().unwrap_or_default();
        told.extend(self.on_quota.as_deref().map(|on_quota| match on_quota {
            "fail" => "a used-up quota fails the run".to_owned(),
            "fallback" => {
                format!("a used-up quota is for the next agent, and waited for at last, {wait} at most")
            }
            _ => format!("a used-up quota is waited for, {wait} at most"),
        }));
        told
    }
}

/// What takes an argument away in an update.
const NONE: &str = "none";

/// Agents as one text.
pub fn chain(chain: &[Candidate]) -> String {
    chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// In which conversation each run is, as a phrase.
fn conversation(session: &str) -> &'static str {
    match session {
        "fresh" => "each run in a new conversation",
        "resume" => "all runs in one conversation",
        "fork" => "each run in a copy of the conversation before",
        "mine" => "in a copy of the conversation it was made in",
        _ => "in one conversation until that is nearly full",
    }
}
