//! The names of resources: `converge://jobs`, a job, a run, and what a run wrote.

use std::fmt;
use std::str::FromStr;

/// A job by its id.
pub(super) const JOB_TEMPLATE: &str = "converge://jobs/{id}";

/// A run by its id.
pub(super) const RUN_TEMPLATE: &str = "converge://runs/{id}";

/// What a run wrote to a stream, from a byte on.
pub(super) const LOG_TEMPLATE: &str = "converge://runs/{id}/log{?from,stream}";

/// What a URI of ours names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// The jobs there are.
    Jobs,
    /// A job, by id, beginning of one, or name.
    Job(String),
    /// A run.
    Run(String),
    /// What a run wrote, from a byte on.
    Log {
        /// The run.
        run: String,
        /// The first byte.
        from: u64,
        /// Whether to standard error.
        stderr: bool,
    },
}

impl FromStr for Named {
    type Err = ();

    fn from_str(uri: &str) -> Result<Self, ()> {
        let path = uri.strip_prefix("converge://").ok_or(())?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let id = |id: &str| if id.is_empty() { Err(()) } else { Ok(decode(id)) };
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["jobs"] => Ok(Self::Jobs),
            ["jobs", job] => id(job).map(Self::Job),
            ["runs", run] => id(run).map(Self::Run),
            ["runs", run, "log"] => {
                let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
                let from = value("from=").map_or(Ok(0), |from| from.parse().map_err(|_| ()))?;
                let stderr = match value("stream=") {
                    None | Some("stdout") => false,
                    Some("stderr") => true,
                    Some(_) => return Err(()),
                };
                Ok(Self::Log { run: id(run)?, from, stderr })
            }
            _ => Err(()),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jobs => f.write_str("converge://jobs"),
            Self::Job(id) => write!(f, "converge://jobs/{}", encode(id)),
            Self::Run(id) => write!(f, "converge://runs/{}", encode(id)),
            Self::Log { run, from, stderr } => {
                write!(f, "converge://runs/{}/log", encode(run))?;
                match (from, stderr) {
                    (0, false) => Ok(()),
                    (0, true) => f.write_str("?stream=stderr"),
                    (from, false) => write!(f, "?from={from}"),
                    (from, true) => write!(f, "?from={from}&stream=stderr"),
                }
            }
        }
    }
}

/// A text as a part of a URI.
fn encode(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            part.push(char::from(byte));
        } else {
            part.extend(format!("%{byte:02X}").chars());
        }
    }
    part
}

/// The text that a part of a URI stands for.
fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_as_it_is_written() {
        let check = |uri: &str, named: Named| {
            assert_eq!(uri.parse(), Ok(named.clone()), "{uri}");
            assert_eq!(named.to_string(), uri);
        };
        check("converge://jobs", Named::Jobs);
        check("converge://jobs/j1", Named::Job("j1".to_owned()));
        check("converge://runs/r1", Named::Run("r1".to_owned()));
        let log = |from, stderr| Named::Log { run: "r1".to_owned(), from, stderr };
        check("converge://runs/r1/log", log(0, false));
        check("converge://runs/r1/log?from=70", log(70, false));
        check("converge://runs/r1/log?stream=stderr", log(0, true));
        check("converge://runs/r1/log?from=70&stream=stderr", log(70, true));
        check("converge://jobs/%C3%BCbung%20a", Named::Job("übung a".to_owned()));
    }

    #[test]
    fn names_are_decoded_and_strangers_are_nothing() {
        assert_eq!("converge://jobs/a%20b%".parse(), Ok(Named::Job("a b%".to_owned())));
        for uri in ["converge://jobs/", "converge://run/r1", "http://jobs", "converge://runs/r1/log?from=x"] {
            assert_eq!(uri.parse::<Named>(), Err(()), "{uri}");
        }
    }
}
