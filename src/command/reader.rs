//! Reading arguments: each kind of value, and every problem told at once with its place.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agent::catalogue::Catalogue;
use crate::agent::price::Prices;
use crate::command::caller::Caller;
use crate::command::{Context, agent_files, instant, zone};
use crate::core::reading::Dollars;
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
    /// Where the files of agents are kept.
    home: &'a Path,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader for what the caller wrote, in `tz` or else in the caller's zone.
    pub fn new(cx: &'a Context<'_>, tz: Option<&str>) -> Self {
        let (caller, now) = (cx.caller, cx.now());
        let zone = tz.map_or_else(|| caller.time_zone(), |tz| zone::named("tz", tz));
        let (zone, problems) = match zone {
            Ok(zone) => (zone, Vec::new()),
            Err(problem) => (TimeZone::UTC, vec![problem]),
        };
        Self { caller, now, zone, home: &cx.house.places.home, problems }
    }

    /// Every agent that is known.
    pub fn agents(&self) -> Catalogue {
        agent_files::catalogue(self.home)
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

    /// What models cost, as far as that is known.
    pub fn prices(&self) -> Prices {
        agent_files::prices(self.home).0
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
            self.refuse("ends_at", "not after `--starts-at`", "leave time between them");
        }
    }

    /// Refuses an end that leaves no time for the one start there is.
    pub fn in_time(&mut self, schedule: Option<&Schedule>, ends_at: Option<Timestamp>) {
        if let (Some(Schedule::At(at)), Some(ends_at)) = (schedule, ends_at)
            && ends_at <= *at
        {
            self.refuse(
                "ends_at",
                "not after `--at`, so that nothing would ever start",
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

    /// A number of tokens, such as `200k` or `2.5M`; 0 is none.
    pub fn tokens(&mut self, place: &str, text: &str) -> Option<u64> {
        let plain = text.trim().replace('_', "");
        if plain == "none" {
            return None;
        }
        let (digits, unit) = match plain.char_indices().last() {
            Some((at, 'k' | 'K')) => (&plain[..at], 1_000),
            Some((at, 'm' | 'M')) => (&plain[..at], 1_000_000),
            Some(_) | None => (plain.as_str(), 1),
        };
        let count = times(digits.trim_end(), unit);
        if count.is_none() {
            self.refuse(
                place,
                format!("`{text}` is no number of tokens"),
                "write a number such as `200k` or `2.5M`; `0` is no limit",
            );
        }
        count.filter(|count| *count > 0)
    }

    /// An amount of dollars; 0 is none.
    pub fn dollars(&mut self, place: &str, text: &str) -> Option<Dollars> {
        if text.trim() == "none" {
            return None;
        }
        let amount = text.trim().trim_start_matches('$').parse::<f64>().ok().and_then(Dollars::of);
        if amount.is_none() {
            self.refuse(
                place,
                format!("`{text}` is no amount of dollars"),
                "write an amount such as `5` or `0.50`",
            );
        }
        amount.filter(|amount| *amount > Dollars::default())
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

/// A decimal number times a unit, when that is a whole number.
fn times(decimal: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let product = format!("{whole}{fraction}").parse::<u64>().ok()?.checked_mul(unit)?;
    product.is_multiple_of(scale).then(|| product / scale)
}
