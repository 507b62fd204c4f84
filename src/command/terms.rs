//! Terms: the arguments that `add_job` and `update_job` share, and what they come to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::agent_terms::AgentTerms;
use crate::command::assign::Place;
use crate::command::defaults::{self, Kind};
use crate::command::define::{self, When};
use crate::command::lenient;
use crate::command::reader::Reader;
use crate::command::target::What;
use crate::core::definition::{Definition, Limits, RunsMay};
use crate::core::process::Bounds;
use crate::core::schedule::{Anchor, Schedule, Start};

/// What a job does, when, until when and how.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// What an agent is to do
    #[command(flatten)]
    #[serde(flatten)]
    pub agents: AgentTerms,
    /// A shell line to run
    #[arg(long, value_name = "LINE", help_heading = "What")]
    pub cmd: Option<String>,
    /// A program and its arguments, without a shell
    #[arg(last = true, value_name = "ARGV")]
    #[schemars(extend("rare" = true))]
    pub argv: Vec<String>,
    /// Where it runs [your directory]
    #[arg(long, value_name = "DIR", help_heading = "What")]
    pub cwd: Option<String>,
    /// A variable read at each start; repeatable
    #[arg(long, value_name = "NAME", help_heading = "What")]
    #[serde(deserialize_with = "lenient::texts")]
    #[schemars(extend("rare" = true))]
    pub env: Vec<String>,
    /// A file of NAME=value lines, read at each start
    #[arg(long, value_name = "FILE", help_heading = "What")]
    #[schemars(extend("rare" = true))]
    pub env_file: Option<String>,

    /// Every `5m` or so; with a condition, counted from each end
    #[arg(long, value_name = "SPAN", help_heading = "When")]
    #[serde(deserialize_with = "lenient::text")]
    pub every: Option<String>,
    /// Once: `08:00`, `2026-11-20 08:00` or `in 10m`
    #[arg(long, value_name = "TIME", help_heading = "When")]
    pub at: Option<String>,
    /// In a loop, with this pause after each end [5m]
    #[arg(long, value_name = "SPAN", help_heading = "When")]
    #[serde(deserialize_with = "lenient::text")]
    pub wait: Option<String>,
    /// Only when somebody starts it by hand
    #[arg(long, help_heading = "When")]
    pub manual: bool,
    /// The first start: `now` or `next` [now for loops and conditions]
    #[arg(long, value_name = "WHEN", help_heading = "When")]
    #[schemars(extend("rare" = true))]
    pub start: Option<String>,
    /// No start before this
    #[arg(long, value_name = "TIME", help_heading = "When")]
    #[schemars(extend("rare" = true))]
    pub starts_at: Option<String>,
    /// No start from this on
    #[arg(long, value_name = "TIME", help_heading = "When")]
    #[schemars(extend("rare" = true))]
    pub ends_at: Option<String>,
    /// The zone of times, such as `Europe/Berlin` [yours]
    #[arg(long, value_name = "ZONE", help_heading = "When")]
    #[schemars(extend("rare" = true))]
    pub tz: Option<String>,

    /// Done when this holds after a run: `exit 0`, `output /all passed/`; of several, any
    #[arg(long, value_name = "CONDITION", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::texts")]
    pub until: Vec<String>,
    /// Done when this line exits 0 after a run: `tests: cargo test`; of several, all
    #[arg(long = "check", value_name = "NAME: LINE", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::named_texts")]
    pub checks: Vec<String>,
    /// At most so many runs; 0 is no limit [10 for a loop]
    #[arg(long, value_name = "COUNT", help_heading = "Until")]
    pub max_runs: Option<u32>,
    /// At most so many hours, or a span, from the first run on; 0 is no limit [3 for a loop]
    #[arg(long, value_name = "HOURS", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::text")]
    pub max_hours: Option<String>,
    /// At most so many tokens of all runs, such as `2M`
    #[arg(long, value_name = "COUNT", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub max_tokens: Option<String>,
    /// At most so many dollars for all runs
    #[arg(long, value_name = "DOLLARS", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub max_usd: Option<String>,
    /// Given up at this time; a run under way is cut
    #[arg(long, value_name = "TIME", help_heading = "Until")]
    #[schemars(extend("rare" = true))]
    pub deadline: Option<String>,
    /// Pauses after so many runs in a row that could not work; 0 is never [5]
    #[arg(long, value_name = "COUNT", help_heading = "Until")]
    #[schemars(extend("rare" = true))]
    pub max_failures: Option<u32>,

    /// Ends a run after this long, or `none` [10m; an agent 60m]
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    pub timeout: Option<String>,
    /// Ends a run without progress for this long [an agent 15m]
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub idle_timeout: Option<String>,
    /// Ends a run that holds more memory, such as `2G`
    #[arg(long, value_name = "SIZE", help_heading = "How")]
    #[schemars(extend("rare" = true))]
    pub memory: Option<String>,
    /// So many more tries of a failed run [0]
    #[arg(long, value_name = "COUNT", help_heading = "How")]
    #[schemars(extend("rare" = true))]
    pub retries: Option<u32>,
    /// Its runs may `look`, or `change` jobs as you may [look]
    #[arg(long, value_name = "WHAT", help_heading = "How", help = RUNS_MAY)]
    #[schemars(extend("rare" = true))]
    pub runs_may: Option<String>,
    /// The pause before the first retry, then doubled [60s]
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub retry_delay: Option<String>,
}

