//! Corrections: a refusal for a model ends with the call to send.
//!
//! That call is the model's own with every fix applied that says what to write; where a fix leaves that open,
//! the value of the verb's commonest call stands in.

use serde_json::{Value as Json, json};

use crate::command::arguments::{self, Shape};
use crate::command::schema::{Kind, Object};
use crate::command::{published, speak};
use crate::core::plain::plain;
use crate::core::refusal::{Code, Problem, Refusal};
use crate::words;

/// A longer call is shown without the texts that make it long.
const CALL_MOST: usize = 1_500;

/// How the fix begins for what was given twice.
const ONCE: &str = "send it once";

/// What a new job is to run, one of which it must have.
const WORK: [&str; 4] = ["prompt", "prompt_file", "cmd", "argv"];

/// Texts of which nothing but a part is wrong, so that another in their place is no correction.
const OWN: [&str; 2] = ["prompt", "schema"];

/// A text of a call that is longer than this is left out of a call that is too long.
const VALUE_MOST: usize = 200;

/// The refusal as a model reads it, with the call to send where there is one.
///
/// The call goes behind what is said and is never read again: what a model wrote may look like words of ours.
pub fn with_call(verb: &str, request: &Object, refusal: Refusal) -> Refusal {
    let call = to_send(verb, request, &refusal);
    let said = speak::for_model(refusal);
    let hint = match (&said.hint, call) {
        (_, None) => return said,
        (None, Some(call)) => call,
        (Some(hint), Some(call)) if hint.is_empty() => call,
        (Some(hint), Some(call)) => format!("{hint}; {call}"),
    };
    said.hint(hint)
}

/// The call that a refusal leads to, unless it names one already or another call is no way out.
fn to_send(verb: &str, request: &Object, refusal: &Refusal) -> Option<String> {
    if !published::is_published(verb) {
        return None;
    }
    match refusal.code {
        Code::Invalid => {
            let (call, meant) = corrected(verb, request, &refusal.problems)?;
            let word = if meant == Meant::Surely { "send" } else { "for example" };
            Some(plain(&format!("{word} {}", shown(verb, &call))))
        }
        Code::NotFound | Code::Ambiguous => {
            let hint = refusal.hint.as_deref().map(speak::text).unwrap_or_default();
            let names_call = published::entries().any(|entry| hint.contains(&format!("`{}", entry.name)));
            (!names_call).then(|| format!("send `{}`", speak::call("list_jobs", &Object::new())))
        }
        Code::Conflict | Code::Denied | Code::KeyReused | Code::Unavailable | Code::Unknown => None,
    }
}

/// Whether a correction is what was meant, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// Nothing else can have been.
    Surely,
    /// Something of it stands in for what only the caller knows.
    Perhaps,
}

/// The request with its problems mended, unless it would be refused as before.
fn corrected(verb: &str, request: &Object, problems: &[Problem]) -> Option<(Object, Meant)> {
    let shape = arguments::shape(verb);
    let example = example(verb);
    if problems.is_empty() {
        return Some((example, Meant::Perhaps));
    }
    let mut call = request.clone();
    let mut meant = Meant::Surely;
    for problem in problems {
        let before = call.clone();
        if mend(&mut call, shape, problem, &example) == Meant::Perhaps {
            meant = Meant::Perhaps;
        }
        // What came twice is there once already; another problem may have been about the same field.
        let is_mended = call != before
            || problem.fix.as_deref().is_some_and(|fix| fix.starts_with(ONCE))
            || call.get(head(problem)) != request.get(head(problem));
        if !is_mended && !request.is_empty() {
            return None;
        }
    }
    if call.is_empty() {
        return Some((example, Meant::Perhaps));
    }
    let runs_something = verb != "add_job" || WORK.iter().any(|field| call.contains_key(*field));
    runs_something.then_some((call, meant))
}

/// The field that a problem is about.
fn head(problem: &Problem) -> &str {
    problem.place.split(['.', '[']).next().unwrap_or_default()
}

/// The commonest call of a verb, as its words show it.
pub fn example(verb: &str) -> Object {
    let body = words::about(verb).map(|words| words.body).unwrap_or_default();
    let line = body.lines().map(str::trim).find(|line| line.starts_with('{'));
    line.and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default()
}

