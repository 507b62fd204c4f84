//! Reading back: a definition as the arguments that make it.

use jiff::Timestamp;

use crate::command::agent_terms::AgentTerms;
use crate::command::terms::Terms;
use crate::core::condition::Condition;
use crate::core::definition::{Definition, RunsMay, Target};
use crate::core::goal::UNTIL;
use crate::core::process::Command;
use crate::core::reading::Dollars;
use crate::core::schedule::{Schedule, Start};
use crate::core::span::Span;

impl Terms {
    /// The arguments that make `definition`, with nothing left to be chosen.
    pub fn of(definition: &Definition) -> Self {
        let Definition { schedule, limits, bounds, retry, environment, .. } = definition;
        let text = |at: &Timestamp| at.to_string();
        let span = |span: &Span| span.to_string();
        let limit =
            |limit: Option<Span>| Some(limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()));
        let (cmd, argv) = match &definition.target {
            Target::Command(Command::Shell(line)) => (Some(line.clone()), Vec::new()),
            Target::Command(Command::Argv(argv)) => (None, argv.clone()),
            Target::Agent(_) => (None, Vec::new()),
        };
        let agents = definition.target.assignment().map(AgentTerms::of).unwrap_or_default();
        let criteria = definition.goal.iter().flat_map(|goal| &goal.criteria);
        let (until, checks): (Vec<_>, Vec<_>) = criteria.partition(|criterion| criterion.name == UNTIL);
        Self {
            cmd,
            argv,
            agents,
            cwd: Some(definition.cwd.clone()),
            env: environment.pass.clone(),
            env_file: environment.env_file.clone(),
            every: if let Schedule::Every { span, .. } = schedule { Some(span.to_string()) } else { None },
            at: if let Schedule::At(at) = schedule { Some(at.to_string()) } else { None },
            wait: if let Schedule::Loop { wait } = schedule { Some(wait.to_string()) } else { None },
            manual: *schedule == Schedule::Manual,
            start: Some(if definition.start == Start::Now { "now" } else { "next" }.to_owned()),
            starts_at: definition.starts_at.as_ref().map(text),
            ends_at: definition.ends_at.as_ref().map(text),
            tz: Some(definition.zone.clone()),
            until: until.iter().map(|criterion| criterion.condition.to_string()).collect(),
            checks: checks.iter().map(|criterion| check(&criterion.name, &criterion.condition)).collect(),
            max_runs: Some(limits.runs.unwrap_or(0)),
            max_hours: limit(limits.span),
            max_tokens: limits.tokens.map(|tokens| tokens.to_string()),
            max_usd: limits.dollars.map(Dollars::amount),
            deadline: limits.deadline.as_ref().map(text),
            max_failures: Some(limits.breaker),
            timeout: limit(bounds.wall),
            idle_timeout: limit(bounds.idle),
            memory: bounds.memory_bytes.map(|bytes| format!("{}M", bytes >> 20)),
            retries: Some(retry.most),
            retry_delay: Some(span(&retry.delay)),
            runs_may: Some(definition.runs_may.word().to_owned()),
        }
    }
}

impl Terms {
    /// How a run is bounded, tried again and told things, in phrases; only what is not as usual in most jobs.
    pub fn how(&self) -> Vec<String> {
        let some = |text: &Option<String>| text.clone().filter(|text| text != "none");
        let mut told = vec![match some(&self.timeout) {
            Some(timeout) => format!("at most {timeout} a run"),
            None => "no time limit for a run".to_owned(),
        }];
        let is_agent = self.agents.has_prompt();
        told.extend(some(&self.idle_timeout).map(|idle| {
            let tool = if is_agent { ", 30m while a tool works" } else { "" };
            format!("{idle} of silence end it{tool}")
        }));
        told.extend(some(&self.memory).map(|memory| format!("{memory} of memory")));
        if let (Some(retries @ 1..), Some(delay)) = (self.retries, &self.retry_delay) {
            told.push(format!("tried again {retries} times, first after {delay}"));
        }
        told.extend(some(&self.starts_at).map(|at| format!("no start before {at}")));
        if !self.env.is_empty() {
            told.push(format!("sees {}", self.env.join(", ")));
        }
        if self.runs_may.as_deref() == Some(RunsMay::Change.word()) {
            told.push("its runs may change jobs".to_owned());
        }
        told.extend(some(&self.env_file).map(|file| format!("reads {file}")));
        told.extend(self.agents.how());
        told
    }
}

/// A check as `--check` takes it.
fn check(name: &str, condition: &Condition) -> String {
    if let Condition::Check(line) = condition {
        format!("{name}: {line}")
    } else {
        format!("{name}: {condition}")
    }
}
