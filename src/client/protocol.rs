//! The protocol: the lines that go through the socket.

use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::client::preface::Preface;
use crate::core::refusal::Refusal;
use crate::paths::Paths;

/// The version that both sides must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest line a daemon takes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// What is said of a line that is longer than that.
pub fn too_long() -> String {
    let most = LINE_BYTES_MAX >> 20;
    format!("a line is longer than {most} MiB; put large inputs into a file and name the file")
}

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
    use super::*;

    #[test]
    fn who_says_too_much_at_once_is_told_how_much_is_taken() {
        let told = "a line is longer than 16 MiB; put large inputs into a file and name the file";
        assert_eq!(too_long(), told);
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
