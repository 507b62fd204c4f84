//! News: which jobs and runs changed, for those who watch them.
//!
//! A thread waits for commits, and one task reads the events that came with them, a few times a second at
//! the most, whoever listens.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::{broadcast, watch};

use crate::command::caller::Caller;
use crate::command::list_events::ListEvents;
use crate::command::{self, Asked, Command};
use crate::surface::mcp::desk::{Call, Desk};

/// How long the thread sleeps when nothing changes.
const SLEEP: Duration = Duration::from_hours(1);

/// The least time between two readings.
const REST: Duration = Duration::from_millis(100);

/// The thread only waits.
const STACK_BYTES: usize = 64 << 10;

/// How many events are read at once.
const EVENTS_MOST: usize = 1000;

/// How much news a listener may leave unread before it is told that it missed some.
const UNREAD_MAX: usize = 64;

/// Events that change which jobs there are, or how they are called.
const LISTED: [&str; 4] = ["job.added", "job.removed", "job.archived", "job.updated"];

/// What changed.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Whether the list of jobs did.
    pub(super) list: bool,
    /// The ids of jobs and runs that did.
    pub(super) ids: HashSet<String>,
}

/// Where news is told.
#[derive(Debug)]
pub(super) struct Board(broadcast::Sender<Arc<News>>);

impl Board {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(UNREAD_MAX))
    }

    /// Hears what changes from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<News>> {
        self.0.subscribe()
    }
}

/// Tells the board of `desk` what changes, until the desk is gone.
pub(super) fn start(desk: &Arc<Desk>) -> std::io::Result<()> {
    let (announce, changes) = watch::channel(());
    let waiting = Arc::downgrade(desk);
    let engine = desk.house.engine.clone();
    let wait = move || {
        let mut seen = 0;
        while waiting.upgrade().is_some_and(|desk| !desk.is_closing()) {
            seen = engine.changed_since(seen, SLEEP);
            if announce.send(()).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("changes".to_owned()).stack_size(STACK_BYTES).spawn(wait)?;
    tokio::spawn(tell(Arc::downgrade(desk), Reading::from_now_on(desk), changes));
    Ok(())
}

async fn tell(desk: Weak<Desk>, mut reader: Reading, mut changes: watch::Receiver<()>) {
    while changes.changed().await.is_ok() {
        loop {
            let Some(desk) = desk.upgrade() else { return };
            let is_all = reader.read(&desk).await;
            drop(desk);
            tokio::time::sleep(REST).await;
            if is_all {
                break;
            }
        }
    }
}

/// How far the events were read.
struct Reading {
    caller: Arc<Caller>,
    after: u64,
}

impl Reading {
    /// After the newest event there is.
    fn from_now_on(desk: &Desk) -> Self {
        let caller = Arc::new(Caller::default());
        let asked =
            Asked { verb: ListEvents::NAME, arguments: json!({"limit": 1}), key: None, entered: &|| {} };
        let newest = command::dispatch::dispatch(&desk.house, &caller, asked);
        let after = newest.ok().and_then(|listed| listed["next"].as_u64()).unwrap_or_default();
        Self { caller, after }
    }

    /// Tells what is new, and says whether that is all there is.
    async fn read(&mut self, desk: &Arc<Desk>) -> bool {
        let arguments = json!({"after": self.after, "limit": EVENTS_MOST});
        let call = Call { verb: ListEvents::NAME, arguments, key: None };
        let Ok(listed) = desk.call(Arc::clone(&self.caller), call, None).await else { return false };
        self.after = listed["next"].as_u64().unwrap_or(self.after);
        let events = listed["events"].as_array().map_or(&[][..], Vec::as_slice);
        let news = news(events);
        if !news.ids.is_empty() {
            // Nobody may be listening.
            let _ = desk.board.0.send(Arc::new(news));
        }
        events.len() < EVENTS_MOST
    }
}

fn news(events: &[Json]) -> News {
    let mut news = News::default();
    for event in events {
        let text = |field: &str| event[field].as_str().map(str::to_owned);
        news.ids.extend(["job", "run"].iter().filter_map(|field| text(field)));
        news.list |= event["type"].as_str().is_some_and(|kind| LISTED.contains(&kind));
    }
    news
}
