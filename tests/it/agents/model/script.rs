//! A script: for each turn of a conversation, what the model does in it.
//!
//! The turn is found by counting what the model has said in the request, not by counting requests. So a
//! client may repeat a request, resume a conversation or hold several at once, and each gets its own turn.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex};

use serde_json::Value as Json;

use super::conversation::Conversation;
use super::turn::{Failure, Turn};

/// A turn, found when it is asked for.
type Step = Box<dyn Fn(&Ask<'_>) -> Turn + Send + Sync>;

/// What the model does, turn by turn; past the end it says that it is done.
#[derive(Default)]
pub(crate) struct Script {
    steps: Vec<Step>,
    asked: Mutex<HashMap<usize, usize>>,
}

/// A turn that is asked for.
pub(crate) struct Ask<'a> {
    /// What the model is shown.
    pub(crate) conversation: &'a Conversation,
    /// How often this turn was asked for before.
    pub(crate) repeated: usize,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Then the model says this.
    pub(crate) fn say(self, text: &str) -> Self {
        self.turn(Turn::say(text))
    }

    /// Then it calls a tool of Converge.
    pub(crate) fn call(self, tool: &str, arguments: Json) -> Self {
        self.turn(Turn::call(tool, arguments))
    }

    /// Then the service fails, each time that it is asked.
    pub(crate) fn fail(self, failure: Failure) -> Self {
        self.turn(Turn::Fail(failure))
    }

    /// Then the service fails so many times, and after that the turn comes.
    pub(crate) fn fail_first(self, times: usize, failure: Failure, then: Turn) -> Self {
        self.then(move |ask| if ask.repeated < times { Turn::Fail(failure.clone()) } else { then.clone() })
    }

    /// Then it is silent for ever.
    pub(crate) fn hang(self) -> Self {
        self.turn(Turn::Hang)
    }

    /// Then comes this turn.
    pub(crate) fn turn(self, turn: Turn) -> Self {
        self.then(move |_| turn.clone())
    }

    /// Then comes what is found in what was said until then. It may wait, for instance at a `Gate`. It may
    /// be asked for more than once, by a client that tries again or that has to load a tool first.
    pub(crate) fn then(mut self, step: impl Fn(&Ask<'_>) -> Turn + Send + Sync + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// The turn that follows upon this conversation.
    pub(crate) fn next(&self, conversation: &Conversation) -> Turn {
        let turn = conversation.turns();
        let Some(step) = self.steps.get(turn) else { return Turn::say("done") };
        let repeated = {
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(turn).or_default();
            *times += 1;
            *times - 1
        };
        step(&Ask { conversation, repeated })
    }
}

/// Holds the model back until the test lets it go on.
#[derive(Default)]
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Waits until the gate is opened.
    pub(crate) fn pass(&self) {
        let mut is_open = self.is_open.lock().unwrap();
        while !*is_open {
            is_open = self.opened.wait(is_open).unwrap();
        }
    }

    /// Lets everybody through who waits, or comes later.
    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}
