//! The model: what the events add up to, each of them checked against the rules and against the world.

use std::collections::{BTreeMap, BTreeSet};

use converge::core::class::Class;
use converge::core::definition::Definition;
use converge::core::id::{JobId, TaskId};
use converge::core::job::{self, Job};
use converge::core::reason::VerdictReason;
use converge::core::schedule::Due;
use converge::core::span::Span;
use converge::core::task::course::{Course, Wait};
use converge::core::task::event::{Charge, Event};
use converge::core::task::exit::Exit;
use converge::core::task::{How, Origin, Skipped, State, Task, onward};
use converge::store::retention::NEWEST_KEPT;
use converge::store::tx::{Tx, Value};
use converge::store::{events, jobs};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::ended::{could_not_work, exited, stopped_for};
use super::process::Life;
use super::truth;
use super::world::World;

/// A job as its events tell it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) job: Job,
    /// Its definitions, one a revision.
    pub(crate) definitions: Vec<Definition>,
}

/// All that the events told so far.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) jobs: BTreeMap<JobId, Told>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) skips: BTreeMap<(JobId, Timestamp), Skipped>,
    pub(crate) removed: BTreeSet<JobId>,
    /// Runs that were too old to be kept.
    pub(crate) forgotten: BTreeSet<TaskId>,
    /// Runs that ended while they waited, so that nobody looked at their goal.
    unjudged: BTreeSet<TaskId>,
    /// Until when each account has used up what it may.
    gates: BTreeMap<String, Timestamp>,
    seq: u64,
}

impl Told {
    pub(crate) fn definition(&self) -> &Definition {
        self.definitions.last().expect("a job has a definition")
    }
}

impl Model {
    /// Follows the events that are new; answers how many there were.
    pub(crate) fn follow(&mut self, tx: &mut dyn Tx, world: &World, trace: &mut dyn FnMut(&str)) -> usize {
        let fresh = events::after(tx, self.seq, None, 10_000).expect("events are read");
        for kept in &fresh {
            trace(&format!("    {} {} {:?} {} {}", kept.seq, kept.job, kept.task, kept.kind, kept.data));
            assert!(kept.seq > self.seq, "events are in order");
            assert!(!kept.actor.is_empty(), "an event has an actor");
            self.seq = kept.seq;
            let job = kept.job.parse().expect("the id of a job");
            match (kept.kind.split_once('.').expect("a word of two parts"), &kept.task) {
                (("job", "removed"), None) => self.forget(job),
                (("job", of_job), None) => {
                    self.job_event(tx, world, job, &read(of_job, &kept.data), kept.at);
                }
                (("run", of_run), Some(task)) => {
                    let task = task.parse().expect("the id of a task");
                    self.run_event(world, task, &read(of_run, &kept.data), kept.at);
                }
                (words, task) => panic!("an event of kind {words:?} about {task:?}"),
            }
        }
        fresh.len()
    }

    /// Lets go of runs that the store kept no longer: only of what is over, and of no job's newest.
    pub(crate) fn forget_old(&mut self, tx: &mut dyn Tx) {
        let rows = tx.query("SELECT id, job, slot, state FROM tasks", &[]).expect("tasks are read");
        let mut ids: BTreeSet<TaskId> = BTreeSet::new();
        let mut skips: BTreeSet<(JobId, Timestamp)> = BTreeSet::new();
        for row in rows {
            let [Value::Text(id), Value::Text(job), slot, Value::Text(state)] = row.as_slice() else {
                panic!("a row of tasks is {row:?}")
            };
            if let (Value::Int(ms), "skipped") = (slot, state.as_str()) {
                let slot = Timestamp::from_millisecond(*ms).expect("an instant");
                skips.insert((job.parse().expect("an id"), slot));
            } else {
                ids.insert(id.parse().expect("an id"));
            }
        }
        self.skips.retain(|skip, _| skips.contains(skip));
        let gone: Vec<TaskId> = self.tasks.keys().filter(|id| !ids.contains(id)).copied().collect();
        for id in gone {
            let task = self.tasks.remove(&id).expect("it was just there");
            let newest = self.jobs[&task.job].job.runs;
            assert!(!task.is_open(), "{id} is forgotten while it is open");
            assert!(task.number + NEWEST_KEPT <= newest, "{id} is one of the newest of {newest}");
            self.forgotten.insert(id);
        }
    }

