//! The desk: what every session works with.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;

use crate::client::protocol::Home;
use crate::command::caller::Caller;
use crate::command::{self, Asked, House};
use crate::core::process::ProcessKey;
use crate::core::refusal::{Code, Refusal};
use crate::surface::mcp::news::{self, Board};
use crate::surface::mcp::order::Turn;

/// What every session works with.
pub struct Desk {
    /// The daemon as the verbs see it.
    pub house: House,
    /// The home it works for; none when nobody can look at it any more.
    pub home: Option<Home>,
    /// The process of a run whose tree a process belongs to.
    pub run_of: fn(i32) -> Option<ProcessKey>,
    /// Where changes are told.
    pub(super) board: Board,
    closing: AtomicBool,
}

/// One call of a verb.
pub(super) struct Call {
    pub(super) verb: &'static str,
    pub(super) arguments: Json,
    pub(super) key: Option<String>,
}

impl Desk {
    /// A desk that is open, and told of changes; called where futures run.
    pub fn open(
        house: House,
        home: Option<Home>,
        run_of: fn(i32) -> Option<ProcessKey>,
    ) -> io::Result<Arc<Self>> {
        let desk =
            Arc::new(Self { house, home, run_of, board: Board::new(), closing: AtomicBool::new(false) });
        news::start(&desk)?;
        Ok(desk)
    }

    /// Says that the daemon is ending.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether the daemon is ending, so that a refusal may be its end and not the answer.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Does a verb on a thread where it may wait for the disk.
    pub(super) async fn call(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        call: Call,
        turn: Option<Turn>,
    ) -> Result<Json, Refusal> {
        if let Some(turn) = &turn {
            turn.come().await;
        }
        let desk = Arc::clone(self);
        let work = move || {
            let entered = || {
                if let Some(turn) = &turn {
                    turn.enter();
                }
            };
            let Call { verb, arguments, key } = call;
            command::dispatch::dispatch(
                &desk.house,
                &caller,
                Asked { verb, arguments, key, entered: &entered },
            )
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            Err(Refusal::new(Code::Unavailable, format!("the daemon cannot do this: {error}")))
        })
    }
}
