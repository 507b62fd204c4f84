//! What a task answers, where the simulator sees only that the rules hold and not what they are.

use std::collections::BTreeMap;
use std::slice;

use jiff::Timestamp;

use crate::core::class::Class;
use crate::core::condition::evaluate::Truth;
use crate::core::condition::fact::{Fact, Need};
use crate::core::definition::{Definition, Environment, Limits, RunsMay, Target};
use crate::core::goal::{Criterion, Finding, Findings, Goal};
use crate::core::id::{JobId, TaskId};
use crate::core::process::{Bounds, CheckTry, Command, Ending, Outcome, ProcessKey};
use crate::core::reading::Reading;
use crate::core::reason::EndReason;
use crate::core::retry::Retry;
use crate::core::schedule::{Schedule, Start};
use crate::core::span::Span;
use crate::core::task::course::Course;
use crate::core::task::event::{Charge, Event};
use crate::core::task::exit::Exit;
use crate::core::task::input::Input;
use crate::core::task::report::Report;
use crate::core::task::{End, How, Known, Origin, State, Task};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn contract(condition: Option<&str>, retries: u32) -> Definition {
    let criterion = |condition: &str| Criterion {
        name: "tests".to_owned(),
        condition: condition.parse().expect("a condition"),
    };
    Definition {
        target: Target::Command(Command::Shell("make".to_owned())),
        cwd: "/work".to_owned(),
        environment: Environment { captured: BTreeMap::new(), pass: Vec::new(), env_file: None },
        schedule: Schedule::Manual,
        start: Start::Now,
        starts_at: None,
        ends_at: None,
        zone: "UTC".to_owned(),
        goal: condition.map(|condition| Goal { criteria: vec![criterion(condition)] }),
        limits: Limits { runs: None, span: None, deadline: None, breaker: 0, tokens: None, dollars: None },
        retry: Retry { most: retries, delay: Span::from_secs(60) },
        bounds: Bounds { wall: None, idle: None, memory_bytes: None, output_bytes: 1, grace: Span::ZERO },
        runs_may: RunsMay::default(),
    }
}

/// A task made at second 0, after `events`.
fn task(events: &[Event]) -> Task {
    let mut task = Task {
        id: TaskId::from_bits(1),
        job: JobId::from_bits(1),
        revision: 1,
        number: 1,
        origin: Origin::AdHoc,
        slot: None,
        created_at: at(0),
        claims: 0,
        tries: 0,
        uncharged: 0,
        course: Course::default(),
        state: State::Pending { due_at: at(0) },
    };
    for event in events {
        task.evolve(event, at(0));
    }
    task
}

fn claimed(attempt: u32) -> Event {
    Event::Claimed { attempt, until: None }
}

fn key(attempt: u32) -> ProcessKey {
    ProcessKey::attempt(TaskId::from_bits(1), attempt)
}

fn check_key(number: u16) -> ProcessKey {
    ProcessKey { check: Some(CheckTry { need: 0, number }), ..key(1) }
}

fn exits(key: ProcessKey, code: i32) -> Input {
    let outcome = Outcome {
        started_at: at(1),
        ended_at: at(2),
        ending: Ending::Exited(code),
        cut: None,
        cpu_ms: 0,
        peak_kb: 0,
        stdout_bytes: 0,
        stderr_bytes: 0,
        unread: None,
    };
    Input::Report(Report::Ended { key, outcome })
}

fn exit(reason: EndReason, code: Option<i32>) -> Exit {
    Exit { reason, code, signal: None, cause: None }
}

fn exited(reason: EndReason, code: i32) -> Event {
    Event::Exited { attempt: 1, exit: exit(reason, Some(code)) }
}

fn end(how: How, exit: Exit, found: Option<(Truth, &str)>) -> Event {
    let finding = |(truth, evidence): (Truth, &str)| Findings {
        criteria: vec![Finding { name: "tests".to_owned(), truth, evidence: evidence.to_owned() }],
    };
    Event::Ended { end: End { at: at(9), how, exit, findings: found.map(finding) } }
}

/// Says `input` at second 9; the answer is events, or the sentence of the refusal.
fn check(task: &Task, contract: &Definition, input: &Input, answer: Result<&[Event], &str>) {
    let said = task.decide(input, contract, at(9));
    let said = said.as_deref().map_err(|refusal| refusal.message.as_str());
    assert_eq!(said, answer, "{input:?} to {task:?}");
}

#[test]
fn a_report_counts_only_for_its_attempt() {
    let contract = contract(None, 0);
    let second = task(&[claimed(1), Event::Revoked { attempt: 1, due_at: at(0) }, claimed(2)]);
    check(
        &second,
        &contract,
        &exits(key(1), 0),
        Err("`ended` about attempt 1 changes nothing in r10000000 now"),
    );
    check(
        &second,
        &contract,
        &Input::Report(Report::Lost { key: key(3) }),
        Err("`lost` about attempt 3 changes nothing in r10000000 now"),
    );
    check(
        &second,
        &contract,
        &Input::Report(Report::Started { key: key(2), at: at(8) }),
        Ok(&[Event::Started { attempt: 2, at: at(8) }]),
    );
}

#[test]
fn a_report_that_comes_late_changes_nothing() {
    let contract = contract(None, 0);
    let over = task(&[
        claimed(1),
        exited(EndReason::ExitZero, 0),
        end(How::Succeeded, exit(EndReason::ExitZero, Some(0)), None),
    ]);
    let late = Err("`ended` about attempt 1 changes nothing in r10000000 now");
    check(&over, &contract, &exits(key(1), 1), late);
    let revoked = task(&[claimed(1), Event::Revoked { attempt: 1, due_at: at(0) }]);
    check(&revoked, &contract, &exits(key(1), 1), late);
}