    fn forget(&mut self, job: JobId) {
        self.jobs.remove(&job);
        self.tasks.retain(|_, task| task.job != job);
        self.skips.retain(|(of, _), _| *of != job);
        self.removed.insert(job);
    }

    fn job_event(&mut self, tx: &mut dyn Tx, world: &World, id: JobId, event: &job::Event, at: Timestamp) {
        let mut definition = |revision| {
            jobs::definition(tx, id, revision).expect("it is read").expect("each revision has a definition")
        };
        match event {
            job::Event::Added { name } => {
                let definition = definition(1);
                let job = Job::create(id, name.clone(), &definition, at);
                assert!(self.jobs.insert(id, Told { job, definitions: vec![definition] }).is_none());
                return;
            }
            job::Event::Updated { revision, .. } => {
                let definition = definition(*revision);
                self.jobs.get_mut(&id).expect("it was added").definitions.push(definition);
            }
            job::Event::Fired { task, origin, slot, next_at } => {
                self.fired(id, at, *task, *origin, *slot, *next_at);
            }
            job::Event::Skipped { reason, first, last, count, next_at } => {
                let skipped = Skipped { reason: *reason, last: *last, count: *count };
                self.skipped(id, *first, skipped, *next_at, at);
            }
            job::Event::Continued { last, .. } => self.judged(world, id, last.run, None),
            job::Event::Closed { last, state } => {
                let told = &self.jobs[&id];
                let was_live = told.job.is_live();
                assert!(was_live || *state == told.job.state, "{id} was closed before");
                match last {
                    Some(last) if was_live => self.judged(world, id, last.run, Some(state)),
                    Some(_) => {}
                    None => assert!(!is_by_goal(state), "only a run meets the goal of {id}"),
                }
            }
            job::Event::Paused { .. }
            | job::Event::Resumed { .. }
            | job::Event::Rescheduled { .. }
            | job::Event::Archived
            | job::Event::Unarchived => {}
            job::Event::Removed => unreachable!("told apart above"),
        }
        self.jobs.get_mut(&id).expect("it was added").job.evolve(event, at);
        if let job::Event::Fired { task, origin, slot, .. } = event {
            self.make(id, *task, *origin, *slot, at);
        }
    }

    fn fired(
        &self,
        id: JobId,
        at: Timestamp,
        task: TaskId,
        origin: Origin,
        slot: Option<Timestamp>,
        next_at: Option<Timestamp>,
    ) {
        let told = &self.jobs[&id];
        let (job, definition) = (&told.job, told.definition());
        assert_eq!(job.state, job::State::Active, "{id} fires while it is {}", job.state.word());
        assert_eq!(job.active, None, "{id} fires beside a run");
        assert!(!self.tasks.contains_key(&task), "{task} is fresh");
        if origin == Origin::Zero {
            assert_eq!(job.runs, 0, "run zero of {id} comes before the first run");
            return;
        }
        let most = definition.limits.runs.unwrap_or(u32::MAX);
        assert!(job.runs < most, "{id} fires a run beyond {most}");
        let limit = job.cut_at(definition).into_iter().chain(definition.ends_at).min();
        assert!(limit.is_none_or(|limit| at < limit), "{id} fires at {at}, after {limit:?}");
        assert_eq!(slot.is_some(), origin == Origin::Schedule, "a slot is of the schedule");
        if let (Some(slot), Some(span)) = (slot, definition.schedule.rate()) {
            assert_eq!(job.next_at, Some(slot), "{id} leaves no slot out");
            assert_eq!(next_at, Some(span.after(slot)), "{id} leaves no slot out");
            assert!(slot <= at && at < span.after(slot), "{id} fires its newest slot");
        }
    }

