//! Readings on a page: what each attempt of an agent came to, what it used and where it can go on.

use crate::command::attempt::AttemptView;
use crate::command::page::{Page, Tone, words};
use crate::command::spent;
use crate::core::class::Class;
use crate::core::plain::plain;

/// What is said of an attempt that was not understood.
pub const STRANGE: &str =
    "wrote otherwise than the agent's manifest says: no more than its text is understood";

/// Shows what is known of attempts of agents; nothing when there were none.
pub fn render(job: &str, attempts: &[AttemptView], page: &mut Page) {
    let read: Vec<&AttemptView> = attempts.iter().filter(|attempt| attempt.agent.is_some()).collect();
    if read.is_empty() {
        return;
    }
    let row = |attempt: &&AttemptView| {
        let class = attempt.class.as_deref().unwrap_or_default();
        let tone = if class == Class::Done.word() { Tone::Good } else { Tone::Bad };
        let came_to: Vec<String> = words(class).split(' ').map(|word| page.tone(word, tone)).collect();
        let (read, written) = match attempt.tokens {
            Some(tokens) => (spent::count(tokens.input), spent::count(tokens.output)),
            None => ("unknown".to_owned(), "unknown".to_owned()),
        };
        vec![
            attempt.number.to_string(),
            attempt.agent.clone().unwrap_or_default(),
            came_to.join(" "),
            read,
            written,
            attempt.cost.map_or_else(|| "unknown".to_owned(), spent::cost),
            attempt.conversation.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = read.iter().map(row).collect();
    page.gap();
    page.table(&["ATTEMPT", "AGENT", "CAME TO", "READ", "WROTE", "COST", "CONVERSATION"], &rows);
    for attempt in &read {
        // What was denied is said below, in more words.
        if let Some(message) = attempt.message.as_ref().filter(|_| attempt.denials.is_empty()) {
            page.wrapped(&format!("attempt {} said: {}", attempt.number, line(message)), "  ");
        }
        if let (Some(version), Some(seen)) = (&attempt.version, &attempt.seen) {
            let agent = attempt.agent.as_deref().unwrap_or_default();
            let told = format!(
                "attempt {} was {agent} {version}; how it is driven was seen with {seen}",
                attempt.number
            );
            page.wrapped(&told, "  ");
        }
        if attempt.is_strange {
            let told = format!("attempt {} {STRANGE}", attempt.number);
            page.wrapped(&told, "  ");
        }
        if !attempt.denials.is_empty() {
            let denied = line(&attempt.denials.join(", "));
            let tool = attempt.denials.first().filter(|denial| is_name(denial)).map_or("…", String::as_str);
            let allow = format!(
                "`converge update {job} --allow-tool {tool}` allows that alone, where its agent takes names of tools; \
                 `converge update {job} --permissions full` allows everything"
            );
            page.wrapped(&format!("attempt {} was denied {denied}; {allow}", attempt.number), "  ");
        }
    }
    if read.iter().any(|attempt| attempt.conversation.is_some()) {
        page.line(format!("`converge open {job}` goes on by hand with the newest conversation."));
    }
}

/// Whether a denial is no more than the name of a tool.
fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

/// What an agent wrote, on one line and without what would change a terminal.
fn line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
