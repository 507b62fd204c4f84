//! Runs: what follows from the events of jobs and tasks, and what is due now.

use jiff::Timestamp;

use crate::core::definition::Definition;
use crate::core::id::{JobId, TaskId};
use crate::core::job;
use crate::core::process::Outcome;
use crate::core::reason::EndReason;
use crate::core::refusal::Refusal;
use crate::core::span::Span;
use crate::core::task::course::Course;
use crate::core::task::event::{Charge, Event};
use crate::core::task::exit::Exit;
use crate::core::task::input::Input;
use crate::core::task::report::Report;
use crate::core::task::{Origin, Skipped, State, Task};
use crate::engine::acts::{self, Action};
use crate::engine::batch::{Answered, Batch};
use crate::store::tx::StoreError;
use crate::store::{attempts, gates, jobs, tasks};

/// How long what is due waits when a broken row was met.
const BREATH: Span = Span::from_secs(1);

/// How many due jobs one transaction takes.
const DUE_MOST: u32 = 256;

impl Batch<'_> {
    /// Takes a report; one that is late changes nothing and is refused.
    pub fn report(&mut self, report: &Report) -> Answered<()> {
        let key = report.key();
        let Some(mut stored) = tasks::get(self.tx, key.task)? else {
            // Its job was removed while it was on its way.
            return Ok(Ok(()));
        };
        let is_newest = key.check.is_none() && key.attempt == stored.task.claims && stored.task.is_open();
        match report {
            Report::Ended { outcome, .. } if is_newest => {
                if let Some(why) = &outcome.unread {
                    tracing::warn!(%key, why, "a run ended under the limits before its job was updated");
                }
                self.keep_attempt(&stored.task, outcome)?;
            }
            Report::Lost { .. } if is_newest => self.keep_lost(&stored.task)?,
            Report::Read { reading, .. } if is_newest => self.keep_reading(&stored.task, reading)?,
            Report::Ended { .. }
            | Report::Lost { .. }
            | Report::Started { .. }
            | Report::Revoked { .. }
            | Report::Read { .. }
            | Report::Found { .. } => {}
        }
        self.say_to_task(&mut stored, &Input::Report(report.clone()))
    }

    fn keep_attempt(&mut self, task: &Task, outcome: &Outcome) -> Result<(), StoreError> {
        let exit = Exit::of(outcome);
        let attempt = attempts::Attempt {
            task: task.id,
            number: task.claims,
            kind: kind(task),
            started_at: Some(outcome.started_at),
            ended_at: outcome.ended_at,
            reason: exit.reason.word().to_owned(),
            exit_code: exit.code.map(Into::into),
            signal: exit.signal.map(Into::into),
            cpu_ms: outcome.cpu_ms,
            peak_kb: outcome.peak_kb,
            stdout_bytes: outcome.stdout_bytes,
            stderr_bytes: outcome.stderr_bytes,
            reading: None,
        };
        attempts::insert(self.tx, &attempt)
    }

    /// Of a lost attempt nothing is known but when it started.
    fn keep_lost(&mut self, task: &Task) -> Result<(), StoreError> {
        let attempt = attempts::Attempt {
            task: task.id,
            number: task.claims,
            kind: kind(task),
            started_at: task.started_at(),
            ended_at: self.now,
            reason: EndReason::Lost.word().to_owned(),
            exit_code: None,
            signal: None,
            cpu_ms: 0,
            peak_kb: 0,
            stdout_bytes: 0,
            stderr_bytes: 0,
            reading: None,
        };
        attempts::insert(self.tx, &attempt)
    }

    /// Evolves a task along its events and keeps them.
    pub(super) fn follow_task(
        &mut self,
        task: &mut Task,
        contract: &Definition,
        events: &[Event],
    ) -> Result<(), StoreError> {
        for event in events {
            if matches!(event, Event::Retrying { .. } | Event::Waiting { charge: Charge::None, .. }) {
                self.actions.push(Action::Tidy(acts::tidy(task, contract, None)));
            }
            task.evolve(event, self.now);
            self.record_task(task, event)?;
        }
        Ok(())
    }

    /// Acts for a task that has changed, and tells its job when it is over.
    pub(super) fn after_task(&mut self, task: &Task, contract: &Definition) -> Answered<()> {
        let State::Ended(end) = &task.state else {
            let known = self.known();
            let action = acts::of_task(self.tx, task, contract, known)?;
            self.actions.extend(action);
            return Ok(Ok(()));
        };
        let Some(mut stored) = jobs::get(self.tx, task.job)? else {
            return Ok(Ok(()));
        };
        let ended = job::decide::Input::RunEnded {
            last: Box::new(job::Brief::of(task, end)),
            origin: task.origin,
            goal: contract.goal.clone(),
            end: end.clone(),
        };
        let told = self.say_to_job(&mut stored, &ended)?;
        if task.claims > 0 {
            self.actions.push(Action::Tidy(acts::tidy(task, contract, Some(&stored.job))));
        }
        Ok(told)
    }

    /// Makes the rows that an event of a job asks for.
    pub(super) fn follow_job(&mut self, stored: &jobs::Stored, event: &job::Event) -> Result<(), StoreError> {
        match event {
            job::Event::Fired { task, origin, slot, .. } => {
                let due_at = slot.unwrap_or(self.now);
                let number = if *origin == Origin::Zero { 0 } else { stored.job.runs };
                let task = Task {
                    id: *task,
                    job: stored.job.id,
                    revision: stored.job.revision,
                    number,
                    origin: *origin,
                    slot: *slot,
                    created_at: self.now,
                    claims: 0,
                    tries: 0,
                    uncharged: 0,
                    course: match (stored.definition.target.assignment(), origin) {
                        (None, _) | (_, Origin::Zero) => Course::default(),
                        (Some(assignment), Origin::Schedule | Origin::AdHoc) => {
                            Course::begin(assignment, stored.job.conversation.as_ref(), stored.job.spent)
                        }
                    },
                    state: State::Pending { due_at: due_at.min(self.now) },
                };
                tasks::insert(self.tx, &task)
            }
            job::Event::Skipped { reason, first, last, count, .. } => {
                if let Some(mut newest) = tasks::newest_skip(self.tx, stored.job.id, *reason)?
                    && let State::Skipped(skipped) = &newest.task.state
                    && stored
                        .definition
                        .schedule
                        .rate()
                        .is_some_and(|span| span.after(skipped.last) == *first)
                {
                    let extended = Event::Extended { last: *last, count: skipped.count + count };
                    newest.task.evolve(&extended, self.now);
                    return if tasks::update(self.tx, &newest)? { Ok(()) } else { Err(StoreError::Conflict) };
                }
                let task = Task {
                    id: self.fresh_task(),
                    job: stored.job.id,
                    revision: stored.job.revision,
                    number: stored.job.runs,
                    origin: Origin::Schedule,
                    slot: Some(*first),
                    created_at: self.now,
                    claims: 0,
                    tries: 0,
                    uncharged: 0,
                    course: Course::default(),
                    state: State::Skipped(Skipped { reason: *reason, last: *last, count: *count }),
                };
                tasks::insert(self.tx, &task)
            }
            job::Event::Added { .. }
            | job::Event::Continued { .. }
            | job::Event::Closed { .. }
            | job::Event::Paused { .. }
            | job::Event::Resumed { .. }
            | job::Event::Rescheduled { .. }
            | job::Event::Updated { .. }
            | job::Event::Archived
            | job::Event::Unarchived
            | job::Event::Removed => Ok(()),
        }
    }

    /// Tells jobs, and runs that were put off, that the clock was put back.
    pub fn clock_back(&mut self) -> Result<(), StoreError> {
        for id in jobs::live(self.tx)? {
            self.tell_job(id, &job::decide::Input::ClockBack)?;
        }
        gates::forget_guesses(self.tx)?;
        for id in tasks::put_off(self.tx, self.now)? {
            self.tell_task(id, |_, _| Ok(Input::ClockBack))?;
        }
        Ok(())
    }

    /// Makes the runs that are due and gives free lanes to those that wait, the longest due first.
    pub fn tick(&mut self) -> Result<(), StoreError> {
        let due = jobs::due(self.tx, self.now, DUE_MOST)?;
        self.overfull = u32::try_from(due.len()).is_ok_and(|count| count == DUE_MOST);
        for id in due {
            let fresh = self.fresh_task();
            self.tell_job(id, &job::decide::Input::Tick { fresh })?;
        }
        self.release()?;
        self.claim()
    }

    fn claim(&mut self) -> Result<(), StoreError> {
        loop {
            let free = self.settings.lanes.saturating_sub(tasks::under_way_count(self.tx)?);
            let waiting = if free == 0 { Vec::new() } else { tasks::claimable(self.tx, self.now, free)? };
            let all = u32::try_from(waiting.len()).is_ok_and(|count| count < free);
            for id in waiting {
                self.tell_task(id, |batch, stored| {
                    let job = jobs::get(batch.tx, stored.task.job)?;
                    let until = job.and_then(|stored| stored.job.cut_at(&stored.definition));
                    let around = batch.around(&stored.task)?;
                    Ok(Input::Claim { until, around })
                })?;
            }
            // Those that end with their claim give their lanes to the next.
            if free == 0 || all || self.broken {
                return Ok(());
            }
        }
    }

    /// Tells one job something it cannot refuse, by itself.
    ///
    /// A row whose columns do not say what the job is gets new ones, or it would stay due for ever.
    fn tell_job(&mut self, id: JobId, input: &job::decide::Input) -> Result<(), StoreError> {
        let told = self.isolated(|batch| {
            let mut stored = match batch.job(id)? {
                Ok(stored) => stored,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let version = stored.version;
            let told = batch.say_to_job(&mut stored, input)?;
            if *input != job::decide::Input::ClockBack && stored.version == version {
                batch.save_job(&mut stored, None)?;
            }
            Ok(told)
        })?;
        self.expect_told(&id, told);
        Ok(())
    }

    /// Tells one task something it cannot refuse, by itself; see [`Self::tell_job`].
    pub(super) fn tell_task(
        &mut self,
        id: TaskId,
        input: impl FnOnce(&mut Self, &tasks::Stored) -> Result<Input, StoreError>,
    ) -> Result<(), StoreError> {
        let mut refused = None;
        let told = self.isolated(|batch| {
            let Some(mut stored) = tasks::get(batch.tx, id)? else { return Ok(Ok(())) };
            let input = input(batch, &stored)?;
            refused = batch.say_to_task(&mut stored, &input)?.err();
            if refused.is_some() && !tasks::update(batch.tx, &stored)? {
                return Err(StoreError::Busy);
            }
            // Refused or not, the row is right from now on.
            Ok(Ok(()))
        })?;
        self.expect_told(&id, refused.map_or(told, |refusal| Some(Err(refusal))));
        Ok(())
    }

    fn expect_told(&mut self, id: &dyn std::fmt::Display, told: Option<Result<(), Refusal>>) {
        if let Some(Err(refusal)) = told {
            tracing::error!(%id, %refusal, "a row did not say what it stands for");
            self.broken = true;
        }
    }

    /// When the engine wants to be asked again.
    pub fn wake_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if self.overfull && !self.broken {
            return Ok(Some(self.now));
        }
        let job = jobs::next_due(self.tx)?;
        let task = tasks::next_due(self.tx, self.now)?;
        let wake_at = [job, task].into_iter().flatten().min();
        // What is broken stays due; asking all the time would not mend it.
        Ok(if self.broken { wake_at.map(|at| at.max(BREATH.after(self.now))) } else { wake_at })
    }
}

fn kind(task: &Task) -> attempts::Kind {
    if task.attempts() == 0 { attempts::Kind::First } else { attempts::Kind::Retry }
}
