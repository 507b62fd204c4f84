//! Outcomes: what a run of an agent came to, in one of a closed set of classes.
//!
//! How the process ended comes first, then what the agent said went wrong; an exit with 0 is a success only
//! when nothing was denied and no error was reported.

use regex::Regex;

use crate::agent::manifest::Manifest;
use crate::agent::output::{Failure, Form, SAID};
use crate::agent::reset::Reset;
use crate::agent::signals::Signals;
use crate::core::class::Class;
use crate::core::process::{Cut, Ending};

/// What a run came to, and why it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The class.
    pub class: Class,
    /// What was said about it.
    pub message: Option<String>,
    /// When a quota is there again, where that was stated.
    pub reset: Option<Reset>,
    /// Where the signal was seen; none for an outcome without one, or when nobody has seen it.
    pub from: Option<String>,
}

/// Says what a run came to.
pub fn judge(manifest: &Manifest, signals: &Signals, (ending, cut): (&Ending, Option<Cut>)) -> Outcome {
    let said = signals.errors.last().cloned();
    if let Some(cut) = cut {
        if let (Cut::Idle, Some(outcome)) = (cut, sat_out(manifest, signals)) {
            return outcome;
        }
        let class = match cut {
            Cut::Wall => Class::Timeout,
            Cut::Idle => Class::Idle,
            Cut::Memory | Cut::Output | Cut::Told => Class::Killed,
        };
        return Outcome::plain(class, said.or_else(|| signals.retry.clone()));
    }
    match ending {
        Ending::SpawnFailed { cause } => Outcome::plain(Class::SpawnFailed, Some(cause.clone())),
        Ending::Missing { cause } => Outcome::plain(Class::AgentMissing, Some(cause.clone())),
        Ending::NoLogin { cause } => Outcome::plain(Class::Auth, Some(cause.clone())),
        Ending::Signalled(_) => Outcome::plain(Class::Crashed, said),
        Ending::Exited(0) if signals.is_silent() && manifest.output.form != Form::Text => {
            Outcome::plain(Class::Failed, Some("it wrote nothing, not even that it is done".to_owned()))
        }
        Ending::Exited(0)
            if signals.errors.is_empty() && signals.is_open() && manifest.output.form != Form::Text =>
        {
            let message = "its output ends before it says that it is done";
            Outcome::plain(Class::Failed, Some(message.to_owned()))
        }
        Ending::Exited(0) if signals.errors.is_empty() => success(signals),
        Ending::Exited(code) => failure(manifest, signals, *code),
    }
}

fn success(signals: &Signals) -> Outcome {
    if signals.denials.is_empty() {
        return Outcome::plain(Class::Done, None);
    }
    Outcome::plain(Class::PermissionDenied, Some(signals.denials.join(", ")))
}

fn failure(manifest: &Manifest, signals: &Signals, code: i32) -> Outcome {
    let said = [signals.errors.join("\n").as_str(), &signals.complaints].join("\n");
    let message = signals.errors.last().cloned().or_else(|| last_line(&signals.complaints));
    let fits = |failure: &&Failure| !failure.while_silent && failure.fits(signals, i64::from(code), &said);
    let Some(failure) = manifest.output.failures.iter().find(fits) else {
        if signals.denials.is_empty() {
            return Outcome::plain(Class::Failed, message);
        }
        return success(signals);
    };
    let stated = failure.says.as_ref().and_then(|says| stated(says, &said));
    let reset = if failure.class == Class::Quota { stated.or_else(|| signals.reset.clone()) } else { None };
    Outcome { class: failure.class, message, reset, from: failure.from.clone() }
}

/// So much of the end of its complaints says what a CLI was at when it was ended.
const LAST_WORDS: usize = 4 << 10;

/// What a run that fell silent was waiting for, when its last words say so.
///
/// Some CLIs sit out in silence what their service will not give for hours, and that is not their failure.
fn sat_out(manifest: &Manifest, signals: &Signals) -> Option<Outcome> {
    let said = [signals.retry.as_deref().unwrap_or_default(), last_words(signals)].join("\n");
    let line_of = |start: usize| said[..start].rfind('\n').map_or(0, |end| end + 1);
    let found = manifest.output.failures.iter().filter_map(|failure| {
        // Words alone: there is no exit code, and what other events said may have been long ago.
        let is_of_words = failure.exit.is_empty() && failure.status.is_empty() && failure.kind.is_empty();
        let says = failure.says.as_ref().filter(|_| failure.class.is_of_service() && is_of_words)?;
        Some((failure, says, says.captures_iter(&said).last()?))
    });
    // The newest line; of what fits in the same one, what stands first in the manifest.
    let (failure, says, found) =
        found.rev().max_by_key(|(_, _, found)| line_of(found.get_match().start()))?;
    let line = || {
        let start = line_of(found.get_match().start());
        said[start..].lines().next().unwrap_or_default().trim().to_owned()
    };
    // What stands in quotes is told without the escapes that takes.
    let words = found.name(SAID).map(|words| words.as_str().replace("\\\"", "\""));
    let message = Some(words.unwrap_or_else(line));
    let reset = if failure.class == Class::Quota { stated(says, &said) } else { None };
    Some(Outcome { class: failure.class, message, reset, from: failure.from.clone() })
}

