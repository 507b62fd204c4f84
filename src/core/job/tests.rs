//! What a job answers, where the simulator sees only that the rules hold and not what they are.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::core::actor::Voice;
use crate::core::condition::evaluate::Truth;
use crate::core::definition::{Definition, Environment, Limits, RunsMay, Target};
use crate::core::goal::{Criterion, Finding, Findings, Goal, UNTIL};
use crate::core::id::{JobId, TaskId};
use crate::core::job::decide::Input;
use crate::core::job::{Brief, Close, Event, Job, Pause, State};
use crate::core::process::{Bounds, Command};
use crate::core::reading::Spent;
use crate::core::reason::{EndReason, Skip, VerdictReason};
use crate::core::refusal::Code;
use crate::core::retry::Retry;
use crate::core::schedule::{Anchor, Schedule, Start};
use crate::core::span::Span;
use crate::core::task::exit::Exit;
use crate::core::task::{End, How, Origin};

const TEN: Schedule = Schedule::Every { span: Span::from_secs(10), anchor: Anchor::Rate };
const PAUSE: Schedule = Schedule::Loop { wait: Span::from_secs(10) };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn run() -> TaskId {
    TaskId::from_bits(1)
}

fn definition(schedule: Schedule) -> Definition {
    Definition {
        target: Target::Command(Command::Shell("make".to_owned())),
        cwd: "/work".to_owned(),
        environment: Environment { captured: BTreeMap::new(), pass: Vec::new(), env_file: None },
        schedule,
        start: Start::Now,
        starts_at: None,
        ends_at: None,
        zone: "UTC".to_owned(),
        goal: None,
        limits: Limits { runs: None, span: None, deadline: None, breaker: 2, tokens: None, dollars: None },
        retry: Retry { most: 0, delay: Span::from_secs(1) },
        bounds: Bounds { wall: None, idle: None, memory_bytes: None, output_bytes: 1, grace: Span::ZERO },
        runs_may: RunsMay::default(),
    }
}

fn goal() -> Goal {
    let condition = "exit 0".parse().expect("a condition");
    Goal { criteria: vec![Criterion { name: UNTIL.to_owned(), condition }] }
}

/// A job made at second 0, after `events`, each at its second.
fn job(definition: &Definition, events: &[(i64, Event)]) -> Job {
    let mut job = Job::create(JobId::from_bits(1), "job".to_owned(), definition, at(0));
    for (second, event) in events {
        job.evolve(event, at(*second));
    }
    job
}

fn fired(slot: i64, next: Option<i64>) -> Event {
    Event::Fired { task: run(), origin: Origin::Schedule, slot: Some(at(slot)), next_at: next.map(at) }
}

fn skipped(reason: Skip, first: i64, last: i64, count: u64) -> Event {
    // Overlap leaves the next slot to the schedule; what was missed ends with the slot that runs.
    Event::Skipped { reason, first: at(first), last: at(last), count, next_at: Some(at(last + 10)) }
}

fn paused(second: i64) -> Event {
    Event::Paused {
        pause: Pause { at: at(second), reason: None, note: None, until: None, needs_leave: false },
    }
}

fn tick() -> Input {
    Input::Tick { fresh: run() }
}

/// The end of the run with this reason; `truth` is what was found of the goal.
fn ended(second: i64, reason: EndReason, truth: Option<Truth>) -> (Input, Brief) {
    let exit = Exit { reason, code: None, signal: None, cause: None };
    let finding = |truth| Finding { name: UNTIL.to_owned(), truth, evidence: "it was seen".to_owned() };
    let findings = truth.map(|truth| Findings { criteria: vec![finding(truth)] });
    let how = if reason == EndReason::ExitZero || truth.is_some() { How::Succeeded } else { How::Failed };
    let end = End { at: at(second), how, exit, findings };
    let last = Brief {
        run: run(),
        attempt: 1,
        number: 1,
        how,
        reason,
        code: None,
        unmet: end.findings.as_ref().filter(|findings| !findings.all_met()).map(Findings::evidence),
        ended_at: at(second),
        spent: Spent::default(),
        conversation: None,
    };
    let goal = truth.map(|_| goal());
    (Input::RunEnded { last: Box::new(last.clone()), origin: Origin::Schedule, goal, end }, last)
}

fn closed(second: i64, reason: VerdictReason, evidence: &str) -> Close {
    Close { at: at(second), reason, evidence: evidence.to_owned(), run: Some(run()) }
}

