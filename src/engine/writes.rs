//! Writes: the changes that people and agents ask for.

use crate::core::actor::Voice;
use crate::core::id::{JobId, TaskId};
use crate::core::job::decide::Input;
use crate::core::job::{self, Job};
use crate::core::refusal::{Code, Refusal};
use crate::core::span::Span;
use crate::core::task;
use crate::core::task::course::Wait;
use crate::engine::acts::{self, Action};
use crate::engine::batch::{Answered, Batch};
use crate::engine::input::{Add, Answer, Asked, Gone, History, Jobs, Key, Name, Source, Update, Write};
use crate::engine::twins::{self, Twin};
use crate::store::tx::StoreError;
use crate::store::{gates, jobs, keys, tasks};

/// How long a key is remembered.
const KEY_LIFE: Span = Span::from_secs(7 * 86_400);

/// Does what was asked, once for each key.
pub fn ask(batch: &mut Batch<'_>, asked: &Asked) -> Answered<Answer> {
    batch.by = asked.by.clone();
    let Some(key) = &asked.key else {
        return write(batch, &asked.write);
    };
    if let Some(kept) = keys::get(batch.tx, &key.name, batch.now)? {
        return Ok(again(key, kept));
    }
    let answered = write(batch, &asked.write)?;
    if let Ok(answer) = &answered {
        let reply = serde_json::to_value(answer).expect("an answer is plain data");
        let kept = keys::Kept { request: key.request.clone(), reply };
        keys::put(batch.tx, &key.name, &kept, KEY_LIFE.after(batch.now))?;
    }
    Ok(answered)
}

/// What was answered when this key came before; refused when it came with another request.
pub fn again(key: &Key, kept: keys::Kept) -> Result<Answer, Refusal> {
    if kept.request != key.request {
        let refusal =
            Refusal::new(Code::KeyReused, format!("the key `{}` came before with another request", key.name));
        return Err(refusal.hint("use a fresh key for a fresh request"));
    }
    serde_json::from_value(kept.reply).map_err(|_| {
        Refusal::new(Code::Conflict, format!("the key `{}` was answered by another version", key.name))
    })
}

fn write(batch: &mut Batch<'_>, write: &Write) -> Answered<Answer> {
    match write {
        Write::Add(add) => self::add(batch, add),
        Write::Update(update) => self::update(batch, update),
        Write::UpdateEach(updates) => update_each(batch, updates),
        Write::Pause { jobs, note, until } => {
            let input = Input::Pause { note: note.clone(), until: *until };
            let active = |job: &Job| matches!(job.state, job::State::Active);
            each(batch, jobs, active, |batch, stored| batch.say_to_job(stored, &input)).map(changed)
        }
        Write::Resume { jobs, by } => {
            let paused = |job: &Job| matches!(&job.state, job::State::Paused(pause) if !pause.needs_leave || *by == Voice::Person);
            each(batch, jobs, paused, |batch, stored| batch.say_to_job(stored, &Input::Resume { by: *by }))
                .map(changed)
        }
        Write::Cancel(jobs) => each(batch, jobs, Job::is_live, cancel).map(changed),
        Write::CancelRuns(runs) => cancel_runs(batch, runs),
        Write::Archive(jobs) => {
            let closed = |job: &Job| !job.is_live() && job.archived_at.is_none();
            each(batch, jobs, closed, |batch, stored| batch.say_to_job(stored, &Input::Archive)).map(changed)
        }
        Write::Unarchive(jobs) => {
            let hidden = |job: &Job| job.archived_at.is_some();
            each(batch, jobs, hidden, |batch, stored| batch.say_to_job(stored, &Input::Unarchive))
                .map(changed)
        }
        Write::Remove { jobs, history } => {
            let away = |batch: &mut Batch<'_>, stored: &mut jobs::Stored| remove(batch, stored, *history);
            let gone = |stored: jobs::Stored| Gone { id: stored.job.id, name: stored.job.name };
            let removed = |jobs: Vec<_>| Answer::Removed(jobs.into_iter().map(gone).collect());
            each(batch, jobs, |job| !job.is_live(), away).map(|done| done.map(removed))
        }
        Write::RunNow(job) => run_now(batch, *job),
    }
}

fn add(batch: &mut Batch<'_>, add: &Add) -> Answered<Answer> {
    let Add { name, definition, twin, parked } = add;
    if let Name::Given(name) = name
        && let Some(other) = jobs::by_live_name(batch.tx, name)?
    {
        let is_same = other.definition.fingerprint_text() == definition.fingerprint_text();
        return Ok(if is_same { Ok(Answer::Exists(other.job.id)) } else { Err(taken(&other.job)) });
    }
    if *twin == Twin::Avoided
        && let Some(same) = twins::of(batch.tx, definition)?
    {
        return Ok(Ok(Answer::Exists(same.job.id)));
    }
    let name = match name {
        Name::Given(name) => name.clone(),
        Name::Derived(name) => free_name(batch, name)?,
    };
    let job = Job::create(batch.fresh_job(), name, definition, batch.now);
    let by = batch.by.clone();
    let fingerprint = twins::fingerprint(batch.tx, definition, job.id)?;
    jobs::insert(batch.tx, &job, definition, &by, &fingerprint)?;
    batch.record_job(job.id, &job::Event::Added { name: job.name.clone() })?;
    if let Some(note) = parked {
        let mut stored = batch.job(job.id)?.expect("it was just added");
        let input = Input::Park { note: note.clone() };
        batch.say_to_job(&mut stored, &input)?.expect("a new job can be parked");
    }
    Ok(Ok(Answer::Added(job.id)))
}

