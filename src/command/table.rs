//! Tables without rules: columns as wide as they must be, the widest broken when the page is narrow.

use crate::command::columns;

/// The space between two columns.
const GAP: usize = 2;

/// No column is made narrower than this, nor than its longest word up to [`WORD_MAX`].
const NARROWEST: usize = 8;

/// A word longer than this may be broken.
const WORD_MAX: usize = 20;

/// Lays `rows` out under `head` in at most `width` columns of a terminal, as far as that can be.
///
/// Cells may hold escape sequences for colour; they take no room. A cell that does not fit its column
/// is broken between words, or anywhere when a word is too long.
pub fn lay_out(head: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut widths: Vec<usize> = head.iter().map(|cell| columns::of(cell)).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(columns::of(cell));
        }
    }
    let narrowest = |column: usize| {
        let words =
            rows.iter().filter_map(|row| row.get(column)).flat_map(|cell| cell.split(' ')).map(columns::of);
        words.filter(|word| *word <= WORD_MAX).max().unwrap_or(0).max(NARROWEST)
    };
    let narrowest: Vec<usize> = (0..widths.len()).map(narrowest).collect();
    fit(&mut widths, &narrowest, width);
    fit(&mut widths, &vec![NARROWEST; narrowest.len()], width);
    std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).flat_map(|row| lines(row, &widths)).collect()
}

/// Takes from the widest column that has room to give until the table fits.
fn fit(widths: &mut [usize], narrowest: &[usize], width: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let with_room = widths.iter_mut().zip(narrowest).filter(|(column, narrowest)| **column > **narrowest);
        match with_room.max_by_key(|(column, _)| **column) {
            Some((widest, _)) => *widest -= 1,
            None => return,
        }
    }
}

fn lines(row: &[String], widths: &[usize]) -> Vec<String> {
    let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, width)| broken(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |place: usize| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let text = cell.get(place).map_or("", String::as_str);
            line.push_str(text);
            line.push_str(&" ".repeat(width.saturating_sub(columns::of(text)) + GAP));
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// A text in lines of at most `width`, broken between words, or anywhere in a plain word that is too long.
///
/// Colour must begin and end within a word, or it would run into the neighbours of a broken cell.
pub fn broken(cell: &str, width: usize) -> Vec<String> {
    if columns::of(cell) <= width {
        return vec![cell.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in cell.split(' ') {
        let mut word = word;
        loop {
            let line = lines.last_mut().expect("there is always a line");
            let used = columns::of(line);
            let space = usize::from(used > 0);
            let coloured = word.contains('\u{1b}');
            if used + space + columns::of(word) <= width || (used == 0 && coloured) {
                line.push_str(&" "[..space]);
                line.push_str(word);
                break;
            }
            if used == 0 {
                // At least a letter, or a column narrower than one would never end.
                let least = word.chars().next().map_or(0, char::len_utf8);
                let cut = columns::beginning(word, width).len().max(least);
                line.push_str(&word[..cut]);
                word = &word[cut..];
            }
            lines.push(String::new());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[&[&str]], width: usize, expected: &[&str]) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect();
        assert_eq!(lay_out(&rows[0], &rows[1..], width), expected);
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        check(&[&["A", "B"], &["one", "2"], &["x", "three"]], 80, &["A    B", "one  2", "x    three"]);
    }

    #[test]
    fn the_widest_column_is_broken_between_words_when_the_page_is_narrow() {
        let rows: &[&[&str]] = &[&["ID", "WHAT"], &["j1", "run the tests until they pass"]];
        check(rows, 20, &["ID  WHAT", "j1  run the tests", "    until they pass"]);
    }

    #[test]
    fn letters_of_two_columns_and_colour_shift_nothing() {
        let rows: &[&[&str]] = &[&["A", "B"], &["日本", "x"], &["\u{1b}[32mok\u{1b}[0m", "y"]];
        check(rows, 80, &["A     B", "日本  x", "\u{1b}[32mok\u{1b}[0m    y"]);
        check(&[&["ID"], &["日本語日本語"]], 8, &["ID", "日本語日", "本語"]);
    }
}
