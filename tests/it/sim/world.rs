//! The simulated world: processes that go on whether or not a daemon watches them.
//!
//! It keeps its own truth - which process really ran, how often, how it ended - and answers the engine's
//! ports as the real shim and its lock do. Nothing in here believes what the store says.

use std::collections::{BTreeMap, BTreeSet};

use converge::core::id::TaskId;
use converge::core::process::{Control, Cut, Ending, Outcome, ProcessKey};
use converge::core::reading::Spent;
use converge::core::span::Span;
use converge::core::task::report::Report;
use converge::engine::ports::Launch;
use jiff::Timestamp;

use super::process::{Life, Process, Script};
use super::rng::Rng;

/// What happens at an instant.
#[derive(Debug, Clone)]
enum Turn {
    Lock(ProcessKey),
    Start(ProcessKey),
    End(ProcessKey, Option<Cut>),
    ShimDies(ProcessKey),
    Deliver { epoch: u64, report: Report },
}

/// How badly the messengers behave, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Messengers {
    /// A report comes twice.
    pub(crate) twice: u64,
    /// A report takes long, and so changes places with others.
    pub(crate) slow: u64,
    /// A report to a daemon that died reaches the next.
    pub(crate) stale: u64,
}

/// How a world scripts its processes.
pub(crate) type Scripts = fn(u64, &Launch) -> Script;

/// Everything outside the engine and its store.
#[derive(Debug)]
pub(crate) struct World {
    /// Milliseconds that really passed.
    pub(crate) mono: u64,
    /// How far the wall clock is off, in milliseconds.
    pub(crate) skew: i64,
    /// Instants here are not whole milliseconds.
    pub(crate) fuzz_ns: i64,
    pub(crate) seed: u64,
    pub(crate) processes: BTreeMap<ProcessKey, Process>,
    /// Reports that have arrived.
    pub(crate) inbox: Vec<Report>,
    pub(crate) messengers: Messengers,
    /// Every action of the engine is done twice.
    pub(crate) twice: bool,
    /// How many attempts and checks may be alive at once.
    pub(crate) lanes: usize,
    /// The runs that have a `result.json`.
    pub(crate) results: BTreeSet<TaskId>,
    /// The conversations that agents told: of which job, on which account, which.
    pub(crate) told: BTreeSet<(String, String, String)>,
    /// What each attempt of an agent used, and for which job.
    pub(crate) spent: BTreeMap<(String, ProcessKey), Spent>,
    /// What was launched since somebody last looked.
    pub(crate) launched: Vec<ProcessKey>,
    /// What must never happen, and did.
    pub(crate) violations: Vec<String>,
    scripts: Scripts,
    timeline: BTreeMap<(u64, u64), Turn>,
    turns: u64,
    epoch: u64,
    rng: Rng,
}

/// The first instant of every world, 2026-01-01T00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;

impl World {
    pub(crate) fn new(seed: u64, scripts: Scripts) -> Self {
        Self {
            mono: 0,
            skew: 0,
            fuzz_ns: 0,
            seed,
            processes: BTreeMap::new(),
            inbox: Vec::new(),
            messengers: Messengers::default(),
            twice: false,
            lanes: usize::MAX,
            results: BTreeSet::new(),
            told: BTreeSet::new(),
            spent: BTreeMap::new(),
            launched: Vec::new(),
            violations: Vec::new(),
            scripts,
            timeline: BTreeMap::new(),
            turns: 0,
            epoch: 0,
            rng: Rng::of(seed, "world"),
        }
    }

