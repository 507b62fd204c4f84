//! What the agents of a simulated world say.

use converge::core::class::Class;
use converge::core::process::Ending;
use converge::core::reading::{Conversation, Cost, Dollars, Reading, Tokens};
use converge::core::span::Span;
use converge::engine::ports::Read;

use super::process::Says;
use super::world::World;

impl World {
    /// What the output of an agent's attempt says; the same whenever it is asked, and whoever asks.
    pub(crate) fn reading(&self, read: &Read) -> Reading {
        let process = self.processes.get(&read.key);
        let says = process.map_or_else(Says::done, |process| process.script.says);
        let by_itself = read.cut.is_none() && matches!(read.ending, Ending::Exited(_));
        let named = |(bits, is_full): (u64, bool)| Conversation {
            account: read.candidate.account.clone(),
            context: Some(if is_full { 900 } else { 90 }),
            window: Some(1000),
            ..Conversation::named(&read.candidate.agent, &format!("talk-{bits}"))
        };
        let cost = |micros| Cost { dollars: Dollars(micros), is_estimate: false };
        let kept = |input| Tokens { input, ..Tokens::default() };
        let reset = says.reset_ms.filter(|_| says.class == Class::Quota);
        let class = if by_itself { says.class } else { Class::Crashed };
        Reading {
            message: Some("it said so".to_owned()),
            conversation: says.conversation.map(named),
            tokens: says.tokens.map(kept),
            cost: says.cost.map(cost),
            reset_at: reset.map(|reset_ms| Span::from_ms(reset_ms).after(read.ended_at)),
            ..Reading::of(&read.candidate.agent, class)
        }
    }
}
