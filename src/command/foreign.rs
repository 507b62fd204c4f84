//! Foreign words: what models and clients write that other tools call so, and what we call it.

use crate::core::refusal::Problem;

/// Another name of a field, for the verbs that have that field.
struct Alias {
    foreign: &'static str,
    ours: &'static str,
}

const fn alias(foreign: &'static str, ours: &'static str) -> Alias {
    Alias { foreign, ours }
}

/// Names whose meaning is certain, in small letters with `_`.
const FIELDS: [Alias; 72] = [
    alias("command", "cmd"),
    alias("shell", "cmd"),
    alias("script", "cmd"),
    alias("run", "cmd"),
    alias("args", "argv"),
    alias("task", "prompt"),
    alias("instructions", "prompt"),
    alias("message", "prompt"),
    alias("instruction", "prompt"),
    alias("agents", "agent"),
    alias("permission", "permissions"),
    alias("permission_mode", "permissions"),
    alias("reasoning_effort", "effort"),
    alias("auth_profile", "account"),
    alias("json_schema", "schema"),
    alias("output_schema", "schema"),
    alias("add_dirs", "add_dir"),
    alias("directories", "add_dir"),
    alias("max_cost", "max_usd"),
    alias("budget", "max_usd"),
    alias("token_budget", "max_tokens"),
    alias("title", "name"),
    alias("job_name", "name"),
    alias("directory", "cwd"),
    alias("dir", "cwd"),
    alias("workdir", "cwd"),
    alias("working_dir", "cwd"),
    alias("working_directory", "cwd"),
    alias("interval", "every"),
    alias("frequency", "every"),
    alias("period", "every"),
    alias("repeat_every", "every"),
    alias("delay", "wait"),
    alias("pause", "wait"),
    alias("cooldown", "wait"),
    alias("run_at", "at"),
    alias("timezone", "tz"),
    alias("time_zone", "tz"),
    alias("zone", "tz"),
    alias("condition", "until"),
    alias("conditions", "until"),
    alias("stop", "until"),
    alias("stop_when", "until"),
    alias("stop_condition", "until"),
    alias("success_condition", "until"),
    alias("check", "checks"),
    alias("max_iterations", "max_runs"),
    alias("max_attempts", "max_runs"),
    alias("iterations", "max_runs"),
    alias("max_tries", "max_runs"),
    alias("retry", "retries"),
    alias("expires_at", "ends_at"),
    alias("until_time", "ends_at"),
    alias("start_at", "starts_at"),
    alias("max_memory", "memory"),
    alias("id", "job"),
    alias("job_id", "job"),
    alias("run", "job"),
    alias("run_id", "job"),
    alias("name", "job"),
    alias("job_name", "job"),
    alias("id", "jobs"),
    alias("ids", "jobs"),
    alias("job", "jobs"),
    alias("job_id", "jobs"),
    alias("job_ids", "jobs"),
    alias("run", "jobs"),
    alias("run_id", "jobs"),
    alias("name", "jobs"),
    alias("operation", "action"),
    alias("status", "state"),
    alias("tail", "lines"),
];

/// Names that other verbs use for a cursor and a count.
const CURSORS: [Alias; 6] = [
    alias("cursor", "after"),
    alias("next", "after"),
    alias("cursor", "before"),
    alias("next", "before"),
    alias("count", "limit"),
    alias("max_results", "limit"),
];

/// Fields that clients add by themselves; they are for nobody here.
const IGNORED: [&str; 4] = ["_meta", "wait_for_previous", "explanation", "request_heartbeat"];

/// Other words of a field that takes one of a few.
const WORDS: [(&str, &str, &str); 10] = [
    ("action", "suspend", "pause"),
    ("action", "hold", "pause"),
    ("action", "unpause", "resume"),
    ("action", "continue", "resume"),
    ("action", "start", "resume"),
    ("action", "hide", "archive"),
    ("state", "done", "completed"),
    ("state", "succeeded", "completed"),
    ("state", "error", "failed"),
    ("state", "canceled", "cancelled"),
];

