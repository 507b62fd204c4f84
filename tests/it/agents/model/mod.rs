//! A model on this machine that says what the test wrote down, in the four dialects that agent CLIs speak.
//!
//! It answers on loopback, records every request, and knows what a client asks for on the side - lists of
//! models, counts of tokens, a title, a probe of the quota - from the conversation itself.

mod anthropic;
mod chat;
pub(crate) mod conversation;
pub(crate) mod dialect;
mod gemini;
mod http;
mod responses;
pub(crate) mod script;
mod tests;
pub(crate) mod turn;

use std::io::{self, BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value as Json, json};

use conversation::Conversation;
use dialect::Dialect;
use http::{Body, Request};
use script::Script;
use turn::Turn;

/// A scripted model that answers for as long as it is kept.
pub(crate) struct Model {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

/// A request that was made for a turn of the conversation.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// Which turn it was made for, from 0. A client that has to load a tool first asks twice.
    pub(crate) turn: usize,
    pub(crate) dialect: Dialect,
    pub(crate) conversation: Conversation,
    pub(crate) request: Request,
}

struct Shared {
    script: Script,
    record: Mutex<Record>,
    changed: Condvar,
    is_over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Default)]
struct Record {
    turns: Vec<Recorded>,
    aside: Vec<Request>,
}

impl Model {
    /// Starts a model that follows a script.
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script,
            record: Mutex::default(),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        let listener = thread::spawn(move || served.listen(&listener));
        Self { address, shared, listener: Some(listener) }
    }

    /// Where it answers, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked for turns of the conversation, in order.
    pub(crate) fn turns(&self) -> Vec<Recorded> {
        self.shared.record().turns.clone()
    }

    /// What was asked on the side, in order.
    pub(crate) fn aside(&self) -> Vec<Request> {
        self.shared.record().aside.clone()
    }

    /// The last conversation that it was shown.
    #[track_caller]
    pub(crate) fn last(&self) -> Conversation {
        self.shared.record().turns.last().expect("the model was asked").conversation.clone()
    }

    /// Waits until the model was asked for a turn, the first being 0.
    #[track_caller]
    pub(crate) fn asked(&self, turn: usize, patience: Duration) {
        let record = self.shared.record();
        let few = |record: &mut Record| record.turns.iter().all(|recorded| recorded.turn < turn);
        let (record, waited) = self
            .shared
            .changed
            .wait_timeout_while(record, patience, few)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "turn {turn} was not asked for: {:?}", record.turns);
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // Wakes the listener, which sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            if let Ok(same) = stream.try_clone() {
                self.open.lock().unwrap_or_else(PoisonError::into_inner).push(same);
            }
            let shared = Arc::clone(self);
            thread::spawn(move || shared.serve(stream));
        }
    }

    /// Answers one connection until its client hangs up.
    fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(request)) = http::read(&mut stream) {
            if self.answer(request, &mut stream).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: Request, stream: &mut BufReader<TcpStream>) -> io::Result<()> {
        let spoken = Dialect::of(&request.path).filter(|_| request.method == "POST");
        let Some(dialect) = spoken else {
            let (status, answer) = beside_the_conversation(&request);
            let is_silent = request.method == "HEAD";
            self.note(|record| record.aside.push(request));
            return if is_silent {
                http::empty(stream.get_mut())
            } else {
                http::document(stream.get_mut(), status, &[], &answer)
            };
        };
        let body = request.body.clone();
        let streams = dialect.streams(&request);
        let conversation = dialect.read(&body);
        // Titles, summaries, probes and routers come without tools; the conversation never does.
        let turn = if conversation.tools.is_empty() {
            self.note(|record| record.aside.push(request));
            Turn::say(dialect::small_talk(&body))
        } else {
            let shown = conversation.clone();
            let turn = shown.turns();
            self.note(|record| {
                record.turns.push(Recorded { turn, dialect, conversation: shown, request });
            });
            self.script.next(&conversation)
        };
        match turn {
            Turn::Answer(answer) => match dialect.write(&body, &answer.addressed(&conversation), streams) {
                Body::Document(document) => http::document(stream.get_mut(), 200, &[], &document),
                Body::Events(events) => http::events(stream.get_mut(), &events),
            },
            Turn::Fail(failure) => {
                let (status, document) = dialect.fail(&failure);
                http::document(stream.get_mut(), status, &failure.headers, &document)
            }
            // Until the client hangs up, or the model goes.
            Turn::Hang => stream.read(&mut [0]).and(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }

    fn note(&self, what: impl FnOnce(&mut Record)) {
        what(&mut self.record());
        self.changed.notify_all();
    }
}

/// What is answered to all that is no turn of a conversation.
fn beside_the_conversation(request: &Request) -> (u16, Json) {
    if request.header("upgrade").is_some() {
        // The client falls back to plain requests.
        return (426, json!({ "error": { "message": "there is no WebSocket here" } }));
    }
    if request.path.ends_with("/count_tokens") {
        return (200, json!({ "input_tokens": 1000 }));
    }
    if request.path.ends_with(":countTokens") {
        return (200, json!({ "totalTokens": 1000 }));
    }
    if request.path.ends_with("/models") {
        let model = json!({ "id": "scripted", "object": "model", "owned_by": "nobody" });
        return (200, json!({ "object": "list", "data": [model], "models": [], "has_more": false }));
    }
    (200, json!({}))
}
