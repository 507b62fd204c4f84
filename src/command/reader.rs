//! Reading arguments: each kind of value, and every problem told at once with its place.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::caller::Caller;
use crate::command::{instant, zone};
use crate::core::refusal::{Problem, Refusal};
use crate::core::schedule::{FLOOR, Schedule};
use crate::core::size::{self, NotASize};
use crate::core::span::{NotASpan, Span};

/// Collects problems while arguments are read.
pub struct Reader<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The instant it is.
    pub now: Timestamp,
    /// The zone of instants without one.
    pub zone: TimeZone,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader for what `caller` wrote, in `tz` or else in the caller's zone.
    pub fn new(caller: &'a Caller, tz: Option<&str>, now: Timestamp) -> Self {
        let zone = tz.map_or_else(|| caller.time_zone(), |tz| zone::named("tz", tz));
        let (zone, problems) = match zone {
            Ok(zone) => (zone, Vec::new()),
            Err(problem) => (TimeZone::UTC, vec![problem]),
        };
        Self { caller, now, zone, problems }
    }

    /// Notes a problem.
    pub fn refuse(&mut self, place: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::new(place, message).fix(fix));
    }

    /// The name of the zone.
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// Ends with everything that was wrong.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.problems)) }
    }

    /// A span, if there is one.
    pub fn span(&mut self, place: &str, text: Option<&str>) -> Option<Span> {
        match text?.parse() {
            Ok(span) => Some(span),
            Err(error) => {
                let error: NotASpan = error;
                self.refuse(place, error.message, error.fix);
                None
            }
        }
    }

    /// A span of at least a second.
    pub fn interval(&mut self, place: &str, text: Option<&str>) -> Option<Span> {
        let span = self.span(place, text)?;
        if span < FLOOR {
            self.refuse(
                place,
                format!("{span} is below the floor of {FLOOR}"),
                format!("write `{FLOOR}` or more"),
            );
            return None;
        }
        Some(span)
    }

    /// A limit of time: `none` or a span.
    pub fn limit(&mut self, place: &str, text: Option<&str>, default: Option<Span>) -> Option<Span> {
        match text {
            None => default,
            Some("none" | "0") => None,
            Some(text) => match self.span(place, Some(text)) {
                Some(Span::ZERO) => None,
                other => other,
            },
        }
    }

    /// An instant in the future.
    pub fn instant(&mut self, place: &str, text: Option<&str>) -> Option<Timestamp> {
        let text = text.filter(|text| *text != "none")?;
        match instant::read(place, text, &self.zone, self.now) {
            Ok(at) => Some(at),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Refuses an end that is not after the start.
    pub fn in_order(&mut self, starts_at: Option<Timestamp>, ends_at: Option<Timestamp>) {
        if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
            && ends_at <= starts_at
        {
            self.refuse("ends_at", "not after `starts_at`", "leave time between them");
        }
    }

    /// Refuses an end that leaves no time for the one start there is.
    pub fn in_time(&mut self, schedule: Option<&Schedule>, ends_at: Option<Timestamp>) {
        if let (Some(Schedule::At(at)), Some(ends_at)) = (schedule, ends_at)
            && ends_at <= *at
        {
            self.refuse(
                "ends_at",
                "not after `at`, so that nothing would ever start",
                "leave one of them out",
            );
        }
    }

    /// Hours: a number of them, or a span; 0 is none.
    pub fn hours(&mut self, text: Option<&str>, default: Option<Span>) -> Option<Span> {
        let Some(text) = text else { return default };
        let Ok(hours) = text.trim().parse::<f64>() else {
            return self.limit("max_hours", Some(text), default);
        };
        if !(0.0..=876_000.0).contains(&hours) {
            self.refuse("max_hours", format!("`{text}` is no number of hours"), "write `3`, `0.5` or `90m`");
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just checked"
        )]
        let span = Span::from_ms((hours * 3_600_000.0).round() as u64);
        (span > Span::ZERO).then_some(span)
    }

    /// A size: bytes with a unit.
    pub fn size(&mut self, place: &str, text: Option<&str>) -> Option<u64> {
        let text = text.filter(|text| !["none", "0"].contains(text))?;
        match size::bytes(text) {
            Err(NotASize::Unreadable) => {
                self.refuse(
                    place,
                    format!("`{text}` is no size"),
                    "write a number with a unit, such as `512M` or `2G`",
                );
                None
            }
            Ok(bytes) if bytes >= 1 << 20 => Some(bytes),
            Ok(_) | Err(NotASize::TooLarge) => {
                self.refuse(place, format!("`{text}` is out of range"), "write at least `1M`");
                None
            }
        }
    }
}
