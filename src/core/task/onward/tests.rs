//! What follows which failure of an agent, by value.

use super::*;
use crate::core::assignment::{Prompt, Session};
use crate::core::class::Class;
use crate::core::id::{JobId, TaskId};
use crate::core::reading::Conversation;
use crate::core::task::{Origin, State};

const NOW: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn assignment(chain: &str, on_quota: OnQuota) -> Assignment {
    Assignment {
        chain: chain.split(',').map(|candidate| candidate.parse().expect("an agent")).collect(),
        prompt: Prompt::Text("work".to_owned()),
        effort: None,
        permissions: "edit".to_owned(),
        session: Session::Resume,
        directories: Vec::new(),
        tools: Vec::new(),
        schema: None,
        on_quota,
        quota_wait: Span::from_secs(24 * 3600),
        trees: Vec::new(),
    }
}

fn task(course: Course) -> Task {
    Task {
        id: TaskId::from_bits(1),
        job: JobId::from_bits(1),
        revision: 1,
        number: 1,
        origin: Origin::AdHoc,
        slot: None,
        created_at: at(0),
        claims: 1,
        tries: 1,
        uncharged: 0,
        course,
        state: State::Pending { due_at: at(0) },
    }
}

fn reading(class: Class) -> Reading {
    Reading::of("claude", class)
}

/// A course that goes on with a conversation of Claude's.
fn under_way() -> Course {
    let from = Some(Conversation::named("claude", "talk"));
    Course { latest: from.clone(), from, ..Course::default() }
}

/// What follows, in words: who is at it, after how many minutes, in which conversation; a star is uncharged.
fn follows(task: &Task, assignment: &Assignment, reading: Reading) -> String {
    let exited = Exit { code: Some(1), ..Exit::without_process(EndReason::ExitNonzero) };
    let exit = exited.after(&reading);
    let evaluating =
        Evaluating { exit, known: Vec::new(), tries: 1, reading: Some(Box::new(reading)), recalled: None };
    let told = |due_at: Timestamp, course: &Course, charge: Charge| {
        let minutes = (due_at.as_second() - NOW) / 60;
        let goes_on = if course.from.is_some() { "goes on" } else { "anew" };
        let star = if charge == Charge::None { "*" } else { "" };
        format!("{} in {minutes} min, {goes_on}{star}", course.candidate(assignment))
    };
    match task.onward(&evaluating, assignment, at(NOW)) {
        None => "nothing".to_owned(),
        Some(Event::Retrying { due_at, course: Some(course), charge }) => told(due_at, &course, charge),
        Some(Event::Waiting {
            due_at: Some(due_at),
            why: Wait::Quota { purse, is_stated },
            course,
            charge,
        }) => {
            let told = told(due_at, &course.expect("how it goes on"), charge);
            let guess = if is_stated { "" } else { ", by a guess" };
            format!("{told}, once {purse} is open{guess}")
        }
        Some(other) => panic!("{other:?}"),
    }
}

fn check(chain: &str, course: Course, class: Class, expected: &str) {
    let assignment = assignment(chain, OnQuota::Wait);
    assert_eq!(follows(&task(course), &assignment, reading(class)), expected, "{class} of {chain}");
}

#[test]
fn an_agent_that_is_of_no_use_is_followed_by_the_next() {
    for class in [Class::Auth, Class::ModelMissing] {
        check("claude", under_way(), class, "nothing");
        check("claude,codex:o3@work", under_way(), class, "codex:o3@work in 0 min, goes on*");
        let second = Course { place: 1, ..under_way() };
        check("claude,codex", second, class, "nothing");
    }
}

#[test]
fn what_is_wrong_with_the_work_is_for_retries_to_say() {
    for class in [Class::Failed, Class::PermissionDenied, Class::SchemaError, Class::Done] {
        check("claude,codex", under_way(), class, "nothing");
    }
}

#[test]
fn a_service_in_trouble_is_left_alone_for_a_while_and_in_the_end_for_good() {
    for class in [Class::Overloaded, Class::RateLimit, Class::Network] {
        check("claude,codex", under_way(), class, "claude in 0 min, goes on*");
        let troubled = |setbacks| Course { setbacks, ..under_way() };
        check("claude,codex", troubled(4), class, "claude in 4 min, goes on*");
        check("claude,codex", troubled(5), class, "codex in 0 min, goes on*");
        check("claude", troubled(5), class, "nothing");
    }
}

