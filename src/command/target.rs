//! Targets: what a job executes, from the arguments that say it.

use crate::agent::catalogue::Known;
use crate::agent::price::Prices;
use crate::agent::take::Take;
use crate::command::assign::{self, Place};
use crate::command::defaults::Kind;
use crate::command::reader::Reader;
use crate::command::spent;
use crate::command::terms::Terms;
use crate::core::assignment::{Assignment, Candidate};
use crate::core::definition::{Limits, Target};
use crate::core::process::Command;

/// Who is asked, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// This command.
    Command(Command),
    /// An agent, by its terms.
    Agent,
}

/// Tokens that a dollar buys of many models, when money cannot be counted.
const TOKENS_PER_CENT: u64 = 2_000;

impl Terms {
    /// What the arguments of a new job say that it executes.
    pub fn what(&self, reader: &mut Reader<'_>) -> Option<What> {
        if !self.has_command() && !self.agents.has_prompt() {
            let fix = "say what with `--cmd`, such as `cargo test`, or with `--prompt`";
            reader.refuse("cmd", "nothing to run", fix);
            return None;
        }
        self.other(reader)
    }

    /// What the arguments say that a job executes instead of what it did; none when they say nothing of that.
    fn other(&self, reader: &mut Reader<'_>) -> Option<What> {
        match (self.has_command(), self.agents.has_prompt()) {
            (true, true) => {
                let ours = if self.cmd.is_some() { "--cmd" } else { "argv" };
                let (place, theirs) = match &self.agents.prompt {
                    Some(_) => ("prompt", "--prompt"),
                    None => ("prompt_file", "--prompt-file"),
                };
                let fix = format!("give either `{theirs}` or `{ours}`");
                reader.refuse(place, "both a command and a prompt for an agent", fix);
                None
            }
            (true, false) => {
                self.agents.refuse(reader);
                reader.command(self.cmd.as_deref(), &self.argv).map(What::Command)
            }
            (false, true) => Some(What::Agent),
            (false, false) => None,
        }
    }

    /// What is executed in a new job.
    pub fn target(&self, what: What, reader: &mut Reader<'_>, place: Place<'_>) -> Option<Target> {
        match what {
            What::Command(command) => Some(Target::Command(command)),
            What::Agent => {
                self.agents.assignment(reader, place).map(|agents| Target::Agent(Box::new(agents)))
            }
        }
    }

    /// What `old` becomes by these terms; what they do not name stays.
    pub fn amended_target(&self, old: &Target, reader: &mut Reader<'_>, place: Place<'_>) -> Option<Target> {
        match (self.other(reader), old) {
            (Some(What::Command(command)), _) => Some(Target::Command(command)),
            (Some(What::Agent), Target::Command(_)) => self.target(What::Agent, reader, place),
            (Some(What::Agent) | None, Target::Agent(assignment)) => {
                if !self.agents.is_said() && self.cwd.is_none() {
                    return Some(old.clone());
                }
                self.agents.amend(assignment, reader, place).map(|agents| Target::Agent(Box::new(agents)))
            }
            (None, Target::Command(_)) => {
                if !self.has_command() {
                    self.agents.refuse(reader);
                }
                Some(old.clone())
            }
        }
    }

    fn has_command(&self) -> bool {
        self.cmd.is_some() || !self.argv.is_empty()
    }

    /// Puts the limits of what agents may spend into `limits`.
    pub fn spending(&self, limits: &mut Limits, target: Option<&Target>, reader: &mut Reader<'_>) {
        if let Some(text) = self.max_tokens.as_deref() {
            limits.tokens = reader.tokens("max_tokens", text);
        }
        if let Some(text) = self.max_usd.as_deref() {
            limits.dollars = reader.dollars("max_usd", text);
        }
        let Some(target) = target else { return };
        if let Some(assignment) = target.assignment() {
            refuse_unknown_tokens(limits, assignment, reader);
            return refuse_unknown_cost(limits, assignment, reader);
        }
        for (place, text) in [("max_tokens", &self.max_tokens), ("max_usd", &self.max_usd)] {
            if text.is_some() {
                reader.refuse(place, "a command spends none", "leave it out, or bound it with `--max-runs`");
            }
        }
        (limits.tokens, limits.dollars) = (None, None);
    }
}

/// What bounds an agent that tells nothing of what it uses.
const BY_RUNS_OR_TIME: &str = "use `--max-runs` or `--max-hours`";

/// Refuses a limit of tokens where nobody would know how many were used.
fn refuse_unknown_tokens(limits: &Limits, assignment: &Assignment, reader: &mut Reader<'_>) {
    if limits.tokens.is_none() {
        return;
    }
    let agents = reader.agents();
    let is_silent =
        |candidate: &&Candidate| agents.find(&candidate.agent).is_some_and(|known| !tells_tokens(known));
    if let Some(candidate) = assignment.chain.iter().find(is_silent) {
        let message = format!("{} does not tell how many tokens a run uses", candidate.agent);
        reader.refuse("max_tokens", message, BY_RUNS_OR_TIME);
    }
}

/// Refuses a limit of money where nobody would know what was spent.
fn refuse_unknown_cost(limits: &Limits, assignment: &Assignment, reader: &mut Reader<'_>) {
    let Some(dollars) = limits.dollars else { return };
    let (agents, prices) = (reader.agents(), reader.prices());
    for candidate in &assignment.chain {
        let known = agents.find(&candidate.agent);
        if known.is_some_and(|known| !is_cost_known(known, candidate, &prices)) {
            let tokens = spent::count((dollars.0 / 10_000).max(1).saturating_mul(TOKENS_PER_CENT));
            let message = format!("{candidate} does not tell what a run costs, and its price is not known");
            let is_counted = |other: &Candidate| agents.find(&other.agent).is_none_or(tells_tokens);
            let fix = if assignment.chain.iter().all(is_counted) {
                format!("use `--max-tokens {tokens}`")
            } else {
                BY_RUNS_OR_TIME.to_owned()
            };
            reader.refuse("max_usd", message, fix);
            return;
        }
    }
}

/// Whether an agent tells how many tokens a run used.
fn tells_tokens(known: &Known) -> bool {
    let mut taken = known.manifest.output.events.iter().flat_map(|rule| &rule.take);
    taken.any(|(take, _)| matches!(take, Take::Input | Take::Output))
}

/// Whether somebody will know what a run costs: its agent, or whoever has a price for the model that is named.
fn is_cost_known(known: &Known, candidate: &Candidate, prices: &Prices) -> bool {
    let mut taken = known.manifest.output.events.iter().flat_map(|rule| &rule.take);
    let is_told = taken.any(|(take, _)| *take == Take::Cost);
    is_told || candidate.model.as_deref().is_some_and(|model| prices.known(&candidate.agent, model))
}

/// Whether a job's runs are of an agent that may do everything.
pub fn is_full(target: &Target) -> bool {
    target.assignment().is_some_and(|assignment| assignment.permissions == assign::FULL)
}

impl What {
    /// Who does the work.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Command(_) => Kind::Command,
            Self::Agent => Kind::Agent,
        }
    }
}
