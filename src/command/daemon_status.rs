//! `daemon_status`: the daemon that answers.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::command::page::Page;
use crate::command::schema::Object;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, stamp};
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::store::{jobs, tasks};

/// Tells about the daemon.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct DaemonStatus {}

/// The daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it answers; it does.
    pub running: bool,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started.
    #[serde(serialize_with = "stamp::at")]
    pub started_at: Timestamp,
    /// For how long it has been there.
    pub uptime: Span,
    /// How many jobs there are in each state, and runs under way.
    pub counts: BTreeMap<String, u64>,
    /// Where its state lies.
    pub home: String,
    /// Where it listens.
    pub socket: String,
    /// How many runs may be under way at once.
    pub lanes: u32,
    /// What somebody should know of the settings; null when those of the file are in force.
    pub settings: Option<String>,
}

impl Command for DaemonStatus {
    const NAME: &'static str = "daemon_status";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("daemon status")];
    type Reply = Status;

    fn run(self, cx: &Context<'_>) -> Result<Status, Refusal> {
        let (jobs, under_way) = cx.read(|tx| Ok((jobs::counts(tx)?, tasks::under_way_count(tx)?)))?;
        let mut counts: BTreeMap<String, u64> = jobs.into_iter().collect();
        counts.insert("jobs".to_owned(), counts.values().sum());
        counts.insert("running".to_owned(), under_way.into());
        Ok(Status {
            running: true,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: cx.house.started_at,
            uptime: Span::between(cx.house.started_at, cx.now()),
            counts,
            home: cx.house.places.home.display().to_string(),
            socket: cx.house.places.socket.display().to_string(),
            lanes: cx.house.lanes,
            settings: (cx.house.settings)().note(),
        })
    }
}

impl Tell for Status {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for Status {
    fn render(&self, page: &mut Page) {
        page.line(format!("converge {} is running, pid {}", self.version, self.pid));
        let of = |what: &str| self.counts.get(what).copied().unwrap_or(0);
        let told = self
            .counts
            .iter()
            .filter(|(what, count)| **count > 0 && !["jobs", "running"].contains(&what.as_str()));
        let states: Vec<String> = told.map(|(what, count)| format!("{count} {what}")).collect();
        let jobs = match of("jobs") {
            0 => "none".to_owned(),
            1 => format!("1, {}", states.join(", ")),
            count => format!("{count}: {}", states.join(", ")),
        };
        page.fields(&[
            ("since", page.instant(self.started_at)),
            ("jobs", jobs),
            ("running", format!("{} of at most {} at once", of("running"), self.lanes)),
            ("home", self.home.clone()),
            ("socket", self.socket.clone()),
            ("settings", self.settings.clone().unwrap_or_default()),
        ]);
    }
}
