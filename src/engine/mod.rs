//! The engine: commits what the core decided, then acts on it.
//!
//! One thread owns the write connection and takes inputs of one closed kind. It drains what is queued into
//! one transaction, answers after the commit - so that a reply means stored - and only then asks the
//! ports to act. What it asks follows from the rows, so a restart asks again and loses nothing.

pub mod acts;
pub mod agents;
pub mod batch;
pub mod clock;
pub mod environment;
pub mod handle;
pub mod input;
pub mod launch;
pub mod mint;
pub mod ports;
pub mod runs;
pub mod twins;
pub mod vital;
pub mod work;
pub mod writes;

mod changes;
mod prune;
mod queue;

use std::collections::BTreeMap;
use std::mem;

use jiff::Timestamp;

use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::core::task::report::Report;
use crate::engine::acts::Action;
use crate::engine::batch::Batch;
use crate::engine::input::{Envelope, Reply};
use crate::engine::launch::Known;
use crate::engine::mint::Mint;
use crate::engine::ports::{Agents, Processes, Work};
use crate::store::tx::{Database, StoreError};
use crate::store::{events, keys, tasks};

/// What an engine is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// At most so many runs at once; the rest wait in due order.
    pub lanes: u32,
    /// Where run directories lie; told to runs, never read here.
    pub runs_dir: std::path::PathBuf,
    /// Where shims note who is logged in at which agent; never read here.
    pub logins_dir: std::path::PathBuf,
    /// The program itself, as agents start it to ask.
    pub program: std::path::PathBuf,
    /// How long runs and events are kept; for ever when none.
    pub keep: Option<Span>,
    /// How much room the output of runs that are over may take; any when none.
    pub keep_output_bytes: Option<u64>,
    /// How many runs at once an account may have, where that is bounded.
    pub account_limits: BTreeMap<String, u32>,
}

/// The engine's sides of the world.
pub struct Ports {
    /// Starts, stops and finds processes.
    pub processes: Box<dyn Processes>,
    /// Looks into files.
    pub work: Box<dyn Work>,
    /// Makes ids.
    pub mint: Box<dyn Mint>,
    /// Knows the agents that there are.
    pub agents: Box<dyn Agents>,
}

/// The part that decides by the core, commits, and acts.
pub struct Engine {
    database: Box<dyn Database>,
    ports: Ports,
    settings: Settings,
    /// Reports whose transaction did not commit; the world will not repeat them.
    unwritten: Vec<Report>,
    /// Starts that wait for company: they are worth no transaction of their own.
    started: Vec<Report>,
    /// Until when they wait.
    flush_at: Option<Timestamp>,
    /// Whether a transaction that failed may have been stored, and what it asks for is not done.
    unsure: bool,
    /// The instant of the newest step.
    seen_at: Timestamp,
    /// Whether the clock was put back since the newest transaction.
    stepped_back: bool,
    /// When to look for what is too old.
    prune_at: Timestamp,
    /// When the newest transaction asked to be woken; at first, at once.
    wake_at: Option<Timestamp>,
}

/// How long the news that a process started may wait for a transaction.
const STARTED_DELAY: Span = Span::from_ms(200);

/// How long to wait before a transaction that failed is tried again.
const RETRY_DELAY: Span = Span::from_secs(1);

/// How often a transaction is tried that somebody else is in the way of; a busy database waits for a second
/// by itself each time.
const BUSY_TRIES: u32 = 5;

/// In so many of the newest events lies all that an engine can have committed and not acted on.
const LATELY: u32 = 2048;

impl Engine {
    /// An engine over these ports.
    pub fn new(database: Box<dyn Database>, ports: Ports, settings: Settings) -> Self {
        Self {
            database,
            ports,
            settings,
            unwritten: Vec::new(),
            started: Vec::new(),
            flush_at: None,
            seen_at: Timestamp::MIN,
            stepped_back: false,
            prune_at: Timestamp::MIN,
            unsure: false,
            wake_at: Some(Timestamp::MIN),
        }
    }