/// What a person is told of `--runs-may`: a run that may change jobs may do anything.
const RUNS_MAY: &str = "What its runs may do about jobs: `look`, or `change`, with which they may do whatever you may: \
                        add jobs, too, that run any command or an agent with full permissions [look]";

/// More retries than anybody means.
const RETRIES_MOST: u32 = 100;

impl Terms {
    /// The definition that these terms make, as far as they are free of problems.
    pub fn define(&self, reader: &mut Reader<'_>) -> Option<Definition> {
        let what = self.what(reader);
        let kind = what.as_ref().map_or(Kind::Command, What::kind);
        let cwd = reader.cwd(self.cwd.as_deref());
        let environment = reader.environment(&self.env, self.env_file.as_deref());
        let goal = reader.goal(&self.until, &self.checks);
        let failed = !self.until.is_empty() || !self.checks.is_empty();
        let schedule = if goal.is_none() && failed && self.when() == When::default() {
            None
        } else {
            reader.schedule(self.when(), goal.as_ref())
        };
        let place = Place { cwd: cwd.as_deref(), schedule: schedule.as_ref() };
        let target = what.and_then(|what| self.target(what, reader, place));
        let start = self.start(reader);
        let bounds = self.bounds(reader, kind);
        let retry = self.retry(reader);
        let runs_may = self.runs_may(reader);
        let starts_at = reader.instant("starts_at", self.starts_at.as_deref());
        let ends_at = reader.instant("ends_at", self.ends_at.as_deref());
        reader.in_order(starts_at, ends_at);
        self.refuse_idle_words(reader, schedule.as_ref());
        reader.in_time(schedule.as_ref(), ends_at);
        let defaults =
            schedule.as_ref().map(|schedule| defaults::default_limits(schedule, goal.as_ref(), kind));
        let mut limits = self.limits(reader, defaults)?;
        self.spending(&mut limits, target.as_ref(), reader);
        let schedule = schedule?;
        let start = start.unwrap_or_else(|| defaults::default_start(&schedule, goal.as_ref()));
        Some(Definition {
            target: target?,
            cwd: cwd?,
            environment,
            schedule,
            start,
            starts_at,
            ends_at,
            zone: reader.zone_name(),
            goal,
            limits,
            retry,
            bounds,
            runs_may: runs_may.unwrap_or_default(),
        })
    }

