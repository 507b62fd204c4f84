//! Lines: what a client sends, cut where it says, and bounded.

use std::io::{self, BufRead, Read};

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

/// Reads the next line of at most `bytes_max` bytes.
pub(super) fn next(reader: &mut impl BufRead, bytes_max: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.by_ref().take(most).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Line::Whole(line));
    }
    if line.len() <= bytes_max {
        return Ok(Line::End);
    }
    drop(line);
    skip_line(reader)
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<Line> {
    loop {
        let held = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            held => held?,
        };
        if held.is_empty() {
            return Ok(Line::End);
        }
        let (length, ended) = match held.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (held.len(), false),
        };
        reader.consume(length);
        if ended {
            return Ok(Line::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn check(text: &str, expected: &[Line]) {
        // A buffer of three bytes, so that every line comes in pieces.
        let mut reader = BufReader::with_capacity(3, text.as_bytes());
        for line in expected.iter().chain([&Line::End]) {
            assert_eq!(next(&mut reader, 10).expect("bytes can be read"), *line, "{text:?}");
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
