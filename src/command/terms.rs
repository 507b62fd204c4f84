//! Terms: the arguments that `add_job` and `update_job` share, and what they come to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::define::{self, When};
use crate::command::lenient;
use crate::command::reader::Reader;
use crate::core::definition::{Definition, Limits, Target};
use crate::core::refusal::Problem;
use crate::core::schedule::{Anchor, Schedule, Start};

/// What a job does, when, until when and how.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// A shell line to run
    #[arg(long, value_name = "LINE", help_heading = "What")]
    pub cmd: Option<String>,
    /// A program and its arguments, run without a shell
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<String>,
    /// What an agent is to do
    #[arg(long, hide = true)]
    #[schemars(skip)]
    pub prompt: Option<String>,
    /// The directory it runs in; yours, unless said
    #[arg(long, value_name = "DIR", help_heading = "What")]
    pub cwd: Option<String>,
    /// A variable whose value is read at each start; repeatable
    #[arg(long, value_name = "NAME", help_heading = "What")]
    #[serde(deserialize_with = "lenient::texts")]
    #[schemars(extend("rare" = true))]
    pub env: Vec<String>,
    /// A file of NAME=value lines that is read at each start
    #[arg(long, value_name = "FILE", help_heading = "What")]
    #[schemars(extend("rare" = true))]
    pub env_file: Option<String>,

    /// Every so often, such as `5m`; with a condition, counted from the end of each run
    #[arg(long, value_name = "SPAN", help_heading = "When")]
    #[serde(deserialize_with = "lenient::text")]
    pub every: Option<String>,
    /// Once, such as `08:00`, `2026-11-20 08:00` or `in 10m`
    #[arg(long, value_name = "TIME", help_heading = "When")]
    pub at: Option<String>,
    /// In a loop, with this pause after each end [a condition alone: 5m]
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
    /// The zone of times without one, such as `Europe/Berlin` [yours]
    #[arg(long, value_name = "ZONE", help_heading = "When")]
    pub tz: Option<String>,

    /// Done when this holds after a run, such as `exit 0` or `output /all passed/`; of several, any
    #[arg(long, value_name = "CONDITION", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::texts")]
    pub until: Vec<String>,
    /// Done when this shell line exits 0 after a run, such as `tests: cargo test`; of several, all
    #[arg(long = "check", value_name = "NAME: LINE", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::named_texts")]
    pub checks: Vec<String>,
    /// At most so many runs; 0 is no limit [10 for a loop]
    #[arg(long, value_name = "COUNT", help_heading = "Until")]
    pub max_runs: Option<u32>,
    /// At most so many hours after the first run, or a span; 0 is no limit [3 for a loop]
    #[arg(long, value_name = "HOURS", help_heading = "Until")]
    #[serde(deserialize_with = "lenient::text")]
    pub max_hours: Option<String>,
    /// Given up at this time; a run under way is cut
    #[arg(long, value_name = "TIME", help_heading = "Until")]
    #[schemars(extend("rare" = true))]
    pub deadline: Option<String>,
    /// Pauses after so many runs in a row that could not do their work; 0 is never [5]
    #[arg(long, value_name = "COUNT", help_heading = "Until")]
    #[schemars(extend("rare" = true))]
    pub max_failures: Option<u32>,

    /// Ends a run after this long, or `none` [10m]
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    pub timeout: Option<String>,
    /// Ends a run that writes nothing for this long
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub idle_timeout: Option<String>,
    /// Ends a run whose processes hold more memory, such as `2G`
    #[arg(long, value_name = "SIZE", help_heading = "How")]
    #[schemars(extend("rare" = true))]
    pub memory: Option<String>,
    /// Tries a failed run of one slot so many times more [0]
    #[arg(long, value_name = "COUNT", help_heading = "How")]
    pub retries: Option<u32>,
    /// The pause before the first retry; it doubles with each [60s]
    #[arg(long, value_name = "SPAN", help_heading = "How")]
    #[serde(deserialize_with = "lenient::text")]
    #[schemars(extend("rare" = true))]
    pub retry_delay: Option<String>,
}

/// More retries than anybody means.
const RETRIES_MOST: u32 = 100;