fn check(job: &Job, definition: &Definition, said: (i64, &Input), answer: &[Event]) {
    let (second, input) = said;
    assert_eq!(job.decide(input, definition, at(second)).as_deref(), Ok(answer), "{input:?} at {second}");
}

const RESUME: Input = Input::Resume { by: Voice::Person };

#[test]
fn a_late_daemon_runs_the_newest_slot_and_tells_of_the_others() {
    let definition = definition(TEN);
    check(
        &job(&definition, &[]),
        &definition,
        (35, &tick()),
        &[skipped(Skip::Missed, 0, 20, 3), fired(30, Some(40))],
    );
}

#[test]
fn slots_that_come_due_beside_a_run_are_skipped() {
    let definition = definition(TEN);
    let job = job(&definition, &[(0, fired(0, Some(10)))]);
    check(&job, &definition, (9, &tick()), &[]);
    check(&job, &definition, (35, &tick()), &[skipped(Skip::Overlap, 10, 30, 3)]);
}

#[test]
fn a_rate_resumes_on_its_grid_and_a_loop_at_once() {
    let rate = definition(TEN);
    let job_of_rate = job(&rate, &[(0, fired(0, Some(10))), (5, paused(5))]);
    check(&job_of_rate, &rate, (37, &RESUME), &[Event::Resumed { next_at: Some(at(40)) }]);
    check(&job_of_rate, &rate, (7, &RESUME), &[Event::Resumed { next_at: Some(at(10)) }]);
    let looped = definition(PAUSE);
    let job_of_loop = job(&looped, &[(5, paused(5))]);
    check(&job_of_loop, &looped, (37, &RESUME), &[Event::Resumed { next_at: Some(at(37)) }]);
}

#[test]
fn success_on_the_last_permitted_run_is_success() {
    let mut definition = definition(PAUSE);
    definition.goal = Some(goal());
    definition.limits.runs = Some(1);
    definition.limits.deadline = Some(at(6));
    let job = job(&definition, &[(0, fired(0, None))]);
    let (input, last) = ended(6, EndReason::ExitZero, Some(Truth::Met));
    let close = closed(6, VerdictReason::ConditionMet, "it was seen");
    let state = State::Completed(close);
    check(&job, &definition, (6, &input), &[Event::Closed { last: Some(last), state }]);
    let (input, last) = ended(5, EndReason::ExitZero, Some(Truth::Unknown));
    let close = closed(5, VerdictReason::RunLimit, "1 run, as many as allowed; it was seen");
    let state = State::Failed(close);
    check(&job, &definition, (5, &input), &[Event::Closed { last: Some(last), state }]);
}

#[test]
fn what_was_found_of_a_goal_that_was_replaced_ends_nothing() {
    let mut definition = definition(PAUSE);
    definition.goal = Some(goal());
    let job = job(&definition, &[(0, fired(0, None))]);
    let (mut input, last) = ended(5, EndReason::ExitZero, Some(Truth::Met));
    if let Input::RunEnded { goal, .. } = &mut input {
        *goal = None;
    }
    let next_at = Some(at(15));
    check(&job, &definition, (5, &input), &[Event::Continued { last, streak: 0, next_at }]);
}

#[test]
fn a_deadline_that_leaves_no_time_for_another_run_ends_the_job() {
    let mut definition = definition(PAUSE);
    definition.limits.deadline = Some(at(15));
    let job = job(&definition, &[(0, fired(0, None))]);
    let (input, last) = ended(5, EndReason::ExitZero, None);
    let told = "the deadline leaves no time for another run";
    let state = State::Failed(closed(5, VerdictReason::TimeLimit, told));
    check(&job, &definition, (5, &input), &[Event::Closed { last: Some(last), state }]);
    let (input, last) = ended(4, EndReason::ExitZero, None);
    let next_at = Some(at(14));
    check(&job, &definition, (4, &input), &[Event::Continued { last, streak: 0, next_at }]);
}

