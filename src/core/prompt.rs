//! Prompts: `{{…}}` in them stands for what differs from run to run.
//!
//! A name alone in braces is a variable, and refused when nobody knows it; so is what begins like a known one and
//! goes on otherwise, for there are no filters. Other code in braces stands in a prompt as it is, and so do
//! `{{{` and `${{`; `\{{` is two braces whatever follows.

use crate::core::nearest::nearest;
use crate::core::refusal::Problem;

/// A prompt longer than so many bytes is refused, as text or as a file.
pub const PROMPT_MAX: u64 = 4 << 20;

/// Braces whose end is farther away than this are told as not closed.
const END_MOST: usize = 64;

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

/// What a prompt refers to that nobody knows, or in a way that means nothing.
pub fn problems(place: &str, text: &str) -> Vec<Problem> {
    let problem = |message, fix: String| {
        Some(Problem::new(place, message).fix(format!("{fix}; `\\{{{{` is two plain braces")))
    };
    let of_piece = |piece| match piece {
        Piece::Text(_) => None,
        Piece::Name(name) if is_known(name) => None,
        Piece::Name(name) => problem(format!("nothing is called `{{{{{name}}}}}`"), meant(name)),
        Piece::Unclosed { written, name } => {
            problem(format!("`{written}` is not closed by `}}}}`"), meant(name))
        }
        Piece::More { written, name } => {
            let squeezed: String = inner(written).split_whitespace().collect();
            let name = same(&squeezed).unwrap_or(name);
            let message =
                format!("`{written}` is more than a name: there are no filters, and no spaces in names");
            problem(message, meant(name))
        }
    };
    pieces(text).filter_map(of_piece).collect()
}

/// What to write for a name, as a fix begins.
fn meant(name: &str) -> String {
    let known = NAMES.map(|(known, _)| known);
    match same(name).or_else(|| nearest(name, known)) {
        Some(near) => format!("did you mean `{{{{{near}}}}}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}

fn is_known(name: &str) -> bool {
    NAMES.iter().any(|(known, _)| *known == name)
}

/// The known name that this is when case and what joins its words do not count.
fn same(name: &str) -> Option<&'static str> {
    let folded = |name: &str| name.replace(['.', '-', '_'], "").to_lowercase();
    NAMES.iter().find_map(|(known, _)| (folded(known) == folded(name)).then_some(*known))
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
            Piece::Unclosed { written, .. } | Piece::More { written, .. } => rendered.push_str(written),
            Piece::Name(name) => rendered.push_str(&value(name).unwrap_or_default()),
        }
    }
    rendered
}

/// A part of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// A name and nothing else in braces, known or not.
    Name(&'t str),
    /// What begins like a known name, and does not end.
    Unclosed {
        written: &'t str,
        name: &'t str,
    },
    /// What begins like a known name, and goes on otherwise.
    More {
        written: &'t str,
        name: &'t str,
    },
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut next = None;
    std::iter::from_fn(move || {
        if let Some(piece) = next.take() {
            return Some(piece);
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(at) = rest[from..].find("{{").map(|at| from + at) {
            let (before, braces) = rest.split_at(at);
            if let Some(plain) = before.strip_suffix('\\') {
                // The braces stay, the stroke before them goes.
                if plain.is_empty() {
                    rest = &braces[2..];
                    return Some(Piece::Text("{{"));
                }
                rest = &rest[at - 1..];
                return Some(Piece::Text(plain));
            }
            let many = braces.len() - braces.trim_start_matches('{').len();
            if many == 2
                && !before.ends_with('$')
                && let Some((piece, behind)) = variable(braces)
            {
                rest = behind;
                if before.is_empty() {
                    return Some(piece);
                }
                next = Some(piece);
                return Some(Piece::Text(before));
            }
            from = at + many;
        }
        Some(Piece::Text(std::mem::take(&mut rest)))
    })
}

/// What stands in two braces at the beginning of `text`, with what is behind it, unless it is code of others.
fn variable(text: &str) -> Option<(Piece<'_>, &str)> {
    let name = text[2..].trim_start();
    let letters = |letter: char| letter.is_alphanumeric() || "_.-".contains(letter);
    let (name, behind) = name.split_at(name.find(|letter| !letters(letter)).unwrap_or(name.len()));
    if !name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
        return None;
    }
    if let Some(behind) = behind.trim_start().strip_prefix("}}") {
        return Some((Piece::Name(name), behind));
    }
    if !begins_like_one(name, behind) {
        return None;
    }
    let (unclosed, behind) = text.split_at(text.len() - behind.len());
    let Some(end) = end(behind) else {
        return Some((Piece::Unclosed { written: unclosed, name }, behind));
    };
    let (written, behind) = text.split_at(unclosed.len() + end);
    Some((Piece::More { written, name }, behind))
}

