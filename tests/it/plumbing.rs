//! The engine's thread with a real store and real files, and processes that are only played.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use converge::agent::catalogue::Catalogue;
use converge::core::actor::{Actor, Voice};
use converge::core::definition::{Definition, Environment, Limits, RunsMay, Target};
use converge::core::goal::{Criterion, Goal, UNTIL};
use converge::core::id::JobId;
use converge::core::job::{Job, State};
use converge::core::process::{Bounds, Command, Control, Ending, Outcome, ProcessKey};
use converge::core::refusal::Code;
use converge::core::retry::Retry;
use converge::core::schedule::{Schedule, Start};
use converge::core::span::Span;
use converge::core::task::report::Report;
use converge::engine::handle::Handle;
use converge::engine::input::{Add, Answer, Jobs, Key, Name, Reply, Write};
use converge::engine::mint::Random;
use converge::engine::ports::{Clock, Launch, Processes};
use converge::engine::twins::Twin;
use converge::engine::work::Pool;
use converge::engine::work::output::{self, Stream};
use converge::engine::work::tidy::Keep;
use converge::engine::{Engine, Ports, Settings};
use converge::store::migrate::migrate;
use converge::store::retention::NEWEST_KEPT;
use converge::store::sqlite::Sqlite;
use converge::store::tx::{Database, StoreError, Tx};
use converge::store::{events, jobs, tasks};
use jiff::Timestamp;

/// The longest a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that is set by hand, and counts how often it is read.
#[derive(Clone)]
struct Hands {
    now: Arc<Mutex<Timestamp>>,
    reads: Arc<AtomicU32>,
}

impl Hands {
    fn turn(&self, to: Timestamp) {
        *self.now.lock().unwrap() = to;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.reads.fetch_add(1, Ordering::Relaxed);
        *self.now.lock().unwrap()
    }
}

/// A database that counts its transactions.
struct Counted {
    sqlite: Sqlite,
    begun: Arc<AtomicU32>,
}

impl Database for Counted {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.sqlite.begin()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.sqlite.commit()
    }

    fn rollback(&mut self) {
        self.sqlite.rollback();
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.sqlite.reopen()
    }

    /// Compacts, and denies it: nothing may depend on that.
    fn compact(&mut self) -> Result<(), StoreError> {
        self.sqlite.compact()?;
        Err(StoreError::Full)
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self.sqlite.tx()
    }
}

/// Processes that write the number of their run many times, and `done` in the third, and are gone.
struct Played {
    runs: PathBuf,
    engine: Handle,
}

impl Processes for Played {
    fn launch(&self, launch: Launch) {
        let number = &launch.env["CONVERGE_RUN_NUMBER"];
        let directory = self.runs.join(launch.key.directory());
        fs::create_dir_all(&directory).unwrap();
        let last = if number == "3" { "done\n" } else { "" };
        let stdout = format!("{}{last}", format!("run {number}\n").repeat(20_000));
        fs::write(directory.join("stdout"), &stdout).unwrap();
        let at = self.engine.now();
        self.engine.report(Report::Started { key: launch.key, at });
        let outcome = Outcome {
            started_at: at,
            ended_at: at,
            ending: Ending::Exited(0),
            cut: None,
            cpu_ms: 1,
            peak_kb: 1,
            stdout_bytes: u64::try_from(stdout.len()).unwrap(),
            stderr_bytes: 0,
            unread: None,
        };
        self.engine.report(Report::Ended { key: launch.key, outcome });
    }

    fn stop(&self, _key: ProcessKey) {}

    fn control(&self, _key: ProcessKey, _control: Control) {}

    fn look(&self, _key: ProcessKey) {}
}

struct World {
    folder: tempfile::TempDir,
    clock: Hands,
    begun: Arc<AtomicU32>,
    engine: Handle,
    thread: Option<JoinHandle<()>>,
}

impl World {
    fn new() -> Self {
        Self::that_keeps(None, None)
    }

