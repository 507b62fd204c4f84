//! The engine's queue: one order for everything that arrives.
//!
//! Requests are bounded, so that those who ask in a hurry wait for room. Reports never wait: the world
//! does not repeat them, and there are only as many as there are processes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::engine::input::{Asked, Envelope};

/// How many requests may wait.
const ASKS_MAX: usize = 1024;

/// How many envelopes one transaction takes.
const BATCH_MOST: usize = 1024;

/// What waits for the engine.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Debug)]
struct State {
    envelopes: VecDeque<Envelope>,
    asks: usize,
    door: Door,
}

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Closed,
}

impl Queue {
    pub(super) fn new() -> Self {
        let state = State { envelopes: VecDeque::new(), asks: 0, door: Door::Open };
        Self { state: Mutex::new(state), arrived: Condvar::new(), room: Condvar::new() }
    }

    /// Queues a request, after waiting for room; once the door is closed it is dropped.
    pub(super) fn ask(&self, asked: Asked) -> Door {
        let full = |state: &mut State| state.asks >= ASKS_MAX && state.door == Door::Open;
        let mut state =
            self.room.wait_while(self.state(), full).expect("nobody panics with the queue in hand");
        if state.door == Door::Open {
            state.asks += 1;
            state.envelopes.push_back(Envelope::Ask(Box::new(asked)));
            self.arrived.notify_one();
        }
        state.door
    }

    /// Queues what must not wait; once the door is closed it is dropped.
    pub(super) fn push(&self, envelope: Envelope) {
        let mut state = self.state();
        if state.door == Door::Open {
            state.envelopes.push_back(envelope);
            self.arrived.notify_one();
        }
    }

    /// Takes what is there, after waiting for something to come, for the door, or for `patience`.
    pub(super) fn take(&self, patience: Option<Duration>) -> (Vec<Envelope>, Door) {
        let nothing = |state: &mut State| state.envelopes.is_empty() && state.door == Door::Open;
        let mut state = match patience {
            None => self.arrived.wait_while(self.state(), nothing).map_err(drop),
            Some(patience) => self
                .arrived
                .wait_timeout_while(self.state(), patience, nothing)
                .map(|(state, _)| state)
                .map_err(drop),
        }
        .expect("nobody panics with the queue in hand");
        let most = state.envelopes.len().min(BATCH_MOST);
        let batch: Vec<Envelope> = state.envelopes.drain(..most).collect();
        state.asks -= batch.iter().filter(|envelope| matches!(envelope, Envelope::Ask(_))).count();
        self.room.notify_all();
        (batch, state.door)
    }

    /// Lets nothing more in; what is queued is still taken.
    pub(super) fn close(&self) {
        self.state().door = Door::Closed;
        self.arrived.notify_all();
        self.room.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the queue in hand")
    }
}
