//! Lines: what a client sends, cut where it says, and bounded.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// What came next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A line longer than is taken; it was read and is gone.
    TooLong,
    /// The end; what came after the last line's end was cut off and means nothing.
    End,
}

/// Lines from a stream.
#[derive(Debug)]
pub(super) struct Lines<R> {
    stream: BufReader<R>,
    bytes_max: usize,
    /// The beginning of the next line.
    begun: Vec<u8>,
    /// Whether the line that is being read is too long, so that only its end matters.
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `bytes_max` bytes.
    pub(super) fn new(stream: R, bytes_max: usize) -> Self {
        Self { stream: BufReader::new(stream), bytes_max, begun: Vec::new(), skipping: false }
    }

    /// The next line. Whoever stops waiting for it loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<Line> {
        loop {
            let held = match self.stream.fill_buf().await {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                held => held?,
            };
            if held.is_empty() {
                return Ok(Line::End);
            }
            let end = held.iter().position(|byte| *byte == b'\n');
            let part = &held[..end.unwrap_or(held.len())];
            self.skipping |= self.begun.len() + part.len() > self.bytes_max;
            if self.skipping {
                self.begun = Vec::new();
            } else {
                self.begun.extend_from_slice(part);
            }
            let length = end.map_or(held.len(), |end| end + 1);
            self.stream.consume(length);
            if end.is_some() {
                let line = std::mem::take(&mut self.begun);
                let was_skipped = std::mem::take(&mut self.skipping);
                return Ok(if was_skipped { Line::TooLong } else { Line::Whole(line) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Line]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // A buffer of three bytes, so that every line comes in pieces.
        let stream = BufReader::with_capacity(3, text.as_bytes());
        let mut lines = Lines { stream, bytes_max: 10, begun: Vec::new(), skipping: false };
        for line in expected.iter().chain([&Line::End]) {
            assert_eq!(runtime.block_on(lines.next()).expect("bytes can be read"), *line, "{text:?}");
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_cut_where_they_end_however_they_come() {
        check("", &[]);
        check("one\n", &[whole("one")]);
        check("one\n\ntwo\n", &[whole("one"), whole(""), whole("two")]);
        check("0123456789\n", &[whole("0123456789")]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        check("0123456789a\none\n", &[Line::TooLong, whole("one")]);
        check("0123456789abcdefghijk\none\n", &[Line::TooLong, whole("one")]);
    }

    #[test]
    fn a_line_that_was_cut_off_means_nothing() {
        check("one\ntw", &[whole("one")]);
        check("0123456789abcdef", &[]);
    }
}
