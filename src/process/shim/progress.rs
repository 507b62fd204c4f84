//! Progress: which lines of an agent's output say that it gets on, and how many of its tools are at work.
//!
//! A line is judged by texts that stand in it, once, when its end has come or so much of it that what is
//! missing says nothing new. Lines that come in pieces are put together; no more than the head of one is ever
//! held, whatever an agent writes.

use crate::core::span::Span;
use crate::engine::ports::Progress;

/// So much of a line is looked at; events say what they are at their beginning.
const HEAD_BYTES: usize = 64 * 1024;

/// What the lines of one output have said until now.
pub(super) struct Meter {
    progress: Progress,
    /// The beginning of a line whose end has not come.
    head: Vec<u8>,
    /// Whether the line was judged by its head, and the rest of it is passed over.
    is_judged: bool,
    /// How many calls of tools have begun and not ended.
    at_work: usize,
}

impl Meter {
    /// One that has read nothing.
    pub(super) fn new(progress: Progress) -> Self {
        Self { progress, head: Vec::new(), is_judged: false, at_work: 0 }
    }

    /// Reads what comes next, and says whether there was progress in it.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        let mut is_progress = false;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            is_progress |= self.take(piece);
        }
        is_progress
    }

    /// How long there may be no progress, where that is `idle` while no tool is at work. A tool has never less
    /// than that, and where there is no bound it has none either.
    pub(super) fn allowance(&self, idle: Option<Span>) -> Option<Span> {
        let tool_idle = self.progress.tool_idle.filter(|_| self.at_work > 0);
        idle.map(|idle| tool_idle.map_or(idle, |tool_idle| tool_idle.max(idle)))
    }

    /// Takes a line, or a piece of one.
    fn take(&mut self, piece: &[u8]) -> bool {
        let is_end = piece.ends_with(b"\n");
        let is_progress = if self.is_judged {
            false
        } else if self.head.is_empty() && (is_end || piece.len() >= HEAD_BYTES) {
            self.is_judged = true;
            self.judge(&piece[..piece.len().min(HEAD_BYTES)])
        } else {
            let room = HEAD_BYTES - self.head.len();
            self.head.extend_from_slice(&piece[..piece.len().min(room)]);
            self.is_judged = is_end || self.head.len() == HEAD_BYTES;
            self.is_judged && self.judge_head()
        };
        if is_end {
            self.is_judged = false;
        }
        is_progress
    }

    fn judge_head(&mut self) -> bool {
        let mut head = std::mem::take(&mut self.head);
        let is_progress = self.judge(&head);
        // Given back for the next line that comes in pieces.
        head.clear();
        self.head = head;
        is_progress
    }

    /// Whether a line is progress; counts the tools that begin and end in it.
    fn judge(&mut self, line: &[u8]) -> bool {
        let count = |texts: &[String]| texts.iter().map(|text| occurrences(line, text)).sum::<usize>();
        let (begun, ended) = (count(&self.progress.tool_starts), count(&self.progress.tool_ends));
        self.at_work = (self.at_work + begun).saturating_sub(ended);
        let says = |text: &String| occurrences(line, text) > 0;
        begun + ended > 0 || self.progress.lines.iter().any(says)
    }
}

/// How often `text` stands in `line`; an empty one stands nowhere.
fn occurrences(line: &[u8], text: &str) -> usize {
    let Some((first, rest)) = text.as_bytes().split_first() else { return 0 };
    let begins = line.iter().enumerate().filter(|(_, byte)| *byte == first);
    begins.filter(|(place, _)| line[place + 1..].starts_with(rest)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        let words = |word: &str| vec![word.to_owned()];
        Meter::new(Progress {
            lines: words("\"said\""),
            tool_starts: words("\"begin\""),
            tool_ends: words("\"end\""),
            tool_idle: Some(Span::from_secs(9)),
        })
    }

    /// Reads pieces one after the other, and says which brought progress.
    #[track_caller]
    fn check(pieces: &[&str], expected: &[bool]) -> Meter {
        let mut meter = meter();
        let found: Vec<bool> = pieces.iter().map(|piece| meter.read(piece.as_bytes())).collect();
        assert_eq!(found, expected, "{pieces:?}");
        meter
    }

    #[test]
    fn a_line_is_progress_by_what_stands_in_it() {
        check(&["\"said\"\n", "thinking\n", "said\n", "\n"], &[true, false, false, false]);
        check(&["x\n{\"said\":1}\ny\n"], &[true]);
    }

    #[test]
    fn a_line_in_pieces_is_one_line_and_counts_once() {
        check(&["{\"sa", "id\"", "}\n", "x\n"], &[false, false, true, false]);
        // Two lines that only together have the text are two lines.
        check(&["{\"sa\n", "id\"\n"], &[false, false]);
        let meter = check(&["\"be", "gin\" \"begin\"", "\n"], &[false, false, true]);
        assert_eq!(meter.at_work, 2);
    }

    #[test]
    fn only_the_head_of_a_long_line_is_looked_at_and_no_more_is_held() {
        let filler = "x".repeat(HEAD_BYTES - 6);
        check(&[&filler, "\"said\"", "\"said\"", "\n", "\"said\"\n"], &[false, true, false, false, true]);
        check(&[&filler, "xx\"said\"\n", "\"said\"\n"], &[false, false, true]);
        let mut meter = meter();
        for _ in 0..20 {
            assert!(!meter.read("y".repeat(HEAD_BYTES / 2 + 1).as_bytes()));
        }
        assert!(meter.head.len() <= HEAD_BYTES);
    }

    #[test]
    fn tools_at_work_have_their_own_allowance_and_are_never_fewer_than_none() {
        let idle = Some(Span::from_secs(1));
        let tools = Some(Span::from_secs(9));
        let mut meter = meter();
        for (line, allowance) in [
            ("\"end\"\n", idle),
            ("\"begin\"\n", tools),
            ("\"begin\"\n", tools),
            ("\"end\"\n", tools),
            ("\"said\"\n", tools),
            ("\"end\" \"end\"\n", idle),
            ("\"begin\"\n", tools),
        ] {
            assert!(meter.read(line.as_bytes()), "{line}");
            assert_eq!(meter.allowance(idle), allowance, "{line}");
        }
        meter.progress.tool_idle = None;
        assert_eq!(meter.allowance(idle), idle);
    }

    #[test]
    fn a_tool_at_work_is_never_allowed_less_than_was_asked_for() {
        let mut meter = meter();
        assert!(meter.read(b"\"begin\"\n"));
        let longer = Some(Span::from_secs(10));
        assert_eq!(meter.allowance(longer), longer);
        assert_eq!(meter.allowance(None), None);
    }

    #[test]
    fn how_output_is_cut_into_reads_makes_no_difference() {
        let text = "\"begin\"\nnothing\n\"said\" and \"end\" \u{2713}\n\n\"begin\"".repeat(50);
        let mut whole = meter();
        whole.read(text.as_bytes());
        for size in 1..40 {
            let mut cut = meter();
            for chunk in text.as_bytes().chunks(size) {
                cut.read(chunk);
            }
            assert_eq!((cut.at_work, &cut.head), (whole.at_work, &whole.head), "{size}");
        }
    }
}
