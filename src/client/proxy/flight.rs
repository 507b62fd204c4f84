//! Flights: lines of the client that the daemon may have to be sent again.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// A line of the client.
#[derive(Debug)]
pub(super) struct Flight {
    /// The id that the answer will have; null when it wants none.
    pub(super) id: Json,
    /// What it is, as far as it matters here.
    pub(super) sort: Sort,
    /// The line, with its key.
    pub(super) line: Vec<u8>,
    /// Since when there is no good connection for it; one that is lost soon does not count.
    pub(super) lost_at: Option<Instant>,
    /// Whether a daemon was asked, so that it may have been done.
    pub(super) is_sent: bool,
    /// When it came.
    pub(super) asked_at: Option<Instant>,
}

/// What is younger is asked anew as if it were new.
const AGE_LEAST: Duration = Duration::from_secs(1);

/// Sorts of lines.
#[derive(Debug, PartialEq)]
pub(super) enum Sort {
    /// A request like any other.
    Call,
    /// Begins a session of the older eras.
    Initialize {
        /// What the client said of itself.
        params: Json,
    },
    /// Is in flight as long as the client listens.
    Listen {
        /// The version of the daemon that last said so, once the client was told that it does.
        acknowledged_by: Option<String>,
    },
    /// Asks to be told of a resource's changes, in the older eras.
    Subscribe {
        /// The resource.
        uri: String,
    },
    /// Asks to be told no more.
    Unsubscribe {
        /// The resource.
        uri: String,
    },
    /// Wants no answer.
    Note,
}

impl Flight {
    /// A request.
    pub(super) fn request(id: Json, method: &str, params: Json, line: Vec<u8>) -> Self {
        let uri = || params["uri"].as_str().unwrap_or_default().to_owned();
        let sort = match method {
            "initialize" => Sort::Initialize { params },
            "subscriptions/listen" => Sort::Listen { acknowledged_by: None },
            "resources/subscribe" => Sort::Subscribe { uri: uri() },
            "resources/unsubscribe" => Sort::Unsubscribe { uri: uri() },
            _ => Sort::Call,
        };
        Self { id, sort, line, lost_at: None, is_sent: false, asked_at: None }
    }

    /// A line that wants no answer.
    pub(super) fn note(line: Vec<u8>) -> Self {
        Self { id: Json::Null, sort: Sort::Note, line, lost_at: None, is_sent: false, asked_at: None }
    }

    /// Its id as a text, in which `1` and `"1"` differ.
    pub(super) fn name(&self) -> String {
        self.id.to_string()
    }

    /// Whether its answer is waited for; that to a listener may never come.
    pub(super) fn is_request(&self) -> bool {
        !matches!(self.sort, Sort::Note | Sort::Listen { .. })
    }

    /// Whether it stays in flight once it was sent.
    pub(super) fn lasts(&self) -> bool {
        self.sort != Sort::Note
    }

    /// Makes the key the first member of the message; nothing else of the line changes.
    pub(super) fn splice_key(&mut self, key: &str) {
        splice(&mut self.line, &format!("\"key\":\"{key}\","));
    }

    /// The line for the next daemon, which says for how long the client has waited already.
    pub(super) fn again(&self, now: Instant) -> Cow<'_, [u8]> {
        let age = self.asked_at.map_or(Duration::ZERO, |asked_at| now.saturating_duration_since(asked_at));
        if !self.is_request() || !self.is_sent || age < AGE_LEAST {
            return Cow::Borrowed(&self.line);
        }
        let mut line = self.line.clone();
        splice(&mut line, &format!("\"age\":{},", age.as_millis()));
        Cow::Owned(line)
    }
}

/// Puts `member` in front of the members of the message.
fn splice(line: &mut Vec<u8>, member: &str) {
    let start = line.iter().position(|byte| *byte == b'{').expect("a message is an object") + 1;
    line.splice(start..start, member.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_first_member_and_nothing_else_changes() {
        let line = br#" { "id" : 1, "params": {"a":"{"} }"#.to_vec();
        let mut flight = Flight::request(Json::from(1), "tools/call", Json::Null, line);
        flight.splice_key("p-1");
        let text = String::from_utf8(flight.line).expect("text");
        assert_eq!(text, r#" {"key":"p-1", "id" : 1, "params": {"a":"{"} }"#);
    }

    #[test]
    fn whoever_waited_says_so_to_the_next_daemon() {
        let line = br#"{"key":"p-1","id":1}"#.to_vec();
        let mut flight = Flight::request(Json::from(1), "tools/call", Json::Null, line.clone());
        let now = Instant::now();
        flight.asked_at = Some(now);
        flight.is_sent = true;
        assert_eq!(*flight.again(now), line);
        let later = flight.again(now + Duration::from_secs(40)).into_owned();
        assert_eq!(later, br#"{"age":40000,"key":"p-1","id":1}"#);
        flight.is_sent = false;
        assert_eq!(*flight.again(now + Duration::from_secs(40)), line, "nobody was asked before");
    }
}
