//! The real engine and store on a disk that loses its power, or is full, at every point.
//!
//! What was acknowledged is there afterwards, what was not is there whole or not at all, and no process
//! was started that the store does not know.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel, sync_channel};

use converge::agent::catalogue::Catalogue;
use converge::core::actor::{Actor, Voice};
use converge::core::definition::{Definition, Environment, Limits, RunsMay, Target};
use converge::core::id::{JobId, TaskId};
use converge::core::process::{Bounds, Command, Control, Ending, Outcome, ProcessKey};
use converge::core::refusal::Code;
use converge::core::retry::Retry;
use converge::core::schedule::{Schedule, Start};
use converge::core::span::Span;
use converge::core::task::State;
use converge::core::task::report::Report;
use converge::engine::input::{Add, Answer, Asked, Envelope, Jobs, Key, Name, Reply, Write};
use converge::engine::mint::Mint;
use converge::engine::ports::{Inspect, Launch, Processes, Read, Tidy, Work};
use converge::engine::twins::Twin;
use converge::engine::{Engine, Ports, Settings};
use converge::store::health::{self, Depth};
use converge::store::sqlite::Sqlite;
use converge::store::tx::Database;
use converge::store::{jobs, migrate, tasks};
use jiff::Timestamp;

use super::{Fault, PowerCut};

/// Ids in order, which no two lives share.
struct Counter(u64);

