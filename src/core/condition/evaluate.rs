//! Evaluating a condition: met, not met, unknown, or a list of what must be found out first.
//!
//! Only `Met` ends a loop. An unknown part never counts as a known one: `not` of it is unknown, `any` is
//! met by one met member whatever the others are, and `all` is not met as soon as one member is not.

use serde::{Deserialize, Serialize};

use crate::core::condition::fact::{Fact, Facts, Need};
use crate::core::condition::{Condition, Operator};

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    Met,
    /// It does not.
    NotMet,
    /// Nobody can say.
    Unknown,
}

/// A decided condition and the sentence that shows why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether it holds.
    pub truth: Truth,
    /// What was seen, such as `exit code 1, not 0`.
    pub evidence: String,
}

/// What evaluating came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The facts decide it.
    Is(Evaluation),
    /// These facts are missing; distinct, in the order in which the condition names them.
    Needs(Vec<Need>),
}

/// How many sentences of evidence are kept of one compound.
const SENTENCES_MAX: usize = 4;

impl Condition {
    /// Decides whether it holds, or says which facts are missing for that.
    ///
    /// Facts that cannot change the answer any more are not asked for. Without an exit, everything
    /// about the exit and the output is unknown, whatever else is known.
    pub fn evaluate(&self, facts: &Facts) -> Answer {
        match self {
            Self::ExitCode(wanted) => Answer::Is(exit(*wanted, facts.exit)),
            Self::Matches(_) | Self::Contains(_) | Self::Check(_) | Self::File(_) => {
                let need = Need::of(self).expect("each of these four is a question");
                known(need, facts)
            }
            Self::Not(inner) => match inner.evaluate(facts) {
                Answer::Is(Evaluation { truth, evidence }) => {
                    Answer::Is(Evaluation { truth: truth.not(), evidence })
                }
                needs @ Answer::Needs(_) => needs,
            },
            Self::Compound { operator, conditions } => compound(*operator, conditions, facts),
        }
    }

    /// Every fact that it may need, distinct, in the order in which it names them.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        self.each_leaf(&mut |leaf| add(&mut needs, Need::of(leaf)));
        needs
    }
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Self::Met => Self::NotMet,
            Self::NotMet => Self::Met,
            Self::Unknown => Self::Unknown,
        }
    }
}

fn exit(wanted: i32, exit: Option<i32>) -> Evaluation {
    match exit {
        Some(code) if code == wanted => {
            Evaluation { truth: Truth::Met, evidence: format!("exit code {code}") }
        }
        Some(code) => {
            Evaluation { truth: Truth::NotMet, evidence: format!("exit code {code}, not {wanted}") }
        }
        None => Evaluation { truth: Truth::Unknown, evidence: "there is no exit code".to_owned() },
    }
}

fn known(need: Need, facts: &Facts) -> Answer {
    if need.is_of_output() && facts.exit.is_none() {
        let evidence = "there is no output of a run that exited".to_owned();
        return Answer::Is(Evaluation { truth: Truth::Unknown, evidence });
    }
    let (truth, evidence) = match facts.known.get(&need) {
        Some(Fact::Met { evidence }) => (Truth::Met, evidence),
        Some(Fact::NotMet { evidence }) => (Truth::NotMet, evidence),
        Some(Fact::Unknown { why }) => (Truth::Unknown, why),
        None => return Answer::Needs(vec![need]),
    };
    Answer::Is(Evaluation { truth, evidence: evidence.clone() })
}

fn compound(operator: Operator, conditions: &[Condition], facts: &Facts) -> Answer {
    // One member with this truth decides, and if all are decided the other way, that is the answer.
    let (deciding, otherwise) = match operator {
        Operator::Any => (Truth::Met, Truth::NotMet),
        Operator::All => (Truth::NotMet, Truth::Met),
    };
    let mut missing = Vec::new();
    let mut decided = Vec::new();
    for condition in conditions {
        match condition.evaluate(facts) {
            Answer::Is(evaluation) if evaluation.truth == deciding => return Answer::Is(evaluation),
            Answer::Is(evaluation) => decided.push(evaluation),
            Answer::Needs(needs) => needs.into_iter().for_each(|need| add(&mut missing, Some(need))),
        }
    }
    if !missing.is_empty() {
        return Answer::Needs(missing);
    }
    let unknown = decided.iter().any(|evaluation| evaluation.truth == Truth::Unknown);
    let truth = if unknown { Truth::Unknown } else { otherwise };
    let sentences = decided.into_iter().filter(|evaluation| evaluation.truth == truth);
    Answer::Is(Evaluation { truth, evidence: join(sentences.map(|evaluation| evaluation.evidence)) })
}

/// Bounded, because what a compound says is part of what the compound around it says.
fn join(sentences: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for sentence in sentences {
        if !distinct.contains(&sentence) {
            distinct.push(sentence);
        }
    }
    let more = distinct.len().saturating_sub(SENTENCES_MAX);
    distinct.truncate(SENTENCES_MAX);
    if more > 0 {
        distinct.push(format!("and {more} more"));
    }
    distinct.join("; ")
}

fn add(needs: &mut Vec<Need>, need: Option<Need>) {
    if let Some(need) = need.filter(|need| !needs.contains(need)) {
        needs.push(need);
    }
}
