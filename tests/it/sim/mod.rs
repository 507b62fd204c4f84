//! The simulator: the real core, engine and SQL in a world that is made up from a seed.
//!
//! One number decides the jobs, what people ask, how processes behave, and what goes wrong: the daemon dies
//! at any commit or action, reports come twice, late or never, clocks step, machines sleep and reboot,
//! disks are busy or full. Time is simulated, so years pass in a second and nothing ever waits.
//!
//! - `CONVERGE_SEEDS=n` lives so many seeds (1000 unless told).
//! - `CONVERGE_SEED=x` lives one, with a trace.
//!
//! What must hold is in [`model`] (what may happen), [`rows`] (what is stored), [`world`] (what really
//! runs), [`machine`] (what is acknowledged, when the engine wakes) and [`history`] (what is kept).

mod agents;
mod disk;
mod ended;
mod history;
pub(crate) mod machine;
mod model;
pub(crate) mod ports;
mod process;
mod reading;
mod requests;
mod rng;
mod rows;
pub(crate) mod scenario;
pub(crate) mod seeds;
mod truth;
mod wake;
mod walk;
mod world;

use std::env;
use std::thread;

/// How many seeds are lived without being told.
const SEEDS: u64 = 1000;

#[test]
fn whatever_goes_wrong_nothing_is_lost_and_nothing_runs_twice() {
    if let Some(seed) = number("CONVERGE_SEED") {
        return seeds::live(seed, true);
    }
    let count = number("CONVERGE_SEEDS").unwrap_or(SEEDS);
    let half = |first: u64| move || seeds::live_all((first..count).step_by(2));
    let other = thread::spawn(half(1));
    let failed = [half(0)(), other.join().expect("the other half is lived")];
    let told: Vec<String> = failed
        .into_iter()
        .flatten()
        .map(|(seed, why)| {
            format!(
                "seed {seed}: {why}\n  replay: CONVERGE_SEED={seed} cargo test --test it whatever_goes_wrong"
            )
        })
        .collect();
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}
