//! The JSON form of a condition: an object with a `type`.
//!
//! ```json
//! {"type": "exitCode", "code": 0}
//! {"type": "stdoutMatches", "pattern": "all \\d+ passed"}
//! {"type": "output", "pattern": "plain text"}
//! {"type": "check", "command": "cargo test"}
//! {"type": "file", "path": "out.txt"}
//! {"type": "not", "condition": {"type": "exitCode", "code": 1}}
//! {"type": "compound", "operator": "any", "conditions": [...]}
//! ```
//!
//! `code` is 0 and `operator` is `all` when they are not written. Wherever a condition is expected its
//! text form is taken too.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::core::condition::{Condition, Operator, rules, text};
use crate::core::nearest::nearest;
use crate::core::refusal::{Problem, Refusal};

/// Every `type` with the fields it knows beside `type`.
const TYPES: [(&str, &[&str]); 7] = [
    ("exitCode", &["code"]),
    ("stdoutMatches", &["pattern"]),
    ("output", &["pattern"]),
    ("check", &["command"]),
    ("file", &["path"]),
    ("not", &["condition"]),
    ("compound", &["operator", "conditions"]),
];

impl Condition {
    /// Reads a condition from JSON: an object, or a string in the text form.
    ///
    /// Places are paths from the condition, such as `conditions[1].pattern`.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { problems: Vec::new() };
        let condition = reader.condition(value, "", 1);
        rules::finish(condition, reader.problems)
    }
}

/// Reads a condition from a text that holds JSON, in a fenced block or bare.
pub(super) fn parse(json: &str) -> Result<Condition, Vec<Problem>> {
    let value: Value = serde_json::from_str(json).map_err(|error| {
        let whole = error.to_string();
        let why = whole.split(" at line ").next().unwrap_or(&whole);
        let place = format!("line {} column {}", error.line(), error.column());
        vec![
            Problem::new(place, format!("bad JSON: {why}"))
                .fix("correct it, or use the text form, such as output /all passed/"),
        ]
    })?;
    Condition::from_json(&value)
}

/// Collects problems on the way, so that all of them are told at once.
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn condition(&mut self, value: &Value, place: &str, level: usize) -> Option<Condition> {
        let deep_enough = rules::level(level, place);
        self.keep(deep_enough)?;
        match value {
            Value::Object(fields) => self.object(fields, place, level),
            Value::String(written) => match text::read(written, level) {
                Ok(condition) => Some(condition),
                Err(problems) if place.is_empty() => {
                    self.problems.extend(problems);
                    None
                }
                Err(problems) => {
                    self.problems.extend(problems.into_iter().map(|problem| problem.within(place)));
                    None
                }
            },
            Value::Array(_) => {
                self.refuse(Problem::new(place, "a list where one condition belongs").fix(
                    "write {\"type\":\"compound\",\"operator\":\"any\",\"conditions\":[…]} or say \"all\"",
                ))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                let problem = Problem::new(place, format!("{} where a condition belongs", kind(value)));
                self.refuse(problem.fix("write an object such as {\"type\":\"exitCode\",\"code\":0}"))
            }
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, place: &str, level: usize) -> Option<Condition> {
        let at_type = join(place, "type");
        let Some(word) = fields.get("type") else {
            return self.refuse(Problem::new(at_type, "no `type`").fix(known_types()));
        };
        let Some(word) = word.as_str() else {
            let problem = Problem::new(at_type, format!("{} where a word belongs", kind(word)));
            return self.refuse(problem.fix(known_types()));
        };
        let Some((name, known, operator)) = known_type(word) else {
            return self.refuse(unknown_type(word, &at_type));
        };
        self.unknown_fields(fields, known, place);
        match name {
            "exitCode" => self.exit_code(fields, place),
            "stdoutMatches" => {
                let (source, at) = self.string(fields, "pattern", place)?;
                self.keep(rules::matches(&source, &at))
            }
            "output" => {
                let (text, at) = self.string(fields, "pattern", place)?;
                self.keep(rules::contains(text, &at))
            }
            "check" => {
                let (command, at) = self.string(fields, "command", place)?;
                self.keep(rules::check(command, &at))
            }
            "file" => {
                let (path, at) = self.string(fields, "path", place)?;
                self.keep(rules::file(path, &at))
            }
            "not" => {
                let (inner, at) = self.field(fields, "condition", place)?;
                let inner = self.condition(inner, &at, level + 1)?;
                Some(Condition::Not(Box::new(inner)))
            }
            _ => self.compound(fields, operator, place, level),
        }
    }

    fn exit_code(&mut self, fields: &Map<String, Value>, place: &str) -> Option<Condition> {
        let at = join(place, "code");
        let code = match fields.get("code") {
            None => 0,
            Some(value) => match (value.as_i64(), value.is_number()) {
                (Some(code), _) => code,
                (None, true) => {
                    let problem = Problem::new(at, format!("no process exits with {value}"));
                    return self.refuse(problem.fix("an exit code is a number from 0 to 255"));
                }
                (None, false) => return self.refuse(wrong_kind(value, "a number", &at)),
            },
        };
        self.keep(rules::exit_code(code, &at))
    }

    fn compound(
        &mut self,
        fields: &Map<String, Value>,
        named: Option<Operator>,
        place: &str,
        level: usize,
    ) -> Option<Condition> {
        let operator = match named {
            Some(operator) => Some(operator),
            None => self.operator(fields, place),
        };
        let (members, at) = self.field(fields, "conditions", place)?;
        let Some(members) = members.as_array() else {
            return self.refuse(wrong_kind(members, "a list of conditions", &at));
        };
        let enough = rules::members(operator.unwrap_or_default(), members.len(), &at);
        self.keep(enough)?;
        let conditions: Vec<_> = members
            .iter()
            .enumerate()
            .filter_map(|(index, member)| self.condition(member, &format!("{at}[{index}]"), level + 1))
            .collect();
        Some(Condition::Compound { operator: operator?, conditions })
    }

    fn operator(&mut self, fields: &Map<String, Value>, place: &str) -> Option<Operator> {
        match fields.get("operator") {
            None => Some(Operator::All),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("any") => Some(Operator::Any),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("all") => Some(Operator::All),
            Some(other) => {
                let problem = Problem::new(join(place, "operator"), format!("{other} is no operator"));
                self.refuse(problem.fix("write \"any\" or \"all\""))
            }
        }
    }

    fn unknown_fields(&mut self, fields: &Map<String, Value>, known: &[&str], place: &str) {
        for name in fields.keys().filter(|name| *name != "type" && !known.contains(&name.as_str())) {
            let fix = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if known.is_empty() => "remove it".to_owned(),
                None => format!("remove it; beside `type` there is `{}`", known.join("`, `")),
            };
            self.problems.push(Problem::new(join(place, name), format!("unknown field `{name}`")).fix(fix));
        }
    }

    /// The value of a field that must be there, with its place.
    fn field<'a>(
        &mut self,
        fields: &'a Map<String, Value>,
        name: &str,
        place: &str,
    ) -> Option<(&'a Value, String)> {
        let at = join(place, name);
        match fields.get(name) {
            Some(value) => Some((value, at)),
            None => self.refuse(Problem::new(at, format!("no `{name}`")).fix(format!("add `{name}`"))),
        }
    }

    fn string(&mut self, fields: &Map<String, Value>, name: &str, place: &str) -> Option<(String, String)> {
        let (value, at) = self.field(fields, name, place)?;
        match value.as_str() {
            Some(text) => Some((text.to_owned(), at)),
            None => self.refuse(wrong_kind(value, "a string", &at)),
        }
    }

    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn refuse<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }
}

