//! Spent: tokens and money in words. What nobody said is unknown, and an estimate says that it is one.

use crate::core::reading::{Cost, Dollars, Spent, Tokens};

/// What attempts used together: `12.3k in, 4.1k out tokens, $0.42`; nothing when there were none of an agent.
pub fn together(spent: &Spent) -> Option<String> {
    if spent.is_nothing() {
        return None;
    }
    let tokens = known(spent.tokens.any().then(|| tokens(spent.tokens)), spent.tokens_unknown, "tokens");
    let cost = (spent.dollars > Dollars::default() || spent.cost_unknown == 0)
        .then(|| amount(spent.dollars, spent.is_estimate));
    Some(format!("{tokens}, {}", known(cost, spent.cost_unknown, "cost")))
}

/// What one attempt used.
pub fn once(told: Option<Tokens>, price: Option<Cost>) -> String {
    let tokens = told.map_or_else(|| "tokens unknown".to_owned(), tokens);
    format!("{tokens}, {}", price.map_or_else(|| "cost unknown".to_owned(), cost))
}

/// What a run used, as short as it can be told: `16.4k tokens, $0.42`.
pub fn brief(spent: &Spent) -> Option<String> {
    let Spent { tokens, dollars, is_estimate, .. } = *spent;
    let mut told = Vec::new();
    if tokens.any() {
        told.push(format!("{} tokens", count(tokens.input.saturating_add(tokens.output))));
    }
    if dollars > Dollars::default() {
        told.push(amount(dollars, is_estimate));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// `12.3k in, 4.1k out tokens`, with what was read from a cache.
pub fn tokens(tokens: Tokens) -> String {
    let cached = if tokens.cached_input > 0 {
        format!(" ({} of them cached)", count(tokens.cached_input))
    } else {
        String::new()
    };
    format!("{} in{cached}, {} out tokens", count(tokens.input), count(tokens.output))
}

/// The cost of one attempt: `$0.42`, or `about $0.42`.
pub fn cost(cost: Cost) -> String {
    amount(cost.dollars, cost.is_estimate)
}

fn amount(dollars: Dollars, is_estimate: bool) -> String {
    if is_estimate { format!("about {dollars}") } else { dollars.to_string() }
}

/// What is known of a sum of which some attempts told nothing.
fn known(sum: Option<String>, unknown: u32, what: &str) -> String {
    match (sum, unknown) {
        (None, _) => format!("{what} unknown"),
        (Some(sum), 0) => sum,
        (Some(sum), 1) => format!("{sum} and what 1 attempt did not tell"),
        (Some(sum), unknown) => format!("{sum} and what {unknown} attempts did not tell"),
    }
}

/// A number as short as it can be told: `950`, `12.3k`, `4.1M`.
pub fn count(count: u64) -> String {
    let (unit, word) = match count {
        0..=999 => return count.to_string(),
        1_000..=999_949 => (1_000, "k"),
        _ => (1_000_000, "M"),
    };
    let tenths = (count + unit / 20) / (unit / 10);
    match tenths % 10 {
        0 => format!("{}{word}", tenths / 10),
        tenth => format!("{}.{tenth}{word}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be_told() {
        let numbers = [0, 999, 1_000, 12_345, 200_000, 999_949, 999_950, 4_100_000, u64::MAX / 20 * 19];
        let told: Vec<String> = numbers.into_iter().take(8).map(count).collect();
        assert_eq!(told, ["0", "999", "1k", "12.3k", "200k", "999.9k", "1M", "4.1M"]);
    }

    #[test]
    fn what_is_unknown_is_not_nothing_and_an_estimate_says_so() {
        let check = |spent: Spent, expected: Option<&str>| {
            assert_eq!(together(&spent).as_deref(), expected, "{spent:?}");
        };
        let tokens = Tokens { input: 12_345, output: 4_100, ..Tokens::default() };
        let dollars = Dollars(420_000);
        let spent = Spent { tokens, dollars, ..Spent::default() };
        check(Spent::default(), None);
        check(spent, Some("12.3k in, 4.1k out tokens, $0.42"));
        check(Spent { is_estimate: true, ..spent }, Some("12.3k in, 4.1k out tokens, about $0.42"));
        check(
            Spent { dollars: Dollars(0), cost_unknown: 2, ..spent },
            Some("12.3k in, 4.1k out tokens, cost unknown"),
        );
        check(
            Spent { cost_unknown: 1, ..spent },
            Some("12.3k in, 4.1k out tokens, $0.42 and what 1 attempt did not tell"),
        );
        let silent = Spent { tokens_unknown: 1, cost_unknown: 1, ..Spent::default() };
        check(silent, Some("tokens unknown, cost unknown"));
        let cached = Tokens { cached_input: 10_000, ..tokens };
        check(
            Spent { tokens: cached, ..spent },
            Some("12.3k in (10k of them cached), 4.1k out tokens, $0.42"),
        );
    }
}
