//! Instants as people write them: `08:00`, `2026-11-20 08:00`, `in 10m`, with or without an offset.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::core::refusal::Problem;
use crate::core::span::Span;

const FORMS: &str = "write `08:00`, `2026-11-20 08:00`, `2026-11-20T08:00:00Z` or `in 10m`";

/// Reads an instant that lies after `now`; a time without a date is the next one, without a zone in `zone`.
pub fn read(place: &str, text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = parse(text.trim(), zone, now)
        .ok_or_else(|| Problem::new(place, format!("`{text}` is no instant")).fix(FORMS))?;
    // Rows hold whole milliseconds.
    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    if at <= now {
        return Err(Problem::new(place, format!("`{text}` has passed")).fix("name an instant in the future"));
    }
    Ok(at)
}

fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let after = text.strip_prefix("in ").or_else(|| text.strip_prefix('+'));
    if let Some(span) = after {
        return span.parse::<Span>().ok().map(|span| span.after(now));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<Zoned>() {
        return Some(at.timestamp());
    }
    let today = now.to_zoned(zone.clone()).date();
    if let Some(time) = text.strip_prefix("tomorrow").map(str::trim) {
        return in_zone(today.tomorrow().ok()?, time.parse().ok()?, zone);
    }
    // Before the time alone, which would be read out of it with its date dropped.
    if let Ok(civil) = text.replacen(' ', "T", 1).parse::<DateTime>() {
        return in_zone(civil.date(), civil.time(), zone);
    }
    let time: Time = text.parse().ok()?;
    let at = in_zone(today, time, zone)?;
    if at > now { Some(at) } else { in_zone(today.checked_add(1.day()).ok()?, time, zone) }
}

fn in_zone(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    date.to_datetime(time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let zone = TimeZone::get("Europe/Berlin").expect("a known zone");
        let now = "2026-11-20T09:30:00+01:00".parse::<Timestamp>().expect("an instant");
        let read = match read("at", text, &zone, now) {
            Ok(at) => at.to_string(),
            Err(problem) => problem.message,
        };
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn instants_read_as_people_write_them() {
        check("in 10m", "2026-11-20T08:40:00Z");
        check("+1h30m", "2026-11-20T10:00:00Z");
        check("10:00", "2026-11-20T09:00:00Z");
        check("08:00", "2026-11-21T07:00:00Z");
        check("tomorrow 08:00", "2026-11-21T07:00:00Z");
        check("2026-11-21 08:00", "2026-11-21T07:00:00Z");
        check("2026-12-24 18:00", "2026-12-24T17:00:00Z");
        check("2026-12-24", "2026-12-23T23:00:00Z");
        check("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z");
        check("2026-11-21T08:00:00+02:00", "2026-11-21T06:00:00Z");
    }

    #[test]
    fn what_is_no_instant_or_has_passed_is_refused() {
        check("2026-11-19 08:00", "`2026-11-19 08:00` has passed");
        check("2001-01-01 23:00", "`2001-01-01 23:00` has passed");
        check("soon", "`soon` is no instant");
        check("in 5", "`in 5` is no instant");
        check("25:00", "`25:00` is no instant");
    }
}
