//! Spans: lengths of time as people write them, `90s`, `1h30m`, `2d`.

use std::fmt::{self, Write};
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The longest span that is taken: a hundred years.
    pub const MAX: Self = Self(36_525 * 86_400_000);

    /// A span of so many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// A span of so many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// Its length in milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The instant this long after `at`, or the last one there is.
    pub fn after(self, at: Timestamp) -> Timestamp {
        let length = SignedDuration::from_millis(i64::try_from(self.0).unwrap_or(i64::MAX));
        at.checked_add(length).unwrap_or(Timestamp::MAX)
    }

    /// The instant this long before `at`, or the first one there is.
    pub fn before(self, at: Timestamp) -> Timestamp {
        let length = SignedDuration::from_millis(i64::try_from(self.0).unwrap_or(i64::MAX));
        at.checked_sub(length).unwrap_or(Timestamp::MIN)
    }

    /// How long it is from `from` to `to`; none at all when `to` is not later.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self(u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0))
    }
}

/// Why a text is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotASpan {
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl NotASpan {
    fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }
}

const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotASpan::new("an empty span", "write a span such as `5m`"));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(NotASpan::new(
                format!("`{text}` has no unit"),
                format!("write `{text}s`, `{text}m` or `{text}h`"),
            ));
        }
        let mut rest = text;
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, unit, tail) = split(rest).ok_or_else(|| unreadable(text))?;
            let ms = unit_ms(unit).ok_or_else(|| {
                NotASpan::new(format!("`{unit}` is no unit of time"), "the units are ms, s, m, h, d and w")
            })?;
            let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(ms));
            total = part
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= Self::MAX.0)
                .ok_or_else(|| {
                    NotASpan::new(format!("`{text}` is too long"), "a span is at most 100 years")
                })?;
            rest = tail.trim_start();
        }
        Ok(Self(total))
    }
}

fn unreadable(text: &str) -> NotASpan {
    NotASpan::new(format!("`{text}` is no span"), "write whole numbers with units, such as `90s` or `1h30m`")
}

/// Takes one number with its unit from the front: `1h30m` gives `1`, `h` and `30m`.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = text[digits..].trim_start();
    let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
    (digits > 0 && letters > 0).then(|| (&text[..digits], &after[..letters], &after[letters..]))
}

fn unit_ms(unit: &str) -> Option<u64> {
    let short = match unit.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        _ => return None,
    };
    UNITS.iter().find(|(name, _)| *name == short).map(|(_, ms)| *ms)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("0s");
        }
        let mut rest = self.0;
        let mut text = String::new();
        for (unit, ms) in &UNITS[1..] {
            if rest >= *ms {
                write!(text, "{}{unit}", rest / ms)?;
                rest %= ms;
            }
        }
        f.pad(&text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, ms: u64, shown: &str) {
        let span: Span = text.parse().expect(text);
        assert_eq!((span.as_ms(), span.to_string().as_str()), (ms, shown), "{text}");
    }

    fn check_refused(text: &str, message: &str, fix: &str) {
        let refused = text.parse::<Span>().expect_err(text);
        assert_eq!((refused.message.as_str(), refused.fix.as_str()), (message, fix), "{text}");
    }

    #[test]
    fn spans_read_as_people_write_them() {
        check("90s", 90_000, "1m30s");
        check("1h30m", 5_400_000, "1h30m");
        check("1h 30 min", 5_400_000, "1h30m");
        check("2 days", 172_800_000, "2d");
        check("1w", 604_800_000, "7d");
        check("250ms", 250, "250ms");
        check("0s", 0, "0s");
    }

    #[test]
    fn a_span_without_meaning_is_refused_with_the_fix() {
        check_refused("5", "`5` has no unit", "write `5s`, `5m` or `5h`");
        check_refused("", "an empty span", "write a span such as `5m`");
        check_refused("5 parsecs", "`parsecs` is no unit of time", "the units are ms, s, m, h, d and w");
        check_refused("-5m", "`-5m` is no span", "write whole numbers with units, such as `90s` or `1h30m`");
        check_refused(
            "PT5M",
            "`PT5M` is no span",
            "write whole numbers with units, such as `90s` or `1h30m`",
        );
        check_refused("99999999999w", "`99999999999w` is too long", "a span is at most 100 years");
    }

    proptest! {
        #[test]
        fn text_and_span_are_inverse(ms in 0..=Span::MAX.0) {
            let span = Span::from_ms(ms);
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Span>();
        }
    }
}