    /// The definition that `old` becomes by these terms; what they do not name stays.
    pub fn amend(&self, old: &Definition, reader: &mut Reader<'_>) -> Option<Definition> {
        let mut new = old.clone();
        if let Some(named) = self.cwd.as_deref() {
            new.cwd = reader.cwd(Some(named))?;
        }
        if !self.env.is_empty() || self.env_file.is_some() {
            let named = if self.env == ["none"] { &[] } else { self.env.as_slice() };
            let file = self.env_file.as_deref().filter(|file| *file != "none");
            let fresh = reader.environment(named, file);
            new.environment.pass = if self.env.is_empty() { new.environment.pass } else { fresh.pass };
            if self.env_file.is_some() {
                new.environment.env_file = fresh.env_file;
            }
        }
        if self.tz.is_some() {
            new.zone = reader.zone_name();
        }
        new.goal = reader.amended_goal(new.goal, &self.until, &self.checks);
        if self.when() != When::default() {
            new.schedule = reader.schedule(self.when(), new.goal.as_ref())?;
            new.start = Start::Next;
        } else if let Schedule::Every { span, .. } = new.schedule {
            let anchor = if new.goal.is_some() { Anchor::Delay } else { Anchor::Rate };
            let schedule = Schedule::Every { span, anchor };
            if schedule != new.schedule {
                // It counts otherwise from now on, which is no reason to start at once.
                new.start = Start::Next;
            }
            new.schedule = schedule;
        }
        let place = Place { cwd: Some(&new.cwd), schedule: Some(&new.schedule) };
        let target = self.amended_target(&old.target, reader, place);
        let (before, kind) = (Kind::of(&old.target), Kind::of(target.as_ref().unwrap_or(&old.target)));
        if let Some(start) = self.start(reader) {
            new.start = start;
        }
        if self.starts_at.is_some() {
            new.starts_at = reader.instant("starts_at", self.starts_at.as_deref());
        }
        if self.ends_at.is_some() {
            new.ends_at = reader.instant("ends_at", self.ends_at.as_deref());
        }
        if self.starts_at.is_some() || self.ends_at.is_some() {
            reader.in_order(new.starts_at, new.ends_at);
        }
        self.refuse_idle_words(reader, Some(&new.schedule));
        if self.at.is_some() || self.ends_at.is_some() {
            reader.in_time(Some(&new.schedule), new.ends_at);
        }
        new.limits = self.limits(reader, Some(old.limits.clone()))?;
        self.spending(&mut new.limits, target.as_ref(), reader);
        let fresh = self.bounds(reader, kind);
        // What nobody chose goes with who does the work.
        let is_usual = old.bounds.wall == before.timeout() || old.bounds.wall.is_none();
        if self.timeout.is_some() || (before != kind && is_usual) {
            new.bounds.wall = fresh.wall;
        }
        if self.idle_timeout.is_some() || (before != kind && old.bounds.idle == before.idle()) {
            new.bounds.idle = fresh.idle;
        }
        if self.memory.is_some() {
            new.bounds.memory_bytes = fresh.memory_bytes;
        }
        if let Some(runs_may) = self.runs_may(reader) {
            new.runs_may = runs_may;
        }
        let fresh = self.retry(reader);
        if self.retries.is_some() {
            new.retry.most = fresh.most;
        }
        if self.retry_delay.is_some() {
            new.retry.delay = fresh.delay;
        }
        new.target = target?;
        Some(new)
    }

    /// What was left to choose, and what was chosen; said back, so that nothing is a surprise.
    pub fn defaults(&self, definition: &Definition) -> Vec<String> {
        let assignment = definition.target.assignment();
        let mut told = assignment.map(|assignment| self.agents.defaults(assignment)).unwrap_or_default();
        let mut tell = |silent: bool, text: String| {
            if silent {
                told.push(text);
            }
        };
        let Definition { schedule, limits, bounds, retry, .. } = definition;
        if let Schedule::Loop { wait } = schedule {
            tell(self.wait.is_none(), format!("--wait {wait}"));
            tell(
                self.max_hours.is_none(),
                limits.span.map_or_else(String::new, |span| format!("--max-hours {span}")),
            );
        }
        if schedule.repeats() {
            tell(
                self.max_runs.is_none(),
                limits.runs.map_or_else(String::new, |runs| format!("--max-runs {runs}")),
            );
            let start = if definition.start == Start::Now { "now" } else { "next" };
            tell(self.start.is_none(), format!("--start {start}"));
            tell(self.max_failures.is_none(), format!("--max-failures {}", limits.breaker));
        }
        tell(
            self.timeout.is_none(),
            bounds.wall.map_or_else(String::new, |wall| format!("--timeout {wall}")),
        );
        tell(
            self.idle_timeout.is_none(),
            bounds.idle.map_or_else(String::new, |idle| format!("--idle-timeout {idle}")),
        );
        tell(self.retries.is_none(), format!("--retries {}", retry.most));
        told.retain(|text| !text.is_empty());
        told
    }