#[test]
fn a_conversation_that_is_gone_or_full_is_begun_anew_once() {
    for class in [Class::SessionMissing, Class::ContextFull] {
        check("claude,codex", under_way(), class, "claude in 0 min, anew*");
        check("claude,codex", Course::default(), class, "nothing");
    }
    let lost = Evaluating {
        exit: Exit::without_process(EndReason::SessionMissing),
        known: Vec::new(),
        tries: 1,
        reading: None,
        recalled: None,
    };
    let onward = task(under_way()).onward(&lost, &assignment("claude", OnQuota::Wait), at(NOW));
    let Some(Event::Retrying { course: Some(course), .. }) = onward else { panic!("{onward:?}") };
    assert!(course.note.is_some_and(|note| note.contains("was not there")), "somebody is told why");
}

#[test]
fn a_quota_is_waited_for_until_the_instant_that_was_stated() {
    let used_up =
        |in_s: Option<i64>| Reading { reset_at: in_s.map(|s| at(NOW + s)), ..reading(Class::Quota) };
    let check = |(chain, on_quota, course): (&str, OnQuota, Course), in_s: Option<i64>, expected: &str| {
        let follows = follows(&task(course), &assignment(chain, on_quota), used_up(in_s));
        assert_eq!(follows, expected, "{chain} {on_quota:?} {in_s:?}");
    };
    let wait = |course| ("claude@work,codex", OnQuota::Wait, course);
    let open = "claude@work in 120 min, goes on*, once claude@work is open";
    check(wait(under_way()), Some(7200), open);
    // Longer than anybody waits for one: the next is asked, if there is one.
    check(wait(under_way()), Some(30 * 3600), "codex in 0 min, goes on*");
    let since = |hours: i64| Course { quota_since: Some(at(NOW - hours * 3600)), ..under_way() };
    check(("claude", OnQuota::Wait, since(23)), Some(7200), "nothing");
    check(
        ("claude", OnQuota::Wait, since(21)),
        Some(7200),
        "claude in 120 min, goes on*, once claude is open",
    );
    let until = Course { until: Some(at(NOW + 3600)), ..under_way() };
    check(("claude", OnQuota::Wait, until), Some(7200), "nothing");
    check(("claude,codex", OnQuota::Fail, under_way()), Some(7200), "nothing");
    check(("claude,codex", OnQuota::Fallback, under_way()), Some(7200), "codex in 0 min, goes on*");
    let last = Course { place: 1, ..under_way() };
    check(
        ("claude,codex", OnQuota::Fallback, last),
        Some(7200),
        "codex in 120 min, goes on*, once codex is open",
    );
}

#[test]
fn without_a_stated_instant_the_guess_doubles_and_says_that_it_is_one() {
    let check = |setbacks: u16, in_s: Option<i64>, tokens: u64, minutes: u64| {
        let reading = Reading {
            reset_at: in_s.map(|s| at(NOW + s)),
            tokens: Some(Tokens { input: tokens, ..Tokens::default() }),
            ..reading(Class::Quota)
        };
        let course = Course { setbacks, ..under_way() };
        let follows = follows(&task(course), &assignment("claude", OnQuota::Wait), reading);
        let expected = format!("claude in {minutes} min, goes on*, once claude is open, by a guess");
        assert_eq!(follows, expected, "{setbacks} {in_s:?} {tokens}");
    };
    check(0, None, 0, 15);
    check(1, None, 0, 30);
    check(4, None, 0, 240);
    check(9, None, 0, 360);
    // An instant that has passed is none, and what got some work done has come to the end of another quota.
    check(0, Some(-5), 0, 15);
    check(4, None, 7, 15);
}

#[test]
fn trouble_that_never_passes_is_no_passing_trouble() {
    let tired = Task { uncharged: UNCHARGED_MOST, ..task(under_way()) };
    let follows = follows(&tired, &assignment("claude,codex", OnQuota::Wait), reading(Class::Overloaded));
    assert_eq!(follows, "nothing");
}