    fn that_keeps(keep: Option<Span>, keep_output_bytes: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let clock = Hands { now, reads: Arc::default() };
        let mut sqlite = Sqlite::open(&folder.path().join("db")).unwrap();
        migrate(&mut sqlite).unwrap();
        let begun = Arc::new(AtomicU32::new(0));
        let engine = Handle::new(Box::new(clock.clone()));
        let runs = folder.path().join("runs");
        let (played, reporter) = (Played { runs: runs.clone(), engine: engine.clone() }, engine.clone());
        let pool = Pool::new(runs.clone(), Keep::default(), move |report| reporter.report(report));
        let mut core = Engine::new(
            Box::new(Counted { sqlite, begun: Arc::clone(&begun) }),
            Ports {
                processes: Box::new(played),
                work: Box::new(pool),
                mint: Box::new(Random::open().unwrap()),
                agents: Box::new(Catalogue::of(Vec::new())),
            },
            Settings {
                lanes: 4,
                logins_dir: runs.with_file_name("logins"),
                runs_dir: runs,
                keep,
                keep_output_bytes,
                program: "/usr/bin/converge".into(),
                account_limits: BTreeMap::new(),
            },
        );
        core.recover(engine.now()).unwrap();
        let thread = Some(engine.serve(core).unwrap());
        Self { folder, clock, begun, engine, thread }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn ask(&self, write: Write) -> Reply {
        self.engine.ask(write, Actor::named("test"), None)
    }

    fn add(&self, name: &str, schedule: Schedule) -> JobId {
        self.add_defined(name, definition(self.folder.path(), schedule))
    }

    fn add_defined(&self, name: &str, definition: Definition) -> JobId {
        let add = Add { name: Name::Given(name.to_owned()), definition, twin: Twin::Wanted, parked: None };
        match self.ask(Write::Add(Box::new(add))) {
            Ok(Answer::Added(job)) => job,
            other => panic!("{name}: {other:?}"),
        }
    }

    fn job(&self, job: JobId) -> Job {
        let mut reader = Sqlite::open_reader(&self.folder.path().join("db")).unwrap();
        jobs::get(&mut reader, job).unwrap().unwrap().job
    }

    /// Waits for a job to be as wanted, looking again only when something was committed.
    fn wait_for(&self, job: JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            let seen = self.engine.generation();
            let found = self.job(job);
            if wanted(&found) {
                return found;
            }
            assert!(Instant::now() < give_up_at, "waited in vain: {found:?}");
            self.engine.changed_since(seen, PATIENCE);
        }
    }

    fn end(&mut self) {
        self.engine.close();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for World {
    /// Ends the engine before its folder goes: a thread that finds nothing there any more ends the process.
    fn drop(&mut self) {
        self.end();
    }
}

fn definition(cwd: &Path, schedule: Schedule) -> Definition {
    let until = Criterion { name: UNTIL.to_owned(), condition: "output /(?m)^done$/".parse().unwrap() };
    Definition {
        target: Target::Command(Command::Shell("played".to_owned())),
        cwd: cwd.display().to_string(),
        environment: Environment { captured: BTreeMap::new(), pass: Vec::new(), env_file: None },
        schedule,
        start: Start::Now,
        starts_at: None,
        ends_at: None,
        zone: "UTC".to_owned(),
        goal: Some(Goal { criteria: vec![until] }),
        limits: Limits { runs: None, span: None, deadline: None, breaker: 0, tokens: None, dollars: None },
        retry: Retry { most: 0, delay: Span::from_secs(5) },
        bounds: Bounds {
            wall: None,
            idle: None,
            memory_bytes: None,
            output_bytes: 1 << 20,
            grace: Span::from_secs(5),
        },
        runs_may: RunsMay::default(),
    }
}

#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up_at, "waited in vain");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_loop_runs_until_its_output_says_so_and_leaves_its_files() {
    let world = World::new();
    let id = world.add("loop", Schedule::Loop { wait: Span::from_secs(1) });
    for runs in 1..3 {
        let job = world.wait_for(id, |job| job.runs == runs && job.next_at.is_some());
        world.clock.turn(job.next_at.unwrap());
        world.engine.wake();
    }
    let job = world.wait_for(id, |job| !job.is_live());
    assert!(matches!(job.state, State::Completed(_)), "{job:?}");
    assert_eq!(job.runs, 3);
    let last = job.last.unwrap();
    let run = world.runs().join(last.run.as_str());
    until(|| run.join("result.json").exists());
    let result: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("result.json")).unwrap()).unwrap();
    assert_eq!((&result["number"], &result["job_state"]), (&3.into(), &"completed".into()));
    assert_eq!((&result["state"], &result["exit_code"]), (&"succeeded".into(), &0.into()));
    let key = ProcessKey::attempt(last.run, last.attempt);
    assert!(run.join(last.attempt.to_string()).join("stdout.gz").exists());
    let chunk = output::read(&world.runs(), key, Stream::Stdout, 120_000, 100).unwrap();
    assert_eq!((chunk.bytes.as_slice(), chunk.total), (b"done\n".as_slice(), 120_005));
}