impl Mint for Counter {
    fn bits(&mut self) -> u64 {
        self.0 += 1;
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Notes what is launched, and does nothing.
struct Notes(Sender<ProcessKey>);

impl Processes for Notes {
    fn launch(&self, launch: Launch) {
        self.0.send(launch.key).expect("the test listens");
    }

    fn stop(&self, _key: ProcessKey) {}

    fn control(&self, _key: ProcessKey, _control: Control) {}

    fn look(&self, _key: ProcessKey) {}
}

impl Work for Notes {
    fn inspect(&self, _inspect: Inspect) {}

    fn read(&self, _read: Read) {}

    fn tidy(&self, _tidy: Tidy) {}

    fn discard(&self, _runs: Vec<TaskId>) {}

    fn shrink(&self, _most_bytes: u64) {}
}

/// What somebody outside remembers.
#[derive(Default)]
struct Memory {
    /// Jobs that were promised, by name.
    added: BTreeMap<String, JobId>,
    /// Runs that were promised.
    started: Vec<TaskId>,
    /// Runs whose end was stored before something else was promised.
    ended: BTreeMap<TaskId, i32>,
    /// Those that were reported, and nothing was promised since.
    reported: BTreeMap<TaskId, i32>,
    /// Processes that were launched.
    launched: Vec<ProcessKey>,
    /// Names of what was refused because the disk was full.
    full: Vec<String>,
}

fn definition(line: &str) -> Definition {
    Definition {
        target: Target::Command(Command::Shell(line.to_owned())),
        cwd: "/work".to_owned(),
        environment: Environment::default(),
        schedule: Schedule::Loop { wait: Span::from_secs(60) },
        start: Start::Now,
        starts_at: None,
        ends_at: None,
        zone: "UTC".to_owned(),
        goal: None,
        limits: Limits { runs: None, span: None, deadline: None, breaker: 0, tokens: None, dollars: None },
        retry: Retry { most: 0, delay: Span::from_secs(60) },
        bounds: Bounds {
            wall: None,
            idle: None,
            memory_bytes: None,
            output_bytes: 1 << 20,
            grace: Span::from_secs(1),
        },
        runs_may: RunsMay::default(),
    }
}

fn add(name: &str) -> Write {
    // Of different lengths, so that a page is filled at different places.
    let line = format!("echo {name} {}", "x".repeat(name.len() * 157 % 900));
    Write::Add(Box::new(Add {
        name: Name::Given(name.to_owned()),
        definition: definition(&line),
        twin: Twin::Avoided,
        parked: None,
    }))
}

/// One life of the engine.
struct Life {
    engine: Engine,
    now: Timestamp,
    launches: std::sync::mpsc::Receiver<ProcessKey>,
}

impl Life {
    /// Opens the store and begins; nothing when the power is gone before that.
    fn begin(power: &PowerCut, life: u64) -> Option<Self> {
        let mut database = Sqlite::of(power.open().ok()?).ok()?;
        // So small that the log begins anew within a short history.
        database.execute_batch("PRAGMA wal_autocheckpoint = 6").ok()?;
        migrate::migrate(&mut database).ok()?;
        let (sender, launches) = channel();
        let settings = Settings {
            lanes: 4,
            runs_dir: "/runs".into(),
            logins_dir: "/logins".into(),
            keep: None,
            keep_output_bytes: None,
            program: "/usr/bin/converge".into(),
            account_limits: BTreeMap::new(),
        };
        let ports = Ports {
            processes: Box::new(Notes(sender.clone())),
            work: Box::new(Notes(sender)),
            mint: Box::new(Counter(life << 32)),
            agents: Box::new(Catalogue::of(Vec::new())),
        };
        let mut engine = Engine::new(Box::new(database), ports, settings);
        let now = Timestamp::from_second(1_800_000_000 + i64::try_from(life).ok()? * 100_000).ok()?;
        engine.recover(now).ok()?;
        Some(Self { engine, now, launches })
    }

    /// Asks for a change, together with what the world reports.
    fn ask(&mut self, memory: &mut Memory, reports: Vec<Report>, name: &str, write: Write) -> Reply {
        self.now = Span::from_secs(10).after(self.now);
        let (reply, answer) = sync_channel(1);
        let key = Key { name: format!("{name}-{}", self.now), request: name.to_owned() };
        let asked = Asked { write, by: Actor::named("test"), key: Some(key), reply };
        let mut batch: Vec<Envelope> = reports.into_iter().map(Envelope::Report).collect();
        batch.push(Envelope::Ask(Box::new(asked)));
        self.engine.step(self.now, batch);
        memory.launched.extend(self.launches.try_iter());
        let answer = answer.try_recv().expect("every request is answered");
        match &answer {
            Ok(answer) => {
                memory.ended.append(&mut memory.reported);
                match answer {
                    Answer::Added(id) | Answer::Exists(id) => drop(memory.added.insert(name.to_owned(), *id)),
                    Answer::Started { run, .. } => memory.started.push(*run),
                    Answer::Updated(_) | Answer::Changed(_) | Answer::Ended { .. } | Answer::Removed(_) => {}
                }
            }
            Err(refusal) if refusal.message.contains("full") => {
                assert_eq!(refusal.code, Code::Unavailable);
                memory.full.push(name.to_owned());
            }
            Err(_) => {}
        }
        answer
    }

    /// Every process that was launched and not reported ends.
    fn reports(&self, memory: &mut Memory) -> Vec<Report> {
        let mut reports = Vec::new();
        for key in memory.launched.clone() {
            if memory.ended.contains_key(&key.task) || memory.reported.contains_key(&key.task) {
                continue;
            }
            let code = i32::try_from(memory.launched.len() % 7).expect("a small number");
            memory.reported.insert(key.task, code);
            reports.push(Report::Started { key, at: self.now });
            let outcome = Outcome {
                started_at: self.now,
                ended_at: self.now,
                ending: Ending::Exited(code),
                cut: None,
                cpu_ms: 1,
                peak_kb: 1000,
                stdout_bytes: 0,
                stderr_bytes: 0,
                unread: None,
            };
            reports.push(Report::Ended { key, outcome });
        }
        reports
    }

    /// A short history: jobs come, run, are paused and resumed.
    fn live(&mut self, memory: &mut Memory, life: u64) {
        for round in 0..8 {
            let name =
                format!("job-{life}-{round}{}", "-and-more".repeat(usize::try_from(round % 3).unwrap_or(0)));
            let reports = self.reports(memory);
            let added = self.ask(memory, reports, &name, add(&name));
            let Ok(Answer::Added(job)) = added else { continue };
            if round % 3 == 0 {
                let these = || Jobs::These(vec![job]);
                let pause = Write::Pause { jobs: these(), note: Some(name.clone()), until: None };
                let _ = self.ask(memory, Vec::new(), "pause", pause);
                let reports = self.reports(memory);
                let _ =
                    self.ask(memory, reports, "resume", Write::Resume { jobs: these(), by: Voice::Person });
            } else {
                let reports = self.reports(memory);
                let _ = self.ask(memory, reports, "run", Write::RunNow(job));
            }
        }
    }
}

/// The store holds what was promised, and fits together.
#[track_caller]
fn compare(power: &PowerCut, memory: &Memory, replay: &str) {
    let mut database = Sqlite::of(power.open().expect("a disk with power")).expect("a database");
    migrate::migrate(&mut database).expect("a schema");
    let tx = database.tx();
    tx.execute("BEGIN", &[]).expect("a transaction");
    let problems = health::problems(tx, Depth::Rows).expect("readable");
    assert!(problems.is_empty(), "{problems:?}; {replay}");
    for (name, id) in &memory.added {
        let job = jobs::get(tx, *id).expect("readable").unwrap_or_else(|| panic!("{name} is lost; {replay}"));
        assert_eq!(job.job.name, *name, "{replay}");
    }
    for run in &memory.started {
        assert!(tasks::get(tx, *run).expect("readable").is_some(), "run {run} is lost; {replay}");
    }
    for (run, code) in &memory.ended {
        let task =
            tasks::get(tx, *run).expect("readable").unwrap_or_else(|| panic!("{run} is lost; {replay}"));
        let State::Ended(end) = task.task.state else {
            panic!("the end of {run} is lost: {task:?}; {replay}")
        };
        assert_eq!(end.exit.code, Some(*code), "{replay}");
    }
    for key in &memory.launched {
        let task = tasks::get(tx, key.task).expect("readable");
        let task = task.unwrap_or_else(|| panic!("{key} was started and nobody knows it; {replay}"));
        assert!(task.task.claims >= key.attempt, "{key} was started before it was stored; {replay}");
    }
}

#[test]
fn no_acknowledged_write_is_lost_wherever_the_power_goes() {
    let whole = PowerCut::new(0);
    let mut memory = Memory::default();
    Life::begin(&whole, 0).expect("a disk with power").live(&mut memory, 0);
    assert_eq!((memory.added.len(), memory.ended.len() > 4), (8, true), "all of the history takes place");
    let changes = whole.changes();
    assert!(changes > 60, "{changes}");
    for nth in 1..=changes {
        let mut power = PowerCut::new(nth);
        let mut memory = Memory::default();
        // Now and then twice, so that what survived is gone on with, and lost again.
        for life in 0..if nth % 3 == 0 { 2 } else { 1 } {
            power.inject(Fault::PowerGoesAt(if life == 0 { nth } else { 1 + nth * 37 % changes }));
            if let Some(mut alive) = Life::begin(&power, life) {
                alive.live(&mut memory, life);
            }
            power.cut();
            compare(&power, &memory, &format!("cut at {nth} in life {life}"));
            // What was reported to a daemon that died is asked for again by the next.
            memory.reported.clear();
        }
    }
}

#[test]
fn a_full_disk_refuses_and_keeps_what_the_world_reported() {
    let mut refused = 0;
    for room in (0..120).map(|step| step * 1500) {
        let power = PowerCut::new(room);
        let mut memory = Memory::default();
        let mut alive = Life::begin(&power, 0).expect("a disk with room");
        power.inject(Fault::FullAfter(room));
        alive.live(&mut memory, 0);
        refused += memory.full.len();
        for name in &memory.full {
            assert!(!memory.added.contains_key(name));
        }
        power.heal();
        // The next promise takes along every report that had no room.
        let reports = alive.reports(&mut memory);
        alive.ask(&mut memory, reports, "after", add("after")).expect("there is room again");
        assert_eq!(memory.reported.len(), 0);
        drop(alive);
        compare(&power, &memory, &format!("full after {room} bytes"));
    }
    assert!(refused > 50, "the disk was full {refused} times only");
}
