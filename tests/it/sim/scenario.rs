//! Scenarios: definitions, scripts and requests from a seed.

use std::collections::BTreeMap;

use converge::core::actor::Voice;
use converge::core::assignment::{Assignment, OnQuota, Prompt, Session};
use converge::core::class::Class;
use converge::core::definition::{Definition, Environment, Limits, RunsMay, Target};
use converge::core::goal::{Criterion, Goal, UNTIL};
use converge::core::id::JobId;
use converge::core::process::{Bounds, Command, Cut, Ending};
use converge::core::reading::Dollars;
use converge::core::retry::Retry;
use converge::core::schedule::{Anchor, Schedule, Start};
use converge::core::span::Span;
use converge::core::tree::Tree;
use converge::engine::input::{Add, History, Jobs, Name, Update, Write};
use converge::engine::ports::{Execute, Launch};
use converge::engine::twins::Twin;
use jiff::Timestamp;

use super::process::{Says, Script};
use super::rng::Rng;

/// A definition that does nothing special: `command`, `schedule` and no more.
pub(crate) fn plain(command: &str, schedule: Schedule) -> Definition {
    Definition {
        target: Target::Command(Command::Shell(command.to_owned())),
        cwd: "/work".to_owned(),
        environment: Environment { captured: BTreeMap::new(), pass: Vec::new(), env_file: None },
        schedule,
        start: Start::Now,
        starts_at: None,
        ends_at: None,
        zone: "UTC".to_owned(),
        goal: None,
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

/// A goal with one criterion.
pub(crate) fn until(condition: &str) -> Goal {
    Goal { criteria: vec![criterion(UNTIL, condition)] }
}

fn criterion(name: &str, condition: &str) -> Criterion {
    Criterion { name: name.to_owned(), condition: condition.parse().expect(condition) }
}

const CONDITIONS: &[&str] = &[
    "exit 0",
    "exit 3",
    "output /all done/",
    "output \"done\"",
    "file out.txt",
    "check \"make test\"",
    "not exit 1",
    "not file lock.txt",
    "not check \"make broken\"",
    "any(exit 0, check \"make test\")",
    "all(exit 0, check \"make test\", check \"make lint\")",
    "all(output /done/, file out.txt)",
    "any(all(exit 0, file out.txt), check \"make all\")",
];

/// Any definition at all.
pub(crate) fn definition(rng: &mut Rng, now: Timestamp) -> Definition {
    let soon = |rng: &mut Rng| Span::from_ms(1000 * rng.below(600)).after(now);
    let spans = [1, 2, 10, 60, 60, 600].map(Span::from_secs);
    let span = rng.pick(&spans);
    let schedule = match rng.below(10) {
        0..4 => Schedule::Every { span, anchor: Anchor::Rate },
        4 => Schedule::Every { span, anchor: Anchor::Delay },
        5 | 6 => Schedule::Loop { wait: span },
        7 | 8 => Schedule::At(if rng.chance(20) { now } else { soon(rng) }),
        _ => Schedule::Manual,
    };
    let mut definition = plain(&format!("work {}", rng.below(4)), schedule);
    definition.start = if rng.chance(70) { Start::Now } else { Start::Next };
    definition.starts_at = rng.chance(10).then(|| soon(rng));
    definition.ends_at = rng.chance(15).then(|| soon(rng));
    if rng.chance(60) {
        let count = 1 + rng.below(2);
        let named = rng.chance(50);
        let one = |rng: &mut Rng, place| {
            let name = if named || count > 1 { format!("part {place}") } else { UNTIL.to_owned() };
            criterion(&name, rng.pick(CONDITIONS))
        };
        definition.goal = Some(Goal { criteria: (0..count).map(|place| one(rng, place)).collect() });
    }
    definition.limits = Limits {
        tokens: None,
        dollars: None,
        runs: rng.chance(70).then(|| 1 + u32::try_from(rng.below(6)).expect("small")),
        span: rng.chance(20).then(|| Span::from_secs(1 + rng.below(600))),
        deadline: rng.chance(15).then(|| soon(rng)),
        breaker: rng.pick(&[0, 2, 5]),
    };
    definition.retry = Retry { most: rng.pick(&[0, 0, 1, 3]), delay: Span::from_secs(rng.pick(&[1, 5, 60])) };
    if rng.chance(35) {
        assign(&mut definition, rng);
    }
    definition.bounds.wall = rng.chance(50).then(|| Span::from_secs(1 + rng.below(120)));
    definition
}

/// Makes a job of agents out of a job.
fn assign(definition: &mut Definition, rng: &mut Rng) {
    if let Schedule::Every { span, .. } = &mut definition.schedule {
        // While a quota is waited for, each slot that passes is a step.
        *span = (*span).max(Span::from_secs(60));
    }
    definition.limits.tokens = rng.chance(20).then(|| 1 + rng.below(4000));
    definition.limits.dollars = rng.chance(20).then(|| Dollars(1 + rng.below(4_000_000)));
    let chain = rng.pick(&[
        &["claude"][..],
        &["codex"],
        &["claude@spare"],
        &["claude", "codex"],
        &["claude", "claude@spare"],
        &["codex", "opencode", "claude@spare"],
    ]);
    let chain = chain.iter().map(|name| name.parse().expect("an agent")).collect();
    let writes = rng.chance(60);
    let tree = rng.pick(&["/tree/0", "/tree/1", "/tree/0/inside", "/tree/1/inside"]).to_owned();
    definition.cwd = if writes { tree.clone() } else { "/work".to_owned() };
    definition.target = Target::Agent(Box::new(Assignment {
        chain,
        prompt: Prompt::Text("work".to_owned()),
        effort: None,
        schema: None,
        permissions: if writes { "edit" } else { "read-only" }.to_owned(),
        session: match rng.below(6) {
            0 | 1 => Session::Fresh,
            2 => Session::Resume,
            3 => Session::Fork,
            4 => Session::Auto,
            _ => Session::Mine { agent: "claude".to_owned(), id: "mine".to_owned() },
        },
        directories: Vec::new(),
        tools: Vec::new(),
        on_quota: rng.pick(&OnQuota::ALL),
        quota_wait: Span::from_secs(rng.pick(&[600, 7200, 86_400])),
        trees: writes.then(|| tree_at(&tree)).into_iter().collect(),
    }));
}

/// A tree of this world: what is in `/tree/1` are repositories.
fn tree_at(folder: &str) -> Tree {
    if folder.starts_with("/tree/1") { Tree::repository(folder) } else { Tree::folder(folder) }
}

/// What the output of an agent says, by the name of its process alone.
fn says(rng: &mut Rng) -> Says {
    let class = if rng.chance(50) { Class::Done } else { rng.pick(&Class::SIGNALLED) };
    let class = if rng.chance(10) { Class::Quota } else { class };
    Says {
        class,
        reset_ms: rng.chance(70).then(|| rng.below(4 * 3_600_000)),
        conversation: rng.chance(80).then(|| (rng.bits() % 100, rng.chance(20))),
        tokens: rng.chance(80).then(|| 1 + rng.below(1000)),
        cost: rng.chance(80).then(|| rng.below(1_000_000)),
    }
}

/// What a process does, by its name alone.
pub(crate) fn script(seed: u64, launch: &Launch) -> Script {
    let mut rng = Rng::of(seed, &launch.key.to_string());
    let check = launch.key.check.is_some();
    let is_agent = matches!(launch.execute, Execute::Program { .. });
    let ending = match rng.below(12) {
        0..5 => Ending::Exited(0),
        5..8 => Ending::Exited(1),
        8 => Ending::Exited(3),
        9 => Ending::Signalled(9),
        10 if is_agent && rng.chance(35) => Ending::Missing { cause: "not on the path".to_owned() },
        10 if is_agent && rng.chance(50) => Ending::NoLogin { cause: "no such account".to_owned() },
        10 => Ending::SpawnFailed { cause: "no such program".to_owned() },
        _ => Ending::Exited(2),
    };
    let cut = match rng.below(20) {
        0 => Some(Cut::Idle),
        1 => Some(Cut::Memory),
        2 => Some(Cut::Output),
        _ => None,
    };
    let long = rng.pick(&[20, 400, 4000, 90_000]);
    let slow = if rng.chance(10) { 30_000 } else { 20 };
    Script {
        lock_ms: rng.below(slow),
        start_ms: rng.below(slow),
        runs_ms: if check { rng.below(2000) } else { rng.below(long) },
        ending,
        cut,
        shim_dies_ms: rng.chance(8).then(|| rng.below(30_000)),
        grace_ms: rng.pick(&[0, 10, 5000]),
        output: rng.pick(&["all done", "done", "working", ""]),
        says: says(&mut rng),
    }
}

/// Any request about the jobs there are.
pub(crate) fn write(rng: &mut Rng, jobs: &[(JobId, u32)], now: Timestamp) -> Write {
    let (job, revision) = match jobs {
        [] => (JobId::from_bits(rng.bits()), 1),
        jobs => rng.pick(jobs),
    };
    let some = |rng: &mut Rng| match rng.below(10) {
        0 => Jobs::All,
        1 => Jobs::These(vec![job, job]),
        2 if jobs.len() > 1 => Jobs::These(vec![job, rng.pick(jobs).0]),
        _ => Jobs::These(vec![job]),
    };
    match rng.below(20) {
        0..4 => add(rng, now),
        4..7 => {
            let until = rng.chance(60).then(|| Span::from_secs(1 + rng.below(300)).after(now));
            Write::Pause { jobs: some(rng), note: Some("wait".to_owned()), until }
        }
        7..9 => {
            let by = if rng.chance(40) { Voice::Agent } else { Voice::Person };
            Write::Resume { jobs: some(rng), by }
        }
        9..11 => Write::Cancel(some(rng)),
        11 if rng.chance(30) => Write::Unarchive(some(rng)),
        11 => Write::Archive(some(rng)),
        12 => {
            let history = if rng.chance(70) { History::Remove } else { History::Keep };
            Write::Remove { jobs: some(rng), history }
        }
        13..16 => Write::Update(Box::new(Update {
            job,
            from: revision,
            name: format!("job {}", rng.below(6)),
            definition: definition(rng, now),
        })),
        _ => Write::RunNow(job),
    }
}

/// A new job.
pub(crate) fn add(rng: &mut Rng, now: Timestamp) -> Write {
    let name = format!("job {}", rng.below(6));
    let name = if rng.chance(50) { Name::Given(name) } else { Name::Derived(name) };
    let twin = if rng.chance(30) { Twin::Wanted } else { Twin::Avoided };
    let parked = rng.chance(10).then(|| "an agent made it".to_owned());
    Write::Add(Box::new(Add { name, definition: definition(rng, now), twin, parked }))
}