/// The end of what a CLI complained of. Once there was progress, a complaint before the last line may be of
/// something that has passed.
fn last_words(signals: &Signals) -> &str {
    let complaints = signals.complaints.trim_end();
    if signals.progress > 0 {
        return complaints.lines().next_back().unwrap_or_default();
    }
    &complaints[complaints.floor_char_boundary(complaints.len().saturating_sub(LAST_WORDS))..]
}

/// The time that a pattern found, where it has a group for one.
fn stated(says: &Regex, said: &str) -> Option<Reset> {
    says.captures_iter(said).filter_map(|found| Reset::of(&found)).last()
}

/// The last line that speaks of an error, or else the last that says anything: some end with where a log lies.
fn last_line(text: &str) -> Option<String> {
    let lines = || text.lines().map(str::trim);
    let error = lines().rfind(|line| line.to_ascii_lowercase().contains("error"));
    error.or_else(|| lines().rfind(|line| !line.is_empty())).map(str::to_owned)
}

impl Failure {
    fn fits(&self, signals: &Signals, code: i64, said: &str) -> bool {
        let any_of = |wanted: &[i64], found: &[i64]| {
            wanted.is_empty() || wanted.iter().any(|wanted| found.contains(wanted))
        };
        any_of(&self.exit, &[code])
            && any_of(&self.status, &signals.statuses)
            && (self.kind.is_empty() || self.kind.iter().any(|kind| signals.kinds.contains(kind)))
            && self.says.as_ref().is_none_or(|says| says.is_match(said))
    }
}

