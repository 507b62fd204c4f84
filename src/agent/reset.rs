//! Resets: when a used-up quota is there again, as a CLI states it; never a guess.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use regex::Captures;

use crate::core::span::Span;

/// The groups by which a pattern says what kind of time it found.
pub const GROUPS: [&str; 6] = ["epoch", "span", "seconds", "date", "clock", "zone"];

/// What lies further ahead than this is no reset but a slip.
const AHEAD_MOST: Span = Span::from_secs(40 * 86_400);

/// When a quota is there again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reset {
    /// At this instant.
    At(Timestamp),
    /// So long after it was said.
    After(Span),
    /// When the clocks of this machine show this.
    Local(DateTime),
    /// When clocks next show this, in a zone or, without one, on this machine.
    Clock(Time, Option<String>),
}

impl Reset {
    /// What the groups of a pattern found; none when it reads as no time.
    pub fn of(found: &Captures<'_>) -> Option<Self> {
        let group = |name: &str| found.name(name).map(|group| group.as_str().trim());
        let by_clock = || {
            let zone = group("zone").map(str::to_owned);
            Some(Self::Clock(clock(group("clock")?)?, zone))
        };
        let epoch = group("epoch").and_then(|text| text.parse().ok()).and_then(Self::epoch);
        let span = || group("span").and_then(|text| text.parse().ok()).map(Self::After);
        let date = || group("date").and_then(date).map(Self::Local);
        let seconds = || group("seconds").and_then(|text| text.parse().ok()).and_then(Self::seconds);
        epoch.or_else(span).or_else(seconds).or_else(date).or_else(by_clock)
    }

    /// So many seconds after 1970.
    pub fn epoch(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self::At)
    }

    /// After so many seconds, unless that is longer than anybody waits.
    fn seconds(seconds: u64) -> Option<Self> {
        (seconds <= AHEAD_MOST.as_ms() / 1000).then(|| Self::After(Span::from_secs(seconds)))
    }

    /// The instant, for something said at `now` on a machine in `zone`; none for one that cannot be meant.
    pub fn instant(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let at = match self {
            Self::At(at) => *at,
            Self::After(span) => span.after(now),
            Self::Local(time) => zone.to_timestamp(*time).ok()?,
            Self::Clock(time, named) => {
                let zone = match named {
                    Some(name) => TimeZone::get(name).ok()?,
                    None => zone.clone(),
                };
                let today = now.to_zoned(zone.clone()).date();
                let next = [today, today.tomorrow().ok()?];
                let instants =
                    next.into_iter().filter_map(|day| zone.to_timestamp(day.to_datetime(*time)).ok());
                instants.into_iter().find(|at| *at > now)?
            }
        };
        (Span::between(now, at) <= AHEAD_MOST).then_some(at.max(now))
    }
}

/// `7:00 AM`, `4am`, `16:00`.
fn clock(text: &str) -> Option<Time> {
    let text = text.to_ascii_lowercase().replace(' ', "");
    let forms = ["%I:%M%p", "%I%p", "%H:%M"];
    forms.iter().find_map(|form| strtime::parse(form, &text).ok()?.to_time().ok())
}

/// `Nov 21st, 2026 7:00 AM`.
fn date(text: &str) -> Option<DateTime> {
    let mut plain = String::new();
    let mut words = text.split_whitespace();
    for word in words.by_ref() {
        let word = word.trim_end_matches(',');
        let day = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending));
        let day = day.filter(|day| day.bytes().all(|byte| byte.is_ascii_digit()));
        plain.push_str(day.unwrap_or(word));
        plain.push(' ');
    }
    strtime::parse("%b %d %Y %I:%M %p", plain.trim_end()).ok()?.to_datetime().ok()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const NOW: &str = "2026-11-20T20:34:00Z";

    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let found = Regex::new(pattern).expect(pattern);
        let reset = found.captures(text).and_then(|found| Reset::of(&found));
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let now = NOW.parse().expect("an instant");
        let at = reset.and_then(|reset| reset.instant(now, &zone));
        assert_eq!(at.map(|at| at.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_reset_is_read_as_it_is_stated() {
        check(r"\|(?<epoch>\d+)", "limit reached|1795244400", Some("2026-11-21T07:00:00Z"));
        check(r"after (?<span>[\dhms]+)", "reset after 15h57m40s.", Some("2026-11-21T12:31:40Z"));
        check(r"at (?<date>.+)\.", "try again at Nov 21st, 2026 7:00 AM.", Some("2026-11-21T06:00:00Z"));
        check(r"in (?<seconds>\d+)(\.\d+)?s", "retry in 10800.7s", Some("2026-11-20T23:34:00Z"));
        check(r"at (?<clock>.+)\.", "try again at 11:00 PM.", Some("2026-11-20T22:00:00Z"));
    }

    #[test]
    fn a_clock_time_that_has_passed_is_tomorrows_in_its_own_zone() {
        let pattern = r"resets (?<clock>\d+[ap]m) \((?<zone>[^)]+)\)";
        check(pattern, "resets 4am (Asia/Tokyo)", Some("2026-11-21T19:00:00Z"));
        check(pattern, "resets 6am (Asia/Tokyo)", Some("2026-11-20T21:00:00Z"));
        check(pattern, "resets 6am (Nowhere/Land)", None);
    }

    #[test]
    fn what_reads_as_no_time_or_lies_far_ahead_is_no_reset() {
        check(r"at (?<date>.+)\.", "try again at some day.", None);
        check(r"\|(?<epoch>\d+)", "|99999999999999999999", None);
        check(r"\|(?<epoch>\d+)", "|4000000000", None);
        check(r"after (?<span>.+)", "after 0x12", None);
        check(r"in (?<seconds>\d+)s", "in 18446744073709551615s", None);
    }

    #[test]
    fn what_has_passed_is_now() {
        check(r"\|(?<epoch>\d+)", "|1700000000", Some(NOW));
    }
}
