use super::*;

fn prices(user_text: Option<&str>) -> Prices {
    Prices::of(user_text).expect("a table without mistakes")
}

#[track_caller]
fn check(model: &str, expected: Option<&str>) {
    let tokens = Tokens { input: 1_000_000, cached_input: 200_000, cache_writes: 0, output: 100_000 };
    let used = Used { tokens, cached: Cached::Within };
    let told = prices(None).estimate("codex", model, used).map(|dollars| dollars.to_string());
    assert_eq!(told.as_deref(), expected, "{model}");
}

#[test]
fn a_model_costs_what_its_own_entry_says() {
    check("gpt-5-codex", Some("$2.03"));
    check("gpt-5-codex-2025-09-15", Some("$2.03"));
    check("openai/gpt-5-codex", Some("$2.03"));
    check("claude-opus-4-20250514", Some("$19.80"));
    check("claude-opus-4-5", Some("$6.60"));
    check("claude-opus-4-5-20251101", Some("$6.60"));
}

#[test]
fn a_model_that_is_named_nowhere_has_no_price() {
    for model in
        ["gpt-5-codex-ultra", "claude-opus-4-9", "claude-opus", "openrouter/claude-opus-4-5", "auto", ""]
    {
        check(model, None);
        assert!(!prices(None).known("codex", model), "{model}");
    }
}

#[test]
fn a_kind_of_token_without_a_price_has_no_estimate() {
    let table = "[[price]]\nmodels = [\"mine\"]\ninput = 1\noutput = 2.5\n";
    let told = |tokens| {
        let used = Used { tokens, cached: Cached::Beside };
        prices(Some(table)).estimate("kimi", "mine", used).map(|dollars| dollars.to_string())
    };
    let tokens = Tokens { input: 1_000_000, output: 1_000_000, ..Tokens::default() };
    assert_eq!(told(tokens).as_deref(), Some("$3.50"));
    assert_eq!(told(Tokens { cached_input: 1, ..tokens }), None);
}

#[test]
fn a_counter_that_cannot_be_has_no_estimate() {
    let tokens = Tokens { input: 1, cached_input: 2, ..Tokens::default() };
    let used = Used { tokens, cached: Cached::Within };
    assert_eq!(prices(None).estimate("codex", "gpt-5-codex", used), None);
}

#[test]
fn the_users_prices_come_first_and_may_be_for_one_agent() {
    let user = "
        [[price]]
        agent = \"opencode\"
        models = [\"gpt-5-codex\"]
        input = 0
        output = 0
        cache_read = 0

        [[price]]
        models = [\"local/*\", \"local/big-*\"]
        input = 3
        output = 3
    ";
    let all = prices(Some(user));
    let input = |agent: &str, model: &str| all.find(agent, model).map(|price| price.input.to_string());
    assert_eq!(input("opencode", "gpt-5-codex").as_deref(), Some("0"));
    assert_eq!(input("codex", "gpt-5-codex").as_deref(), Some("1.25"));
    assert_eq!(input("codex", "local/small").as_deref(), Some("3"));
}

#[test]
fn a_table_with_mistakes_is_refused_with_lines_and_fixes() {
    let text = "[[price]]\nmodels = []\ninput = -1\n\n[[price]]\nmodel = \"x\"\noutput = \"much\"\n";
    let mistakes = Prices::parse(text).expect_err("mistakes");
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 1: `price[0].output` is missing; write dollars for a million tokens, such as 1.25",
            "line 2: `price[0].models` names no model; write models = [\"name\"]",
            "line 3: `price[0].input` is no amount; write input = 1.25",
            "line 5: `price[1].models` is missing; write models = [\"name\"]",
            "line 5: `price[1].input` is missing; write dollars for a million tokens, such as 1.25",
            "line 6: `price[1].model` is not known; did you mean `models`?",
            "line 7: `price[1].output` is no amount; write output = 1.25",
        ]
    );
}

#[test]
fn each_price_that_comes_along_says_where_it_is_from() {
    let all = prices(None);
    assert!(all.0.len() > 5);
    for price in &all.0 {
        assert!(price.source.starts_with("https://") && price.dated.len() == 7, "{price}");
        assert!(price.cache_read.is_some() && price.output > price.input, "{price}");
    }
}