/// Finds the type that `word` names; `any` and `all` are compounds that say their operator.
fn known_type(word: &str) -> Option<(&'static str, &'static [&'static str], Option<Operator>)> {
    let plain: String =
        word.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).collect::<String>().to_lowercase();
    match plain.as_str() {
        "any" => return Some(("compound", &["conditions"], Some(Operator::Any))),
        "all" => return Some(("compound", &["conditions"], Some(Operator::All))),
        _ => {}
    }
    let name = match plain.as_str() {
        "exit" => "exitcode",
        "fileexists" => "file",
        other => other,
    };
    TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(known, fields)| (*known, *fields, None))
}

fn unknown_type(word: &str, place: &str) -> Problem {
    if word.eq_ignore_ascii_case("convergence") {
        return rules::convergence(place);
    }
    let fix = match nearest(word, TYPES.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => known_types(),
    };
    Problem::new(place, format!("unknown type `{}`", rules::shorten(word))).fix(fix)
}

fn known_types() -> String {
    let names: Vec<_> = TYPES.iter().map(|(name, _)| *name).collect();
    format!("the types are {}", names.join(", "))
}

fn wrong_kind(value: &Value, wanted: &str, place: &str) -> Problem {
    Problem::new(place, format!("{} where {wanted} belongs", kind(value))).fix(format!("write {wanted}"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// The shape on the wire; the reading side is by hand, because it tells every problem.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Wire<'a> {
    ExitCode { code: i32 },
    StdoutMatches { pattern: &'a str },
    Output { pattern: &'a str },
    Check { command: &'a str },
    File { path: &'a str },
    Not { condition: &'a Condition },
    Compound { operator: Operator, conditions: &'a [Condition] },
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ExitCode(code) => Wire::ExitCode { code: *code },
            Self::Matches(pattern) => Wire::StdoutMatches { pattern: pattern.source() },
            Self::Contains(text) => Wire::Output { pattern: text },
            Self::Check(command) => Wire::Check { command },
            Self::File(path) => Wire::File { path },
            Self::Not(condition) => Wire::Not { condition },
            Self::Compound { operator, conditions } => Wire::Compound { operator: *operator, conditions },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(|problems| serde::de::Error::custom(Refusal::invalid(problems)))
    }
}
