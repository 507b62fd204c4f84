//! The short text form of a condition.
//!
//! ```text
//! exit 0                    output /all \d+ passed/i       output "plain text"
//! check "cargo test"        file out.txt                   file "with space.txt"
//! not exit 1                any(exit 0, file out.txt)      all(…, …)
//! ```
//!
//! Between slashes `\/` is a slash and everything else is the pattern's; `i`, `m` and `s` may follow as
//! flags. Between double quotes `\"`, `\\`, `\n`, `\r`, `\t` and `\u{…}` are escapes; between single
//! quotes nothing is. A few other spellings are read as well (`exit=0`, `stdout matches /x/`, a fenced
//! block of JSON), but this is how a condition is written.

use std::str::FromStr;

use crate::core::condition::cursor::{Cursor, is_plain};
use crate::core::condition::{Condition, Operator, json, rules};
use crate::core::nearest::nearest;
use crate::core::refusal::Problem;

/// The first words a condition can have.
const WORDS: [&str; 9] = ["exit", "exitCode", "output", "stdout", "check", "file", "not", "any", "all"];

impl FromStr for Condition {
    type Err = Vec<Problem>;

    /// Reads the text form, or the JSON form when the text begins with a brace.
    fn from_str(text: &str) -> Result<Self, Vec<Problem>> {
        let text = without_fence(text.trim());
        match text.as_bytes().first() {
            Some(b'{' | b'[') => json::parse(text),
            _ => read(text, 1),
        }
    }
}

/// Takes the content out of a fenced block of Markdown.
fn without_fence(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        Some((_language, inner)) => inner.trim(),
        None => text,
    }
}

/// Reads the text form of a condition that stands `level` conditions deep.
pub(super) fn read(text: &str, level: usize) -> Result<Condition, Vec<Problem>> {
    let mut reader = Reader { cursor: Cursor::new(text), parentheses: 0, problems: Vec::new() };
    let condition = reader.whole(level).ok().flatten();
    rules::finish(condition, reader.problems)
}

/// The problem is noted, and what follows it cannot be read.
struct Halt;