impl Outcome {
    fn plain(class: Class, message: Option<String>) -> Self {
        Self { class, message, reset: None, from: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::catalogue::Catalogue;
    use crate::agent::interpret::Interpreter;
    use crate::agent::signals::Lines;

    /// What a run of Claude comes to that said nothing but perhaps an error.
    fn check(error: Option<&str>, end: (&Ending, Option<Cut>), expected: Class) {
        let catalogue = Catalogue::of(Vec::new());
        let manifest = &catalogue.find("claude").expect("it comes along").manifest;
        let errors = error.into_iter().map(str::to_owned).collect();
        let lines = Lines { known: 1, ..Lines::default() };
        let signals = Signals { errors, lines, result: Some("done".to_owned()), ..Signals::default() };
        let outcome = judge(manifest, &signals, end);
        assert_eq!((outcome.class, outcome.reset), (expected, None), "{end:?}");
    }

    #[test]
    fn how_the_process_ended_comes_first() {
        let failed = Ending::SpawnFailed { cause: "no such directory".to_owned() };
        let cause = || "not there".to_owned();
        check(None, (&Ending::Missing { cause: cause() }, None), Class::AgentMissing);
        check(None, (&Ending::NoLogin { cause: cause() }, None), Class::Auth);
        check(None, (&failed, None), Class::SpawnFailed);
        check(None, (&Ending::Signalled(11), None), Class::Crashed);
        for (cut, class) in [
            (Cut::Wall, Class::Timeout),
            (Cut::Idle, Class::Idle),
            (Cut::Told, Class::Killed),
            (Cut::Memory, Class::Killed),
            (Cut::Output, Class::Killed),
        ] {
            check(Some("529"), (&Ending::Signalled(15), Some(cut)), class);
            check(None, (&Ending::Exited(0), Some(cut)), class);
        }
    }

    #[test]
    fn who_is_not_logged_in_says_so_in_words() {
        let catalogue = Catalogue::of(Vec::new());
        let check = |agent: &str, error: &str, expected: Class| {
            let manifest = &catalogue.find(agent).expect("it comes along").manifest;
            let signals = Signals { errors: vec![error.to_owned()], ..Signals::default() };
            assert_eq!(judge(manifest, &signals, (&Ending::Exited(1), None)).class, expected, "{error}");
        };
        check("claude", "Not logged in · Please run /login", Class::Auth);
        check("claude", "the test says: Not logged in · Please run /login", Class::Failed);
        check("codex", "Missing environment variable: `KEY`.", Class::Auth);
    }

    #[test]
    fn whoever_sits_out_a_limit_in_silence_has_met_it() {
        let catalogue = Catalogue::of(Vec::new());
        let judged = |agent: &str, retry: Option<&str>, complaints: &str, cut| {
            let manifest = &catalogue.find(agent).expect("it comes along").manifest;
            let retry = retry.map(str::to_owned);
            let signals = Signals { retry, complaints: complaints.to_owned(), ..Signals::default() };
            let outcome = judge(manifest, &signals, (&Ending::Signalled(15), Some(cut)));
            (outcome.class, outcome.reset)
        };
        let sleeps = "Attempt 1 failed: Your quota will reset after 3h0m0s.. Retrying after 10801630ms...\n";
        let reset = Some(Reset::After("3h".parse().expect("a span")));
        assert_eq!(judged("gemini", None, sleeps, Cut::Idle), (Class::Quota, reset));
        assert_eq!(judged("gemini", None, sleeps, Cut::Wall), (Class::Timeout, None));
        let long_ago = format!("{sleeps}{}", "and on it went\n".repeat(400));
        assert_eq!(judged("gemini", None, &long_ago, Cut::Idle), (Class::Idle, None));
        let manifest = &catalogue.find("gemini").expect("it comes along").manifest;
        let worked = |complaints: String| {
            let signals = Signals { progress: 3, complaints, ..Signals::default() };
            judge(manifest, &signals, (&Ending::Signalled(15), Some(Cut::Idle))).class
        };
        assert_eq!(worked(sleeps.to_owned()), Class::Quota);
        assert_eq!(worked(format!("{sleeps}and on it went\n")), Class::Idle);
        // The newest word counts, and is told as it was said.
        let log = |said: &str| format!("message=\"stream error\" error.error=\"AI_APICallError: {said}\"\n");
        let lines = [log("You exceeded your current quota"), log(r#"Model \"m\" is overloaded"#)];
        let told = |complaints: String, (ending, cut)| {
            let manifest = &catalogue.find("opencode").expect("it comes along").manifest;
            let outcome = judge(manifest, &Signals { complaints, ..Signals::default() }, (&ending, cut));
            (outcome.class, outcome.message.unwrap_or_default())
        };
        let silent = || (Ending::Signalled(15), Some(Cut::Idle));
        assert_eq!(
            told(lines.concat(), silent()),
            (Class::Overloaded, r#"Model "m" is overloaded"#.to_owned())
        );
        let quota = "You exceeded your current quota".to_owned();
        assert_eq!(told([lines[1].clone(), lines[0].clone()].concat(), silent()), (Class::Quota, quota));
        let unsaid = "message=\"stream error\" error.error=AI_APICallError\n".to_owned();
        assert_eq!(told(unsaid.clone(), silent()), (Class::Overloaded, unsaid.trim().to_owned()));
        assert_eq!(told(log("Free allocated quota exceeded."), silent()).0, Class::Quota);
        assert_eq!(told(log("max RPM: 3"), silent()), (Class::Overloaded, "max RPM: 3".to_owned()));
        // What went well in the end says nothing about another failure.
        let failed = format!("{}error: the sky is green", lines.concat());
        assert_eq!(told(failed, (Ending::Exited(1), None)).0, Class::Failed);
        let retry = Some("stream disconnected before completion: error sending request for url");
        assert_eq!(judged("codex", retry, "", Cut::Idle), (Class::Network, None));
    }

    #[test]
    fn what_was_tried_again_and_went_well_is_forgotten() {
        let catalogue = Catalogue::of(Vec::new());
        let manifest = &catalogue.find("codex").expect("it comes along").manifest;
        let idle = |lines: &[&str]| {
            let mut interpreter = Interpreter::new(manifest);
            interpreter.stdout(lines.join("\n").as_bytes());
            let end = (&Ending::Signalled(15), Some(Cut::Idle));
            judge(manifest, &interpreter.end(), end).class
        };
        let retry = r#"{"type":"error","message":"error sending request for url (http://127.0.0.1)"}"#;
        let progress = r#"{"type":"item.completed","item":{"type":"agent_message","text":"on I go"}}"#;
        assert_eq!(idle(&[progress, retry]), Class::Network);
        assert_eq!(idle(&[retry, progress]), Class::Idle);
    }

    #[test]
    fn whoever_says_nothing_has_not_said_that_it_is_done() {
        let catalogue = Catalogue::of(Vec::new());
        let judged = |agent: &str| {
            let manifest = &catalogue.find(agent).expect("it comes along").manifest;
            judge(manifest, &Signals::default(), (&Ending::Exited(0), None)).class
        };
        assert_eq!((judged("claude"), judged("test")), (Class::Failed, Class::Done));
    }

    #[test]
    fn an_exit_with_0_is_a_success_only_without_an_error() {
        check(None, (&Ending::Exited(0), None), Class::Done);
        check(Some("the sky is green"), (&Ending::Exited(0), None), Class::Failed);
        check(None, (&Ending::Exited(3), None), Class::Failed);
    }

    #[test]
    fn output_that_was_cut_off_is_no_success() {
        let catalogue = Catalogue::of(Vec::new());
        let manifest = &catalogue.find("claude").expect("it comes along").manifest;
        let judged = |output: &str| {
            let mut interpreter = Interpreter::new(manifest);
            interpreter.stdout(output.as_bytes());
            judge(manifest, &interpreter.end(), (&Ending::Exited(0), None)).class
        };
        let begins = "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s1\"}\n";
        let ends = r#"{"type":"result","is_error":false,"result":"hi"}"#;
        assert_eq!(judged(begins), Class::Failed);
        assert_eq!(judged(&format!("{begins}{ends}")), Class::Done);
    }
}
