//! Patience: when a daemon that is gone is looked for again, and when that is given up.

use std::time::{Duration, Instant};

use crate::client::connect::ClientError;
use crate::client::protocol::VERSION;
use crate::core::refusal::{Code, Refusal};

/// How long a request waits for a daemon.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);

/// The first pause between two tries; each is twice as long as the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(50);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A connection that held so long was a good one.
const GOOD: Duration = Duration::from_secs(5);

/// How often in a row a daemon may say why it does not start before that is the answer.
const STARTS_MAX: u32 = 3;

/// How it goes with the daemon.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// How many connections in a row were lost soon, or not made.
    failures: u32,
    /// How many daemons in a row did not start.
    starts: u32,
    /// When the last good connection was lost, or looked for.
    since: Option<Instant>,
}

/// What is to be done after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Look again after this pause.
    Again(Duration),
    /// Say why there is none.
    GiveUp,
}

impl Patience {
    /// After the loss of a connection that was made at `made_at`.
    pub(super) fn lost(&mut self, made_at: Instant, now: Instant) -> Next {
        if was_good(made_at, now) {
            *self = Self::default();
        }
        self.starts = 0;
        self.pause(now)
    }

    /// After no connection was made.
    pub(super) fn failed(&mut self, error: &ClientError, now: Instant) -> Next {
        if matches!(error, ClientError::Stopped) {
            // That is told to those who were in flight; whoever came later has not waited yet.
            *self = Self::default();
            return self.pause(now);
        }
        let did_not_start = matches!(error, ClientError::DidNotStart { .. });
        self.starts = if did_not_start { self.starts + 1 } else { 0 };
        if self.starts == STARTS_MAX || is_final(error) {
            *self = Self::default();
            return Next::GiveUp;
        }
        self.failures = self.failures.max(1);
        self.pause(now)
    }

    fn pause(&mut self, now: Instant) -> Next {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= WAIT_MAX {
            *self = Self::default();
            return Next::GiveUp;
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        // The first loss is most likely the only one.
        let pause = if self.failures == 0 { Duration::ZERO } else { PAUSE_FIRST * (1 << doublings) };
        self.failures += 1;
        Next::Again(pause.min(PAUSE_MAX))
    }
}

/// Whether a connection that was made at `made_at` held long enough to be believed in.
pub(super) fn was_good(made_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(made_at) >= GOOD
}

/// Whether looking again would find the same.
fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::InsideRun
        | ClientError::Elsewhere { .. }
        | ClientError::Garbled(_)
        | ClientError::Paths(_)
        | ClientError::Skew { .. } => true,
        ClientError::NoDaemon
        | ClientError::Stopped
        | ClientError::DidNotStart { .. }
        | ClientError::Spawn(_)
        | ClientError::Refused(_)
        | ClientError::Lost
        | ClientError::Silent
        | ClientError::Socket(_) => false,
    }
}

/// Says that a daemon of this version hangs up instead of answering.
pub(super) fn hung_up(version: &str) -> Refusal {
    let message = "the daemon went away before it answered";
    if version.is_empty() || version == VERSION {
        return Refusal::new(Code::Unavailable, message)
            .hint("ask again; when it goes away each time, `converge daemon logs` says why");
    }
    Refusal::new(
        Code::Unavailable,
        format!("{message}: it is converge {version}, this is converge {VERSION}"),
    )
    .hint("`converge daemon restart` replaces it; runs go on meanwhile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(ms: u64) -> Next {
        Next::Again(Duration::from_millis(ms))
    }

    #[test]
    fn a_daemon_that_is_lost_is_looked_for_at_once_and_then_ever_less_often() {
        let start = Instant::now();
        let mut patience = Patience::default();
        for pause in [0, 50, 100, 200, 400, 800, 1600, 2000, 2000] {
            assert_eq!(patience.lost(start, start), again(pause));
        }
        assert_eq!(patience.lost(start, start + GOOD), again(0), "a good one counts anew");
        let mut patience = Patience::default();
        assert_eq!(patience.lost(start, start), again(0));
        assert_eq!(patience.failed(&ClientError::Silent, start + WAIT_MAX), Next::GiveUp);
        assert_eq!(patience.failed(&ClientError::Silent, start + WAIT_MAX), again(50), "and then anew");
    }

    #[test]
    fn after_a_stop_patience_begins_anew() {
        let start = Instant::now();
        let mut patience = Patience::default();
        assert_eq!(patience.lost(start, start), again(0));
        assert_eq!(patience.failed(&ClientError::Stopped, start + WAIT_MAX), again(0));
        assert_eq!(patience.failed(&ClientError::NoDaemon, start + WAIT_MAX + GOOD), again(50));
    }

    #[test]
    fn a_daemon_that_does_not_start_is_believed_at_last() {
        let start = Instant::now();
        let mut patience = Patience::default();
        let error = ClientError::DidNotStart { said: String::new() };
        assert_eq!(patience.failed(&error, start), again(50));
        assert_eq!(patience.failed(&error, start), again(100));
        assert_eq!(patience.failed(&error, start), Next::GiveUp);
        assert_eq!(patience.failed(&ClientError::InsideRun, start), Next::GiveUp);
    }
}
