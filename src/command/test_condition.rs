//! `test_condition`: tries a condition on a run that is over.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::page::Page;
use crate::command::schema::Object;
use crate::command::show_job::truth_word;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, select};
use crate::core::condition::Condition;
use crate::core::condition::evaluate::{Answer, Truth};
use crate::core::condition::fact::{Fact, Facts, Need};
use crate::core::process::ProcessKey;
use crate::core::refusal::{Code, Problem, Refusal};
use crate::core::task::State;
use crate::core::task::evidence::Evidence;
use crate::engine::ports::Inspect;
use crate::engine::work::inspect;
use crate::engine::work::output::{self, Stream};
use crate::store::{attempts, jobs, tasks};

/// Tries a condition on a run.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct TestCondition {
    /// The condition, such as `exit 0` or `output /all passed/`
    pub condition: String,
    /// The run's id
    #[arg(long, value_name = "RUN")]
    pub run: String,
}

/// What the condition comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The condition, in its text form.
    pub condition: String,
    /// The run.
    pub run: String,
    /// Whether it holds.
    pub truth: Truth,
    /// What says so.
    pub evidence: String,
}

impl Command for TestCondition {
    const NAME: &'static str = "test_condition";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("condition test")];
    type Reply = Tested;

    fn run(self, cx: &Context<'_>) -> Result<Tested, Refusal> {
        let within = |problems: Vec<Problem>| {
            problems.into_iter().map(|problem| problem.within("condition")).collect()
        };
        let condition: Condition =
            self.condition.parse().map_err(|problems| Refusal::invalid(within(problems)))?;
        let run = select::run(cx, &self.run)?;
        let stored = cx.read(|tx| tasks::get(tx, run))?;
        let task =
            stored.ok_or_else(|| Refusal::new(Code::NotFound, format!("{run} was removed meanwhile")))?.task;
        let State::Ended(end) = &task.state else {
            let refusal = Refusal::new(Code::Conflict, format!("{run} is not over"));
            return Err(refusal.hint(format!("`converge wait {run}` waits for it")));
        };
        let definition = cx.read(|tx| jobs::definition(tx, task.job, task.revision))?;
        let definition =
            definition.ok_or_else(|| Refusal::new(Code::NotFound, format!("{run} has no definition")))?;
        let (checks, needs): (Vec<Need>, Vec<Need>) =
            condition.needs().into_iter().partition(|need| matches!(need, Need::Check(_)));
        let key = ProcessKey::attempt(run, task.claims);
        let reading = cx.read(|tx| attempts::of_task(tx, run))?.pop().and_then(|attempt| attempt.reading);
        let evidence = Evidence::of(&definition, end.exit.reason, reading.as_ref());
        let facts = inspect::facts(
            &cx.house.places.runs,
            &Inspect { key, evidence, cwd: PathBuf::from(&definition.cwd), needs },
        );
        let mut facts = Facts {
            exit: end.exit.judged_code(),
            known: facts.into_iter().map(|known| (known.need, known.fact)).collect(),
        };
        let is_whole = evidence != Evidence::Stdout
            || output::is_whole(&cx.house.places.runs, key, Stream::Stdout).unwrap_or(false);
        for (need, fact) in &mut facts.known {
            // What is not found in a part may have been in the rest.
            if need.is_of_output() && !is_whole && matches!(fact, Fact::NotMet { .. }) {
                *fact = Fact::Unknown { why: "the output was cut or removed meanwhile".to_owned() };
            }
        }
        for check in checks {
            // A check looks at the world as it is, which is not the world as the run left it.
            let why = "checks are not run again for a run that is over".to_owned();
            facts.known.insert(check, Fact::Unknown { why });
        }
        let Answer::Is(evaluation) = condition.evaluate(&facts) else {
            unreachable!("every need was answered")
        };
        let condition = condition.to_string();
        Ok(Tested { condition, run: run.to_string(), truth: evaluation.truth, evidence: evaluation.evidence })
    }
}

impl Tell for Tested {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for Tested {
    fn render(&self, page: &mut Page) {
        page.line(format!(
            "{} is {} on run {}: {}",
            self.condition,
            truth_word(self.truth),
            self.run,
            self.evidence
        ));
    }
}
