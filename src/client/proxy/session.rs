//! The session: what a client asked for and has no answer to, whoever the daemon is by now.
//!
//! It is a function of the lines that come: from the client, from the daemon, and that a connection came
//! or went. A request is in flight from the moment it comes until its answer, and every new connection
//! begins with all that is in flight, in the order it came and with the same keys. So a request that comes
//! while there is no daemon is nothing special, and an answer to what is not in flight was given before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::client::protocol;
use crate::client::proxy::again;
use crate::client::proxy::flight::{Flight, Sort};
use crate::client::proxy::handshake::Handshake;
use crate::client::proxy::lines::Line;
use crate::client::proxy::message::{self, Envelope, Kind, Message, Unreadable};
use crate::client::proxy::outbox::Outbox;
use crate::client::proxy::patience;
use crate::core::refusal::{Code, Refusal};

/// The longest line a client may send: what the daemon takes, with room for a key.
pub(super) const LINE_BYTES_MAX: usize = protocol::LINE_BYTES_MAX - 256;

/// How many requests may be in flight.
pub(super) const FLIGHTS_MAX: usize = 4096;

/// How many bytes of requests may be in flight.
pub(super) const FLIGHT_BYTES_MAX: usize = 64 << 20;

/// How much may wait for a client that does not read before nothing more is read for it.
const UNREAD_BYTES_MAX: usize = 32 << 20;

/// How much may wait for a daemon that does not read before nothing more is read for it.
const UNSENT_BYTES_MAX: usize = 32 << 20;

/// What a client asked for, and what is to be said to either side.
#[derive(Debug)]
pub(super) struct Session {
    /// Lines for the client.
    pub(super) to_client: Outbox,
    /// Lines for the daemon; only while there is a connection.
    pub(super) to_daemon: Outbox,
    /// What the keys and the ids of this proxy begin with.
    name: String,
    /// How many lines came that were to be held, which is also their order.
    count: u64,
    connection: Connection,
    flights: BTreeMap<u64, Flight>,
    /// The numbers of the requests in flight, by id.
    numbers: HashMap<String, u64>,
    bytes: usize,
    handshake: Option<Handshake>,
    /// The resources that a client of an older era is told about.
    subscriptions: BTreeSet<String>,
    /// The requests of this connection's daemon that the client has not answered.
    asked: BTreeMap<String, Json>,
}

/// The way to the daemon.
#[derive(Debug)]
struct Connection {
    is_up: bool,
    /// How many there were, which tells the requests of one from those of the next.
    number: u64,
    /// The version of the daemon of the newest one.
    version: String,
}

