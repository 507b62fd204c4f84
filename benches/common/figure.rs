//! Figures: how they are summed up and printed.

use std::io::{self, Stdout, Write};
use std::time::Duration;

/// Prints figures as they come.
pub(crate) struct Sheet(Stdout);

/// What a figure was measured against, and what it is to reach.
pub(crate) struct Beside {
    /// Where it comes from: the two sides of a ratio, the number of samples, the worst of them.
    pub from: String,
    /// What it is to reach; empty when it only explains another.
    pub target: &'static str,
}

impl Sheet {
    /// An empty one, with its head.
    pub(crate) fn begin() -> io::Result<Self> {
        let mut out = io::stdout();
        writeln!(out, "{:<44} {:>10} {:<8} {:<10} from", "figure", "value", "unit", "target")?;
        Ok(Self(out))
    }

    /// Prints one.
    pub(crate) fn put(&mut self, name: &str, value: f64, unit: &str, beside: &Beside) -> io::Result<()> {
        let Beside { from, target } = beside;
        writeln!(self.0, "{name:<44} {value:>10.3} {unit:<8} {target:<10} {from}")
    }

    /// Says that one could not be measured here.
    pub(crate) fn not_measured(&mut self, name: &str, target: &str, why: &str) -> io::Result<()> {
        writeln!(self.0, "{name:<44} {:>10} {:<8} {target:<10} not measured: {why}", "-", "")
    }
}

/// A number of the store as one to calculate with; all of a bench are small.
pub(crate) fn real(number: i64) -> f64 {
    f64::from(i32::try_from(number).expect("numbers of a bench are small"))
}

/// Samples of one quantity, in ascending order.
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// These, of which there is at least one.
    pub(crate) fn new(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "a figure needs a sample");
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// These times, in milliseconds.
    pub(crate) fn of_times(times: &[Duration]) -> Self {
        Self::new(times.iter().map(|time| time.as_secs_f64() * 1000.0).collect())
    }

    /// The one in the middle.
    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The smallest that is at least as large as so many percent of them.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.saturating_sub(1)]
    }

    /// How many there are, and where they lie.
    pub(crate) fn spread(&self) -> String {
        let last = self.0.len() - 1;
        format!(
            "{} samples: min {:.3}, median {:.3}, p95 {:.3}, max {:.3}",
            self.0.len(),
            self.0[0],
            self.median(),
            self.percentile(95),
            self.0[last]
        )
    }
}
