//! `list_events`: what happened, in order.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::page::{Page, Tone};
use crate::command::schema::Object;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, SLICE_MOST, columns, select, stamp};
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::store::events;

/// Lists events, oldest first.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ListEvents {
    /// Only those of this job
    pub job: Option<String>,
    /// Only those after this number; without it, the newest
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
    /// At most so many, 50 unless said
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Waits so many milliseconds at most for one
    #[arg(long, hide = true, default_value_t = 0)]
    pub wait_ms: u64,
}

/// Events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// The events.
    pub events: Vec<EventView>,
    /// The number to go on after.
    pub next: u64,
}

/// An event as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its place in the order.
    pub seq: u64,
    /// When.
    #[serde(serialize_with = "stamp::at")]
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The job it is about.
    pub job: String,
    /// The run it is about.
    pub run: Option<String>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// What else there is to say.
    pub data: Json,
}

impl Command for ListEvents {
    const NAME: &'static str = "list_events";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("events")];
    type Reply = Events;

    fn run(self, cx: &Context<'_>) -> Result<Events, Refusal> {
        let job = self.job.as_deref().map(|job| select::job(cx, job)).transpose()?;
        let most = self.limit.unwrap_or(50).clamp(1, 1000);
        let after = match self.after {
            Some(after) => after,
            None => cx.read(|tx| events::tail(tx, job, most))?,
        };
        let until = Span::from_ms(self.wait_ms).min(SLICE_MOST).after(cx.now());
        loop {
            let seen = cx.house.engine.generation();
            let kept = cx.read(|tx| events::after(tx, after, job, most))?;
            if !kept.is_empty() || cx.now() >= until {
                let next = kept.last().map_or(after, |last| last.seq);
                return Ok(Events { events: kept.into_iter().map(EventView::from).collect(), next });
            }
            cx.patience(seen, until);
        }
    }
}

impl From<events::Kept> for EventView {
    fn from(kept: events::Kept) -> Self {
        let events::Kept { seq, at, actor, job, task, kind, data } = kept;
        Self { seq, at, actor, job, run: task, kind, data }
    }
}

impl Tell for Events {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for Events {
    fn render(&self, page: &mut Page) {
        for event in &self.events {
            let subject = event.run.as_deref().unwrap_or(&event.job);
            let data = if event.data.as_object().is_some_and(serde_json::Map::is_empty) {
                String::new()
            } else {
                event.data.to_string()
            };
            let place = format!("{:>6}  {}", event.seq, page.clock(event.at));
            let line = format!("{place}  {:<14} {subject}  {}  ", event.kind, event.actor);
            let data = page.cut(&data, columns::of(&line));
            let rest = &line[place.len()..];
            page.line(format!("{}{rest}{}", page.tone(&place, Tone::Faint), page.tone(&data, Tone::Faint)));
        }
    }
}