impl Terms {
    /// The definition that these terms make, as far as they are free of problems.
    pub fn define(&self, reader: &mut Reader<'_>) -> Option<Definition> {
        self.refuse_agents(reader);
        let command = reader.command(self.cmd.as_deref(), &self.argv);
        if command.is_none() && self.cmd.is_none() && self.argv.is_empty() && self.prompt.is_none() {
            reader.refuse("cmd", "nothing to run", "say what with `cmd`, such as `cargo test`");
        }
        let cwd = reader.cwd(self.cwd.as_deref());
        let environment = reader.environment(&self.env, self.env_file.as_deref());
        let goal = reader.goal(&self.until, &self.checks);
        let failed = !self.until.is_empty() || !self.checks.is_empty();
        let schedule = if goal.is_none() && failed && self.when() == When::default() {
            None
        } else {
            reader.schedule(self.when(), goal.as_ref())
        };
        let start = self.start(reader);
        let bounds = self.bounds(reader);
        let retry = self.retry(reader);
        let starts_at = reader.instant("starts_at", self.starts_at.as_deref());
        let ends_at = reader.instant("ends_at", self.ends_at.as_deref());
        reader.in_order(starts_at, ends_at);
        self.refuse_idle_words(reader, schedule.as_ref());
        reader.in_time(schedule.as_ref(), ends_at);
        let defaults = schedule.as_ref().map(define::default_limits);
        let limits = self.limits(reader, defaults);
        let schedule = schedule?;
        let start = start.unwrap_or_else(|| define::default_start(&schedule, goal.as_ref()));
        Some(Definition {
            target: Target::Command(command?),
            cwd: cwd?,
            environment,
            schedule,
            start,
            starts_at,
            ends_at,
            zone: reader.zone_name(),
            goal,
            limits: limits?,
            retry,
            bounds,
        })
    }

    /// The definition that `old` becomes by these terms; what they do not name stays.
    pub fn amend(&self, old: &Definition, reader: &mut Reader<'_>) -> Option<Definition> {
        self.refuse_agents(reader);
        let mut new = old.clone();
        if let Some(command) = reader.command(self.cmd.as_deref(), &self.argv) {
            new.target = Target::Command(command);
        }
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
        let fresh = self.bounds(reader);
        if self.timeout.is_some() {
            new.bounds.wall = fresh.wall;
        }
        if self.idle_timeout.is_some() {
            new.bounds.idle = fresh.idle;
        }
        if self.memory.is_some() {
            new.bounds.memory_bytes = fresh.memory_bytes;
        }
        let fresh = self.retry(reader);
        if self.retries.is_some() {
            new.retry.most = fresh.most;
        }
        if self.retry_delay.is_some() {
            new.retry.delay = fresh.delay;
        }
        Some(new)
    }

    /// What was left to choose, and what was chosen; said back, so that nothing is a surprise.
    pub fn defaults(&self, definition: &Definition) -> Vec<String> {
        let mut told = Vec::new();
        let mut tell = |silent: bool, text: String| {
            if silent {
                told.push(text);
            }
        };
        let Definition { schedule, limits, bounds, retry, .. } = definition;
        if let Schedule::Loop { wait } = schedule {
            tell(self.wait.is_none(), format!("--wait {wait}"));
            tell(
                self.max_runs.is_none(),
                limits.runs.map_or_else(String::new, |runs| format!("--max-runs {runs}")),
            );
            tell(
                self.max_hours.is_none(),
                limits.span.map_or_else(String::new, |span| format!("--max-hours {span}")),
            );
        }
        if schedule.repeats() {
            let start = if definition.start == Start::Now { "now" } else { "next" };
            tell(self.start.is_none(), format!("--start {start}"));
            tell(self.max_failures.is_none(), format!("--max-failures {}", limits.breaker));
        }
        tell(
            self.timeout.is_none(),
            bounds.wall.map_or_else(String::new, |wall| format!("--timeout {wall}")),
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

    fn refuse_agents(&self, reader: &mut Reader<'_>) {
        if self.prompt.is_some() {
            let fix = "run a command instead, such as `--cmd 'cargo test'`";
            reader.problems.push(Problem::new("prompt", "no agents yet").fix(fix));
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
                let fix = "leave it out, or say when it starts with `every`, `at` or `wait`";
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
        Some(Limits {
            runs: self.max_runs.map_or(defaults.runs, |runs| (runs > 0).then_some(runs)),
            span,
            deadline: if self.deadline.is_some() { deadline } else { defaults.deadline },
            breaker: self.max_failures.unwrap_or(defaults.breaker),
        })
    }

    fn bounds(&self, reader: &mut Reader<'_>) -> crate::core::process::Bounds {
        let wall = reader.limit("timeout", self.timeout.as_deref(), define::default_timeout());
        let idle = reader.limit("idle_timeout", self.idle_timeout.as_deref(), None);
        let memory = reader.size("memory", self.memory.as_deref());
        define::bounds(wall, idle, memory)
    }

    fn retry(&self, reader: &mut Reader<'_>) -> crate::core::retry::Retry {
        let delay = reader.interval("retry_delay", self.retry_delay.as_deref());
        let most = self.retries.unwrap_or(0);
        if most > RETRIES_MOST {
            let fix = "`--max-runs` bounds a loop; retries repeat one slot";
            reader.refuse("retries", format!("{most} is more than {RETRIES_MOST}"), fix);
        }
        define::retry(most, delay)
    }
}
