//! Watching: clients are told that a resource they watch has changed.
//!
//! Clients of the older era subscribe to one resource after another and are told as it happens; those of the
//! newer era hold a request open, and only what it asked for goes out, marked with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{ErrorData, ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::{Peer, RoleServer, SubscriptionContext, SubscriptionSink};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use crate::command::Command;
use crate::command::caller::Caller;
use crate::command::read_output::ReadOutput;
use crate::surface::mcp::arrival::Arrival;
use crate::surface::mcp::desk::{Call, Desk};
use crate::surface::mcp::news::News;
use crate::surface::mcp::session::uri::Named;
use crate::surface::mcp::session::{Session, resources};

/// How many resources one client may watch.
const WATCHED_MAX: usize = 200;

/// How often the output of a run is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What one client of the older era watches.
#[derive(Default)]
pub(super) struct Subscriptions {
    watched: Arc<Mutex<Vec<Watched>>>,
    /// Gone with the session, which ends the task that watches.
    life: Mutex<Option<watch::Sender<()>>>,
}

/// One resource that is watched.
#[derive(Debug, Clone)]
struct Watched {
    /// As its client writes it.
    uri: String,
    /// What it names, by id.
    named: Named,
}

/// To whom changes are told.
enum Sink {
    Whole(Peer<RoleServer>),
    Marked(SubscriptionSink),
}

impl Subscriptions {
    /// Watches one more resource.
    pub(super) fn add(&self, uri: &str, named: Named) -> Result<(), ErrorData> {
        let mut watched = self.watched.lock().expect("a list is changed");
        if watched.len() >= WATCHED_MAX {
            let message = format!("{WATCHED_MAX} resources are watched; end watching one of them first");
            return Err(ErrorData::invalid_params(message, None));
        }
        watched.retain(|known| known.uri != uri);
        watched.push(Watched { uri: uri.to_owned(), named });
        Ok(())
    }

    /// Watches one less.
    pub(super) fn remove(&self, uri: &str) {
        self.watched.lock().expect("a list is changed").retain(|known| known.uri != uri);
    }
}

/// What of the wishes of a client of the newer era can be granted.
///
/// Lists of tools and prompts change only with the program; the proxy, which sees the next one come, says so.
pub(super) fn accepted(requested: &SubscriptionFilter) -> SubscriptionFilter {
    let mut accepted = requested.clone();
    if let Some(uris) = &mut accepted.resource_subscriptions {
        uris.truncate(WATCHED_MAX);
    }
    accepted
}

/// Tells a client of the older era of changes, as long as its session lives.
pub(super) fn begin(session: &Session, peer: Peer<RoleServer>) {
    let mut life = session.subscriptions.life.lock().expect("a value is set");
    if life.is_some() {
        return;
    }
    let (alive, mut gone) = watch::channel(());
    *life = Some(alive);
    let teller = Teller {
        board: session.desk.board.listen(),
        desk: Arc::clone(&session.desk),
        caller: Arc::clone(&session.ourselves),
        watched: Arc::clone(&session.subscriptions.watched),
        wants_list: true,
        sink: Sink::Whole(peer),
    };
    tokio::spawn(async move {
        tokio::select! {
            () = teller.tell() => {}
            _ = gone.changed() => {}
        }
    });
}

/// Tells a client of the newer era of changes until it ends its request.
pub(super) async fn listen(session: &Session, context: SubscriptionContext) -> Result<(), ErrorData> {
    // Before anything else: what changes from now on is told.
    let board = session.desk.board.listen();
    if let Some(arrival) = context.request_context().extensions.get::<Arrival>() {
        arrival.is_left();
    }
    let accepted = context.accepted().clone();
    let subscriptions = Subscriptions::default();
    for uri in accepted.resource_subscriptions.iter().flatten() {
        // What is not there never changes.
        if let Ok(named) = resolve(session, uri).await {
            subscriptions.add(uri, named)?;
        }
    }
    let teller = Teller {
        board,
        desk: Arc::clone(&session.desk),
        caller: Arc::clone(&session.ourselves),
        watched: subscriptions.watched,
        wants_list: accepted.resources_list_changed == Some(true),
        sink: Sink::Marked(context.sink().clone()),
    };
    tokio::select! {
        () = teller.tell() => {}
        () = context.cancelled() => {}
    }
    Ok(())
}

