//! Agents at work: what keeps their runs from starting, and when that passes.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::class::Class;
use crate::core::id::TaskId;
use crate::core::reading::Reading;
use crate::core::task::course::{Around, Wait};
use crate::core::task::input::Input;
use crate::core::task::{Evaluating, Origin, Phase, State, Task, onward};
use crate::core::tree::Tree;
use crate::engine::batch::Batch;
use crate::store::tx::StoreError;
use crate::store::{attempts, gates, jobs, tasks};

/// A run of agents that is under way.
#[derive(Debug, Clone)]
pub(super) struct AtWork {
    task: TaskId,
    trees: Vec<Tree>,
    purse: String,
}

impl Batch<'_> {
    /// What else goes on that may keep a task from starting; nothing for one that is not of agents.
    pub(super) fn around(&mut self, task: &Task) -> Result<Around, StoreError> {
        let contract = self.contract(task)?;
        let Some(assignment) = contract.target.assignment().filter(|_| task.origin != Origin::Zero) else {
            return Ok(Around::default());
        };
        let quotas = gates::closed(self.tx, self.now)?.into_iter().collect();
        let mut around = Around { quotas, ..Around::default() };
        let mut runs: BTreeMap<String, u32> = BTreeMap::new();
        for busy in self.at_work()?.iter().filter(|busy| busy.task != task.id) {
            if busy.trees.iter().any(|tree| assignment.trees.iter().any(|own| own.meets(tree))) {
                around.tree = Some(busy.task);
            }
            *runs.entry(busy.purse.clone()).or_default() += 1;
        }
        let limits = &self.settings.account_limits;
        let is_busy =
            |(purse, count): &(&String, &u32)| limit(limits, purse).is_some_and(|most| **count >= most);
        around.busy = runs.iter().filter(is_busy).map(|(purse, _)| purse.clone()).collect::<BTreeSet<_>>();
        Ok(around)
    }

    /// The runs of agents that are under way, read once for as long as none begins or ends.
    fn at_work(&mut self) -> Result<&[AtWork], StoreError> {
        if self.at_work.is_none() {
            let mut found = Vec::new();
            for id in tasks::under_way(self.tx)? {
                let Some(stored) = tasks::get(self.tx, id)? else { continue };
                let contract = jobs::definition(self.tx, stored.task.job, stored.task.revision)?;
                let Some(assignment) = contract.as_ref().and_then(|contract| contract.target.assignment())
                else {
                    continue;
                };
                let purse = stored.task.course.candidate(assignment).purse();
                found.push(AtWork { task: id, trees: assignment.trees.clone(), purse });
            }
            self.at_work = Some(found);
        }
        Ok(self.at_work.as_deref().unwrap_or_default())
    }

    /// Lets those go on that waited for something that has ended, or for a quota that is there after all.
    pub(super) fn release(&mut self) -> Result<(), StoreError> {
        let opened = std::mem::take(&mut self.opened);
        if std::mem::take(&mut self.freed) || !opened.is_empty() {
            for stored in tasks::waiting(self.tx)? {
                let is_opened = matches!(
                    &stored.task.state,
                    State::Waiting { why: Wait::Quota { purse, .. }, .. } if opened.contains(purse)
                );
                if stored.task.waits_for_others() {
                    self.tell_task(stored.task.id, |_, _| Ok(Input::Release))?;
                } else if is_opened {
                    self.tell_task(stored.task.id, |_, _| Ok(Input::Hasten))?;
                }
            }
        }
        Ok(())
    }

    /// Keeps what the output of an attempt says, and what that says about its account.
    pub(super) fn keep_reading(&mut self, task: &Task, reading: &Reading) -> Result<(), StoreError> {
        if let State::Running { phase: Phase::Evaluating(Evaluating { exit, .. }), .. } = &task.state {
            let reason = exit.after(reading).reason.word();
            attempts::read(self.tx, (task.id, task.claims), reason, reading)?;
        }
        let contract = self.contract(task)?;
        let Some(assignment) = contract.target.assignment() else { return Ok(()) };
        let purse = task.course.candidate(assignment).purse();
        if reading.class == Class::Quota {
            let gate = onward::gate(&task.course, reading, self.now);
            return gates::close(self.tx, &purse, gate, self.now);
        }
        // Whoever got its work done shows that there is some quota.
        if reading.class == Class::Done && gates::open(self.tx, &purse)? {
            self.opened.push(purse);
        }
        Ok(())
    }
}

/// How many runs a purse is for: its own limit, else that of its account, for each agent on it.
fn limit(limits: &BTreeMap<String, u32>, purse: &str) -> Option<u32> {
    let account = || purse.split_once('@').and_then(|(_, account)| limits.get(account));
    limits.get(purse).or_else(account).copied()
}