impl Session {
    /// One in which nothing was said, by the name that its keys begin with.
    pub(super) fn new(name: String) -> Self {
        let connection = Connection { is_up: false, number: 0, version: String::new() };
        Self {
            to_client: Outbox::default(),
            to_daemon: Outbox::default(),
            name,
            count: 0,
            connection,
            flights: BTreeMap::new(),
            numbers: HashMap::new(),
            bytes: 0,
            handshake: None,
            subscriptions: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Whether something waits for an answer that is to come.
    pub(super) fn is_waiting(&self) -> bool {
        self.flights.values().any(Flight::is_request)
    }

    /// Whether something waits that no daemon was asked for yet.
    pub(super) fn has_new(&self) -> bool {
        self.flights.values().any(|flight| flight.is_request() && !flight.is_sent)
    }

    /// Whether more can be taken from the client.
    ///
    /// One that asks for more than can be held waits, as long as there is somebody to answer.
    pub(super) fn can_listen(&self) -> bool {
        let has_room = self.can_hear() && self.to_daemon.len() < UNSENT_BYTES_MAX;
        has_room && !(self.connection.is_up && self.is_full())
    }

    /// Whether more can be taken from the daemon.
    pub(super) fn can_hear(&self) -> bool {
        self.to_client.len() < UNREAD_BYTES_MAX
    }

    /// Whether no more requests can be held.
    fn is_full(&self) -> bool {
        self.flights.len() >= FLIGHTS_MAX || self.bytes >= FLIGHT_BYTES_MAX
    }

    /// Whether a client would miss a daemon that is gone, though it asks for nothing.
    pub(super) fn is_listening(&self) -> bool {
        self.handshake.is_some() || !self.flights.is_empty()
    }

    /// Takes a line of the client.
    pub(super) fn client_says(&mut self, line: Line, now: Instant) {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong(head) => {
                return self.to_client.push(Unreadable::too_long(&head).answer());
            }
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match Message::read(&line) {
            Ok(Message { kind: Kind::Request { id, method }, params }) => {
                let flight = Flight::request(id, &method, params, line);
                self.ask(flight, now);
            }
            Ok(Message { kind: Kind::Notification { method }, params }) => {
                self.tell(&method, &params, line, now);
            }
            Ok(Message { kind: Kind::Response { id }, .. }) => self.reply(&id, &line),
            Err(unreadable) => self.to_client.push(unreadable.answer()),
        }
    }

    fn ask(&mut self, mut flight: Flight, now: Instant) {
        if self.numbers.contains_key(&flight.name()) {
            let twice = Refusal::new(Code::Conflict, format!("request {} is under way already", flight.id));
            return self
                .to_client
                .push(message::refused(&flight.id, &twice.hint("give each request an id of its own")));
        }
        if self.is_full() {
            let full = Refusal::new(
                Code::Unavailable,
                format!("{} requests wait for an answer", self.flights.len()),
            );
            return self
                .to_client
                .push(message::refused(&flight.id, &full.hint("ask again when some were answered")));
        }
        self.count += 1;
        flight.splice_key(&format!("{}-{}", self.name, self.count));
        if let Sort::Initialize { params } = &flight.sort {
            self.handshake = Some(Handshake::begun(params.clone()));
        }
        self.numbers.insert(flight.name(), self.count);
        self.hold(flight, now);
    }

    fn tell(&mut self, method: &str, params: &Json, line: Vec<u8>, now: Instant) {
        match method {
            "notifications/initialized" => {
                if let Some(handshake) = &mut self.handshake {
                    // Whoever is connected to next hears it with the handshake.
                    handshake.is_initialized = true;
                    if self.connection.is_up {
                        self.to_daemon.push(line);
                    }
                    return;
                }
            }
            "notifications/cancelled" => {
                self.land(&params["requestId"]);
                if self.connection.is_up {
                    self.to_daemon.push(line);
                }
                return;
            }
            _ => {}
        }
        if !self.is_full() {
            self.count += 1;
            self.hold(Flight::note(line), now);
        }
    }

    /// Passes on what the client answers to the daemon that asked.
    fn reply(&mut self, id: &Json, line: &[u8]) {
        if self.asked.remove(&id.to_string()).is_some() {
            self.to_daemon.push(line);
        }
    }

    fn hold(&mut self, mut flight: Flight, now: Instant) {
        flight.asked_at = Some(now);
        if self.connection.is_up {
            self.to_daemon.push(&flight.line);
            if !flight.lasts() {
                return;
            }
            flight.is_sent = true;
        } else {
            flight.lost_at = Some(now);
        }
        self.bytes += flight.line.len();
        self.flights.insert(self.count, flight);
    }

    /// Takes a request out of the table, when it is in there.
    fn land(&mut self, id: &Json) -> Option<Flight> {
        let number = self.numbers.remove(&id.to_string())?;
        let flight = self.flights.remove(&number)?;
        self.bytes -= flight.line.len();
        Some(flight)
    }

    /// Takes a line of the daemon.
    pub(super) fn daemon_says(&mut self, line: Line) {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong(head) => {
                let id = message::id_in(&head);
                if self.land(&id).is_some() {
                    let long = Refusal::new(Code::Unavailable, "the answer is too long to be passed on");
                    self.to_client.push(message::refused(&id, &long.hint("ask for less at once")));
                }
                return;
            }
        };
        // What is no message is from no daemon of ours, and the client must not see it.
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&line) else { return };
        match envelope.method.as_deref() {
            Some("notifications/subscriptions/acknowledged") => self.acknowledged(&line),
            Some(_) => {
                if !envelope.id.is_null() {
                    self.asked.insert(envelope.id.to_string(), envelope.id);
                }
                self.to_client.push(line);
            }
            None => self.answered(&envelope, &line),
        }
    }

    fn answered(&mut self, envelope: &Envelope, line: &[u8]) {
        if envelope.id.is_null() {
            return self.to_client.push(line);
        }
        let Some(number) = self.numbers.get(&envelope.id.to_string()) else { return };
        let is_yes = envelope.error.is_none();
        match self.flights.get(number).map(|flight| &flight.sort) {
            // The daemon ends what only the client can end: it is leaving, and the next one goes on.
            Some(Sort::Listen { acknowledged_by: Some(_) }) if is_yes => return,
            Some(Sort::Initialize { .. }) => match &mut self.handshake {
                Some(handshake) if is_yes => handshake.answered(line),
                Some(_) | None => self.handshake = None,
            },
            Some(Sort::Subscribe { uri }) if is_yes => {
                self.subscriptions.insert(uri.clone());
            }
            Some(Sort::Unsubscribe { uri }) if is_yes => {
                self.subscriptions.remove(uri);
            }
            Some(_) | None => {}
        }
        self.land(&envelope.id);
        self.to_client.push(line);
    }