#[test]
fn runs_that_cannot_work_open_the_breaker() {
    let definition = definition(PAUSE);
    let (_, broken) = ended(1, EndReason::SpawnFailed, None);
    let before = Event::Continued { last: broken, streak: 1, next_at: Some(at(10)) };
    let job = job(&definition, &[(0, fired(0, None)), (1, before), (10, fired(10, None))]);
    let (input, last) = ended(12, EndReason::Lost, None);
    let note = "2 runs in a row could not do their work, the last by lost".to_owned();
    let reason = Some(VerdictReason::CircuitBreaker);
    let pause = Pause { at: at(12), reason, note: Some(note), until: None, needs_leave: false };
    let events = [Event::Continued { last, streak: 2, next_at: Some(at(22)) }, Event::Paused { pause }];
    check(&job, &definition, (12, &input), &events);
    // Whoever resumes it has mended something: it may fail as often again.
    let mut resumed = job.clone();
    let resume = [Event::Resumed { next_at: Some(at(22)) }, fired(22, None)];
    events.iter().chain(&resume).for_each(|event| resumed.evolve(event, at(22)));
    let (input, last) = ended(23, EndReason::Lost, None);
    let next_at = Some(at(33));
    check(&resumed, &definition, (23, &input), &[Event::Continued { last, streak: 1, next_at }]);
}

#[test]
fn with_a_goal_a_failing_exit_is_evidence_and_no_breakage() {
    let mut definition = definition(PAUSE);
    definition.goal = Some(goal());
    let job = job(&definition, &[(0, fired(0, None))]);
    let (input, last) = ended(5, EndReason::ExitNonzero, Some(Truth::NotMet));
    assert_eq!(last.state_word(), "not_yet");
    let next_at = Some(at(15));
    check(&job, &definition, (5, &input), &[Event::Continued { last, streak: 0, next_at }]);
    definition.goal = None;
    let (input, last) = ended(5, EndReason::ExitNonzero, None);
    assert_eq!(last.state_word(), "failed");
    check(&job, &definition, (5, &input), &[Event::Continued { last, streak: 1, next_at }]);
}

#[test]
fn a_new_rate_leaves_out_the_slots_that_were_used() {
    let definition = definition(TEN);
    let mut after = definition.clone();
    after.schedule = Schedule::Every { span: Span::from_secs(7), anchor: Anchor::Rate };
    let job = job(&definition, &[(20, fired(20, Some(30)))]);
    let input = Input::Update { name: "job".to_owned(), reschedule: true };
    // The clock was put back: 11, 18 and 25 are on the grid, and all up to 20 is used.
    let updated =
        Event::Updated { revision: 2, name: "job".to_owned(), origin_at: at(11), next_at: Some(at(25)) };
    check(&job, &after, (11, &input), &[updated]);
}

#[test]
fn a_loop_does_not_wait_for_a_clock_that_was_put_back_and_a_rate_does() {
    let ran = |definition: &Definition, next: Option<i64>| {
        let (_, last) = ended(1001, EndReason::ExitZero, None);
        let over = Event::Continued { last, streak: 0, next_at: next.map(at) };
        job(definition, &[(1000, fired(1000, next)), (1001, over)])
    };
    let looping = definition(PAUSE);
    let job = ran(&looping, Some(1011));
    check(&job, &looping, (500, &Input::ClockBack), &[Event::Rescheduled { next_at: at(510) }]);
    check(&job, &looping, (1005, &Input::ClockBack), &[]);
    let rate = definition(TEN);
    check(&ran(&rate, Some(1010)), &rate, (500, &Input::ClockBack), &[]);
}

#[test]
fn a_job_that_waits_for_leave_is_resumed_by_a_person_alone() {
    let definition = definition(TEN);
    let parked = Input::Park { note: "look at it".to_owned() };
    let mut job = job(&definition, &[]);
    for event in job.decide(&parked, &definition, at(0)).expect("parked") {
        job.evolve(&event, at(0));
    }
    let by_agent = job.decide(&Input::Resume { by: Voice::Agent }, &definition, at(1));
    assert_eq!(by_agent.expect_err("refused").code, Code::Denied);
    let pause = Input::Pause { note: None, until: Some(at(2)) };
    job.decide(&pause, &definition, at(1)).expect_err("that would resume it");
    assert_eq!(job.decide(&Input::Tick { fresh: run() }, &definition, at(9000)).expect("a tick"), []);
    job.decide(&RESUME, &definition, at(1)).expect("resumed");
}

#[test]
fn a_job_that_begins_later_begins_with_its_first_run() {
    for (start, starts_at, next_at) in [
        (Start::Next, Some(at(500)), at(500)),
        (Start::Now, Some(at(500)), at(500)),
        (Start::Next, Some(at(-5)), at(10)),
        (Start::Next, None, at(10)),
    ] {
        let definition = Definition { start, starts_at, ..definition(TEN) };
        assert_eq!(job(&definition, &[]).next_at, Some(next_at), "{start:?} {starts_at:?}");
    }
}