fn taken(other: &Job) -> Refusal {
    let message =
        format!("`{}` is the name of a live job, {}, with another definition", other.name, other.id);
    let name = &other.name;
    Refusal::new(Code::Conflict, message)
        .hint(format!("change it with `converge update {name} …`, end it with `converge cancel {name}`, or take another name"))
}

fn free_name(batch: &mut Batch<'_>, wanted: &str) -> Result<String, StoreError> {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while jobs::by_live_name(batch.tx, &name)?.is_some() {
        number += 1;
        name = format!("{wanted}-{number}");
    }
    Ok(name)
}

fn update(batch: &mut Batch<'_>, update: &Update) -> Answered<Answer> {
    let mut stored = match batch.job(update.job)? {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if stored.job.revision != update.from {
        let refusal = Refusal::new(
            Code::Conflict,
            format!("{} was changed by somebody else meanwhile", stored.job.name),
        );
        return Ok(Err(refusal.hint("ask again")));
    }
    if update.name == stored.job.name && update.definition == stored.definition {
        return Ok(Ok(Answer::Exists(stored.job.id)));
    }
    if update.name != stored.job.name
        && let Some(other) = jobs::by_live_name(batch.tx, &update.name)?
    {
        return Ok(Err(taken(&other.job)));
    }
    let fingerprint = twins::fingerprint(batch.tx, &update.definition, stored.job.id)?;
    let reschedule = {
        let (old, new) = (&stored.definition, &update.definition);
        old.schedule != new.schedule || old.start != new.start || old.starts_at != new.starts_at
    };
    let before = acts::control(&stored);
    stored.definition = update.definition.clone();
    let input = Input::Update { name: update.name.clone(), reschedule };
    if let Err(refusal) = batch.say_to_job(&mut stored, &input)? {
        return Ok(Err(refusal));
    }
    batch.save_job(&mut stored, Some(&fingerprint))?;
    let by = batch.by.clone();
    jobs::revise(batch.tx, &stored.job, &stored.definition, &by, batch.now)?;
    for mut pending in tasks::pending_of(batch.tx, stored.job.id)? {
        let rebind = task::input::Input::Rebind {
            revision: stored.job.revision,
            definition: Box::new(stored.definition.clone()),
        };
        if let Err(refusal) = batch.say_to_task(&mut pending, &rebind)? {
            return Ok(Err(refusal));
        }
    }
    if before != acts::control(&stored)
        && let Some(active) = stored.job.active
        && let Some(run) = tasks::get(batch.tx, active)?
    {
        batch.actions.extend(acts::of_update(&run.task, &stored));
    }
    Ok(Ok(Answer::Updated(stored.job.id)))
}

/// Of several, one refusal refuses all; those that change nothing are not among the changed.
fn update_each(batch: &mut Batch<'_>, updates: &[Update]) -> Answered<Answer> {
    let mut changed = Vec::with_capacity(updates.len());
    for one in updates {
        match update(batch, one)? {
            Ok(Answer::Updated(id)) => changed.push(id),
            Ok(_) => {}
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(Answer::Changed(changed)))
}

/// Says of jobs only which they are.
fn changed(done: Result<Vec<jobs::Stored>, Refusal>) -> Result<Answer, Refusal> {
    done.map(|jobs| Answer::Changed(jobs.iter().map(|stored| stored.job.id).collect()))
}

/// Does `change` to each job that was named, or to every one that is `fit` for it, and gives back those.
///
/// Of named jobs, one refusal refuses all, so that nothing is half done.
fn each(
    batch: &mut Batch<'_>,
    jobs: &Jobs,
    fit: impl Fn(&Job) -> bool,
    change: impl Fn(&mut Batch<'_>, &mut jobs::Stored) -> Answered<()>,
) -> Answered<Vec<jobs::Stored>> {
    let mut found = match jobs {
        Jobs::All => {
            let all = jobs::list(batch.tx, jobs::Which::All, None, None, u32::MAX)?;
            all.into_iter().filter(|stored| fit(&stored.job)).collect()
        }
        Jobs::These(ids) => {
            let mut named: Vec<jobs::Stored> = Vec::with_capacity(ids.len());
            for id in ids {
                // Named twice is named once: the second change would be made to a row that is stale.
                if named.iter().any(|stored| stored.job.id == *id) {
                    continue;
                }
                match batch.job(*id)? {
                    Ok(stored) => named.push(stored),
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            named
        }
    };
    for stored in &mut found {
        if let Err(refusal) = change(batch, stored)? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(found))
}

fn cancel(batch: &mut Batch<'_>, stored: &mut jobs::Stored) -> Answered<()> {
    let active = stored.job.active;
    if let Err(refusal) = batch.say_to_job(stored, &Input::Cancel)? {
        return Ok(Err(refusal));
    }
    let Some(mut run) = active.map(|active| tasks::get(batch.tx, active)).transpose()?.flatten() else {
        return Ok(Ok(()));
    };
    batch.say_to_task(&mut run, &task::input::Input::Cancel)
}

/// Ends runs and nothing else; one that cannot be ended refuses all.
fn cancel_runs(batch: &mut Batch<'_>, runs: &[TaskId]) -> Answered<Answer> {
    let mut jobs = Vec::new();
    let mut ended: Vec<TaskId> = Vec::with_capacity(runs.len());
    for id in runs {
        // Named twice is named once: the second time it would be over.
        if ended.contains(id) {
            continue;
        }
        let Some(mut run) = tasks::get(batch.tx, *id)? else {
            return Ok(Err(Refusal::new(Code::NotFound, format!("no run {id}"))));
        };
        if !run.task.is_open() {
            let refusal = Refusal::new(Code::Conflict, format!("run {id} is over, too late to cancel it"));
            return Ok(Err(refusal.hint(format!("`converge cancel {}` ends its job", run.task.job))));
        }
        if let Err(refusal) = batch.say_to_task(&mut run, &task::input::Input::Cancel)? {
            return Ok(Err(refusal));
        }
        ended.push(*id);
        if !jobs.contains(&run.task.job) {
            jobs.push(run.task.job);
        }
    }
    Ok(Ok(Answer::Ended { runs: ended, jobs }))
}

fn remove(batch: &mut Batch<'_>, stored: &mut jobs::Stored, history: History) -> Answered<()> {
    let Job { id, name, active, .. } = &stored.job;
    if active.is_some() {
        let refusal = Refusal::new(Code::Conflict, format!("{name} has a run under way"));
        return Ok(Err(refusal.hint(format!("`converge cancel {name}` first"))));
    }
    let rows = tasks::count_of(batch.tx, *id)?;
    if rows > 0 && history == History::Keep {
        let runs = if rows == 1 { "1 run" } else { &format!("{rows} runs") };
        let refusal = Refusal::new(Code::Conflict, format!("{name} has a history of {runs}"));
        return Ok(Err(refusal.hint(format!(
            "`converge archive {name}` hides it, `converge rm --force {name}` removes both"
        ))));
    }
    let mut runs = Vec::new();
    let mut before = None;
    loop {
        let page = tasks::of_job(batch.tx, *id, before, 1000)?;
        let Some(last) = page.last() else { break };
        before = Some(last.task.id);
        runs.extend(page.iter().filter(|stored| stored.task.claims > 0).map(|stored| stored.task.id));
    }
    batch.record_job(*id, &job::Event::Removed)?;
    jobs::remove(batch.tx, *id)?;
    batch.actions.push(Action::Discard(runs));
    Ok(Ok(()))
}

fn run_now(batch: &mut Batch<'_>, job: JobId) -> Answered<Answer> {
    let mut stored = match batch.job(job)? {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(waiting) = waiting_run(batch, &stored.job)? {
        return hasten(batch, waiting);
    }
    let fresh = batch.fresh_task();
    let told = batch.say_to_job(&mut stored, &Input::RunNow { fresh })?;
    Ok(told.map(|()| Answer::Started { run: fresh, source: Source::AdHoc }))
}

fn waiting_run(batch: &mut Batch<'_>, job: &Job) -> Result<Option<tasks::Stored>, StoreError> {
    let Some(active) = job.active.filter(|_| matches!(job.state, job::State::Active)) else {
        return Ok(None);
    };
    let active = tasks::get(batch.tx, active)?;
    // A run by hand that was never tried is somebody else's, not one that waits to be asked for.
    let may_be_asked_for = |task: &task::Task| {
        let waits = matches!(task.state, task::State::Pending { .. } | task::State::Waiting { .. });
        waits && (task.attempts() > 0 || task.origin == task::Origin::Schedule)
    };
    Ok(active.filter(|stored| may_be_asked_for(&stored.task)))
}

fn hasten(batch: &mut Batch<'_>, mut waiting: tasks::Stored) -> Answered<Answer> {
    let run = waiting.task.id;
    let source = if waiting.task.attempts() > 0 { Source::RetrySlot } else { Source::DueSlot };
    let is_put_off = match &waiting.task.state {
        task::State::Pending { due_at } => *due_at > batch.now,
        // Whoever asks for it now does not believe the gate.
        task::State::Waiting { why: Wait::Quota { purse, .. }, .. } => {
            gates::open(batch.tx, purse)?;
            true
        }
        task::State::Waiting { .. }
        | task::State::Claimed { .. }
        | task::State::Running { .. }
        | task::State::Ended(_)
        | task::State::Skipped(_) => false,
    };
    if is_put_off && let Err(refusal) = batch.say_to_task(&mut waiting, &task::input::Input::Hasten)? {
        return Ok(Err(refusal));
    }
    Ok(Ok(Answer::Started { run, source }))
}
