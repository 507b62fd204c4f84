//! What must hold of agents: how many of an account run at once, which conversations they go on with, and what
//! their jobs may use.

use converge::core::process::ProcessKey;
use converge::core::reading::{Reading, Spent};
use converge::engine::ports::{Execute, Launch};

use super::model::Model;
use super::process::Life;
use super::world::World;

/// So many runs of these accounts may be under way at once.
pub(crate) const ACCOUNT_LIMITS: [(&str, u32); 2] = [("codex", 1), ("spare", 1)];

/// Whose quota an agent uses, by what it was launched with.
pub(crate) fn purse(launch: &Launch) -> Option<String> {
    let Execute::Program { names, .. } = &launch.execute else { return None };
    let account = launch.login.as_ref().map(|login| format!("@{}", login.account));
    Some(format!("{}{}", names[0], account.unwrap_or_default()))
}

/// The conversation that an agent is told to go on with.
pub(crate) fn talk(launch: &Launch) -> Option<String> {
    let Execute::Program { arguments, .. } = &launch.execute else { return None };
    let is_talk = |word: &&String| word.starts_with("talk-") || *word == "mine";
    arguments.iter().find(is_talk).cloned()
}

fn most(purse: &str) -> Option<u32> {
    let account = purse.split_once('@').map(|(_, account)| account);
    ACCOUNT_LIMITS
        .into_iter()
        .find(|(name, _)| *name == purse || Some(*name) == account)
        .map(|(_, most)| most)
}

impl World {
    /// Looks at what must hold when an agent is launched; answers what does not.
    pub(crate) fn look_at_launch(&self, key: ProcessKey) -> Option<String> {
        let process = &self.processes[&key];
        let talk = process.talk.clone().filter(|talk| talk != "mine")?;
        let was_told = self.told.contains(&(
            process.job.clone(),
            process.purse.clone().unwrap_or_default(),
            talk.clone(),
        ));
        (!was_told).then(|| format!("{key} goes on with {talk}, which was never told to it"))
    }

    /// Looks at what must hold when an agent starts; answers what does not.
    pub(crate) fn look_at_purse(&self, key: ProcessKey) -> Option<String> {
        let purse = self.processes[&key].purse.as_ref()?;
        let most = usize::try_from(most(purse)?).expect("a small number");
        let alive = self.processes.values().filter(|process| process.life == Life::Alive);
        let crowd = alive.filter(|process| process.purse.as_ref() == Some(purse)).count();
        (crowd > most).then(|| format!("{crowd} runs of {purse} are alive, which is for {most}"))
    }

    /// Remembers what an agent said.
    pub(crate) fn heard(&mut self, key: ProcessKey, reading: &Reading) {
        let Some(process) = self.processes.get(&key) else { return };
        let purse = process.purse.clone().unwrap_or_default();
        let job = process.job.clone();
        self.told.extend(reading.conversation.as_ref().map(|talk| (job.clone(), purse, talk.id.clone())));
        self.spent.insert((job, key), Spent::default().and(reading));
    }

    /// What the attempts of a job have used.
    fn spent_by(&self, job: &str) -> Spent {
        let of_job = self.spent.iter().filter(|((of, _), _)| of == job);
        of_job.fold(Spent::default(), |sum, (_, spent)| sum.plus(*spent))
    }
}

/// Looks at attempts that were just launched: their jobs had something left to use, by the newest definition.
pub(crate) fn look_at_budgets(world: &World, model: &Model, launched: &[ProcessKey]) {
    for key in launched {
        let process = &world.processes[key];
        let Some(task) = model.tasks.get(&key.task).filter(|_| process.purse.is_some()) else { continue };
        let told = &model.jobs[&task.job];
        let spent = world.spent_by(&process.job);
        if task.revision == told.job.revision {
            let used_up = told.definition().limits.used_up(&spent);
            assert!(used_up.is_none(), "{key} starts though {used_up:?} is used up by {spent:?}");
        }
    }
}

/// Looks at the sums of jobs that have nothing under way: what their attempts used, as the agents said it.
pub(crate) fn look_at_sums(world: &World, model: &Model) {
    for told in model.jobs.values().filter(|told| told.job.active.is_none()) {
        let spent = world.spent_by(&told.job.id.to_string());
        assert_eq!(told.job.spent, spent, "what {} has used", told.job.id);
    }
}