#[test]
fn a_sleeper_notices_that_the_clock_stepped_and_does_nothing_else() {
    let world = World::new();
    let noon = world.engine.now();
    let hour = Span::from_secs(3600);
    let id = world.add("later", Schedule::At(hour.after(noon)));
    let (begun, reads) = (world.begun.load(Ordering::Relaxed), world.clock.reads.load(Ordering::Relaxed));
    // Each wake-up reads the clock twice.
    until(|| world.clock.reads.load(Ordering::Relaxed) >= reads + 3);
    assert_eq!(world.begun.load(Ordering::Relaxed), begun, "nothing was due");
    // Back by an hour: looked at anew, and still not due.
    world.clock.turn(hour.before(noon));
    until(|| world.begun.load(Ordering::Relaxed) > begun);
    assert_eq!(world.job(id).runs, 0);
    // Forward beyond the slot, as after a night asleep.
    world.clock.turn(hour.after(hour.after(noon)));
    world.wait_for(id, |job| job.runs == 1);
}

#[test]
fn what_is_old_goes_and_the_newest_runs_stay() {
    let day = Span::from_secs(86_400);
    let world = World::that_keeps(Some(day), None);
    let manual = Definition { goal: None, ..definition(world.folder.path(), Schedule::Manual) };
    let id = world.add_defined("by hand", manual);
    let key = Key { name: "once".to_owned(), request: "pause".to_owned() };
    let pause = Write::Pause { jobs: Jobs::These(vec![id]), note: None, until: None };
    world.engine.ask(pause, Actor::named("test"), Some(key)).unwrap();
    world.ask(Write::Resume { jobs: Jobs::These(vec![id]), by: Voice::Person }).unwrap();
    let runs = NEWEST_KEPT + 3;
    for number in 1..=runs {
        world.ask(Write::RunNow(id)).unwrap();
        world.wait_for(id, |job| job.runs == number && job.active.is_none());
    }
    let mut reader = Sqlite::open_reader(&world.folder.path().join("db")).unwrap();
    let newest = events::tail(&mut reader, None, 0).unwrap();
    let month = Span::from_secs(30 * 86_400);
    world.clock.turn(month.after(world.engine.now()));
    world.engine.wake();
    let directories = || fs::read_dir(world.runs()).unwrap().count();
    until(|| directories() == NEWEST_KEPT as usize);
    let kept = tasks::of_job(&mut reader, id, None, 2 * runs).unwrap();
    let mut numbers: Vec<u32> = kept.iter().map(|stored| stored.task.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (4..=runs).collect::<Vec<_>>());
    for stored in kept {
        assert!(world.runs().join(stored.task.id.as_str()).exists(), "{}", stored.task.id);
    }
    // The newest event stays, so that no number is given again.
    let events: Vec<u64> =
        events::after(&mut reader, 0, None, 10_000).unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(events, [newest]);
    assert_eq!(reader.query("SELECT key FROM keys", &[]).unwrap(), [[]; 0]);
}

#[test]
fn output_that_takes_too_much_room_goes_and_the_runs_stay() {
    let world = World::that_keeps(None, Some(0));
    let manual = Definition { goal: None, ..definition(world.folder.path(), Schedule::Manual) };
    let id = world.add_defined("by hand", manual);
    world.ask(Write::RunNow(id)).unwrap();
    world.wait_for(id, |job| job.runs == 1 && job.active.is_none());
    let mut reader = Sqlite::open_reader(&world.folder.path().join("db")).unwrap();
    let run = tasks::of_job(&mut reader, id, None, 1).unwrap().remove(0).task.id;
    let attempt = world.runs().join(run.as_str()).join("1");
    until(|| attempt.join("stdout.gz").exists());
    until(|| world.runs().join(run.as_str()).join("result.json").exists());
    world.clock.turn(Span::from_secs(2 * 3600).after(world.engine.now()));
    world.engine.wake();
    until(|| !attempt.join("stdout.gz").exists());
    assert_eq!(tasks::of_job(&mut reader, id, None, 9).unwrap().len(), 1);
}

#[test]
fn everybody_who_asks_at_once_is_answered() {
    let world = World::new();
    let jobs: HashSet<JobId> = thread::scope(|scope| {
        let asking: Vec<_> = (0..64)
            .map(|number| {
                scope.spawn({
                    let world = &world;
                    move || world.add(&format!("job-{number}"), Schedule::Manual)
                })
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert_eq!(jobs.len(), 64);
    for job in jobs {
        assert!(world.job(job).is_live());
    }
}

#[test]
fn who_asks_an_engine_that_is_gone_is_told_so() {
    let mut world = World::new();
    let id = world.add("job", Schedule::Manual);
    world.end();
    let refusal = world.ask(Write::Cancel(Jobs::These(vec![id]))).unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(world.job(id).is_live());
}
