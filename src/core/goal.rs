//! Goals: named criteria that decide, outside the model, whether a loop is done.

use serde::{Deserialize, Serialize};

use crate::core::condition::Condition;
use crate::core::condition::evaluate::{Answer, Truth};
use crate::core::condition::fact::{Facts, Need};

/// What a loop is for: it is done when every criterion is met by the same run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The criteria, in the order they were given.
    pub criteria: Vec<Criterion>,
}

/// A named condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// Its name, unique in the goal.
    pub name: String,
    /// What must hold.
    pub condition: Condition,
}

/// What one evaluation of a goal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// One finding a criterion, in the goal's order.
    pub criteria: Vec<Finding>,
}

/// What was found of one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The criterion's name.
    pub name: String,
    /// Whether it holds.
    pub truth: Truth,
    /// What says so.
    pub evidence: String,
}

/// The name of the criterion that `--until` makes.
pub const UNTIL: &str = "until";

impl Goal {
    /// Every fact of the world that the criteria ask for, each once.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for need in self.criteria.iter().flat_map(|criterion| criterion.condition.needs()) {
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        needs
    }

    /// The facts that are still missing to decide every criterion, each once.
    pub fn missing(&self, facts: &Facts) -> Vec<Need> {
        let mut missing = Vec::new();
        for criterion in &self.criteria {
            if let Answer::Needs(needs) = criterion.condition.evaluate(facts) {
                missing.extend(needs.into_iter().filter(|need| !missing.contains(need)).collect::<Vec<_>>());
            }
        }
        missing
    }

    /// Whether checking before the first run can tell anything: some criterion asks for a check or a file.
    pub fn can_be_checked_first(&self) -> bool {
        self.needs().iter().any(|need| !need.is_of_output())
    }

    /// Evaluates every criterion; what the facts do not say is unknown.
    pub fn evaluate(&self, facts: &Facts) -> Findings {
        let find = |criterion: &Criterion| {
            let (truth, evidence) = match criterion.condition.evaluate(facts) {
                Answer::Is(evaluation) => (evaluation.truth, evaluation.evidence),
                Answer::Needs(_) => (Truth::Unknown, "not looked at".to_owned()),
            };
            Finding { name: criterion.name.clone(), truth, evidence }
        };
        Findings { criteria: self.criteria.iter().map(find).collect() }
    }
}

impl Findings {
    /// Whether all criteria are met; only then is a loop done.
    pub fn all_met(&self) -> bool {
        !self.criteria.is_empty() && self.criteria.iter().all(|finding| finding.truth == Truth::Met)
    }

    /// The evidence in one line: what is not met, or everything when all is.
    pub fn evidence(&self) -> String {
        let all = self.all_met();
        let told = self.criteria.iter().filter(|finding| all || finding.truth != Truth::Met);
        let line = |finding: &Finding| {
            if finding.name == UNTIL {
                finding.evidence.clone()
            } else {
                format!("{}: {}", finding.name, finding.evidence)
            }
        };
        told.map(line).collect::<Vec<_>>().join("; ")
    }
}