/// What a URI names, by id, so that it is known again in the news.
pub(super) async fn resolve(session: &Session, uri: &str) -> Result<Named, ErrorData> {
    let named: Named = uri.parse().map_err(|()| resources::nothing(uri))?;
    let named_id = match &named {
        Named::Jobs => return Ok(named),
        Named::Job(id) | Named::Run(id) | Named::Log { run: id, .. } => id,
    };
    let id = resources::id_of(session, named_id).await?;
    Ok(match named {
        Named::Jobs => named,
        Named::Job(_) => Named::Job(id),
        Named::Run(_) => Named::Run(id),
        Named::Log { from, stderr, .. } => Named::Log { run: id, from, stderr },
    })
}

/// Tells one client what changes.
struct Teller {
    board: broadcast::Receiver<Arc<News>>,
    desk: Arc<Desk>,
    caller: Arc<Caller>,
    watched: Arc<Mutex<Vec<Watched>>>,
    /// Whether the client wants to know that there are other resources.
    wants_list: bool,
    sink: Sink,
}

impl Teller {
    /// Tells, until the client is gone.
    async fn tell(mut self) {
        let mut look_at = Instant::now() + LOOK;
        loop {
            let told = tokio::select! {
                heard = self.board.recv() => match heard {
                    Ok(news) => self.tell_news(Some(&news)).await,
                    // Whoever missed news is told that everything changed.
                    Err(RecvError::Lagged(_)) => self.tell_news(None).await,
                    Err(RecvError::Closed) => return,
                },
                () = tokio::time::sleep_until(look_at), if self.has_logs() => {
                    look_at = Instant::now() + LOOK;
                    self.tell_logs().await
                }
            };
            if told.is_err() {
                return;
            }
        }
    }

    /// What is watched, as it is now.
    fn chosen(&self, is_wanted: impl Fn(&Watched) -> bool) -> Vec<Watched> {
        let watched = self.watched.lock().expect("a list is read");
        watched.iter().filter(|one| is_wanted(one)).cloned().collect()
    }

    fn has_logs(&self) -> bool {
        self.watched.lock().expect("a list is read").iter().any(Watched::is_log)
    }

    async fn tell_news(&self, news: Option<&News>) -> Result<(), Gone> {
        if self.wants_list && news.is_none_or(|news| news.list) {
            self.sink.list_changed().await?;
        }
        for one in self.chosen(|one| one.is_in(news)) {
            self.sink.updated(&one.uri).await?;
        }
        Ok(())
    }

    async fn tell_logs(&self) -> Result<(), Gone> {
        for one in self.chosen(Watched::is_log) {
            if self.grew(&one).await {
                self.sink.updated(&one.uri).await?;
            }
        }
        Ok(())
    }

    /// Whether a run wrote more since that was asked last; one that is over is not asked again.
    async fn grew(&self, one: &Watched) -> bool {
        let Named::Log { run, from, stderr } = &one.named else { return false };
        let call = Call {
            verb: ReadOutput::NAME,
            arguments: json!({"run": run, "from": from, "stderr": stderr}),
            key: None,
        };
        let Ok(piece) = self.desk.call(Arc::clone(&self.caller), call, None).await else { return false };
        let next = piece["total"].as_u64().unwrap_or(*from).max(*from);
        let is_over = piece["run"]["finished_at"].is_string();
        let mut watched = self.watched.lock().expect("a list is changed");
        if let Some(kept) = watched.iter_mut().find(|kept| kept.uri == one.uri) {
            kept.named = Named::Log { run: run.clone(), from: next, stderr: *stderr };
        }
        if is_over {
            watched.retain(|kept| kept.uri != one.uri);
        }
        next > *from
    }
}

impl Watched {
    fn is_log(&self) -> bool {
        matches!(self.named, Named::Log { .. })
    }

    /// Whether there is news of it; none means that everything is new.
    fn is_in(&self, news: Option<&News>) -> bool {
        let Some(news) = news else { return true };
        match &self.named {
            Named::Jobs => !news.ids.is_empty(),
            Named::Job(id) | Named::Run(id) => news.ids.contains(id),
            Named::Log { .. } => false,
        }
    }
}

/// The client is gone.
struct Gone;

impl Sink {
    async fn list_changed(&self) -> Result<(), Gone> {
        match self {
            Self::Whole(peer) => peer.notify_resource_list_changed().await.map_err(|_| Gone),
            Self::Marked(sink) => sink.notify_resource_list_changed().await.map_err(|_| Gone),
        }
    }

    async fn updated(&self, uri: &str) -> Result<(), Gone> {
        match self {
            Self::Whole(peer) => {
                let changed = ResourceUpdatedNotificationParam::new(uri);
                peer.notify_resource_updated(changed).await.map_err(|_| Gone)
            }
            Self::Marked(sink) => sink.notify_resource_updated(uri).await.map_err(|_| Gone),
        }
    }
}