    fn when(&self) -> When<'_> {
        When {
            every: self.every.as_deref(),
            at: self.at.as_deref(),
            wait: self.wait.as_deref(),
            manual: self.manual,
        }
    }

    /// Refuses words about starts on a job that starts nothing by itself.
    fn refuse_idle_words(&self, reader: &mut Reader<'_>, schedule: Option<&Schedule>) {
        if schedule != Some(&Schedule::Manual) {
            return;
        }
        let words = [("start", &self.start), ("starts_at", &self.starts_at), ("ends_at", &self.ends_at)];
        for (place, word) in words {
            if word.as_ref().is_some_and(|word| word != "none") {
                let fix = "leave it out, or say when it starts with `--every`, `--at` or `--wait`";
                reader.refuse(place, "a manual job starts nothing by itself", fix);
            }
        }
    }

    fn start(&self, reader: &mut Reader<'_>) -> Option<Start> {
        match self.start.as_deref()? {
            "now" => Some(Start::Now),
            "next" => Some(Start::Next),
            other => {
                reader.refuse(
                    "start",
                    format!("`{}` is no start", define::shorten(other)),
                    "write `now` or `next`",
                );
                None
            }
        }
    }

    fn limits(&self, reader: &mut Reader<'_>, defaults: Option<Limits>) -> Option<Limits> {
        let span = reader.hours(self.max_hours.as_deref(), defaults.as_ref().and_then(|limits| limits.span));
        let deadline = reader.instant("deadline", self.deadline.as_deref());
        let defaults = defaults?;
        // What agents spend is for `spending`, which knows whether there are any.
        Some(Limits {
            runs: self.max_runs.map_or(defaults.runs, |runs| (runs > 0).then_some(runs)),
            span,
            deadline: if self.deadline.is_some() { deadline } else { defaults.deadline },
            breaker: self.max_failures.unwrap_or(defaults.breaker),
            tokens: defaults.tokens,
            dollars: defaults.dollars,
        })
    }

    fn bounds(&self, reader: &mut Reader<'_>, kind: Kind) -> Bounds {
        let wall = reader.limit("timeout", self.timeout.as_deref(), kind.timeout());
        if kind == Kind::Agent && wall.is_none() && reader.problems.iter().all(|told| told.place != "timeout")
        {
            let fix = "write the longest that one may take, such as `8h`";
            reader.refuse("timeout", "a run of an agent always has one", fix);
        }
        let idle = reader.limit("idle_timeout", self.idle_timeout.as_deref(), kind.idle());
        let memory = reader.size("memory", self.memory.as_deref());
        defaults::bounds(wall, idle, memory)
    }

    fn runs_may(&self, reader: &mut Reader<'_>) -> Option<RunsMay> {
        let word = self.runs_may.as_deref()?;
        let found = RunsMay::ALL.into_iter().find(|known| known.word() == word);
        if found.is_none() {
            let message = format!("`{}` is nothing that runs may", define::shorten(word));
            reader.refuse("runs_may", message, "write `look` or `change`");
        }
        found
    }

    fn retry(&self, reader: &mut Reader<'_>) -> crate::core::retry::Retry {
        let delay = reader.interval("retry_delay", self.retry_delay.as_deref());
        let most = self.retries.unwrap_or(0);
        if most > RETRIES_MOST {
            let fix = "`--max-runs` bounds a loop; retries repeat one slot";
            reader.refuse("retries", format!("{most} is more than {RETRIES_MOST}"), fix);
        }
        defaults::retry(most, delay)
    }
}
