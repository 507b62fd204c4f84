//! The daemon is killed again and again under load, and the world is compared with the store.
//!
//! Every run writes its own truth: its name when it begins, its name and its exit code when it ends.
//! `CONVERGE_ROUNDS` and `CONVERGE_SEED` change how often, and at which points.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};

use crate::home::{Home, mentions, number, pids, text, until};

/// How long a round is at most, from the daemon's answer to its death.
const ROUND_MS_MAX: u64 = 120;

/// The jobs that are there from the beginning.
const JOBS: u64 = 12;

/// A run that tells the truth about itself, and takes a moment.
///
/// One `echo` is one write, which the system appends whole.
const LINE: &str = "echo $CONVERGE_RUN >> began; \
    n=$(($(printf %d \"'$(printf %s $CONVERGE_RUN | tail -c 1)\") % 5)); \
    sleep 0.0$n; echo $CONVERGE_RUN $n >> ended; exit $n";

/// Numbers that look like chance and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % most
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victims {
    /// The daemon, in every round.
    Daemon,
    /// The daemon, and in some rounds shims with it or without it.
    ShimsToo,
}

#[test]
fn no_run_is_lost_or_doubled_however_often_the_daemon_is_killed() {
    torture(Victims::Daemon, setting("CONVERGE_ROUNDS", 200));
}

#[test]
fn no_run_is_doubled_and_no_process_left_however_often_shims_are_killed_too() {
    torture(Victims::ShimsToo, setting("CONVERGE_ROUNDS", 200) / 4);
}

fn torture(victims: Victims, rounds: u64) {
    let home = Home::new();
    let seed = setting("CONVERGE_SEED", 1);
    let mut dice = Dice(seed);
    for number in 0..JOBS {
        home.add(&[
            &format!("job-{number}"),
            "--again",
            "--cmd",
            LINE,
            "--every",
            "1s",
            "--start",
            "now",
            "--max-failures",
            "0",
        ]);
    }
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let begun = Instant::now();
        let life = Duration::from_millis(dice.below(ROUND_MS_MAX));
        // Whoever asks starts the daemon, so that it is killed while it starts, too.
        acknowledged.extend(asked(&home, &mut dice, round));
        while begun.elapsed() < life {
            acknowledged.extend(asked(&home, &mut dice, round));
        }
        let mut killed: Vec<i32> = Vec::new();
        if victims == Victims::ShimsToo && dice.below(3) == 0 {
            killed.extend(shims(&home));
        }
        if killed.is_empty() || dice.below(2) == 0 {
            killed.extend(home.daemon_pid());
        }
        for pid in killed {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    // What is made by now is to end, which it would not while its job is paused.
    for number in 0..JOBS {
        home.run(&["update", &format!("job-{number}"), "--every", "1h", "--start", "next"]).done();
    }
    let open = |run: &Json| run["finished_at"].is_null();
    until(|| (0..JOBS).all(|job| !home.runs(&format!("job-{job}")).iter().any(open)));
    let replay = format!("{victims:?}, CONVERGE_SEED={seed}, {rounds} rounds");
    compare(&home, &acknowledged, victims, &replay);
}

/// The shims of a home; a daemon that one has become is none.
fn shims(home: &Home) -> Vec<i32> {
    let is_shim = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|words| words.starts_with(b"converge\0shim\0"))
    };
    home.processes().into_iter().filter(is_shim).collect()
}

/// Asks for a run of some job, and answers its id when one was promised.
fn asked(home: &Home, dice: &mut Dice, round: u64) -> Option<String> {
    let job = format!("job-{}", dice.below(JOBS));
    let key = format!("{round}-{}", dice.below(u64::MAX));
    let said = home.run(&["run-now", &job, "--no-wait", "--json", "--key", &key]);
    (said.code == 0).then(|| text(&said.json()["id"]).to_owned())
}

fn compare(home: &Home, acknowledged: &[String], victims: Victims, replay: &str) {
    let mut began: BTreeMap<String, u32> = BTreeMap::new();
    for run in home.text("began").lines() {
        *began.entry(run.to_owned()).or_default() += 1;
    }
    let mut ended: BTreeMap<String, i64> = BTreeMap::new();
    for line in home.text("ended").lines() {
        let (run, code) = line.split_once(' ').expect("a run and its code");
        ended.insert(run.to_owned(), code.parse().expect("a code"));
    }
    let mut stored: BTreeMap<String, Json> = BTreeMap::new();
    for job in 0..JOBS {
        for run in home.runs(&format!("job-{job}")) {
            if run["state"] != "skipped" {
                stored.insert(text(&run["id"]).to_owned(), run);
            }
        }
    }
    for (run, times) in &began {
        assert_eq!(*times, 1, "{run} began {times} times; {replay}");
        assert!(stored.contains_key(run), "{run} began and nobody knows it; {replay}");
    }
    for run in acknowledged {
        assert!(stored.contains_key(run), "{run} was promised and is gone; {replay}");
    }
    let mut lost = 0;
    for (run, row) in &stored {
        if victims == Victims::ShimsToo && row["state"] == "lost" {
            lost += 1;
            continue;
        }
        let truth = ended.get(run).unwrap_or_else(|| panic!("{row} did not take place; {replay}"));
        assert_eq!(number(&row["exit_code"]), *truth, "{row}; {replay}");
        assert_eq!(number(&row["attempts"]), 1, "{row}; {replay}");
        assert_eq!(row["state"], json!(if *truth == 0 { "succeeded" } else { "failed" }), "{row}; {replay}");
    }
    assert!(stored.len() > 30, "only {} runs", stored.len());
    assert!(lost < stored.len() / 2, "{lost} of {} runs were lost", stored.len());
    assert_eq!(lost > 0, victims == Victims::ShimsToo, "{lost} runs were lost; {replay}");
    let folder = home.folder().display().to_string();
    let left = |pid: &i32| mentions(*pid, b"CONVERGE_ATTEMPT=") && mentions(*pid, folder.as_bytes());
    let orphans: Vec<i32> = pids().filter(left).collect();
    assert_eq!(orphans, Vec::<i32>::new(), "{replay}");
    let health = home.json(&["doctor", "--deep"]);
    assert_eq!(health["ok"], true, "{health}; {replay}");
}