    /// Asks after everything that was under way, or had just ended, when the engine before this one ended.
    pub fn recover(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let known = Known { settings: &self.settings, agents: self.ports.agents.as_ref(), now };
        let tx = self.database.tx();
        keys::sweep(tx, now)?;
        let mut actions = Vec::new();
        for id in tasks::under_way(tx)? {
            // One that cannot be read must not keep the others from being found.
            match tasks::get(tx, id).and_then(|stored| {
                stored.map_or(Ok(Vec::new()), |stored| acts::recovery(tx, &stored.task, known))
            }) {
                Ok(asked) => actions.extend(asked),
                Err(error @ StoreError::BadRow { .. }) => {
                    tracing::error!(%id, error = &error as &dyn std::error::Error, "a run cannot be asked after");
                }
                Err(error) => return Err(error),
            }
        }
        for ended in events::lately_ended(tx, LATELY)? {
            if let Some(stored) = tasks::get(tx, ended)? {
                actions.extend(acts::recovery_of_ended(tx, &stored.task)?);
            }
        }
        // Otherwise a clock that was put back while nobody was there would never be noticed.
        self.seen_at = self.seen_at.max(events::newest_at(self.database.tx())?.unwrap_or(Timestamp::MIN));
        self.act(actions);
        Ok(())
    }

    /// Takes what came in, commits, answers, acts; answers when it wants to be asked again at the latest.
    pub fn step(&mut self, now: Timestamp, envelopes: Vec<Envelope>) -> Option<Timestamp> {
        let now = whole_ms(now);
        self.stepped_back |= now < self.seen_at;
        self.seen_at = now;
        let (reports, commands) = self.sort(envelopes);
        let is_start = |report: &Report| matches!(report, Report::Started { .. });
        let only_starts = commands.is_empty() && !reports.is_empty() && reports.iter().all(is_start);
        let mut all = mem::take(&mut self.started);
        all.extend(reports);
        if only_starts && !self.stepped_back {
            // The first start sets the hour for those after it, and none keeps what is due waiting.
            let latest = STARTED_DELAY.after(now);
            let flush_at = self.flush_at.map_or(latest, |flush_at| flush_at.min(latest));
            let wake_at = self.wake_at.map_or(flush_at, |wake_at| wake_at.min(flush_at));
            if wake_at > now {
                self.started = all;
                self.flush_at = Some(flush_at);
                return Some(wake_at);
            }
        }
        self.flush_at = None;
        self.wake_at = self.transact(now, all, commands);
        if self.prune_at <= now {
            self.prune(now);
        }
        let Settings { keep, keep_output_bytes, .. } = &self.settings;
        let prune_at = (keep.is_some() || keep_output_bytes.is_some()).then_some(self.prune_at);
        [self.wake_at, prune_at].into_iter().flatten().min()
    }

    fn sort(&mut self, envelopes: Vec<Envelope>) -> (Vec<Report>, Vec<input::Asked>) {
        let mut reports = mem::take(&mut self.unwritten);
        let mut commands = Vec::new();
        for envelope in envelopes {
            match envelope {
                Envelope::Report(report) => reports.push(report),
                Envelope::Ask(asked) => commands.push(*asked),
                Envelope::Wake => {}
            }
        }
        (reports, commands)
    }

    fn transact(
        &mut self,
        now: Timestamp,
        reports: Vec<Report>,
        mut commands: Vec<input::Asked>,
    ) -> Option<Timestamp> {
        let mut outcome = Err(StoreError::Busy);
        for _ in 0..BUSY_TRIES {
            outcome = self.settle(now).and_then(|()| self.attempt(now, &reports, &commands));
            if !matches!(outcome, Err(StoreError::Busy | StoreError::Conflict)) {
                break;
            }
        }
        match outcome {
            Ok(done) => {
                self.stepped_back = false;
                for (asked, reply) in commands.drain(..).zip(done.replies) {
                    asked.answer(reply);
                }
                self.act(done.actions);
                done.wake_at
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the transaction did not commit");
                for asked in commands.drain(..) {
                    asked.answer(Err(uncommitted(&error)));
                }
                self.unsure |= may_be_stored(&error);
                self.unwritten = reports;
                Some(RETRY_DELAY.after(now))
            }
        }
    }

