//! Prompts: `{{…}}` in them stands for what differs from run to run.
//!
//! Only a name that is made of letters, dots and underscores counts, so that code with braces in it may stand in a
//! prompt as it is; `\{{` is two braces whatever follows. A name that nobody knows is refused.

use crate::core::nearest::nearest;
use crate::core::refusal::Problem;

/// A prompt longer than so many bytes is refused, as text or as a file.
pub const PROMPT_MAX: u64 = 4 << 20;

/// Braces whose end is farther away than this are no name.
const NAME_BYTES_MAX: usize = 64;

/// Every name that a prompt may have, with what it stands for.
pub const NAMES: [(&str, &str); 12] = [
    ("job.name", "the job's name"),
    ("job.id", "the job's id"),
    ("run.id", "the run's id"),
    ("run.number", "the how-manieth run it is"),
    ("slot", "the instant a scheduled run stands for"),
    ("goal", "what must hold for the job to be done"),
    ("feedback", "what the checks found lacking after the run before"),
    ("last.result", "what the run before said in the end"),
    ("last.state", "how the run before ended"),
    ("last.reason", "why"),
    ("last.exit_code", "the exit code of the run before"),
    ("last.unmet", "what was not met after the run before"),
];

/// What a prompt refers to that nobody knows.
pub fn problems(place: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for piece in pieces(text) {
        if let Piece::Name(name) = piece
            && !NAMES.iter().any(|(known, _)| *known == name)
        {
            let known = NAMES.map(|(known, _)| known);
            let fix = match nearest(name, known) {
                Some(near) => format!("did you mean `{{{{{near}}}}}`? `\\{{{{` is two plain braces"),
                None => format!("there are {}; `\\{{{{` is two plain braces", known.join(", ")),
            };
            problems.push(Problem::new(place, format!("nothing is called `{{{{{name}}}}}`")).fix(fix));
        }
    }
    problems
}

/// Whether a prompt has a place for what `name` stands for.
pub fn mentions(text: &str, name: &str) -> bool {
    pieces(text).any(|piece| piece == Piece::Name(name))
}

/// The prompt with everything in it that differs from run to run; `value` answers for each name, and what it
/// does not know becomes nothing.
pub fn render(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut rendered = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => rendered.push_str(text),
            Piece::Name(name) => rendered.push_str(&value(name).unwrap_or_default()),
        }
    }
    rendered
}

/// A part of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut name = None;
    std::iter::from_fn(move || {
        if let Some(name) = name.take() {
            return Some(Piece::Name(name));
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(at) = rest[from..].find("{{").map(|at| from + at) {
            if rest[..at].ends_with('\\') {
                // The braces stay, the stroke before them goes.
                let plain = &rest[..at - 1];
                if plain.is_empty() {
                    rest = &rest[at + 2..];
                    return Some(Piece::Text("{{"));
                }
                rest = &rest[at - 1..];
                return Some(Piece::Text(plain));
            }
            if let Some(found) = name_of(&rest[at + 2..]) {
                let before = &rest[..at];
                rest = &rest[at + 2 + found.length..];
                name = Some(found.name);
                return if before.is_empty() {
                    name.take().map(Piece::Name)
                } else {
                    Some(Piece::Text(before))
                };
            }
            from = at + 1;
        }
        Some(Piece::Text(std::mem::take(&mut rest)))
    })
}

struct Found<'t> {
    name: &'t str,
    length: usize,
}

/// The name at the beginning of `text`, which is what follows two braces, when it is one.
fn name_of(text: &str) -> Option<Found<'_>> {
    // No farther, so that many braces without an end are not each looked through to the end of the prompt.
    let near = &text.as_bytes()[..text.len().min(NAME_BYTES_MAX + 2)];
    let end = near.windows(2).position(|pair| pair == b"}}")?;
    let name = text[..end].trim_matches(' ');
    let is_name = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_');
    is_name.then_some(Found { name, length: end + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let rendered = render(text, |name| (name == "job.name").then(|| "tidy".to_owned()));
        assert_eq!(rendered, expected, "{text}");
    }

    #[test]
    fn names_are_replaced_and_everything_else_stays() {
        check("do {{job.name}}, {{ job.name }}!", "do tidy, tidy!");
        check("{{job.name}}{{job.name}}", "tidytidy");
        check("said: {{last.result}}.", "said: .");
        check("a \\{{job.name}} b \\{{", "a {{job.name}} b {{");
        check("\\{{job.name}}{{job.name}}", "{{job.name}}tidy");
        check("{{ 1 + 1 }} {{{job.name}}} {{#each}} {{", "{{ 1 + 1 }} {tidy} {{#each}} {{");
        check("{%if%} {# no #} ${{ Secrets.X }}", "{%if%} {# no #} ${{ Secrets.X }}");
        check("", "");
    }

    #[test]
    fn braces_are_a_name_only_when_they_end_soon() {
        let padded = |spaces: usize| format!("{{{{{}job.name}}}}", " ".repeat(spaces));
        check(&padded(NAME_BYTES_MAX - 8), "tidy");
        check(&padded(NAME_BYTES_MAX - 7), &padded(NAME_BYTES_MAX - 7));
        // Where letters of several bytes are cut makes no difference.
        for length in 20..24 {
            let text = format!("{{{{{}\u{2713}}}}}", "\u{2713}".repeat(length));
            check(&text, &text);
        }
        let many = "{{".repeat(1 << 20);
        assert_eq!(render(&many, |_| None).len(), many.len());
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_with_the_nearest() {
        let told = |text: &str| -> Vec<String> {
            problems("prompt", text).into_iter().map(|problem| problem.fix.unwrap_or_default()).collect()
        };
        assert_eq!(told("{{last.resalt}}"), ["did you mean `{{last.result}}`? `\\{{` is two plain braces"]);
        assert_eq!(told("{{feedback}} \\{{nobody}} {{ 1 }}"), Vec::<String>::new());
        assert_eq!(told("{{nobody}}").len(), 1);
    }
}