    fn make(&mut self, id: JobId, task: TaskId, origin: Origin, slot: Option<Timestamp>, at: Timestamp) {
        let job = &self.jobs[&id].job;
        let due_at = slot.unwrap_or(at).min(at);
        let task = Task {
            id: task,
            job: id,
            revision: job.revision,
            number: if origin == Origin::Zero { 0 } else { job.runs },
            origin,
            slot,
            created_at: at,
            claims: 0,
            tries: 0,
            uncharged: 0,
            course: match self.jobs[&id].definition().target.assignment().filter(|_| origin != Origin::Zero) {
                Some(assignment) => Course::begin(assignment, job.conversation.as_ref(), job.spent),
                None => Course::default(),
            },
            state: State::Pending { due_at },
        };
        self.tasks.insert(task.id, task);
    }

    fn skipped(
        &mut self,
        id: JobId,
        first: Timestamp,
        skipped: Skipped,
        next_at: Option<Timestamp>,
        at: Timestamp,
    ) {
        let told = &self.jobs[&id];
        assert_eq!(told.job.state, job::State::Active, "{id} skips while it is paused or over");
        let span = told.definition().schedule.rate().expect("only a kept rate skips");
        assert_eq!(told.job.next_at, Some(first), "{id} leaves no slot out");
        assert_eq!(Due::up_to(first, span, skipped.last), Due { last: skipped.last, count: skipped.count });
        assert_eq!(next_at, Some(span.after(skipped.last)), "{id} leaves no slot out");
        assert!(skipped.last <= at, "{id} skips what is not due");
        let newest_run = self.tasks.values().filter(|task| task.job == id).filter_map(|task| task.slot).max();
        let newest = self.skips.range_mut((id, Timestamp::MIN)..=(id, Timestamp::MAX)).next_back();
        match newest {
            Some(((_, begin), before))
                if before.reason == skipped.reason
                    && span.after(before.last) == first
                    && newest_run.is_none_or(|run| run < *begin) =>
            {
                before.last = skipped.last;
                before.count += skipped.count;
            }
            _ => {
                let taken = self.skips.insert((id, first), skipped);
                assert_eq!(taken, None, "{id} skips {first} twice");
            }
        }
    }

    /// A run was judged: the loop is done exactly when the run really met the goal in force.
    fn judged(&self, world: &World, id: JobId, run: TaskId, state: Option<&job::State>) {
        let (told, task) = (&self.jobs[&id], &self.tasks[&run]);
        assert_eq!(told.job.active, Some(run), "{run} is the run of {id}");
        let State::Ended(end) = &task.state else { panic!("{run} is judged while it is open") };
        let goal = told.definition().goal.as_ref();
        let judged_by = told.definitions[task.revision as usize - 1].goal.as_ref();
        let met = end.how != How::Cancelled
            && !self.unjudged.contains(&run)
            && goal == judged_by
            && goal.is_some_and(|goal| {
                truth::is_met(goal, world, task.attempt_key(), task.origin == Origin::Zero)
            });
        let done = state.is_some_and(|state| {
            let by_goal = is_by_goal(state);
            assert_eq!(by_goal, state.word() == "completed" && goal.is_some(), "{id}: {state:?}");
            by_goal
        });
        assert_eq!(done, met, "{run} of {id} ended {end:?}, and the world says met: {met}");
    }