/// Words of a field that may mean one of several, and what to write for each.
const UNSURE: [(&str, &[&str], &str); 3] = [
    (
        "action",
        &["stop", "end", "kill", "abort", "terminate", "halt"],
        "write `pause`, or `cancel`, which is final",
    ),
    ("state", &["running"], "write `active`, which has also those that wait for their next run"),
    ("state", &["stopped"], "write `paused`, or `cancelled`"),
];

/// Names of a field that may mean one of several.
const UNSURE_FIELDS: [(&str, &str, &str); 2] = [
    ("path", "cwd", "say which path, such as `cwd` for the folder to run in"),
    ("time", "at", "say which time, such as `at` for the instant to run at"),
];

/// Names of what is not built, for the verbs that make jobs.
const UNBUILT: [&str; 4] = ["cron", "schedule", "cron_expression", "rrule"];

/// Our name of the field that is called `name` elsewhere, if a verb with these fields has one.
///
/// The name must be in small letters with `_`.
pub fn field<'a>(name: &str, fields: &'a [String]) -> Option<&'a str> {
    let aliases = FIELDS.iter().chain(&CURSORS).filter(|alias| alias.foreign == name);
    let mut ours = aliases.filter_map(|alias| fields.iter().find(|field| *field == alias.ours));
    ours.next().map(String::as_str)
}

/// Whether clients add this field by themselves.
pub fn is_ignored(name: &str) -> bool {
    IGNORED.contains(&name)
}

/// Our word for what is called `word` elsewhere.
pub fn word(field: &str, word: &str) -> Option<&'static str> {
    let same = |(of, foreign, _): &&(&str, &str, &str)| *of == field && *foreign == word;
    WORDS.iter().find(same).map(|(_, _, ours)| *ours)
}

/// What to write for a word that may mean one of several, where to guess would do what was not meant.
pub fn unsure_word(field: &str, word: &str) -> Option<&'static str> {
    let said = |(of, words, _): &&(&str, &[&str], &str)| *of == field && words.contains(&word);
    UNSURE.iter().find(said).map(|(_, _, fix)| *fix)
}

/// What to write for the name of a field that may mean one of several, for the verbs that have it.
pub fn unsure_field(name: &str, fields: &[String]) -> Option<&'static str> {
    let said = |(foreign, ours, _): &&(&str, &str, &str)| {
        *foreign == name && fields.iter().any(|field| field == ours)
    };
    UNSURE_FIELDS.iter().find(said).map(|(_, _, fix)| *fix)
}

/// Units that are written behind the name of a field: `timeout_seconds`.
const UNITS: [(&str, &str); 10] = [
    ("_milliseconds", "ms"),
    ("_ms", "ms"),
    ("_seconds", "s"),
    ("_secs", "s"),
    ("_sec", "s"),
    ("_s", "s"),
    ("_minutes", "m"),
    ("_mins", "m"),
    ("_min", "m"),
    ("_hours", "h"),
];

/// The name and the unit of a field that carries one: `timeout_seconds` is `timeout` in `s`.
pub fn with_unit(name: &str) -> Option<(&str, &'static str)> {
    UNITS.iter().find_map(|(ending, unit)| Some((name.strip_suffix(ending)?, *unit)))
}

/// The name of a zone of which only the city was written, when there is one such city.
pub fn zone(city: &str) -> Option<String> {
    let city = city.trim().replace(' ', "_").to_lowercase();
    let named = |name: &str| name.rsplit('/').next().is_some_and(|last| last.to_lowercase() == city);
    let mut zones = jiff::tz::db().available().map(|zone| zone.as_str().to_owned());
    // Those of the continents; the rest are other names of the same.
    let mut zones =
        zones.by_ref().filter(|zone| zone.contains('/') && !zone.starts_with("posix") && named(zone));
    match (zones.next(), zones.next()) {
        (Some(zone), None) => Some(zone),
        _ => None,
    }
}

/// Whether a field of this name is not built.
pub fn is_unbuilt(name: &str) -> bool {
    UNBUILT.contains(&name)
}

/// Whether a text reads like the line of a crontab.
pub fn is_cron(text: &str) -> bool {
    let count = text.split_whitespace().count();
    let digits = |letter: char| letter.is_ascii_digit() || "*/,-?".contains(letter);
    text.starts_with('@')
        || ((5..=6).contains(&count)
            && text.split_whitespace().take(2).all(|field| field.chars().all(digits)))
}

