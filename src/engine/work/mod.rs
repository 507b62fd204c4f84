//! Work: what is slow about files, off the engine's thread.
//!
//! Looking into output and putting it away wait in two lines, so that an evaluation never waits for a
//! compressor. Files are put away by one thread in the order that was asked, since removing a run must
//! not meet the tidying of it. Threads start when there is work and end when there is none.

pub mod inspect;
pub mod output;
pub mod read;
pub mod tidy;

mod line;
mod shrink;

use std::path::PathBuf;
use std::sync::Arc;

use crate::core::id::TaskId;
use crate::core::task::report::Report;
use crate::engine::ports::{Inspect, Read, Tidy, Work};
use crate::engine::work::line::Line;
use crate::engine::work::tidy::Keep;

/// How many evaluations are made at the same time.
const INSPECTORS: usize = 2;

/// The daemon's pool of threads for files; clones share the threads.
#[derive(Clone)]
pub struct Pool {
    looking: Line<Looking>,
    filing: Line<Filing>,
}

/// What is found out.
enum Looking {
    Inspect(Inspect),
    Read(Box<Read>),
}

enum Filing {
    Tidy(Tidy),
    Discard(Vec<TaskId>),
    Shrink(u64),
}

impl Pool {
    /// A pool over the run directories in `runs`; no thread runs before there is work.
    pub fn new(runs: PathBuf, keep: Keep, report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        let filed = runs.clone();
        let filing = move |filing: Filing| match filing {
            Filing::Tidy(tidy) => tidy::tidy(&filed, &keep, &tidy),
            Filing::Discard(tasks) => tidy::discard(&filed, &tasks),
            Filing::Shrink(most_bytes) => shrink::shrink(&filed, most_bytes),
        };
        let looking = move |looking: Looking| match looking {
            Looking::Inspect(inspect) => {
                let facts = inspect::facts(&runs, &inspect);
                report(Report::Found { key: inspect.key, facts });
            }
            Looking::Read(read) => {
                let reading = Box::new(read::reading(&runs, &read));
                report(Report::Read { key: read.key, reading });
            }
        };
        Self {
            looking: Line::new("inspector", INSPECTORS, Arc::new(looking)),
            filing: Line::new("filer", 1, Arc::new(filing)),
        }
    }
}

impl Work for Pool {
    fn inspect(&self, inspect: Inspect) {
        self.looking.push(Looking::Inspect(inspect));
    }

    fn read(&self, read: Read) {
        self.looking.push(Looking::Read(Box::new(read)));
    }

    fn tidy(&self, tidy: Tidy) {
        self.filing.push(Filing::Tidy(tidy));
    }

    fn discard(&self, runs: Vec<TaskId>) {
        self.filing.push(Filing::Discard(runs));
    }

    fn shrink(&self, most_bytes: u64) {
        self.filing.push(Filing::Shrink(most_bytes));
    }
}
