//! Exit codes, which scripts rely on.

use std::process::ExitCode;

use crate::core::refusal::Code;

/// What a command line came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// It was done.
    Ok,
    /// The work failed.
    Failed,
    /// A person is needed.
    NeedsPerson,
    /// Waiting took too long.
    TimedOut,
    /// What was written cannot be done.
    Usage,
    /// There is no daemon to do it.
    Unavailable,
}

impl Exit {
    /// How a refusal ends a command line.
    pub(super) fn of(code: Code) -> Self {
        match code {
            Code::Invalid
            | Code::NotFound
            | Code::Ambiguous
            | Code::Conflict
            | Code::Denied
            | Code::KeyReused => Self::Usage,
            Code::Unavailable | Code::Unknown => Self::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::NeedsPerson => 2,
            Exit::TimedOut => 3,
            Exit::Usage => 64,
            Exit::Unavailable => 69,
        })
    }
}