    /// Asks after everything, as a new engine does, when it is not known what was stored.
    fn settle(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.unsure {
            self.database.reopen()?;
            self.recover(now)?;
            self.unsure = false;
        }
        Ok(())
    }

    fn attempt(
        &mut self,
        now: Timestamp,
        reports: &[Report],
        commands: &[input::Asked],
    ) -> Result<Done, StoreError> {
        self.database.begin()?;
        let outcome = self.fill(now, reports, commands).and_then(|done| {
            self.database.commit()?;
            Ok(done)
        });
        if outcome.is_err() {
            self.database.rollback();
        }
        outcome
    }

    fn fill(
        &mut self,
        now: Timestamp,
        reports: &[Report],
        commands: &[input::Asked],
    ) -> Result<Done, StoreError> {
        let known = Known { settings: &self.settings, agents: self.ports.agents.as_ref(), now };
        let mut batch = Batch::new(self.database.tx(), self.ports.mint.as_mut(), known);
        for report in reports {
            match batch.isolated(|batch| batch.report(report))? {
                Some(Ok(())) | None => {}
                Some(Err(refusal)) => tracing::debug!(%refusal, "a report came late"),
            }
        }
        let mut replies = Vec::with_capacity(commands.len());
        for asked in commands {
            let broken = || {
                Err(Refusal::new(
                    Code::Unavailable,
                    "the store's rows do not fit together, nothing was stored",
                )
                .hint("`converge doctor --deep` looks for the cause"))
            };
            replies.push(batch.isolated(|batch| writes::ask(batch, asked))?.unwrap_or_else(broken));
        }
        if self.stepped_back {
            batch.clock_back()?;
        }
        batch.tick()?;
        let wake_at = batch.wake_at()?;
        Ok(Done { replies, actions: batch.actions, wake_at })
    }

    fn act(&self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Launch(launch) => self.ports.processes.launch(*launch),
                Action::Stop(key) => self.ports.processes.stop(key),
                Action::Control(key, control) => self.ports.processes.control(key, control),
                Action::Look(key) => self.ports.processes.look(key),
                Action::Read(read) => self.ports.work.read(*read),
                Action::Inspect(inspect) => self.ports.work.inspect(inspect),
                Action::Tidy(tidy) => self.ports.work.tidy(tidy),
                Action::Discard(runs) => self.ports.work.discard(runs),
            }
        }
    }
}

/// The clock as rows can hold it, so that what was saved and what is in memory are the same instant.
fn whole_ms(now: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond()).expect("no later than an instant that there is")
}

/// What one committed transaction leaves to do.
struct Done {
    replies: Vec<Reply>,
    actions: Vec<Action>,
    wake_at: Option<Timestamp>,
}

/// Whether a transaction that ended so may have been stored all the same.
fn may_be_stored(error: &StoreError) -> bool {
    !matches!(error, StoreError::Busy | StoreError::Conflict | StoreError::Full)
}

/// What is said to those whose request may or may not be stored.
fn uncommitted(error: &StoreError) -> Refusal {
    match error {
        StoreError::Full => Refusal::new(Code::Unavailable, "the disk is full, nothing was stored")
            .hint("free some space and ask again"),
        StoreError::Busy => {
            Refusal::new(Code::Unavailable, "the database is held by another program, nothing was stored")
                .hint("close what has it open and ask again")
        }
        StoreError::Conflict => Refusal::new(
            Code::Unavailable,
            "a row changed while it was being decided about, nothing was stored",
        )
        .hint("ask again; if that does not help, `converge doctor --deep` looks for the cause"),
        StoreError::Taken(_)
        | StoreError::Foreign(_)
        | StoreError::Newer { .. }
        | StoreError::BadRow { .. }
        | StoreError::Driver(_) => Refusal::new(
            Code::Unknown,
            format!("it is not known whether this was stored: {}", error.with_causes()),
        )
        .hint("ask again with the same key; `converge doctor` looks at the store"),
    }
}
