//! The engine's thread, and the handle by which everybody else reaches it.
//!
//! The thread sleeps until something arrives or is due. Because a sleep does not see the machine suspend
//! or its clock step, no sleep before something due is longer than [`SLEEP_MAX`]; waking up only to find
//! that nothing is due reads the clock and touches nothing else.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::actor::Actor;
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::core::task::report::Report;
use crate::engine::changes::Changes;
use crate::engine::input::{Asked, Envelope, Key, Reply, Write};
use crate::engine::ports::Clock;
use crate::engine::queue::{Door, Queue};
use crate::engine::{Engine, vital};

/// The longest the engine sleeps while something will be due.
const SLEEP_MAX: Duration = Duration::from_secs(2);

/// Reaches the engine from any thread.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

/// A change that has its place in the order, and is not stored yet.
#[must_use]
pub struct Submitted {
    answer: Option<Receiver<Reply>>,
}

impl Submitted {
    /// Waits until it is stored.
    pub fn wait(self) -> Reply {
        match self.answer {
            Some(answer) => answer.recv().unwrap_or_else(|_| Err(unanswered())),
            None => Err(gone()),
        }
    }
}

struct Shared {
    queue: Queue,
    changes: Changes,
    clock: Box<dyn Clock>,
}

impl Handle {
    /// A handle to an engine that is yet to be [served](Self::serve); what comes before it waits.
    pub fn new(clock: Box<dyn Clock>) -> Self {
        Self { shared: Arc::new(Shared { queue: Queue::new(), changes: Changes::default(), clock }) }
    }

    /// Starts the engine's thread; it ends some time after [`close`](Self::close).
    pub fn serve(&self, engine: Engine) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        vital::spawn("engine", move || shared.run(engine))
    }

    /// Asks for a change and waits until it is stored.
    pub fn ask(&self, write: Write, by: Actor, key: Option<Key>) -> Reply {
        self.submit(write, by, key).wait()
    }

    /// Asks for a change, which has its place in the order of all changes once this returns.
    pub fn submit(&self, write: Write, by: Actor, key: Option<Key>) -> Submitted {
        let (reply, answer) = sync_channel(1);
        let door = self.shared.queue.ask(Asked { write, by, key, reply });
        Submitted { answer: (door == Door::Open).then_some(answer) }
    }

    /// Passes on what the world says.
    pub fn report(&self, report: Report) {
        self.shared.queue.push(Envelope::Report(report));
    }

    /// Makes the engine look at the clock again.
    pub fn wake(&self) {
        self.shared.queue.push(Envelope::Wake);
    }

    /// The instant it is for the engine.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The number of the newest change; the one to wait after, read before looking at the store.
    pub fn generation(&self) -> u64 {
        self.changed_since(0, Duration::ZERO)
    }

    /// Waits for a change after number `seen`, at most for `patience`, and answers the newest number.
    pub fn changed_since(&self, seen: u64, patience: Duration) -> u64 {
        self.shared.changes.since(seen, patience)
    }

    /// Takes no more requests; those that were taken are answered, and then the thread ends.
    pub fn close(&self) {
        self.shared.queue.close();
        self.shared.changes.announce();
    }
}

impl Shared {
    fn run(&self, mut engine: Engine) {
        let mut seen_at = self.clock.now();
        let mut wake_at = Some(seen_at);
        loop {
            let patience = wake_at.map(|at| sleep(self.clock.now(), at));
            let (batch, door) = self.queue.take(patience);
            let now = self.clock.now();
            // Instants that were near may be far away after a step back, so they are found anew.
            let stepped_back = now < seen_at;
            seen_at = now;
            if batch.is_empty() {
                if door == Door::Closed {
                    return;
                }
                if !stepped_back && wake_at.is_none_or(|at| at > now) {
                    continue;
                }
            }
            wake_at = engine.step(now, batch);
            self.changes.announce();
        }
    }
}

fn sleep(now: Timestamp, wake_at: Timestamp) -> Duration {
    // The clock is cut to milliseconds, so what is left is never longer than this; what is shorter than
    // one is slept through as one.
    let left = Span::between(now, wake_at).as_ms().max(u64::from(wake_at > now));
    Duration::from_millis(left).min(SLEEP_MAX)
}

fn gone() -> Refusal {
    Refusal::new(Code::Unavailable, "the daemon is stopping, nothing was stored")
        .hint("ask again in a moment")
}

fn unanswered() -> Refusal {
    Refusal::new(Code::Unknown, "the daemon stopped before it answered").hint("ask again with the same key")
}
