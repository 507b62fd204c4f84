//! The machine: one disk, one world, and one daemon after the other.
//!
//! After each step of an engine, and after each death, everything that must hold is looked at.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use converge::core::actor::Actor;
use converge::core::process::{Control, ProcessKey};
use converge::core::refusal::Code;
use converge::core::span::Span;
use converge::core::task::{Phase, State};
use converge::engine::input::{Answer, Asked, Envelope, Key, Reply, Write};
use converge::engine::{Engine, Ports, Settings};
use converge::store::tx::Database;
use jiff::Timestamp;

use super::agents::{self, ACCOUNT_LIMITS};
use super::disk::{Connection, Disk, Trouble};
use super::model::Model;
use super::ports::{BuiltIn, Died, Fuse, Seeded, Sides, die, lock};
use super::process::{Life, Process};
use super::rows::Rows;
use super::world::{Scripts, World};

/// Something that is asked of the daemon, until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) write: Write,
    pub(crate) key: Option<String>,
    /// When it is asked.
    pub(crate) at: u64,
}

/// One simulated machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) fuse: Fuse,
    pub(crate) model: Model,
    /// What is still to be asked.
    pub(crate) requests: Vec<Request>,
    /// What was answered under each key.
    answered: BTreeMap<String, (Answer, Timestamp)>,
    /// How many points the next daemon lives after a death, if it is to die too.
    pub(crate) dies_again: Option<u64>,
    /// The newest reply, whatever it was.
    pub(crate) newest_reply: Option<Reply>,
    pub(super) engine: Option<Alive>,
    rows: Rows,
    pub(crate) mint: Seeded,
    lanes: u32,
    /// How long runs are kept; for ever when none.
    pub(crate) keep: Option<Span>,
    /// When the next daemon starts, while there is none.
    pub(crate) boot_at: u64,
    pub(crate) trace: bool,
    /// Until when it may be late, since the disk failed.
    pub(super) excused_until: u64,
    /// How often it stepped without anything coming of it.
    pub(super) idle: u32,
}

pub(super) struct Alive {
    engine: Engine,
    pub(super) wake_at: Option<Timestamp>,
}

impl std::fmt::Debug for Alive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alive").field("wake_at", &self.wake_at).finish_non_exhaustive()
    }
}

impl Machine {
    pub(crate) fn new(seed: u64, lanes: u32, scripts: Scripts) -> Self {
        let mut world = World::new(seed, scripts);
        world.lanes = lanes as usize;
        Self {
            world: Arc::new(Mutex::new(world)),
            disk: Arc::new(Mutex::new(Disk::empty())),
            fuse: Fuse::default(),
            model: Model::default(),
            requests: Vec::new(),
            answered: BTreeMap::new(),
            dies_again: None,
            newest_reply: None,
            engine: None,
            rows: Rows::default(),
            mint: Seeded::new(seed),
            lanes,
            keep: None,
            boot_at: 0,
            trace: false,
            excused_until: 0,
            idle: 0,
        }
    }

    pub(crate) fn mono(&self) -> u64 {
        lock(&self.world).mono
    }

    pub(crate) fn now(&self) -> Timestamp {
        lock(&self.world).now()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.engine.is_some()
    }

