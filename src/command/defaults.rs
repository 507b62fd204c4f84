//! Defaults: what is chosen when nothing is said. Whatever is, is said back.

use crate::core::definition::{Limits, Target};
use crate::core::goal::Goal;
use crate::core::process::Bounds;
use crate::core::retry::Retry;
use crate::core::schedule::{Schedule, Start};
use crate::core::span::Span;

/// Wall limit of a command when nothing is said.
const TIMEOUT: Span = Span::from_secs(600);

/// Wall limit of an agent when nothing is said.
const AGENT_TIMEOUT: Span = Span::from_secs(3600);

/// After so long without progress an agent is ended when nothing is said.
const AGENT_IDLE: Span = Span::from_secs(900);

/// How many runs a scheduled agent with a condition has when nothing is said.
const AGENT_RUNS: u32 = 50;

/// How long a tree may take to obey TERM.
const GRACE: Span = Span::from_secs(10);

/// The most that a run may write to one stream.
const OUTPUT_BYTES_MAX: u64 = 1 << 30;

/// The pause of a loop when nothing is said.
pub const WAIT: Span = Span::from_secs(300);

/// The bounds of an attempt.
pub fn bounds(timeout: Option<Span>, idle: Option<Span>, memory_bytes: Option<u64>) -> Bounds {
    Bounds { wall: timeout, idle, memory_bytes, output_bytes: OUTPUT_BYTES_MAX, grace: GRACE }
}

/// Who does the work of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A command.
    Command,
    /// An agent.
    Agent,
}

impl Kind {
    /// Of a target.
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Command(_) => Self::Command,
            Target::Agent(_) => Self::Agent,
        }
    }

    /// The wall limit when nothing is said.
    pub fn timeout(self) -> Option<Span> {
        Some(match self {
            Self::Command => TIMEOUT,
            Self::Agent => AGENT_TIMEOUT,
        })
    }

    /// The limit of silence when nothing is said.
    pub fn idle(self) -> Option<Span> {
        (self == Self::Agent).then_some(AGENT_IDLE)
    }
}

/// The pause before a retry when nothing is said.
pub fn retry(most: u32, delay: Option<Span>) -> Retry {
    Retry { most, delay: delay.unwrap_or(Span::from_secs(60)) }
}

/// When the first start is, when nothing is said: at once for anything with a goal, and for a loop.
pub fn default_start(schedule: &Schedule, goal: Option<&Goal>) -> Start {
    match schedule {
        Schedule::Loop { .. } => Start::Now,
        Schedule::Every { .. } | Schedule::At(_) | Schedule::Manual => {
            if goal.is_some() {
                Start::Now
            } else {
                Start::Next
            }
        }
    }
}

/// The limits when nothing is said: those of a loop, and of an agent that a schedule starts until something holds.
pub fn default_limits(schedule: &Schedule, goal: Option<&Goal>, kind: Kind) -> Limits {
    let is_loop = matches!(schedule, Schedule::Loop { .. });
    let is_costly = kind == Kind::Agent && goal.is_some() && schedule.repeats();
    Limits {
        runs: if is_loop { Some(10) } else { is_costly.then_some(AGENT_RUNS) },
        span: is_loop.then_some(Span::from_secs(3 * 3600)),
        deadline: None,
        tokens: None,
        dollars: None,
        breaker: 5,
    }
}
