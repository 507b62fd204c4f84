//! Readings: what the output of an agent's attempt says about it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::class::Class;

/// What is known of an attempt of an agent once its output was read. What nobody said stays unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Which agent it was.
    pub agent: String,
    /// The model it was to ask, where one was named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The version of its program, where that can be seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The version that its manifest was seen to be right for, where that is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seen: Option<String>,
    /// What it came to.
    pub class: Class,
    /// What was said about that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// The conversation it was in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<Conversation>,
    /// What the attempt itself used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<Tokens>,
    /// What the attempt itself cost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Cost>,
    /// How often the model was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turns: Option<u64>,
    /// What was not allowed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub denials: Vec<String>,
    /// When a used-up quota is there again, where that was stated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reset_at: Option<Timestamp>,
    /// Whether it wrote something else than its manifest says, as a new version may.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_strange: bool,
}

impl Reading {
    /// One that says what it came to and no more.
    pub fn of(agent: &str, class: Class) -> Self {
        Self {
            agent: agent.to_owned(),
            model: None,
            version: None,
            seen: None,
            class,
            message: None,
            conversation: None,
            tokens: None,
            cost: None,
            turns: None,
            denials: Vec::new(),
            reset_at: None,
            is_strange: false,
        }
    }
}

/// A conversation with an agent, which can go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// With which agent.
    pub agent: String,
    /// On which account of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The agent's name for it.
    pub id: String,
    /// The counters of the whole conversation, of agents that count so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<Tokens>,
    /// What the whole conversation cost, of agents that count so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Dollars>,
    /// How much of the model's window it fills, in tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<u64>,
    /// How much the window holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window: Option<u64>,
}

impl Conversation {
    /// Whether little room is left, so that a new one had better begin: a fifth of the window.
    pub fn is_nearly_full(&self) -> bool {
        matches!((self.context, self.window), (Some(context), Some(window)) if context >= window / 5 * 4)
    }
}

/// Tokens, as a CLI counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Read by the model, however it came by them.
    pub input: u64,
    /// Those of them that were read from a cache.
    pub cached_input: u64,
    /// Those of them that were written to a cache.
    pub cache_writes: u64,
    /// Written by the model.
    pub output: u64,
}

impl Tokens {
    /// Whether there were any.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// All that were read and written.
    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached_input: self.cached_input.saturating_add(other.cached_input),
            cache_writes: self.cache_writes.saturating_add(other.cache_writes),
            output: self.output.saturating_add(other.output),
        }
    }
}

/// Money, in millionths of a dollar; a number of dollars in documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub u64);

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to some billions of dollars")]
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        Self::of(dollars).ok_or_else(|| serde::de::Error::custom("no amount of money"))
    }
}

impl Dollars {
    /// So many dollars; none for what is no amount.
    pub fn of(dollars: f64) -> Option<Self> {
        let micros = (dollars * 1e6).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at just before")]
        (0.0..=1e15).contains(&micros).then_some(Self(micros as u64))
    }
}

impl Dollars {
    /// The number alone, exactly: `0.5`.
    pub fn amount(self) -> String {
        let Self(micros) = self;
        let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl fmt::Display for Dollars {
    /// `$1.23`; to the hundredth of a cent below ten cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(micros) = self;
        if *micros >= 100_000 || *micros == 0 {
            let cents = (micros + 5_000) / 10_000;
            write!(f, "${}.{:02}", cents / 100, cents % 100)
        } else {
            write!(f, "$0.{:04}", (micros + 50) / 100)
        }
    }
}

/// What something cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How much.
    pub dollars: Dollars,
    /// Whether a price table says so, and not the agent.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_estimate: bool,
}

/// What attempts used together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens, of the attempts that told any.
    pub tokens: Tokens,
    /// Money, of the attempts whose cost is known.
    pub dollars: Dollars,
    /// Whether some of the money is an estimate.
    pub is_estimate: bool,
    /// How many attempts told no tokens.
    pub tokens_unknown: u32,
    /// How many attempts have no known cost.
    pub cost_unknown: u32,
}

impl Spent {
    /// Whether nothing was spent, as far as anybody knows.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// This and one more attempt.
    #[must_use]
    pub fn and(self, reading: &Reading) -> Self {
        self.plus(Self {
            tokens: reading.tokens.unwrap_or_default(),
            dollars: reading.cost.map(|cost| cost.dollars).unwrap_or_default(),
            is_estimate: reading.cost.is_some_and(|cost| cost.is_estimate),
            tokens_unknown: u32::from(reading.tokens.is_none()),
            cost_unknown: u32::from(reading.cost.is_none()),
        })
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.plus(other.tokens),
            dollars: Dollars(self.dollars.0.saturating_add(other.dollars.0)),
            is_estimate: self.is_estimate || other.is_estimate,
            tokens_unknown: self.tokens_unknown.saturating_add(other.tokens_unknown),
            cost_unknown: self.cost_unknown.saturating_add(other.cost_unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_as_exactly_as_it_matters() {
        let check = |dollars: f64, expected: &str| {
            assert_eq!(Dollars::of(dollars).expect("an amount").to_string(), expected);
        };
        check(0.0, "$0.00");
        check(0.00347, "$0.0035");
        check(0.0999, "$0.0999");
        check(0.105, "$0.11");
        check(12.345_67, "$12.35");
        let amount = Dollars(17_140);
        assert_eq!(serde_json::to_string(&amount).expect("a number"), "0.01714");
        assert_eq!(serde_json::from_str::<Dollars>("0.01714").expect("an amount"), amount);
        assert_eq!(Dollars::of(-1.0), None);
        assert_eq!(Dollars::of(f64::NAN), None);
    }
}
