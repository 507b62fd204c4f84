use proptest::prelude::*;
use serde_json::{Value, json};

use crate::core::condition::evaluate::{Answer, Evaluation, Truth};
use crate::core::condition::fact::{Fact, Facts, Need};
use crate::core::condition::pattern::Pattern;
use crate::core::condition::{Condition, Operator};

fn texts() -> impl Strategy<Value = String> {
    "[^\\x00]{0,12}".prop_map(|text| format!("{text}x"))
}

fn leaves() -> impl Strategy<Value = Condition> {
    prop_oneof![
        (0..=255).prop_map(Condition::ExitCode),
        "[^\\x00]{1,12}"
            .prop_filter_map("a pattern", |source| Pattern::new(&source).ok())
            .prop_map(Condition::Matches),
        texts().prop_map(Condition::Contains),
        texts().prop_map(Condition::Check),
        texts().prop_map(Condition::File),
        "[ab./=:]{1,3}".prop_map(Condition::File),
    ]
}

fn operators() -> impl Strategy<Value = Operator> {
    prop_oneof![Just(Operator::Any), Just(Operator::All)]
}

fn compound((operator, conditions): (Operator, Vec<Condition>)) -> Condition {
    Condition::Compound { operator, conditions }
}

fn conditions() -> impl Strategy<Value = Condition> {
    leaves().prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            (operators(), prop::collection::vec(inner, 1..4)).prop_map(compound),
        ]
    })
}

/// Conditions over three files, without `not`.
fn plain_conditions() -> impl Strategy<Value = Condition> {
    let file = prop_oneof!["[abc]".prop_map(Condition::File), (0..2).prop_map(Condition::ExitCode)];
    file.prop_recursive(4, 16, 4, |inner| {
        (operators(), prop::collection::vec(inner, 1..4)).prop_map(compound)
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let fact = prop_oneof![
        Just(Fact::Met { evidence: String::new() }),
        Just(Fact::NotMet { evidence: String::new() }),
        Just(Fact::Unknown { why: String::new() }),
    ];
    let known = prop::collection::btree_map("[abc]".prop_map(Need::File), fact, 0..4);
    (prop::option::of(0..2), known).prop_map(|(exit, known)| Facts { exit, known })
}

fn is_met(answer: &Answer) -> bool {
    matches!(answer, Answer::Is(Evaluation { truth: Truth::Met, .. }))
}

proptest! {
    #[test]
    fn text_and_condition_are_inverse(condition in conditions()) {
        prop_assert_eq!(condition.to_string().parse::<Condition>(), Ok(condition));
    }

    #[test]
    fn json_and_condition_are_inverse(condition in conditions()) {
        let value = serde_json::to_value(&condition).expect("a good value");
        prop_assert_eq!(Condition::from_json(&value), Ok(condition.clone()));
        prop_assert_eq!(value.to_string().parse::<Condition>(), Ok(condition));
    }

    #[test]
    fn no_text_panics(text in "(any|all|not|exit|output|check|file|[(),/\"'\\\\ =:{}0-9a]|\\PC){0,30}") {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn no_document_panics(
        word in prop_oneof![Just("exitCode"), Just("output"), Just("not"), Just("compound"), Just("any")],
        field in prop_oneof![Just("code"), Just("pattern"), Just("condition"), Just("conditions")],
        value in "\\PC{0,8}|[0-9]{1,30}|\\[[0-9]{0,2}\\]|null|\\{\\}",
    ) {
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        let _ = Condition::from_json(&json!({"type": word, field: value}));
    }

    #[test]
    fn better_facts_never_undo_a_met_condition(
        condition in plain_conditions(),
        mut facts in facts(),
        better in "[abc]",
    ) {
        let before = condition.evaluate(&facts);
        facts.known.insert(Need::File(better), Fact::Met { evidence: String::new() });
        let after = condition.evaluate(&facts);
        prop_assert!(!is_met(&before) || is_met(&after), "{:?} then {:?}", before, after);
    }

    #[test]
    fn what_is_decided_stays_so_when_unknown_facts_become_known(condition in conditions(), exit in 0..3) {
        let early = condition.evaluate(&Facts::default());
        let mut facts = Facts { exit: Some(exit), ..Facts::default() };
        let mut asked = 0;
        while let Answer::Needs(needs) = condition.evaluate(&facts) {
            asked += needs.len();
            for need in needs {
                prop_assert!(!facts.known.contains_key(&need), "{} is asked for twice", need);
                prop_assert!(condition.needs().contains(&need));
                facts.known.insert(need, Fact::Met { evidence: String::new() });
            }
        }
        prop_assert!(asked <= condition.needs().len());
        if let (Answer::Is(early), Answer::Is(late)) = (early, condition.evaluate(&facts)) {
            prop_assert!(early.truth == Truth::Unknown || early.truth == late.truth);
        }
    }
}
