//! Dispatch: from the name of a verb and its arguments to what is answered, for every surface.

use serde_json::{Map, Value as Json};

use crate::command::caller::{Audience, Caller};
use crate::command::{
    Access, Asked, Context, Entry, House, REGISTRY, REPLAYED, arguments, correct, define, find, inside,
    published, speak,
};
use crate::core::nearest::nearest;
use crate::core::refusal::{Code, Refusal};
use crate::engine::input::Key;

/// The longest name of a request.
const KEY_MOST: usize = 200;

/// Does the verb of this name for somebody.
///
/// Whatever a model is answered speaks of calls and fields, and a refusal shows the call to send.
pub fn dispatch(house: &House, caller: &Caller, asked: Asked<'_>) -> Result<Json, Refusal> {
    let Asked { verb, arguments, key, entered } = asked;
    let told = |refusal| match caller.reader {
        Audience::Person => refusal,
        Audience::Model => speak::for_model(refusal),
    };
    let is_told = |entry: &&Entry| caller.reader == Audience::Person || published::is_told(entry.name);
    let entry = find(verb).filter(is_told).ok_or_else(|| told(no_verb(verb)))?;
    if let Some(problem) = key.as_deref().and_then(|name| define::unfit("key", name, KEY_MOST)) {
        return Err(told(Refusal::invalid(vec![problem])));
    }
    let key = key.map(|name| Key { name, request: request_hash(verb, &arguments) });
    let mut cx = Context { caller, key, kept: None, house, entered };
    let read = arguments::read(verb, arguments);
    let answered = read.finish().and_then(|request| once(entry, request, &mut cx));
    answered.map_err(|refusal| match caller.reader {
        Audience::Person => refusal,
        Audience::Model => correct::with_call(verb, &read.request, refusal),
    })
}

/// Does it, and says of a write whether it was done before, under the same key.
fn once(entry: &Entry, request: Map<String, Json>, cx: &mut Context<'_>) -> Result<Json, Refusal> {
    if entry.access == Access::Read {
        return (entry.run)(request, cx);
    }
    inside::refuse(cx)?;
    cx.kept = cx.answered()?;
    let is_replayed = cx.kept.is_some();
    let mut reply = (entry.run)(request, cx)?;
    // Told apart from what was done now: the same words may stand for something long ago.
    if is_replayed || cx.caller.reader == Audience::Person {
        reply[REPLAYED] = Json::Bool(is_replayed);
    }
    Ok(reply)
}

fn no_verb(verb: &str) -> Refusal {
    let refusal = Refusal::new(Code::NotFound, format!("no verb `{}`", define::shorten(verb)));
    if let Some(near) = nearest(verb, REGISTRY.iter().map(|entry| entry.name)) {
        return refusal.hint(format!("did you mean `{near}`?"));
    }
    let verbs: Vec<&str> = published::entries().map(|entry| entry.name).collect();
    refusal.hint(format!("the verbs are {}", verbs.join(", ")))
}

fn request_hash(verb: &str, arguments: &Json) -> String {
    blake3::hash(format!("{verb}\0{arguments}").as_bytes()).to_hex().to_string()
}