    /// What the wall clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        let ms = BEGIN_MS + i64::try_from(self.mono).expect("a short life") + self.skew;
        let ns = i128::from(ms) * 1_000_000 + i128::from(self.fuzz_ns);
        Timestamp::from_nanosecond(ns).expect("within a century")
    }

    /// When something next happens by itself.
    pub(crate) fn next_turn(&self) -> Option<u64> {
        self.timeline.keys().next().map(|(at, _)| *at)
    }

    /// Lets time pass until `mono`.
    pub(crate) fn advance(&mut self, mono: u64) {
        while let Some((&(at, turn), _)) = self.timeline.iter().next().filter(|((at, _), _)| *at <= mono) {
            self.mono = self.mono.max(at);
            let turn = self.timeline.remove(&(at, turn)).expect("it was just there");
            self.turn(turn);
        }
        self.mono = self.mono.max(mono);
    }

    fn plan(&mut self, in_ms: u64, turn: Turn) {
        self.turns += 1;
        self.timeline.insert((self.mono + in_ms, self.turns), turn);
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Lock(key) => {
                let process = self.process(key);
                if process.life == Life::Launched {
                    process.life = Life::Locked;
                    let start_ms = process.script.start_ms;
                    self.plan(start_ms, Turn::Start(key));
                }
            }
            Turn::Start(key) => self.start(key),
            Turn::End(key, cut) => {
                let is_due = self.processes[&key].wall_ends_at == Some(self.mono);
                // Another limit may have come since the end by the one before was planned.
                if cut != Some(Cut::Wall) || is_due {
                    self.end(key, cut);
                }
            }
            Turn::ShimDies(key) => self.shim_dies(key),
            Turn::Deliver { epoch, report } => {
                if epoch == self.epoch || self.rng.below(100) < self.messengers.stale {
                    self.inbox.push(report);
                }
            }
        }
    }

    fn start(&mut self, key: ProcessKey) {
        let (now, mono) = (self.now(), self.mono);
        let process = self.process(key);
        if process.life != Life::Locked {
            return;
        }
        process.started_at = Some(now);
        process.life = Life::Alive;
        if process.script.ending.hindrance().is_some() {
            return self.end(key, None);
        }
        process.starts += 1;
        let (starts, job) = (process.starts, process.job.clone());
        let Script { runs_ms, cut, grace_ms, .. } = process.script;
        let told = process.told;
        self.process(key).started_mono = mono;
        self.plan(runs_ms, Turn::End(key, cut));
        self.count_wall(key);
        if told {
            self.plan(grace_ms, Turn::End(key, Some(Cut::Told)));
        }
        self.watch_over(key, starts, &job);
        self.tell(key, &Report::Started { key, at: now });
    }

    /// Plans the end of a process that runs by the wall limit it is under at the moment.
    fn count_wall(&mut self, key: ProcessKey) {
        let (now, mono) = (self.now(), self.mono);
        let process = self.process(key);
        let elapsed = Span::from_ms(mono - process.started_mono);
        let wall = process.control.as_ref().and_then(|control| control.wall(elapsed, now));
        let left = wall.map(|wall| wall.as_ms().saturating_sub(elapsed.as_ms()));
        process.wall_ends_at = left.map(|left| mono + left);
        if let Some(left) = left {
            self.plan(left, Turn::End(key, Some(Cut::Wall)));
        }
    }

    /// Looks at what must hold whenever a child starts.
    fn watch_over(&mut self, key: ProcessKey, starts: u32, job: &str) {
        let alive = || self.processes.iter().filter(|(_, process)| process.life == Life::Alive);
        let rival = alive().find(|(other, process)| **other != key && process.job == job);
        let rival = rival.map(|(other, _)| format!("{key} and {other} of {job} are alive at once"));
        let crowd = alive().count();
        let crowd = (crowd > self.lanes).then(|| format!("{crowd} are alive in {} lanes", self.lanes));
        let tree = self.processes[&key].tree.clone();
        let shares = |process: &Process| match (&process.tree, &tree) {
            (Some(one), Some(other)) if one.starts_with("/tree/1") => one == other,
            (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
            _ => false,
        };
        let writer = alive().find(|(other, process)| **other != key && shares(process));
        let writer = writer.map(|(other, _)| format!("{key} and {other} write into {tree:?} at once"));
        let purse = self.look_at_purse(key);
        let again = (starts > 1).then(|| format!("{key} ran {starts} times"));
        self.violations.extend([rival, crowd, writer, purse, again].into_iter().flatten());
    }

    fn end(&mut self, key: ProcessKey, cut: Option<Cut>) {
        let now = self.now();
        let process = self.process(key);
        if process.life != Life::Alive {
            return;
        }
        let ending = match (&process.script.ending, cut) {
            (ending, None) => ending.clone(),
            (Ending::Exited(code), Some(Cut::Told)) if *code == 3 => Ending::Exited(3),
            (_, Some(_)) => Ending::Signalled(15),
        };
        let outcome = Outcome {
            started_at: process.started_at.unwrap_or(now),
            ended_at: now,
            ending,
            cut,
            cpu_ms: 7,
            peak_kb: 1024,
            stdout_bytes: process.script.output.len() as u64,
            stderr_bytes: 0,
            unread: None,
        };
        process.life = Life::Done(outcome.clone());
        self.tell(key, &Report::Ended { key, outcome });
    }

    fn shim_dies(&mut self, key: ProcessKey) {
        let process = self.process(key);
        let report = match process.life {
            Life::Launched | Life::Locked => {
                process.life = Life::Gone;
                Report::Revoked { key }
            }
            Life::Alive => {
                process.life = Life::Killed;
                Report::Lost { key }
            }
            Life::Done(_) | Life::Killed | Life::Wiped | Life::Gone | Life::Revoked => return,
        };
        self.tell(key, &report);
    }

    fn process(&mut self, key: ProcessKey) -> &mut Process {
        self.processes.get_mut(&key).expect("a turn is about a process that was launched")
    }

    /// Sends a report, if the daemon of today watches the process.
    fn tell(&mut self, key: ProcessKey, report: &Report) {
        if self.processes.get(&key).is_some_and(|process| process.watched) {
            self.send(report);
        }
    }

    /// Sends a report, as well as the messengers can.
    pub(crate) fn send(&mut self, report: &Report) {
        let copies = 1 + u64::from(self.rng.chance(self.messengers.twice));
        for _ in 0..copies {
            let slow = self.rng.chance(self.messengers.slow);
            let in_ms = if slow { self.rng.below(20_000) } else { self.rng.below(3) };
            self.plan(in_ms, Turn::Deliver { epoch: self.epoch, report: report.clone() });
        }
    }

    /// The daemon is dead: nobody watches, and what it was being told is lost or comes late.
    pub(crate) fn daemon_died(&mut self) {
        self.epoch += 1;
        let late = std::mem::take(&mut self.inbox);
        for report in late {
            if self.rng.chance(self.messengers.stale) {
                let in_ms = self.rng.below(60_000);
                self.plan(in_ms, Turn::Deliver { epoch: self.epoch, report });
            }
        }
        for process in self.processes.values_mut() {
            process.watched = false;
        }
    }

    /// Every process dies at once, the daemon's too.
    pub(crate) fn reboot(&mut self) {
        self.daemon_died();
        let keys: Vec<ProcessKey> = self.processes.keys().copied().collect();
        for key in keys {
            self.shim_dies(key);
        }
    }

    /// The power goes: every process dies, and of some not even the run directory is left.
    pub(crate) fn power_cut(&mut self, rng: &mut Rng) {
        self.reboot();
        for process in self.processes.values_mut().filter(|process| process.life == Life::Killed) {
            if !process.watched && rng.chance(50) {
                process.life = Life::Wiped;
            }
        }
    }

    /// See `Processes::launch`: a shim is started; the lock lets one of them live.
    pub(crate) fn launch(&mut self, launch: &Launch) {
        let key = launch.key;
        if self.processes.contains_key(&key) {
            // A second shim finds the lock held, or `started`, `outcome` or `revoked` in the directory.
            return;
        }
        let script = (self.scripts)(self.seed, launch);
        let process = Process::launched(launch, script.clone());
        self.processes.insert(key, process);
        self.launched.push(key);
        let talk = self.look_at_launch(key);
        self.violations.extend(talk);
        self.plan(script.lock_ms, Turn::Lock(key));
        if let Some(in_ms) = script.shim_dies_ms {
            self.plan(in_ms, Turn::ShimDies(key));
        }
    }

    /// See `Processes::stop`.
    pub(crate) fn stop(&mut self, key: ProcessKey) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        if std::mem::replace(&mut process.told, true) {
            return;
        }
        let grace_ms = process.script.grace_ms;
        // One that has not started yet is told as soon as it does.
        if process.life == Life::Alive {
            self.plan(grace_ms, Turn::End(key, Some(Cut::Told)));
        }
    }

    /// See `Processes::control`.
    pub(crate) fn control(&mut self, key: ProcessKey, control: &Control) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        process.control = Some(control.clone());
        if process.life == Life::Alive {
            self.count_wall(key);
        }
    }

    /// See `Processes::look`.
    pub(crate) fn look(&mut self, key: ProcessKey) {
        let Some(process) = self.processes.get_mut(&key) else {
            self.processes.insert(key, Process::never_launched());
            return self.send(&Report::Revoked { key });
        };
        if std::mem::replace(&mut process.watched, true) {
            return;
        }
        let report = match &process.life {
            Life::Launched => {
                process.life = Life::Revoked;
                Report::Revoked { key }
            }
            // The lock is held: what becomes of it will be told.
            Life::Locked => return,
            Life::Alive => {
                Report::Started { key, at: process.started_at.expect("what is alive was started") }
            }
            Life::Done(outcome) => Report::Ended { key, outcome: outcome.clone() },
            Life::Killed => Report::Lost { key },
            Life::Wiped | Life::Gone | Life::Revoked => Report::Revoked { key },
        };
        self.send(&report);
    }

    /// Whether the file at `path` exists when attempt `key` is looked at; the same whenever it is asked.
    pub(crate) fn file_exists(&self, key: ProcessKey, path: &str) -> bool {
        Rng::of(self.seed, &format!("{key} {path}")).chance(40)
    }

    /// What an attempt wrote.
    pub(crate) fn output(&self, key: ProcessKey) -> &'static str {
        self.processes.get(&key).map_or("", |process| process.script.output)
    }
}