    #[expect(clippy::print_stderr, reason = "a trace is for the one who replays a seed")]
    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>9} {} {}", self.mono(), self.now(), text());
        }
    }

    /// The daemon dies now, between two steps.
    pub(crate) fn kill(&mut self, back_in_ms: u64) {
        self.say(|| format!("the daemon dies, for {back_in_ms} ms"));
        self.engine = None;
        self.boot_at = self.mono() + back_in_ms;
        lock(&self.world).daemon_died();
    }

    /// Lets time pass until the next thing happens, at most until `end`; false when there is nothing.
    pub(crate) fn next(&mut self, end: u64) -> bool {
        let mono = self.mono();
        let wake = self.engine.as_ref().and_then(|alive| alive.wake_at).map(|wake_at| {
            let ms = wake_at.as_millisecond() - self.now().as_millisecond();
            mono + u64::try_from(ms).unwrap_or(0)
        });
        let asked = self.requests.iter().map(|request| request.at).min().filter(|_| self.is_up());
        let boot = (!self.is_up()).then_some(self.boot_at);
        let turn = lock(&self.world).next_turn();
        let Some(next) = [wake, asked, boot, turn].into_iter().flatten().min().filter(|next| *next <= end)
        else {
            lock(&self.world).advance(end.max(mono));
            return false;
        };
        lock(&self.world).advance(next.max(mono));
        if self.engine.is_none() {
            if self.mono() >= self.boot_at {
                self.boot();
            }
            return true;
        }
        let woken = wake.is_some_and(|wake| wake <= self.mono());
        self.step(woken);
        true
    }

    /// Steps with whatever has arrived.
    pub(crate) fn step(&mut self, woken: bool) {
        let mono = self.mono();
        let (due, later) = self.requests.drain(..).partition(|request| request.at <= mono);
        self.requests = later;
        let due: Vec<Request> = due;
        let reports = std::mem::take(&mut lock(&self.world).inbox);
        if !woken && due.is_empty() && reports.is_empty() {
            return;
        }
        let quiet = due.is_empty() && reports.is_empty();
        let mut envelopes: Vec<Envelope> = Vec::new();
        for report in reports {
            self.say(|| format!("report {report:?}"));
            envelopes.push(Envelope::Report(report));
        }
        let mut waiting = Vec::new();
        for request in due {
            self.say(|| format!("ask {:?} {:?}", request.key, request.write));
            let (reply, answer) = sync_channel(1);
            let name = request.key.clone();
            let key = name.map(|name| Key { name, request: format!("{:?}", request.write) });
            let by = Actor::named("somebody");
            envelopes.push(Envelope::Ask(Box::new(Asked { write: request.write.clone(), by, key, reply })));
            waiting.push((request, answer));
        }
        if woken {
            envelopes.push(Envelope::Wake);
        }
        self.run(quiet, waiting, |engine, now| engine.step(now, envelopes));
    }

    /// Starts a daemon.
    fn boot(&mut self) {
        self.say(|| "a daemon starts".to_owned());
        let database = Connection { disk: self.disk.clone(), fuse: self.fuse.clone() };
        let ports = Sides { world: self.world.clone(), fuse: self.fuse.clone() };
        let engine = Engine::new(
            Box::new(database),
            Ports {
                processes: Box::new(ports.clone()),
                work: Box::new(ports),
                mint: Box::new(self.mint.clone()),
                agents: Box::new(BuiltIn),
            },
            Settings {
                lanes: self.lanes,
                runs_dir: "/runs".into(),
                logins_dir: "/logins".into(),
                keep: self.keep,
                keep_output_bytes: self.keep.map(|_| 1),
                program: "/usr/bin/converge".into(),
                account_limits: ACCOUNT_LIMITS.map(|(name, most)| (name.to_owned(), most)).into(),
            },
        );
        self.engine = Some(Alive { engine, wake_at: None });
        self.run(false, Vec::new(), |engine, now| {
            // A daemon that cannot read its store gives up, and is started again.
            engine.recover(now).unwrap_or_else(|_| die());
            engine.step(now, vec![Envelope::Wake])
        });
    }

    fn run(
        &mut self,
        quiet: bool,
        waiting: Vec<(Request, Receiver<Reply>)>,
        work: impl FnOnce(&mut Engine, Timestamp) -> Option<Timestamp>,
    ) {
        let now = self.now();
        let failures = lock(&self.disk).failures;
        let mut alive = self.engine.take().expect("a daemon runs");
        match panic::catch_unwind(AssertUnwindSafe(|| work(&mut alive.engine, now))) {
            Ok(wake_at) => {
                alive.wake_at = wake_at;
                self.say(|| format!("wake at {wake_at:?}"));
                self.engine = Some(alive);
            }
            Err(payload) if payload.is::<Died>() => {
                drop(alive);
                lock(&self.disk).sqlite.rollback();
                let back_in_ms = lock(&self.mint.rng).below(5000);
                self.kill(back_in_ms);
                if let Some(points) = self.dies_again.take() {
                    self.fuse.light(points);
                }
            }
            Err(payload) => panic::resume_unwind(payload),
        }
        let answers: Vec<_> =
            waiting.into_iter().map(|(request, answer)| (request, answer.try_recv())).collect();
        let fresh = self.look_at_everything();
        for (request, answer) in answers {
            self.answered(request, answer.ok());
        }
        if lock(&self.disk).failures > failures {
            self.excused_until = self.mono() + 1001;
        }
        if self.is_up() {
            self.look_at_wake(now, quiet && fresh == 0);
            self.look_at_stops();
            self.look_at_bounds();
        }
    }

    /// What is to be ended has been told so.
    fn look_at_stops(&self) {
        let world = lock(&self.world);
        for task in self.model.tasks.values() {
            if let State::Running { phase: Phase::Stopping { check, .. }, .. } = &task.state
                && let Some(process) =
                    world.processes.get(&ProcessKey { check: *check, ..task.attempt_key() })
                && world.mono > self.excused_until
            {
                assert!(process.told || process.life != Life::Alive, "{} runs on untold", task.id);
            }
        }
    }

    /// An attempt is under the bounds of its job's newest revision, also when that came after it began.
    fn look_at_bounds(&self) {
        let world = lock(&self.world);
        for task in self.model.tasks.values() {
            let is_executing =
                matches!(task.state, State::Claimed { .. } | State::Running { phase: Phase::Executing, .. });
            let process = world.processes.get(&task.attempt_key()).filter(|_| is_executing);
            if let Some(Process { life: Life::Launched | Life::Locked | Life::Alive, control, .. }) = process
                && world.mono > self.excused_until
            {
                let told = &self.model.jobs[&task.job];
                let (bounds, cut_at) = (told.definition().bounds.clone(), told.job.cut_at(told.definition()));
                assert_eq!(*control, Some(Control { bounds, cut_at }), "the bounds of {}", task.id);
            }
        }
    }

    /// Follows the events, compares the rows, looks at the world.
    fn look_at_everything(&mut self) -> usize {
        let mut world = lock(&self.world);
        let mut disk = lock(&self.disk);
        let trace = self.trace;
        let fresh = self.model.follow(disk.sqlite.tx(), &world, &mut |line| {
            #[expect(clippy::print_stderr, reason = "a trace is for the one who replays a seed")]
            if trace {
                eprintln!("{line}");
            }
        });
        if self.keep.is_some() {
            self.model.forget_old(disk.sqlite.tx());
        }
        self.rows.compare(disk.sqlite.tx(), &self.model);
        let launched = std::mem::take(&mut world.launched);
        agents::look_at_budgets(&world, &self.model, &launched);
        agents::look_at_sums(&world, &self.model);
        assert!(world.violations.is_empty(), "{:?}", world.violations);
        for (key, process) in world.processes.iter().filter(|(_, process)| process.life == Life::Alive) {
            let task = self.model.tasks.get(&key.task).expect("what runs is known");
            let wanted = task.is_open() && task.claims == key.attempt;
            assert!(wanted, "{key} runs, its task is {task:?} and it is {process:?}");
        }
        let under_way = |task: &&converge::core::task::Task| {
            matches!(task.state, State::Claimed { .. } | State::Running { .. })
        };
        let lanes_taken = self.model.tasks.values().filter(under_way).count();
        assert!(lanes_taken <= self.lanes as usize, "{lanes_taken} lanes are taken of {}", self.lanes);
        fresh
    }

    /// What is acknowledged is stored, and is the same however often it is asked.
    fn answered(&mut self, request: Request, reply: Option<Reply>) {
        self.say(|| format!("answer {:?} {reply:?}", request.key));
        self.newest_reply.clone_from(&reply);
        let ask_again = |machine: &mut Self, request: Request| {
            if request.key.is_some() {
                let in_ms = lock(&machine.mint.rng).below(10_000);
                machine.requests.push(Request { at: machine.mono() + in_ms, ..request });
            }
        };
        let answer = match reply {
            None => return ask_again(self, request),
            Some(Err(refusal)) if matches!(refusal.code, Code::Unknown | Code::Unavailable) => {
                return ask_again(self, request);
            }
            Some(Err(_)) => return,
            Some(Ok(answer)) => answer,
        };
        match &answer {
            Answer::Added(id) | Answer::Exists(id) | Answer::Updated(id) => {
                let known = self.model.jobs.contains_key(id) || self.model.removed.contains(id);
                assert!(known, "{id} was acknowledged and is not stored");
            }
            Answer::Started { run, .. } => {
                let known = self.model.tasks.contains_key(run)
                    || self.model.forgotten.contains(run)
                    || !self.model.removed.is_empty();
                assert!(known, "{run} was acknowledged and is not stored");
            }
            Answer::Changed(ids) => {
                let is_live = |id| self.model.jobs.get(id).is_some_and(|told| told.job.is_live());
                let cancelled = matches!(request.write, Write::Cancel(_));
                assert!(!cancelled || !ids.iter().any(is_live), "{ids:?} live on after they were cancelled");
            }
            Answer::Ended { jobs, .. } => {
                let is_known = |id| self.model.jobs.contains_key(id) || self.model.removed.contains(id);
                assert!(jobs.iter().all(is_known), "runs of {jobs:?} were ended, which are not stored");
            }
            Answer::Removed(jobs) => {
                assert!(
                    jobs.iter().all(|gone| !self.model.jobs.contains_key(&gone.id)),
                    "{jobs:?} are removed"
                );
            }
        }
        if let Some(key) = request.key {
            // A key is kept for seven days, and no longer.
            let now = self.now();
            let kept = |at: Timestamp| now.duration_since(at).as_hours() < 7 * 24;
            let before = self.answered.insert(key, (answer.clone(), now)).filter(|(_, at)| kept(*at));
            assert!(before.is_none_or(|(before, _)| before == answer), "the same key, the same answer");
        }
    }

    /// Something goes wrong with the disk at the next transaction.
    pub(crate) fn trouble(&mut self, trouble: Option<Trouble>) {
        lock(&self.disk).trouble = trouble;
    }
}
