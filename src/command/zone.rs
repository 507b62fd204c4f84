//! Zones: names of time zones, and which was probably meant by one that means nothing.

use jiff::tz::{self, TimeZone};

use crate::command::define::shorten;
use crate::core::nearest::nearest;
use crate::core::refusal::Problem;

/// The zone of this name, or the problem at `place` with the nearest name there is.
pub fn named(place: &str, name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| {
        let problem = Problem::new(place, format!("no time zone `{}`", shorten(name)));
        match meant(name) {
            Some(near) => problem.fix(format!("did you mean `{near}`?")),
            None => problem.fix("write a name such as `Europe/Berlin`"),
        }
    })
}

/// A known name that is near, or whose city is this or near to it.
fn meant(name: &str) -> Option<String> {
    let known: Vec<String> = tz::db().available().map(|known| known.to_string()).collect();
    let city = |known: &str| known.rsplit('/').next().unwrap_or_default().to_owned();
    let wanted = city(&name.trim().replace(' ', "_"));
    let cities: Vec<String> = known.iter().map(|known| city(known)).collect();
    let by_city = || {
        let near = nearest(&wanted, cities.iter().map(String::as_str))?;
        known.iter().find(|known| city(known) == near)
    };
    let same_city = known.iter().find(|known| city(known).eq_ignore_ascii_case(&wanted));
    let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
    same_city.cloned().or(near).or_else(|| by_city().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, fix: &str) {
        let problem = named("tz", name).expect_err(name);
        assert_eq!(problem.fix.as_deref(), Some(fix), "{name}");
    }

    #[test]
    fn a_name_that_means_nothing_is_refused_with_the_one_that_was_meant() {
        check("Europe/Berln", "did you mean `Europe/Berlin`?");
        check("Berlin", "did you mean `Europe/Berlin`?");
        check("Sydeny", "did you mean `Australia/Sydney`?");
        check("new york", "did you mean `America/New_York`?");
        check("nowhere in particular", "write a name such as `Europe/Berlin`");
        assert!(named("tz", "Europe/Berlin").is_ok() && named("tz", "UTC").is_ok());
    }
}
