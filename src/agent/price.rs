//! Prices: what tokens cost, for agents that do not say what they spent.
//!
//! A price that nobody stated is none: an estimate is made of prices in the table alone, and only when each
//! kind of token that was used has one.

use std::fmt;

use crate::agent::document::{self, Mistake, Table};
use crate::core::reading::{Dollars, Tokens};

/// The table that comes along.
const BUILT_IN: &str = include_str!("prices.toml");

/// What models cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices(Vec<Price>);

/// What some models cost, in dollars for a million tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Their names; one that ends in `*` is the beginning of names.
    pub models: Vec<String>,
    /// The agent for which it holds; none for every agent.
    pub agent: Option<String>,
    /// When it was looked up.
    pub dated: String,
    /// Where.
    pub source: String,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

/// Whether the tokens that were read count those that came from a cache or went into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cached {
    /// They do.
    Within,
    /// They stand beside each other.
    Beside,
}

impl Prices {
    /// The table that comes along, with the user's own prices before it.
    pub fn of(user_text: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let mut prices = user_text.map_or_else(|| Ok(Self::default()), Self::parse)?;
        let built_in = Self::parse(BUILT_IN)
            .unwrap_or_else(|mistakes| panic!("the prices that come along are wrong: {mistakes:?}"));
        prices.0.extend(built_in.0);
        Ok(prices)
    }

    /// Reads a table; answers every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        document::read(text, |table| Some(Self(table.tables("price").iter_mut().map(Price::read).collect())))
    }

    /// What tokens of a model cost; none where no price says so.
    pub fn estimate(&self, agent: &str, model: &str, used: Used) -> Option<Dollars> {
        self.find(agent, model)?.of(used)
    }

    /// Whether a model has a price.
    pub fn known(&self, agent: &str, model: &str) -> bool {
        self.find(agent, model).is_some()
    }

    /// The price of a model: of those that fit, the one that says most of its name, and the first of these.
    pub fn find(&self, agent: &str, model: &str) -> Option<&Price> {
        let mut best: Option<(usize, &Price)> = None;
        for price in self.0.iter().filter(|price| price.agent.as_ref().is_none_or(|of| of == agent)) {
            let fit = price.models.iter().filter_map(|name| fit(name, model)).max();
            if let Some(fit) = fit
                && best.is_none_or(|(length, _)| fit > length)
            {
                best = Some((fit, price));
            }
        }
        best.map(|(_, price)| price)
    }
}

/// Tokens, and how they were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How many.
    pub tokens: Tokens,
    /// What those that were read count.
    pub cached: Cached,
}

/// How much of a model's name an entry says, when it is the entry of it.
///
/// A name stands for its dated versions too, and for itself at its maker; a longer name is another model.
fn fit(entry: &str, model: &str) -> Option<usize> {
    if let Some(beginning) = entry.strip_suffix('*') {
        return model.starts_with(beginning).then_some(beginning.len());
    }
    let own = ["anthropic/", "openai/"].iter().find_map(|maker| model.strip_prefix(maker)).unwrap_or(model);
    let rest = own.strip_prefix(entry).or_else(|| model.strip_prefix(entry))?;
    let date = rest.strip_prefix(['-', '@']).unwrap_or_default();
    let is_date = date.len() >= 8 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (rest.is_empty() || rest == "-latest" || is_date).then_some(entry.len())
}

impl Price {
    fn read(table: &mut Table<'_, '_>) -> Self {
        if !table.has("models") {
            table.mistake("models", "is missing", "write models = [\"name\"]");
        }
        let models = table.words("models").unwrap_or_default();
        if table.has("models") && (models.is_empty() || models.iter().any(String::is_empty)) {
            table.mistake("models", "names no model", "write models = [\"name\"]");
        }
        for name in ["input", "output"] {
            if !table.has(name) {
                table.mistake(name, "is missing", "write dollars for a million tokens, such as 1.25");
            }
        }
        let price = Self {
            models,
            agent: table.text("agent"),
            dated: table.text("dated").unwrap_or_default(),
            source: table.text("source").unwrap_or_default(),
            input: table.amount("input").unwrap_or_default(),
            output: table.amount("output").unwrap_or_default(),
            cache_read: table.amount("cache_read"),
            cache_write: table.amount("cache_write"),
        };
        table.finish();
        price
    }

    fn of(&self, used: Used) -> Option<Dollars> {
        let Tokens { input, cached_input, cache_writes, output } = used.tokens;
        let input = match used.cached {
            Cached::Beside => input,
            Cached::Within => input.checked_sub(cached_input)?.checked_sub(cache_writes)?,
        };
        let parts = [
            (input, Some(self.input)),
            (cached_input, self.cache_read),
            (cache_writes, self.cache_write),
            (output, Some(self.output)),
        ];
        let mut dollars = 0.0;
        for (tokens, price) in parts {
            if tokens > 0 {
                // No run uses as many as would not be exact.
                dollars += f64::from(u32::try_from(tokens).ok()?) / 1e6 * price?;
            }
        }
        Dollars::of(dollars)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ${} in, ${} out", self.models.join(", "), self.input, self.output)?;
        if !self.dated.is_empty() {
            write!(f, ", {}", self.dated)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