/// What a part came to: none when there is a problem in it that reading can go on after.
type Part = Result<Option<Condition>, Halt>;

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// How many are open.
    parentheses: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn whole(&mut self, level: usize) -> Part {
        if self.cursor.text.trim().is_empty() {
            return self.halt(0, "an empty condition", rules::FORMS);
        }
        let condition = self.condition(level)?;
        self.cursor.space();
        if !self.cursor.rest().is_empty() {
            return self.unexpected();
        }
        Ok(condition)
    }

    fn condition(&mut self, level: usize) -> Part {
        self.cursor.space();
        let start = self.cursor.at;
        if let Err(problem) = rules::level(level, &self.cursor.place(start)) {
            self.problems.push(problem);
            return Err(Halt);
        }
        if self.cursor.eat("(") {
            return self.group(level);
        }
        if self.cursor.eat("!") {
            return self.not(level);
        }
        let word: String = self.cursor.word().chars().filter(|letter| !matches!(letter, '_' | '-')).collect();
        match word.to_lowercase().as_str() {
            "exit" | "exitcode" => self.exit_code(start),
            "output" | "stdout" => self.output(start),
            "stdoutmatches" | "outputmatches" => self.pattern_or_halt(start),
            "check" => self.check(start),
            "file" | "fileexists" => self.file(start),
            "not" => self.not(level),
            "any" => self.compound(Operator::Any, level, start),
            "all" => self.compound(Operator::All, level, start),
            _ => self.unknown(start),
        }
    }

    fn group(&mut self, level: usize) -> Part {
        self.parentheses += 1;
        let inner = self.condition(level + 1)?;
        self.cursor.space();
        if !self.cursor.eat(")") {
            return self.unexpected();
        }
        self.parentheses -= 1;
        Ok(inner)
    }

    fn not(&mut self, level: usize) -> Part {
        let inner = self.condition(level + 1)?;
        Ok(inner.map(|inner| Condition::Not(Box::new(inner))))
    }

    fn compound(&mut self, operator: Operator, level: usize, start: usize) -> Part {
        let word = operator.word();
        self.cursor.space();
        if !self.cursor.eat("(") {
            let fix = format!("write {word}(exit 0, output /all passed/)");
            return self.halt(start, format!("`{word}` without its conditions"), fix);
        }
        self.parentheses += 1;
        let mut conditions = Vec::new();
        let mut members = 0;
        loop {
            self.cursor.space();
            if self.cursor.eat(")") {
                break;
            }
            conditions.extend(self.condition(level + 1)?);
            members += 1;
            self.cursor.space();
            if !self.cursor.eat(",") && !self.cursor.rest().starts_with(')') {
                return self.unexpected();
            }
        }
        self.parentheses -= 1;
        let place = self.cursor.place(start);
        let enough = rules::members(operator, members, &place);
        Ok(self.keep(enough.map(|()| Condition::Compound { operator, conditions })))
    }

    fn exit_code(&mut self, start: usize) -> Part {
        self.cursor.filler(&["code", "is", "==", "=", ":"]);
        let number_at = self.cursor.at;
        self.cursor.eat("-");
        self.cursor.take(|letter| letter.is_ascii_digit());
        let number = &self.cursor.text[number_at..self.cursor.at];
        match number.parse::<i64>() {
            Ok(code) => {
                let place = self.cursor.place(number_at);
                Ok(self.keep(rules::exit_code(code, &place)))
            }
            Err(_) if number.len() < 2 => self.halt(start, "`exit` without a code", "write exit 0"),
            Err(_) => {
                let fix = "an exit code is a number from 0 to 255";
                self.note(number_at, format!("no process exits with {}", rules::shorten(number)), fix);
                Ok(None)
            }
        }
    }

    fn output(&mut self, start: usize) -> Part {
        self.cursor.space();
        let before = self.cursor.at;
        match self.cursor.word().to_lowercase().as_str() {
            "matches" | "match" => return self.pattern_or_halt(start),
            "contains" | "has" | "includes" => {}
            _ => {
                self.cursor.at = before;
                if self.cursor.rest().starts_with('/') {
                    return self.pattern_or_halt(start);
                }
            }
        }
        self.cursor.space();
        let place = self.cursor.place(self.cursor.at);
        match self.string()? {
            Some(text) => Ok(self.keep(rules::contains(text, &place))),
            None => self.halt(
                start,
                "`output` without what to look for",
                "write output /regex/ for a pattern or output \"text\" for plain text",
            ),
        }
    }

    fn pattern_or_halt(&mut self, start: usize) -> Part {
        self.cursor.space();
        let opened_at = self.cursor.at;
        if !self.cursor.eat("/") {
            return self.halt(start, "no pattern between slashes", "write output /regex/");
        }
        let mut source = String::new();
        loop {
            match (self.cursor.letter(), self.cursor.rest().chars().next()) {
                (None, _) => {
                    let fix = "end it with / and write \\/ for a slash inside";
                    return self.halt(opened_at, "a pattern without its closing slash", fix);
                }
                (Some('/'), _) => break,
                (Some('\\'), Some(escaped)) => {
                    self.cursor.at += escaped.len_utf8();
                    source.extend((escaped != '/').then_some('\\').into_iter().chain([escaped]));
                }
                (Some(letter), _) => source.push(letter),
            }
        }
        let flags_at = self.cursor.at;
        let flags = self.cursor.take(char::is_alphanumeric);
        if let Some(odd) = flags.chars().find(|flag| !matches!(flag, 'i' | 'm' | 's')) {
            let fix = "the flags are i, m and s; write \\/ for a slash inside the pattern";
            return self.halt(flags_at, format!("`{odd}` is no flag of a pattern"), fix);
        }
        if !flags.is_empty() && !source.is_empty() {
            source.insert_str(0, &format!("(?{flags})"));
        }
        let place = self.cursor.place(opened_at);
        Ok(self.keep(rules::matches(&source, &place)))
    }

    fn check(&mut self, start: usize) -> Part {
        self.cursor.filler(&[":", "="]);
        let place = self.cursor.place(self.cursor.at);
        if let Some(command) = self.string()? {
            return Ok(self.keep(rules::check(command, &place)));
        }
        // Without quotes only what can mean nothing else.
        let line = self.cursor.rest().trim_end();
        let connects = |word: &str| matches!(word, "and" | "or" | "not");
        let clear = line.chars().all(|letter| letter == ' ' || is_plain(letter));
        if line.is_empty() || self.parentheses > 0 || !clear || line.split(' ').any(connects) {
            let fix = "put the shell line in quotes, such as check \"cargo test\"";
            return self.halt(start, "`check` without a command in quotes", fix);
        }
        self.cursor.at = self.cursor.text.len();
        Ok(self.keep(rules::check(line.to_owned(), &place)))
    }

    fn file(&mut self, start: usize) -> Part {
        self.cursor.filler(&[":", "=", "exists"]);
        let at = self.cursor.at;
        let place = self.cursor.place(at);
        let path = if let Some(path) = self.string()? {
            path
        } else {
            let ends = |letter: char| letter.is_whitespace() || matches!(letter, ',' | '(' | ')');
            let word = self.cursor.take(|letter| !ends(letter));
            if word.is_empty() {
                return self.halt(start, "`file` without a path", "write file out.txt");
            }
            if !word.chars().all(is_plain) {
                let fix = "put it in quotes; it is taken as it is, without ~, * or $";
                self.note(at, format!("the path `{}` without quotes", rules::shorten(word)), fix);
                return Ok(None);
            }
            word.to_owned()
        };
        self.cursor.filler(&["exists"]);
        Ok(self.keep(rules::file(path, &place)))
    }

    /// A text in quotes, if one begins here.
    fn string(&mut self) -> Result<Option<String>, Halt> {
        let opened_at = self.cursor.at;
        let quote = if self.cursor.eat("\"") {
            '"'
        } else if self.cursor.eat("'") {
            '\''
        } else {
            return Ok(None);
        };
        let mut text = String::new();
        loop {
            let at = self.cursor.at;
            match self.cursor.letter() {
                None => return self.halt(opened_at, "a quote that is not closed", "close it"),
                Some(letter) if letter == quote => return Ok(Some(text)),
                Some('\\') if quote == '"' => {
                    let Some(letter) = self.cursor.escape() else {
                        let fix = "write \\\\ for a backslash; the escapes are \\\" \\\\ \\n \\r \\t \\u{…}";
                        return self.halt(at, "an unknown escape", fix);
                    };
                    text.push(letter);
                }
                Some(letter) => text.push(letter),
            }
        }
    }

    fn unknown(&mut self, start: usize) -> Part {
        let word = &self.cursor.text[start..self.cursor.at];
        if word.eq_ignore_ascii_case("convergence") {
            self.problems.push(rules::convergence(&self.cursor.place(start)));
            return Err(Halt);
        }
        let phrase = self.cursor.text[start..].split([',', ')']).next().unwrap_or_default().trim_end();
        let fix = match nearest(word, WORDS) {
            Some(meant) => format!("did you mean `{meant}`? otherwise {}", rules::FORMS),
            None => rules::FORMS.to_owned(),
        };
        self.halt(start, format!("`{}` is no condition", rules::shorten(phrase)), fix)
    }

    fn unexpected<T>(&mut self) -> Result<T, Halt> {
        let rest = self.cursor.rest();
        let first = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
        let (message, fix) = match first.as_str() {
            "" => ("a parenthesis that is not closed".to_owned(), "close it with `)`"),
            "and" | "&&" | "or" | "||" => {
                (format!("`{first}` between conditions"), "write all(…, …) for and, any(…, …) for or")
            }
            _ => {
                let fix = "put a comma between conditions, and quotes around a text that has spaces";
                (format!("unexpected `{}`", rules::shorten(rest.trim_end())), fix)
            }
        };
        self.halt(self.cursor.at, message, fix)
    }

    fn note(&mut self, at: usize, message: impl Into<String>, fix: impl Into<String>) {
        let problem = Problem::new(self.cursor.place(at), message).fix(fix);
        self.problems.push(problem);
    }

    fn halt<T>(&mut self, at: usize, message: impl Into<String>, fix: impl Into<String>) -> Result<T, Halt> {
        self.note(at, message, fix);
        Err(Halt)
    }

    fn keep(&mut self, result: Result<Condition, Problem>) -> Option<Condition> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }
}