/// Whether that is a known name, or the first part of one where a dot or a blank follows.
fn begins_like_one(name: &str, behind: &str) -> bool {
    let (first, ends) = match name.split_once('.') {
        Some((first, _)) => (first, true),
        None => (name, behind.starts_with(char::is_whitespace)),
    };
    let part = |known: &str| known.split('.').next().is_some_and(|part| part.eq_ignore_ascii_case(first));
    same(name).is_some() || (ends && NAMES.iter().any(|(known, _)| part(known)))
}

/// Where braces end that others were opened by, on the same line and before others open.
fn end(text: &str) -> Option<usize> {
    let near = &text.as_bytes()[..text.len().min(END_MOST)];
    let at = near.windows(2).position(|pair| pair == b"}}" || pair == b"{{" || pair[0] == b'\n')?;
    near[at..].starts_with(b"}}").then_some(at + 2)
}

/// What stands between the braces of something that is closed.
fn inner(written: &str) -> &str {
    written.trim_start_matches('{').trim_end_matches('}')
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
        check("{{ job.name\t}} {{\njob.name\n}}", "tidy tidy");
        check("", "");
    }

    #[test]
    fn code_in_braces_stays_as_it_is() {
        for code in [
            "{{ 1 + 1 }} {{ x + 1 }} {{0}} {{.Names}} {{-1}} {{}} {{",
            "{{#each}} {{/each}} {{> part}} {{!-- no --}} {{{job.name}}} {{{ x }}} {{{{x}}}}",
            "${{ secrets.X }} ${{ github.ref }} ${{ job.status }} {%if%} {# no #}",
            "{{ job: 1 }} {{runner | x}} {{ goals + 1 }} {{f(x)}} {{ x",
            "{{\u{2713} \u{2713}}}",
        ] {
            check(code, code);
            assert_eq!(problems("prompt", code), [], "{code}");
        }
        let many = "{{".repeat(1 << 20);
        assert_eq!(render(&many, |_| None).len(), many.len());
        let many = "{{job.".repeat(1 << 16);
        assert_eq!(render(&many, |_| None).len(), many.len());
    }

    #[track_caller]
    fn check_refused(text: &str, message: &str, fix: &str) {
        let found = problems("prompt", text);
        let fix = format!("{fix}; `\\{{{{` is two plain braces");
        assert_eq!(found, [Problem::new("prompt", message).fix(fix)], "{text}");
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_with_the_nearest() {
        let refused = |name: &str, near: &str| {
            let fix = format!("did you mean `{{{{{near}}}}}`?");
            check_refused(&format!("{{{{ {name} }}}}"), &format!("nothing is called `{{{{{name}}}}}`"), &fix);
        };
        refused("last.resalt", "last.result");
        refused("Feedback", "feedback");
        refused("JOB.NAME", "job.name");
        refused("job-name", "job.name");
        refused("lastExitCode", "last.exit_code");
        refused("LAST_EXIT-CODE", "last.exit_code");
        let all = NAMES.map(|(known, _)| known).join(", ");
        check_refused("{{nobody}}", "nothing is called `{{nobody}}`", &format!("there are {all}"));
        assert_eq!(problems("prompt", "{{feedback}} \\{{nobody}} {{ 1 }}"), []);
    }

    #[test]
    fn what_begins_like_a_known_name_and_goes_on_otherwise_is_refused() {
        let more = |written: &str, near: &str| {
            let message =
                format!("`{written}` is more than a name: there are no filters, and no spaces in names");
            check_refused(written, &message, &format!("did you mean `{{{{{near}}}}}`?"));
            check(written, written);
        };
        more("{{last.result | upper}}", "last.result");
        more("{{ job .name }}", "job.name");
        more("{{job name}}", "job.name");
        more("{{feedback!}}", "feedback");
        more("{{ Goal|upper }}", "goal");
        more("{{last.resalt | upper}}", "last.result");
        let unclosed = |text: &str, written: &str, near: &str| {
            let message = format!("`{written}` is not closed by `}}}}`");
            check_refused(text, &message, &format!("did you mean `{{{{{near}}}}}`?"));
        };
        unclosed("{{last.result", "{{last.result", "last.result");
        unclosed("{{last.result} and", "{{last.result", "last.result");
        unclosed("{{ goal\n{{feedback}}", "{{ goal", "goal");
        unclosed("{{goal {{feedback}}", "{{goal", "goal");
    }
}