/// Does what the fix of a problem says; the forms of fixes are few, and those that say nothing exact are told so.
fn mend(call: &mut Object, shape: &Shape, problem: &Problem, example: &Object) -> Meant {
    let place = problem.place.as_str();
    let written_fix = problem.fix.as_deref().unwrap_or_default();
    // Flags by the names of their fields, as whoever reads it is told them.
    let spoken = speak::text(written_fix);
    let fix = spoken.as_str();
    let said: Vec<&str> = fix.split('`').skip(1).step_by(2).collect();
    let head = head(problem);
    let meant = if fix.contains("such as") { Meant::Perhaps } else { Meant::Surely };
    if fix.contains("`: `") {
        call.shift_remove(head);
        for pair in said.chunks_exact(2) {
            call.insert(pair[0].to_owned(), pair[1].into());
        }
        return meant;
    }
    let Some(field) = shape.field(head) else {
        // A name that we do not have: ours is in the fix, or nothing is.
        let value = call.shift_remove(place);
        let (Some(value), Some(ours), true) = (value, said.first(), fix.starts_with("did you mean")) else {
            return Meant::Perhaps;
        };
        call.insert((*ours).to_owned(), value);
        return meant;
    };
    if fix.starts_with(ONCE) {
        return Meant::Perhaps;
    }
    if let Some((other, value)) = written_fix.split('`').nth(1).and_then(speak::member) {
        call.shift_remove(head);
        call.insert(other, value);
        return Meant::Perhaps;
    }
    if fix.starts_with("leave it out") {
        call.shift_remove(head);
        return Meant::Surely;
    }
    if fix.starts_with("keep one of") || fix.starts_with("give either") {
        // A flag without a value is told as a member: `"manual": true`.
        let names =
            said.iter().map(|other| other.split('"').find(|part| !part.is_empty()).unwrap_or_default());
        for other in names.filter(|other| *other != head) {
            call.shift_remove(other);
        }
        return Meant::Perhaps;
    }
    // Whoever asks knows alone what they mean: another text would say something else.
    let is_said = |value: &Json| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let is_own = OWN.contains(&head) && call.get(head).is_some_and(is_said);
    // What is not here cannot be called for.
    if is_own || fix.starts_with("install") {
        return Meant::Perhaps;
    }
    if head == "tz" {
        // The caller's own zone, rather than one that only shows what a name looks like.
        call.shift_remove(head);
        return Meant::Perhaps;
    }
    if let Some((value, certain)) = written(&field.kind, fix, &said, head).filter(|_| place == head) {
        call.insert(head.to_owned(), value);
        return if certain == Meant::Surely { meant } else { certain };
    }
    let item = index(place).and_then(|index| call.get_mut(head)?.get_mut(index));
    if let (Some(item), Some((value, _))) = (item, written(&Kind::Text, fix, &said, head)) {
        *item = value;
    } else if let Some(value) = example.get(head) {
        call.insert(head.to_owned(), value.clone());
    } else if !field.needed {
        call.shift_remove(head);
    }
    Meant::Perhaps
}

/// What a fix says to write, as the field takes it, and whether it leaves no choice.
fn written(kind: &Kind, fix: &str, said: &[&str], head: &str) -> Option<(Json, Meant)> {
    let says = fix.starts_with("write") || fix.contains("such as") || fix.starts_with("did you mean");
    let said: Vec<&str> = said.iter().copied().filter(|value| *value != head && says).collect();
    let meant =
        if said.len() == 1 || fix.starts_with("did you mean") { Meant::Surely } else { Meant::Perhaps };
    let value = with_likely_unit(&said).or_else(|| said.first().copied())?;
    let value = match kind {
        Kind::Text | Kind::Document | Kind::Word(_) => value.into(),
        Kind::Texts => serde_json::from_str::<Vec<Json>>(value).map_or_else(|_| json!([value]), Json::Array),
        Kind::Count { .. } => value.parse::<u64>().ok()?.into(),
        Kind::Flag => value.parse::<bool>().ok()?.into(),
    };
    Some((value, meant))
}

/// Of one number with several units the likeliest: few are minutes, many are seconds.
fn with_likely_unit<'a>(said: &[&'a str]) -> Option<&'a str> {
    let [seconds, minutes, _] = said else { return None };
    let number: f64 = seconds.strip_suffix('s')?.parse().ok()?;
    Some(if number < 60.0 { minutes } else { seconds })
}

/// The place within a list: 1 of `checks[1]`, and of nothing deeper.
fn index(place: &str) -> Option<usize> {
    place.split_once('[')?.1.strip_suffix(']')?.parse().ok()
}

/// A call in prose, without texts that would make it too long.
fn shown(verb: &str, call: &Object) -> String {
    let whole = speak::call(verb, call);
    if whole.len() <= CALL_MOST {
        return format!("`{whole}`");
    }
    let short = |value: &Json| value.to_string().len() <= VALUE_MOST;
    let (kept, left): (Object, Object) = call.clone().into_iter().partition(|(_, value)| short(value));
    let names: Vec<&str> = left.keys().map(String::as_str).take(8).collect();
    format!("`{}` with your {}", speak::call(verb, &kept), names.join(", "))
}
