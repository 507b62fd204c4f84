//! A place in a text that is being read, and the steps from there.

pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// The byte that is read next.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn place(&self, at: usize) -> String {
        format!("column {}", self.text[..at].chars().count() + 1)
    }

    pub(super) fn space(&mut self) {
        self.take(char::is_whitespace);
    }

    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub(super) fn letter(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub(super) fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|letter| !wanted(letter)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    pub(super) fn word(&mut self) -> &'a str {
        self.take(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
    }

    /// Passes over space and any of `words` that only make a condition nicer to read.
    pub(super) fn filler(&mut self, words: &[&str]) {
        loop {
            self.space();
            let passed = words.iter().any(|word| {
                let after = self.rest().strip_prefix(word).unwrap_or("a");
                let ends = !word.ends_with(char::is_alphabetic) || !after.starts_with(is_plain);
                self.rest().starts_with(word) && ends && self.eat(word)
            });
            if !passed {
                return;
            }
        }
    }

    /// The letter that an escape stands for; its backslash is already read.
    pub(super) fn escape(&mut self) -> Option<char> {
        match self.letter()? {
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' if self.eat("{") => {
                let digits = self.take(|letter| letter.is_ascii_hexdigit());
                let letter = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
                self.eat("}").then_some(letter)
            }
            letter @ ('"' | '\\' | '/') => Some(letter),
            _ => None,
        }
    }
}

/// What needs no quotes in a path or a command, here or in a shell.
pub(super) fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | '-')
}
