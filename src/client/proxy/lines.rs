//! Lines: bytes that come in any pieces, cut where they say, and bounded.

use std::mem;

/// How much of a line that is too long is kept, to see whom it is from.
const HEAD_BYTES: usize = 4 << 10;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// The beginning of a line that is longer than is taken.
    TooLong(Vec<u8>),
}

/// Puts lines together.
#[derive(Debug)]
pub(super) struct Cutter {
    bytes_max: usize,
    held: Vec<u8>,
    /// Whether what is held is only the head of a line that is too long.
    is_head: bool,
}

impl Cutter {
    /// One that takes lines of at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: Vec::new(), is_head: false }
    }

    /// Takes what came and gives each line that it ends.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.hold(&bytes[..end]);
            each(self.cut());
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
    }

    /// The last line, when it came without its end.
    pub(super) fn finish(&mut self) -> Option<Line> {
        (!self.held.is_empty()).then(|| self.cut())
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.is_head {
            return;
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > self.bytes_max {
            self.is_head = true;
            self.held.truncate(HEAD_BYTES);
            self.held.shrink_to_fit();
        }
    }

    fn cut(&mut self) -> Line {
        let line = mem::take(&mut self.held);
        if mem::take(&mut self.is_head) { Line::TooLong(line) } else { Line::Whole(line) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, lines: &[Line], last: Option<&Line>) {
        for step in [1, 3, 7, text.len().max(1)] {
            let mut cutter = Cutter::new(10);
            let mut cut = Vec::new();
            for piece in text.as_bytes().chunks(step) {
                cutter.feed(piece, |line| cut.push(line));
            }
            assert_eq!(cut, lines, "{text:?} in pieces of {step}");
            assert_eq!(cutter.finish().as_ref(), last, "{text:?} in pieces of {step}");
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_cut_where_they_end_however_they_come() {
        check("", &[], None);
        check("one\n", &[whole("one")], None);
        check("one\n\ntwo\nthr", &[whole("one"), whole(""), whole("two")], Some(&whole("thr")));
        check("0123456789\n", &[whole("0123456789")], None);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = Line::TooLong(b"0123456789a".to_vec());
        let (mut cutter, mut cut) = (Cutter::new(10), Vec::new());
        for byte in b"0123456789abcdefgh\none\n" {
            cutter.feed(&[*byte], |line| cut.push(line));
        }
        assert_eq!(cut, [long, whole("one")]);
        let mut cutter = Cutter::new(10);
        cutter.feed(b"0123456789abc", |line| panic!("{line:?}"));
        assert!(matches!(cutter.finish(), Some(Line::TooLong(_))));
    }
}
