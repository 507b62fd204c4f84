//! The handshake: how a session of the older eras began, so that it can begin again with another daemon.

use serde_json::{Value as Json, json};

use crate::client::proxy::message;
use crate::client::proxy::outbox::Outbox;

/// How a session began.
#[derive(Debug)]
pub(super) struct Handshake {
    /// What the client said of itself.
    params: Json,
    /// What the daemon can, once it answered.
    capabilities: Option<Json>,
    /// Whether the client said that it has read the answer.
    pub(super) is_initialized: bool,
}

impl Handshake {
    /// One that waits for the daemon's answer.
    pub(super) fn begun(params: Json) -> Self {
        Self { params, capabilities: None, is_initialized: false }
    }

    /// Notes the daemon's answer.
    pub(super) fn answered(&mut self, line: &[u8]) {
        let mut answer: Json = serde_json::from_slice(line).unwrap_or_default();
        self.capabilities = Some(answer["result"]["capabilities"].take());
    }

    /// Whether the client was told that it will hear of changes of this list.
    pub(super) fn promises(&self, list: &str) -> bool {
        self.capabilities.as_ref().is_some_and(|can| can[list]["listChanged"] == true)
    }

    /// Begins again, under an id that no request of the client has.
    ///
    /// Without an answer the client's own request is still in flight, and begins the session itself.
    pub(super) fn replay(&self, id: &str, to_daemon: &mut Outbox) {
        if self.capabilities.is_some() {
            to_daemon.push(message::request(id, "initialize", &self.params));
            self.follow(to_daemon);
        }
    }

    /// Says that the answer was read, when the client has said so.
    pub(super) fn follow(&self, to_daemon: &mut Outbox) {
        if self.is_initialized {
            to_daemon.push(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        }
    }
}
