//! Plain text: what is left of what programs wrote when nothing of it acts on a terminal or hides.

/// Text as it is seen: without escape sequences, control characters and invisible letters.
///
/// Newlines and tabs stay, and a return of the carriage is a new line.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => match letters.next() {
                Some('[') => skip_control(&mut letters),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut letters),
                Some('\n') => plain.push('\n'),
                Some(_) | None => {}
            },
            '\u{9b}' => skip_control(&mut letters),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut letters),
            '\r' => {
                if letters.peek() != Some(&'\n') {
                    plain.push('\n');
                }
            }
            '\n' | '\t' => plain.push(letter),
            letter if letter.is_control() || is_invisible(letter) => {}
            letter => plain.push(letter),
        }
    }
    plain
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips the rest of a control sequence: up to its final letter, and never over the end of a line.
fn skip_control(letters: &mut Letters<'_>) {
    while let Some(letter) = letters.next_if(|letter| *letter != '\n') {
        if ('\u{40}'..='\u{7e}').contains(&letter) {
            return;
        }
    }
}

/// Skips the rest of a control string: up to its terminator, and never over the end of a line.
fn skip_string(letters: &mut Letters<'_>) {
    while let Some(letter) = letters.next_if(|letter| *letter != '\n') {
        if letter == '\u{7}' || letter == '\u{9c}' {
            return;
        }
        if letter == '\u{1b}' {
            letters.next_if(|letter| *letter == '\\');
            return;
        }
    }
}

/// Letters that take no room, or turn the order of others: what they say is seen by models alone.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}
