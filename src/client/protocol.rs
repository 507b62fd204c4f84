//! The protocol: the lines that go through the socket.

use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::client::preface::Preface;
use crate::core::refusal::Refusal;
use crate::paths::Paths;

/// The version that both sides must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest line a daemon takes.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// The daemon's answer to a [`Preface`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Greeting {
    /// Go on.
    Welcome(Welcome),
    /// Not now, or not so.
    Refused {
        /// Why.
        error: Refusal,
    },
}

/// Who the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Its version.
    pub converge: String,
    /// Its process.
    pub pid: u32,
    /// Its home; none says a daemon that cannot look at it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
}

/// A home, known again whatever path leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Where its user sees it.
    pub path: String,
    /// The file system it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with the response.
    pub id: Json,
    /// What to do.
    pub verb: String,
    /// With what.
    #[serde(default)]
    pub arguments: Json,
    /// The name of a write, so that asking twice is asking once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The response to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// That of the request; null when it could not be read.
    pub id: Json,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Reply(Json),
    /// It was not.
    Error(Refusal),
}

impl Home {
    /// The home at these paths, when it is there.
    pub fn of(paths: &Paths) -> Option<Self> {
        let found = paths.home().metadata().ok()?;
        let path = paths.home().display().to_string();
        Some(Self { path, device: found.dev(), inode: found.ino() })
    }

    /// Whether both are the same directory, which a link or a mount may show at two paths.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Preface {
    /// Whether the other side is of the same version.
    pub fn is_current(&self) -> bool {
        self.converge == VERSION
    }
}

/// One document as a line.
pub fn line(document: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(document).expect("messages are plain data");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::refusal::Code;

    #[test]
    fn a_response_is_a_reply_or_an_error() {
        let check = |outcome: Outcome, expected: Json| {
            let response = Response { id: json!(7), outcome };
            let text = serde_json::to_value(&response).expect("plain data");
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_value::<Response>(text).expect("inverse"), response);
        };
        check(Outcome::Reply(json!({"jobs": []})), json!({"id": 7, "reply": {"jobs": []}}));
        check(Outcome::Reply(Json::Null), json!({"id": 7, "reply": null}));
        let refusal = Refusal::new(Code::NotFound, "no job x");
        check(
            Outcome::Error(refusal),
            json!({"id": 7, "error": {"code": "not_found", "message": "no job x"}}),
        );
    }

    #[test]
    fn a_greeting_is_a_welcome_or_an_error() {
        let welcome = Greeting::Welcome(Welcome { converge: "1.0.0".to_owned(), pid: 5, home: None });
        assert_eq!(
            serde_json::from_str::<Greeting>(r#"{"converge":"1.0.0","pid":5}"#).expect("read"),
            welcome
        );
        let refused: Greeting =
            serde_json::from_str(r#"{"id":null,"error":{"code":"unavailable","message":"full"}}"#)
                .expect("read");
        assert!(matches!(refused, Greeting::Refused { error } if error.message == "full"));
    }
}
