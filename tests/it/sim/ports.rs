//! The engine's ports into the simulated world, each call a place where the daemon may die.

use std::panic;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use converge::agent::catalogue::Catalogue;
use converge::agent::manifest::Manifest;
use converge::core::condition::fact::{Fact, Need};
use converge::core::id::TaskId;
use converge::core::process::{Control, ProcessKey};
use converge::core::task::Known;
use converge::core::task::report::Report;
use converge::engine::mint::Mint;
use converge::engine::ports::{Agents, Inspect, Launch, Processes, Read, Tidy, Work};

use super::rng::Rng;
use super::world::World;

/// The daemon died; thrown from where it happened, past the engine.
#[derive(Debug)]
pub(crate) struct Died;

/// Counts commits and actions down to the one at which the daemon dies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<Mutex<Option<u64>>>);

impl Fuse {
    /// Lets `points` points pass and dies at the next.
    pub(crate) fn light(&self, points: u64) {
        *lock(&self.0) = Some(points);
    }

    /// Nobody dies; answers whether somebody was still to.
    pub(crate) fn douse(&self) -> bool {
        lock(&self.0).take().is_some()
    }

    /// Passes a point; true when it is the last one.
    pub(crate) fn burns_down(&self) -> bool {
        let mut left = lock(&self.0);
        match *left {
            Some(0) => left.take().is_some(),
            Some(points) => {
                *left = Some(points - 1);
                false
            }
            None => false,
        }
    }
}

/// Ends the daemon here and now, without a word.
pub(crate) fn die() -> ! {
    panic::resume_unwind(Box::new(Died))
}

/// What is shared with a thread that died is still what it was.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The engine's sides of the world.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) fuse: Fuse,
}

impl Sides {
    fn act(&self, action: impl Fn(&mut World)) {
        if self.fuse.burns_down() {
            die();
        }
        {
            let mut world = lock(&self.world);
            action(&mut world);
            if world.twice {
                action(&mut world);
            }
        }
        if self.fuse.burns_down() {
            die();
        }
    }
}

impl Processes for Sides {
    fn launch(&self, launch: Launch) {
        self.act(|world| world.launch(&launch));
    }

    fn stop(&self, key: ProcessKey) {
        self.act(|world| world.stop(key));
    }

    fn control(&self, key: ProcessKey, control: Control) {
        self.act(|world| world.control(key, &control));
    }

    fn look(&self, key: ProcessKey) {
        self.act(|world| world.look(key));
    }
}

impl Work for Sides {
    fn inspect(&self, inspect: Inspect) {
        self.act(|world| {
            let facts = inspect.needs.iter().map(|need| known(world, inspect.key, need)).collect();
            world.send(&Report::Found { key: inspect.key, facts });
        });
    }

    fn read(&self, read: Read) {
        self.act(|world| {
            let reading = Box::new(world.reading(&read));
            world.heard(read.key, &reading);
            world.send(&Report::Read { key: read.key, reading });
        });
    }

    fn tidy(&self, tidy: Tidy) {
        self.act(|world| {
            assert!(tidy.key.attempt > 0, "{} left no files", tidy.key);
            world.results.extend(tidy.result.as_ref().map(|_| tidy.key.task));
        });
    }

    fn discard(&self, _runs: Vec<TaskId>) {
        self.act(|_| ());
    }

    fn shrink(&self, _most_bytes: u64) {
        self.act(|_| ());
    }
}

/// The agents that come along; read once, since every seed asks for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuiltIn;

static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of(Vec::new()));

impl Agents for BuiltIn {
    fn find(&self, name: &str) -> Option<Arc<Manifest>> {
        Agents::find(&*BUILT_IN, name)
    }
}

fn known(world: &World, key: ProcessKey, need: &Need) -> Known {
    let stdout = world.output(key).as_bytes();
    let fact = match need {
        Need::Matches(pattern) => Fact::of_pattern(pattern, stdout),
        Need::Contains(text) => Fact::of_text(text, stdout),
        Need::File(path) => Fact::of_file(path, world.file_exists(key, path)),
        Need::Check(line) => unreachable!("check `{line}` needs a process"),
    };
    Known { need: need.clone(), fact }
}

/// Ids from the seed, some of which were given before.
#[derive(Debug, Clone)]
pub(crate) struct Seeded {
    pub(crate) rng: Arc<Mutex<Rng>>,
    /// In so many of a hundred cases an id is one of the newest.
    pub(crate) repeats: Arc<AtomicU64>,
    newest: Vec<u64>,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Arc::new(Mutex::new(Rng::of(seed, "mint"))), repeats: Arc::default(), newest: Vec::new() }
    }
}

impl Mint for Seeded {
    fn bits(&mut self) -> u64 {
        let mut rng = lock(&self.rng);
        if !self.newest.is_empty() && rng.chance(self.repeats.load(Relaxed)) {
            return rng.pick(&self.newest);
        }
        let bits = rng.bits();
        self.newest.push(bits);
        self.newest.drain(..self.newest.len().saturating_sub(8));
        bits
    }
}
