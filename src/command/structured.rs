//! Structured results: the schema that a job names for them, and the agents that give some.

use std::path::Path;

use crate::agent::catalogue::Catalogue;
use crate::command::assign::text_of;
use crate::command::define::{plain, shorten};
use crate::command::reader::Reader;
use crate::core::schema::{NotASchema, Schema};

/// What to write in place of a text that is no schema at all.
const FIX: &str = "write JSON such as `{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\
                   \"required\":[\"ok\"]}`, or name a file with such";

/// That there was a mistake, which the reader knows.
#[derive(Debug)]
pub struct Refused;

/// The schema that is said, by its text or the file it stands in, if one is; a mistake is refused with the others.
pub fn read(said: Option<&str>, reader: &mut Reader<'_>) -> Result<Option<Schema>, Refused> {
    let Some(said) = said else { return Ok(None) };
    let text = if said.trim_start().starts_with('{') {
        Ok(said.to_owned())
    } else {
        let path = plain(&Path::new(&reader.caller.cwd).join(said));
        text_of(&path).map_err(|why| format!("`{}` {why}", shorten(&path.display().to_string())))
    };
    let read = text.map_err(|why| (why, FIX.to_owned())).and_then(|text| {
        text.parse::<Schema>().map_err(|why| {
            let message = format!("the schema {why}");
            match why {
                NotASchema::Meaningless { fix, .. } => (message, fix),
                NotASchema::NotJson(_)
                | NotASchema::NotAnObject
                | NotASchema::OfNoObject
                | NotASchema::TooLong
                | NotASchema::TooDeep => (message, FIX.to_owned()),
            }
        })
    });
    match read {
        Ok(schema) => Ok(Some(schema)),
        Err((message, fix)) => {
            reader.refuse("schema", message, fix);
            Err(Refused)
        }
    }
}

/// Which agents give structured results.
pub fn agents(known: &Catalogue) -> String {
    let can = known.agents.iter().filter(|agent| agent.manifest.options.schema.is_some());
    let names: Vec<&str> = can.map(|agent| agent.manifest.name.as_str()).collect();
    format!("leave it out, or name agents that do: `{}`", names.join("`, `"))
}
