//! Schedules: when a job starts, as arithmetic on instants.
//!
//! Every scheduled start stands for an instant, its *slot*, and a job has one run per slot. Which of the
//! due slots run is decided in `core::job`; here is only where they lie.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::span::Span;

/// When a job starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Again and again, `span` apart.
    Every {
        /// The distance.
        span: Span,
        /// From what it is measured.
        anchor: Anchor,
    },
    /// Once, at this instant.
    At(Timestamp),
    /// Again and again, with this pause after each end.
    Loop {
        /// The pause.
        wait: Span,
    },
    /// Only when somebody says so.
    Manual,
}

/// From what the distance of an interval is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// From slot to slot, so that the rate is kept however long a run takes.
    Rate,
    /// From the end of a run to the start of the next.
    Delay,
}

/// When the first start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At once.
    Now,
    /// At the next slot of the schedule.
    Next,
}

/// The shortest distance between two starts by schedule.
pub const FLOOR: Span = Span::from_secs(1);

impl Schedule {
    /// The first slot of a job that begins at `begin`.
    pub fn first(&self, begin: Timestamp, start: Start) -> Option<Timestamp> {
        match (self, start) {
            (Self::Manual, _) => None,
            (Self::At(at), _) => Some(*at),
            (Self::Every { .. } | Self::Loop { .. }, Start::Now) => Some(begin),
            (Self::Every { span: pause, .. } | Self::Loop { wait: pause }, Start::Next) => {
                Some(pause.after(begin))
            }
        }
    }

    /// The slot that follows the end of a run, for schedules that wait after the end.
    pub fn after_end(&self, ended_at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every { span: pause, anchor: Anchor::Delay } | Self::Loop { wait: pause } => {
                Some(pause.after(ended_at))
            }
            Self::Every { anchor: Anchor::Rate, .. } | Self::At(_) | Self::Manual => None,
        }
    }

    /// The distance of the slots, for schedules that keep a rate.
    pub fn rate(&self) -> Option<Span> {
        match self {
            Self::Every { span, anchor: Anchor::Rate } => Some(*span),
            Self::Every { anchor: Anchor::Delay, .. } | Self::At(_) | Self::Loop { .. } | Self::Manual => {
                None
            }
        }
    }

    /// The first slot after `now` when the schedule starts over, as on resuming.
    ///
    /// A kept rate stays on its grid through `origin`, so that pausing does not shift it.
    pub fn resumed(&self, origin: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Manual => None,
            Self::At(at) => Some(*at),
            Self::Loop { .. } | Self::Every { anchor: Anchor::Delay, .. } => Some(now),
            Self::Every { anchor: Anchor::Rate, .. } if now < origin => Some(origin),
            Self::Every { span, anchor: Anchor::Rate } => {
                Some(span.after(Due::up_to(origin, *span, now).last))
            }
        }
    }

    /// Whether there is one slot only.
    pub fn is_once(&self) -> bool {
        match self {
            Self::At(_) => true,
            Self::Every { .. } | Self::Loop { .. } | Self::Manual => false,
        }
    }

    /// Whether a run by schedule can come after the first.
    pub fn repeats(&self) -> bool {
        match self {
            Self::Every { .. } | Self::Loop { .. } => true,
            Self::At(_) | Self::Manual => false,
        }
    }
}

/// The slots of a kept rate that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The newest one.
    pub last: Timestamp,
    /// How many there are, the newest included.
    pub count: u64,
}

impl Due {
    /// The slots from `first` on, `span` apart, that are not after `now`; `first` itself is one.
    pub fn up_to(first: Timestamp, span: Span, now: Timestamp) -> Self {
        let steps = Span::between(first, now).as_ms() / span.as_ms().max(1);
        Self { last: Span::from_ms(steps * span.as_ms()).after(first), count: steps + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    const TEN: Schedule = Schedule::Every { span: Span::from_secs(10), anchor: Anchor::Rate };
    const PAUSE: Schedule = Schedule::Loop { wait: Span::from_secs(10) };

    #[test]
    fn the_first_slot_is_now_or_one_step_on() {
        assert_eq!(TEN.first(at(100), Start::Next), Some(at(110)));
        assert_eq!(TEN.first(at(100), Start::Now), Some(at(100)));
        assert_eq!(PAUSE.first(at(100), Start::Now), Some(at(100)));
        assert_eq!(Schedule::At(at(500)).first(at(100), Start::Now), Some(at(500)));
        assert_eq!(Schedule::Manual.first(at(100), Start::Now), None);
    }

    #[test]
    fn a_week_of_missed_slots_is_counted_not_walked() {
        let week = 7 * 86_400;
        let due = Due::up_to(at(0), Span::from_secs(1), at(week));
        assert_eq!(due, Due { last: at(week), count: week.unsigned_abs() + 1 });
        assert_eq!(Due::up_to(at(0), Span::from_secs(10), at(9)), Due { last: at(0), count: 1 });
    }

    #[test]
    fn resuming_keeps_a_rate_on_its_grid_and_starts_a_loop_at_once() {
        assert_eq!(TEN.resumed(at(100), at(137)), Some(at(140)));
        assert_eq!(TEN.resumed(at(100), at(140)), Some(at(150)));
        assert_eq!(TEN.resumed(at(100), at(50)), Some(at(100)));
        assert_eq!(PAUSE.resumed(at(100), at(137)), Some(at(137)));
    }

    #[test]
    fn only_a_loop_waits_for_the_end() {
        assert_eq!(PAUSE.after_end(at(100)), Some(at(110)));
        assert_eq!(TEN.after_end(at(100)), None);
    }
}