/// Why the line of a crontab is refused, and what to write today.
pub fn unbuilt(name: &str, value: &str) -> Problem {
    let problem = Problem::new(name, "no cron yet: a schedule is `every`, `at`, `wait` or `manual`");
    match of_cron(value) {
        Some((every, None)) => problem.fix(format!("use `every`: `{every}`")),
        Some((every, Some(at))) => problem.fix(format!("use `every`: `{every}`, `starts_at`: `{at}`")),
        None => problem.fix("say how often instead, such as `every`: `1h`"),
    }
}

/// The span, and the time of the first start, that a simple cron line means; a sixth field is seconds.
fn of_cron(line: &str) -> Option<(String, Option<String>)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let fields: &[&str] = match fields.as_slice() {
        [_, five @ ..] if five.len() == 5 => five,
        five => five,
    };
    let number = |text: &str| text.parse::<u32>().ok();
    match fields {
        ["@hourly"] => Some(("1h".to_owned(), None)),
        ["@daily" | "@midnight"] => Some(("1d".to_owned(), Some("00:00".to_owned()))),
        ["@weekly"] => Some(("7d".to_owned(), None)),
        ["*", "*", "*", "*", "*"] => Some(("1m".to_owned(), None)),
        [minute, "*", "*", "*", "*"] => match minute.strip_prefix("*/").and_then(number) {
            Some(step) => Some((format!("{step}m"), None)),
            None => number(minute).map(|_| ("1h".to_owned(), None)),
        },
        [_, hour, "*", "*", "*"] if hour.starts_with("*/") => {
            hour.strip_prefix("*/").and_then(number).map(|step| (format!("{step}h"), None))
        }
        [minute, hour, "*", "*", "*"] => {
            let (minute, hour) = (number(minute)?, number(hour)?);
            Some(("1d".to_owned(), Some(format!("{hour:02}:{minute:02}"))))
        }
        _ => None,
    }
}

/// A span in the form of ISO 8601 as a span of ours: `PT1H30M` is `1h30m`.
pub fn of_iso_span(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let (days, clock) = match text.strip_prefix('P')?.split_once('T') {
        Some((days, clock)) => (days, clock),
        None => (text.strip_prefix('P')?, ""),
    };
    let span = format!("{}{}", parts(days, "WD")?, parts(clock, "HMS")?);
    (!span.is_empty()).then_some(span)
}

/// Numbers with units of one letter each, in this order.
fn parts(text: &str, units: &str) -> Option<String> {
    let mut units = units.chars();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = rest[digits..].chars().next().filter(|_| digits > 0)?;
        units.find(|known| *known == unit)?;
        rest = &rest[digits + 1..];
    }
    Some(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_iso_8601_are_ours() {
        for (iso, ours) in
            [("PT5M", Some("5m")), ("pt1h30m", Some("1h30m")), ("P1DT2H", Some("1d2h")), ("P2W", Some("2w"))]
        {
            assert_eq!(of_iso_span(iso).as_deref(), ours, "{iso}");
        }
        for other in ["P", "PT", "5m", "PT5", "PT1M1H", "P1M", "PTM", "PT1.5H", "pass", "P1ü"] {
            assert_eq!(of_iso_span(other), None, "{other}");
        }
    }

    #[test]
    fn a_city_is_its_zone_when_there_is_one() {
        assert_eq!(zone("Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(zone("new york").as_deref(), Some("America/New_York"));
        assert_eq!(zone("Atlantis"), None);
        assert_eq!(zone(""), None);
    }

    #[test]
    fn a_simple_cron_line_has_a_span_to_use_instead() {
        for (line, every, at) in [
            ("*/5 * * * *", "5m", None),
            ("0 8 * * *", "1d", Some("08:00")),
            ("0 */15 * * * *", "15m", None),
            ("0 30 7 * * *", "1d", Some("07:30")),
            ("0 */2 * * *", "2h", None),
            ("@daily", "1d", Some("00:00")),
        ] {
            assert_eq!(of_cron(line), Some((every.to_owned(), at.map(ToOwned::to_owned))), "{line}");
        }
        assert_eq!(of_cron("0 9 1 * 1-5"), None);
        assert_eq!(of_cron(""), None);
    }
}
