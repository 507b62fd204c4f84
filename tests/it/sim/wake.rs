//! Whether the engine asks to be woken in time.

use converge::core::job;
use converge::core::task::State;
use jiff::Timestamp;

use super::machine::Machine;

impl Machine {
    /// The engine asks to be woken in time, and does something when it is.
    pub(super) fn look_at_wake(&mut self, now: Timestamp, idle: bool) {
        let wake_at = self.engine.as_ref().and_then(|alive| alive.wake_at);
        let jobs = self.model.jobs.values();
        let due = jobs.filter_map(|told| told.job.due_at(told.definition()));
        let paused = |id| matches!(self.model.jobs[id].job.state, job::State::Paused(_));
        let tasks = self.model.tasks.values().filter_map(|task| match &task.state {
            State::Pending { due_at } | State::Waiting { due_at: Some(due_at), .. }
                if *due_at > now && !paused(&task.job) =>
            {
                Some(*due_at)
            }
            // What waits for something else to end is let go by that.
            State::Waiting { .. }
            | State::Pending { .. }
            | State::Claimed { .. }
            | State::Running { .. }
            | State::Ended(_)
            | State::Skipped(_) => None,
        });
        let needed = due.chain(tasks).min();
        let late_ms = i64::try_from(self.excused_until.saturating_sub(self.mono()).max(1)).expect("a second");
        let in_time = needed.is_none_or(|needed| {
            let ms = |at: Timestamp| at.as_millisecond();
            wake_at.is_some_and(|wake_at| ms(wake_at) <= ms(needed).max(ms(now) + late_ms))
        });
        assert!(in_time, "needed at {needed:?}, it is {now} and the engine wakes at {wake_at:?}");
        let at_once = wake_at.is_some_and(|wake_at| wake_at <= now);
        self.idle = if idle && at_once { self.idle + 1 } else { 0 };
        assert!(self.idle < 3, "the engine turns in a circle at {now}, to wake at {wake_at:?}");
    }
}