    fn run_event(&mut self, world: &World, id: TaskId, event: &Event, at: Timestamp) {
        let task = self.tasks.get_mut(&id).expect("a run is made before anything happens to it");
        let told = &self.jobs[&task.job];
        let key = task.attempt_key();
        let contract = &told.definitions[task.revision as usize - 1];
        assert!(task.is_open(), "{id} was over before {event:?}");
        match event {
            Event::Claimed { attempt, .. } => {
                assert_eq!(*attempt, task.claims + 1, "a claim of {id} is never used twice");
                assert_eq!(told.job.state, job::State::Active, "{id} starts and its job does not");
                let due_at = match task.state {
                    State::Pending { due_at } => Some(due_at),
                    State::Waiting { due_at, .. } => due_at,
                    State::Claimed { .. } | State::Running { .. } | State::Ended(_) | State::Skipped(_) => {
                        None
                    }
                };
                assert!(due_at.is_some_and(|due_at| due_at <= at), "{id} is due");
                if let Some(assignment) = contract.target.assignment().filter(|_| task.origin != Origin::Zero)
                {
                    let purse = task.course.candidate(assignment).purse();
                    let until = self.gates.get(&purse);
                    assert!(
                        until.is_none_or(|until| *until <= at),
                        "{id} starts on {purse}, closed until {until:?}"
                    );
                }
                let cut_at = told.job.cut_at(told.definition()).filter(|_| task.origin != Origin::Zero);
                assert!(cut_at.is_none_or(|cut_at| at < cut_at), "{id} starts at {at}, after {cut_at:?}");
            }
            Event::Started { attempt, .. } => {
                assert_eq!(*attempt, key.attempt);
                assert_eq!(world.processes[&key].starts, 1, "{key} started once");
            }
            Event::Revoked { attempt, due_at } => {
                assert!(
                    at <= *due_at && *due_at <= Span::from_secs(120).after(at),
                    "{id} waits for {due_at}"
                );
                assert_eq!(*attempt, key.attempt);
                let process = &world.processes[&key];
                let never = matches!(process.life, Life::Revoked | Life::Gone);
                let wiped = process.life == Life::Wiped;
                assert!(wiped || never && process.starts == 0, "{key} was revoked: {process:?}");
            }
            Event::Exited { attempt, exit } => {
                assert_eq!(*attempt, key.attempt);
                let stopped = stopped_for(task);
                exited(world, key, exit, (task.origin, stopped));
            }
            Event::Retrying { due_at, charge, .. } => {
                let most = contract.retry.most;
                let is_free = *charge == Charge::None;
                assert!(is_free || task.tries <= most, "{id} is tried more than {most} times again");
                assert!(!is_free || could_not_work(task), "{id} worked, and is not charged");
                assert!(at <= *due_at && *due_at <= Span::from_secs(6 * 3600).after(at));
            }
            Event::Waiting { due_at, charge, why, .. } => {
                let assignment = contract.target.assignment().expect("only agents wait");
                assert!(*charge == Charge::Full || could_not_work(task), "{id} worked, and is not charged");
                let most = Span::from_secs(120).after(assignment.quota_wait.after(at));
                let is_soon = due_at.is_some_and(|due_at| due_at <= most);
                assert!(is_soon || why.is_for_others(), "{id} waits longer than it may");
            }
            Event::Hastened { .. } => {
                // Somebody who wants it at once does not believe the gate.
                if let State::Waiting { why: Wait::Quota { purse, .. }, .. } = &task.state {
                    self.gates.remove(purse);
                }
            }
            Event::Read { reading } => {
                let assignment = contract.target.assignment().expect("only agents are read");
                let purse = task.course.candidate(assignment).purse();
                // What nobody stated may turn out to be otherwise.
                let gate = onward::gate(&task.course, reading, at);
                if reading.class == Class::Quota && gate.is_stated {
                    self.gates.insert(purse, gate.until);
                } else if reading.class == Class::Done {
                    self.gates.remove(&purse);
                }
            }
            Event::Passed { place } => {
                let assignment = contract.target.assignment().expect("only agents have a chain");
                assert!(*place > task.course.place && usize::from(*place) < assignment.chain.len());
            }
            Event::Ended { .. } if matches!(task.state, State::Pending { .. } | State::Waiting { .. }) => {
                self.unjudged.insert(id);
            }
            Event::Ended { end } => {
                if let Some(outcome) = truth::outcome(world, key).filter(|_| task.origin != Origin::Zero) {
                    assert_eq!(end.exit.code, Exit::of(outcome).code, "the exit code of {key}");
                }
            }
            Event::Found { .. }
            | Event::CheckLost { .. }
            | Event::Stopping { .. }
            | Event::Recalled { .. }
            | Event::Rebound { .. } => {}
            Event::Extended { .. } => panic!("a skipped row is no run"),
        }
        task.evolve(event, at);
    }
}

fn is_by_goal(state: &job::State) -> bool {
    let reason = state.close().map(|close| close.reason);
    matches!(reason, Some(VerdictReason::Converged | VerdictReason::ConditionMet))
}

fn read<T: DeserializeOwned>(word: &str, data: &Json) -> T {
    let empty = data.as_object().is_some_and(serde_json::Map::is_empty);
    let event = if empty { json!(word) } else { json!({ word: data }) };
    serde_json::from_value(event).expect("an event reads as it was written")
}
