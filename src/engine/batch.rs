//! A batch: one transaction's worth of inputs, each in a savepoint of its own.
//!
//! Loads, lets the core decide, evolves, saves rows and events, and collects what is to be done after the
//! commit. It decides nothing itself.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

use crate::core::actor::Actor;
use crate::core::definition::Definition;
use crate::core::id::{JobId, TaskId};
use crate::core::job;
use crate::core::refusal::{Code, Refusal};
use crate::core::task;
use crate::engine::Settings;
use crate::engine::acts::Action;
use crate::engine::agents::AtWork;
use crate::engine::launch::Known;
use crate::engine::mint::Mint;
use crate::engine::ports::Agents;
use crate::store::tx::{StoreError, Tx};
use crate::store::{events, jobs, tasks};

/// What an input comes to: an answer, or a refusal that leaves no trace.
pub type Answered<T> = Result<Result<T, Refusal>, StoreError>;

/// One transaction's worth of inputs.
pub struct Batch<'a> {
    /// The transaction.
    pub tx: &'a mut dyn Tx,
    /// The instant at which all of it happens.
    pub now: Timestamp,
    /// What is to be done after the commit.
    pub actions: Vec<Action>,
    /// Who asks for it.
    pub by: Actor,
    pub(super) settings: &'a Settings,
    agents: &'a dyn Agents,
    mint: &'a mut dyn Mint,
    /// Whether something ended that others may have waited for.
    pub(super) freed: bool,
    /// The accounts whose quota turned out to be there.
    pub(super) opened: Vec<String>,
    /// The runs of agents that are under way, as far as they were looked for.
    pub(super) at_work: Option<Vec<AtWork>>,
    /// Whether more was due than one batch takes.
    pub(super) overfull: bool,
    /// Whether an input met a broken row, so that what is due may stay due.
    pub(super) broken: bool,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub fn new(tx: &'a mut dyn Tx, mint: &'a mut dyn Mint, known: Known<'a>) -> Self {
        Self {
            tx,
            now: known.now,
            actions: Vec::new(),
            by: Actor::daemon(),
            settings: known.settings,
            agents: known.agents,
            mint,
            freed: false,
            opened: Vec::new(),
            at_work: None,
            overfull: false,
            broken: false,
        }
    }

    /// What is known beside the rows.
    pub(super) fn known(&self) -> Known<'a> {
        Known { settings: self.settings, agents: self.agents, now: self.now }
    }

    /// Does `input` whole or not at all.
    pub fn savepoint<T>(&mut self, input: impl FnOnce(&mut Self) -> Answered<T>) -> Answered<T> {
        let actions = self.actions.len();
        self.tx.execute("SAVEPOINT input", &[])?;
        let answered = input(self);
        if !matches!(answered, Ok(Ok(_))) {
            self.actions.truncate(actions);
            let undone = self.tx.execute("ROLLBACK TO input", &[]);
            // A full disk ends the whole transaction, savepoints and all: then that is the error.
            if answered.is_ok() {
                undone?;
            }
        }
        let released = self.tx.execute("RELEASE input", &[]);
        if answered.is_ok() {
            released?;
        }
        self.by = Actor::daemon();
        answered
    }

    /// Does `input` whole or not at all, and nothing when the rows it touches are broken.
    ///
    /// One bad row must not keep every other input out of the store for ever; it is logged, and
    /// `doctor --deep` finds it.
    pub fn isolated<T>(
        &mut self,
        input: impl FnOnce(&mut Self) -> Answered<T>,
    ) -> Result<Option<Result<T, Refusal>>, StoreError> {
        match self.savepoint(input) {
            Ok(answered) => Ok(Some(answered)),
            Err(error @ (StoreError::Taken(_) | StoreError::BadRow { .. })) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an input does not fit the rows");
                self.broken = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A fresh id for a job.
    pub fn fresh_job(&mut self) -> JobId {
        JobId::from_bits(self.mint.bits())
    }

    /// A fresh id for a task.
    pub fn fresh_task(&mut self) -> TaskId {
        TaskId::from_bits(self.mint.bits())
    }

    /// The job, which is known to exist.
    pub fn job(&mut self, id: JobId) -> Answered<jobs::Stored> {
        let missing =
            || Refusal::new(Code::NotFound, format!("no job {id}")).hint("`converge ls` shows them");
        Ok(jobs::get(self.tx, id)?.ok_or_else(missing))
    }

    /// Says `input` to a job, follows its events and saves it.
    pub fn say_to_job(&mut self, stored: &mut jobs::Stored, input: &job::decide::Input) -> Answered<()> {
        let events = match stored.job.decide(input, &stored.definition, self.now) {
            Ok(events) => events,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if events.is_empty() {
            return Ok(Ok(()));
        }
        for event in &events {
            stored.job.evolve(event, self.now);
            self.record_job(stored.job.id, event)?;
            self.follow_job(stored, event)?;
        }
        self.save_job(stored, None)?;
        Ok(Ok(()))
    }

    /// Writes a job back.
    pub fn save_job(
        &mut self,
        stored: &mut jobs::Stored,
        fingerprint: Option<&str>,
    ) -> Result<(), StoreError> {
        if !jobs::update(self.tx, stored, fingerprint)? {
            return Err(StoreError::Conflict);
        }
        stored.version += 1;
        Ok(())
    }

    /// Says `input` to a task, follows its events and saves it.
    pub fn say_to_task(&mut self, stored: &mut tasks::Stored, input: &task::input::Input) -> Answered<()> {
        let job = stored.task.job;
        let Some(contract) = jobs::definition(self.tx, job, stored.task.revision)? else {
            return Err(StoreError::BadRow {
                table: "revisions",
                problem: format!("{job} lacks a revision"),
            });
        };
        let events = match stored.task.decide(input, &contract, self.now) {
            Ok(events) => events,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if events.is_empty() {
            return Ok(Ok(()));
        }
        let had_lane = stored.task.has_lane();
        self.follow_task(&mut stored.task, &contract, &events)?;
        self.freed |= had_lane && !stored.task.has_lane();
        if had_lane != stored.task.has_lane() {
            self.at_work = None;
        }
        if !tasks::update(self.tx, stored)? {
            return Err(StoreError::Conflict);
        }
        stored.version += 1;
        self.after_task(&stored.task, &contract)
    }

    /// Keeps an event about a job.
    pub fn record_job(&mut self, id: JobId, event: &job::Event) -> Result<(), StoreError> {
        self.record(id, None, "job", event)
    }

    /// Keeps an event about a task.
    pub fn record_task(&mut self, task: &task::Task, event: &task::event::Event) -> Result<(), StoreError> {
        self.record(task.job, Some(task.id), "run", event)
    }

    fn record(
        &mut self,
        job: JobId,
        task: Option<TaskId>,
        subject: &str,
        event: &impl Serialize,
    ) -> Result<(), StoreError> {
        let (word, data) = word_and_data(event);
        let kind = format!("{subject}.{word}");
        events::append(self.tx, &events::Fresh { at: self.now, by: &self.by, job, task, kind, data })
    }

    /// The definition that a task follows.
    pub fn contract(&mut self, task: &task::Task) -> Result<Definition, StoreError> {
        jobs::definition(self.tx, task.job, task.revision)?.ok_or_else(|| StoreError::BadRow {
            table: "revisions",
            problem: format!("{} lacks a revision", task.job),
        })
    }
}

/// An event as its word and what it carries.
fn word_and_data(event: &impl Serialize) -> (String, Json) {
    match serde_json::to_value(event).expect("events are plain data") {
        Json::Object(map) => map.into_iter().next().expect("an event with data is one entry"),
        Json::String(word) => (word, Json::Object(serde_json::Map::new())),
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_)) => {
            unreachable!("an event is written as {other}")
        }
    }
}
