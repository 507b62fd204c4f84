//! Lines: what a stream comes to, whatever the pieces in which it comes.

use std::mem;

/// A longer line is passed over, and so is a longer document.
pub(super) const LINE_MAX: usize = 16 << 20;

/// The room of a line up to here is used again.
const ROOM_MAX: usize = 1 << 20;

/// Puts lines together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end is not there yet.
    begun: Vec<u8>,
    /// Whether that is too long already.
    is_passed_over: bool,
}

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// With its end, where it has one.
    Whole(&'a [u8]),
    /// Longer than any line may be.
    TooLong,
}

impl Lines {
    /// Hands on the lines that end in the next piece of a stream.
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(Line<'_>)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if ends && self.begun.is_empty() && !self.is_passed_over && piece.len() <= LINE_MAX {
                line(Line::Whole(piece));
                continue;
            }
            if !self.is_passed_over && self.begun.len() + piece.len() > LINE_MAX {
                self.is_passed_over = true;
                self.begun = Vec::new();
            }
            if !self.is_passed_over {
                self.begun.extend_from_slice(piece);
            }
            if ends {
                self.end(&mut line);
            }
        }
    }

    /// Hands on the line that has begun, if any.
    pub(super) fn end(&mut self, mut line: impl FnMut(Line<'_>)) {
        if mem::take(&mut self.is_passed_over) {
            line(Line::TooLong);
        } else if !self.begun.is_empty() {
            line(Line::Whole(&self.begun));
        }
        self.begun.clear();
        if self.begun.capacity() > ROOM_MAX {
            self.begun = Vec::new();
        }
    }
}