    fn acknowledged(&mut self, line: &[u8]) {
        let message: Json = serde_json::from_slice(line).unwrap_or_default();
        let number = self.numbers.get(&message["params"]["_meta"][again::SUBSCRIPTION].to_string());
        match number.and_then(|number| self.flights.get_mut(number)).map(|flight| &mut flight.sort) {
            Some(Sort::Listen { acknowledged_by }) => {
                // By the listener's own memory: a connection in between may have been lost before this.
                let version = &self.connection.version;
                match acknowledged_by.replace(version.clone()) {
                    Some(before) => {
                        again::to_listener(&message["params"], before != *version, &mut self.to_client);
                    }
                    None => self.to_client.push(line),
                }
            }
            Some(_) | None => self.to_client.push(line),
        }
    }

    /// Begins a connection to a daemon of this version: with what it must know, and all that is in flight.
    pub(super) fn connected(&mut self, version: &str, now: Instant) {
        let connection = &mut self.connection;
        connection.is_up = true;
        connection.number += 1;
        let is_upgraded = connection.number > 1 && connection.version != version;
        version.clone_into(&mut connection.version);
        let (name, number) = (&self.name, connection.number);
        if let Some(handshake) = &self.handshake {
            handshake.replay(&format!("{name}/{number}/initialize"), &mut self.to_daemon);
        }
        for (place, uri) in self.subscriptions.iter().enumerate() {
            let params = serde_json::json!({ "uri": uri });
            let id = format!("{name}/{number}/subscribe/{place}");
            self.to_daemon.push(message::request(&id, "resources/subscribe", &params));
        }
        for flight in self.flights.values_mut() {
            self.to_daemon.push(flight.again(now));
            flight.is_sent = true;
            if let (Sort::Initialize { .. }, Some(handshake)) = (&flight.sort, &self.handshake) {
                handshake.follow(&mut self.to_daemon);
            }
        }
        let bytes = &mut self.bytes;
        self.flights.retain(|_, flight| {
            *bytes -= if flight.lasts() { 0 } else { flight.line.len() };
            flight.lasts()
        });
        if let Some(handshake) = self.handshake.as_ref().filter(|_| number > 1) {
            again::to_older(handshake, &self.subscriptions, is_upgraded, &mut self.to_client);
        }
    }

    /// Ends a connection that was made at `made_at`: what is in flight waits for the next one.
    pub(super) fn lost(&mut self, made_at: Instant, now: Instant) {
        self.connection.is_up = false;
        self.to_daemon.clear();
        let was_good = patience::was_good(made_at, now);
        for flight in self.flights.values_mut() {
            // Who waited before a good connection waits anew.
            flight.lost_at = flight.lost_at.filter(|_| !was_good).or(Some(now));
        }
        for id in std::mem::take(&mut self.asked).into_values() {
            again::withdraw(&id, &mut self.to_client);
        }
    }

    /// When the oldest of what waits for a connection came, or lost its connection.
    pub(super) fn oldest_loss(&self) -> Option<Instant> {
        if self.connection.is_up {
            return None;
        }
        self.flights.values().filter(|flight| flight.is_request()).filter_map(|flight| flight.lost_at).min()
    }

    /// Answers, with `why`, the requests that have waited at `now` for at least `patience`.
    pub(super) fn give_up(&mut self, why: &Refusal, now: Instant, patience: Duration) {
        self.refuse(why, |flight| {
            flight.lost_at.is_some_and(|lost_at| now.saturating_duration_since(lost_at) >= patience)
        });
    }

    /// Answers, with `why`, the requests that a daemon was asked for which is gone.
    pub(super) fn give_up_sent(&mut self, why: &Refusal) {
        self.refuse(why, |flight| flight.is_sent);
    }

    fn refuse(&mut self, why: &Refusal, is_due: impl Fn(&Flight) -> bool) {
        let due = self.flights.values().filter(|flight| flight.is_request() && is_due(flight));
        let due: Vec<Json> = due.map(|flight| flight.id.clone()).collect();
        for id in due {
            if let Some(Flight { sort: Sort::Initialize { .. }, .. }) = self.land(&id) {
                self.handshake = None;
            }
            self.to_client.push(message::refused(&id, why));
        }
    }
}

#[cfg(test)]
mod tests;
