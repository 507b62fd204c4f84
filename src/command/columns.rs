//! Columns: how much room a text takes on a terminal, where letters may be of no width or of two.

/// Letters that change the one before and take no room.
const NONE: [(u32, u32); 11] = [
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x064b, 0x065f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x2060, 0x2064),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
];

/// Letters of two columns: those of East Asia in their wide form, and pictures.
const TWO: [(u32, u32); 24] = [
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x23e9, 0x23ec),
    (0x25fd, 0x25fe),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x26a1, 0x26a1),
    (0x26d4, 0x26d4),
    (0x2705, 0x2705),
    (0x270a, 0x270b),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x2753, 0x2757),
    (0x2b50, 0x2b50),
    (0x2e80, 0x303e),
    (0x3041, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1faff),
    (0x20000, 0x3fffd),
];

/// How many columns a letter takes.
fn of_letter(letter: char) -> usize {
    let code = u32::from(letter);
    let is_in = |ranges: &[(u32, u32)]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&code));
    if code < 0x300 {
        1
    } else if is_in(&NONE) {
        0
    } else if is_in(&TWO) {
        2
    } else {
        1
    }
}

/// How many columns a text takes, escape sequences left out.
pub fn of(text: &str) -> usize {
    let mut width = 0;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            width += of_letter(letter);
        }
    }
    width
}

/// As much of the beginning of a plain text as takes at most `most` columns.
pub fn beginning(text: &str, most: usize) -> &str {
    let mut width = 0;
    let end = text.char_indices().find(|(_, letter)| {
        width += of_letter(*letter);
        width > most
    });
    end.map_or(text, |(place, _)| &text[..place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_take_the_columns_that_a_terminal_gives_them() {
        let widths =
            ["plain", "übung", "u\u{308}", "日本語", "한국", "✅ ok", "🚀", "\u{1b}[32mok\u{1b}[0m"].map(of);
        assert_eq!(widths, [5, 5, 1, 6, 4, 5, 2, 2]);
    }

    #[test]
    fn a_beginning_never_takes_more_than_it_may() {
        assert_eq!(beginning("日本語", 5), "日本");
        assert_eq!(beginning("日本語", 6), "日本語");
        assert_eq!(beginning("ab", 0), "");
        assert_eq!(beginning("u\u{308}x", 1), "u\u{308}");
    }
}