#[test]
fn with_a_goal_an_exit_code_is_evidence() {
    let fails = exit(EndReason::ExitNonzero, Some(1));
    let running = task(&[claimed(1)]);
    let unmet = Some((Truth::NotMet, "exit code 1, not 0"));
    let events = [exited(EndReason::ExitNonzero, 1), end(How::Succeeded, fails.clone(), unmet)];
    check(&running, &contract(Some("exit 0"), 3), &exits(key(1), 1), Ok(&events));
    let events = [exited(EndReason::ExitNonzero, 1), end(How::Failed, fails, None)];
    check(&running, &contract(None, 0), &exits(key(1), 1), Ok(&events));
}

#[test]
fn a_failure_is_tried_again_after_its_pause() {
    let contract = contract(None, 1);
    let due_at = contract.retry.pause(TaskId::from_bits(1), 1).after(at(9));
    let events =
        [exited(EndReason::ExitNonzero, 1), Event::Retrying { due_at, course: None, charge: Charge::Full }];
    check(&task(&[claimed(1)]), &contract, &exits(key(1), 1), Ok(&events));
}

#[test]
fn a_check_that_is_lost_three_times_is_unknown() {
    let contract = contract(Some("check \"make test\""), 0);
    let evaluating = [claimed(1), exited(EndReason::ExitZero, 0)];
    let lost = |number| Input::Report(Report::Lost { key: check_key(number) });
    let again = Event::CheckLost { check: CheckTry { need: 0, number: 1 } };
    check(&task(&evaluating), &contract, &lost(1), Ok(&[again]));
    let third =
        [evaluating.as_slice(), &[Event::CheckLost { check: CheckTry { need: 0, number: 2 } }]].concat();
    let why = "the process of this check was lost 3 times";
    let known =
        Known { need: Need::Check("make test".to_owned()), fact: Fact::Unknown { why: why.to_owned() } };
    let ended = end(How::Succeeded, exit(EndReason::ExitZero, Some(0)), Some((Truth::Unknown, why)));
    check(&task(&third), &contract, &lost(3), Ok(&[Event::Found { facts: vec![known] }, ended]));
}

#[test]
fn a_cut_is_a_cut_unless_a_service_kept_the_agent_from_any_progress() {
    let said = |class| Reading::of("claude", class);
    for (cut, class, expected) in [
        (EndReason::IdleTimeout, Class::Quota, EndReason::Quota),
        (EndReason::IdleTimeout, Class::Network, EndReason::Network),
        (EndReason::IdleTimeout, Class::Idle, EndReason::IdleTimeout),
        (EndReason::IdleTimeout, Class::Auth, EndReason::IdleTimeout),
        (EndReason::Timeout, Class::Quota, EndReason::Timeout),
        (EndReason::Cancelled, Class::Quota, EndReason::Cancelled),
        (EndReason::ExitNonzero, Class::Quota, EndReason::Quota),
    ] {
        assert_eq!(exit(cut, None).after(&said(class)).reason, expected, "{cut} {class}");
    }
}

#[test]
fn cancelling_keeps_what_the_attempt_exited_with() {
    let contract = contract(Some("check \"make test\""), 0);
    let check_one = Some(CheckTry { need: 0, number: 1 });
    let stopping = Event::Stopping { reason: EndReason::Cancelled, check: check_one };
    let evaluating = [claimed(1), exited(EndReason::ExitNonzero, 7)];
    check(&task(&evaluating), &contract, &Input::Cancel, Ok(slice::from_ref(&stopping)));
    let ended = end(How::Cancelled, exit(EndReason::Cancelled, Some(7)), None);
    let told = task(&[evaluating.as_slice(), &[stopping]].concat());
    check(&told, &contract, &exits(check_key(1), 0), Ok(slice::from_ref(&ended)));
    check(&told, &contract, &Input::Report(Report::Revoked { key: check_key(1) }), Ok(&[ended]));
}

#[test]
fn a_claim_in_vain_is_made_again_later_each_time_and_not_for_ever() {
    let contract = contract(None, 0);
    let in_vain = |times: u32| {
        let round = |number| [claimed(number), Event::Revoked { attempt: number, due_at: at(0) }];
        let mut events: Vec<Event> = (1..times).flat_map(round).collect();
        events.push(claimed(times));
        task(&events)
    };
    let again = |number, due_at| [Event::Revoked { attempt: number, due_at: at(due_at) }];
    check(&in_vain(1), &contract, &Input::Report(Report::Revoked { key: key(1) }), Ok(&again(1, 9)));
    check(&in_vain(2), &contract, &Input::Report(Report::Revoked { key: key(2) }), Ok(&again(2, 11)));
    check(&in_vain(3), &contract, &Input::Report(Report::Revoked { key: key(3) }), Ok(&again(3, 13)));
    let cause = Some("its shim ended before it started anything, 20 times".to_owned());
    let exit = Exit { reason: EndReason::SpawnFailed, code: None, signal: None, cause };
    let given_up = [Event::Exited { attempt: 20, exit: exit.clone() }, end(How::Failed, exit, None)];
    check(&in_vain(20), &contract, &Input::Report(Report::Revoked { key: key(20) }), Ok(&given_up));
}

#[test]
fn what_has_started_and_left_no_trace_is_lost() {
    let contract = contract(None, 0);
    let running = task(&[claimed(1), Event::Started { attempt: 1, at: at(1) }]);
    let exit = exit(EndReason::Lost, None);
    let lost = [Event::Exited { attempt: 1, exit: exit.clone() }, end(How::Lost, exit, None)];
    check(&running, &contract, &Input::Report(Report::Revoked { key: key(1) }), Ok(&lost));
}
