//! Cursors: replies that come in pieces, put together to one document.

use serde_json::{Value as Json, json};

use crate::client::connect::Connection;
use crate::command::Entry;
use crate::core::refusal::Refusal;
use crate::surface::cli::call;

/// How the pieces of a verb's reply hang together.
pub(super) struct Cursor {
    verb: &'static str,
    /// The list in the reply.
    list: &'static str,
    /// The argument that takes the `next` of the piece before.
    on: &'static str,
    /// What there is to show when nobody says how many.
    silent: Silent,
}

/// What is shown without `--limit`.
#[derive(Clone, Copy)]
enum Silent {
    /// All there is.
    All,
    /// What one piece holds.
    OnePiece,
}

const CURSORS: [Cursor; 2] = [
    Cursor { verb: "list_jobs", list: "jobs", on: "after", silent: Silent::All },
    Cursor { verb: "run_logs", list: "runs", on: "before", silent: Silent::OnePiece },
];

/// The cursor of a verb, if it has one.
pub(super) fn of(verb: &str) -> Option<&'static Cursor> {
    CURSORS.iter().find(|cursor| cursor.verb == verb)
}

impl Cursor {
    /// Asks piece by piece, for as many as the request wants.
    pub(super) fn follow(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        mut request: Json,
    ) -> Result<Json, Refusal> {
        let mut whole = call(connection, entry.name, &request, None)?;
        let wanted = match (request["limit"].as_u64(), self.silent) {
            (Some(limit), _) => usize::try_from(limit).unwrap_or(usize::MAX),
            (None, Silent::All) => usize::MAX,
            (None, Silent::OnePiece) => 0,
        };
        while let Some(missing) = wanted.checked_sub(length(&whole[self.list])).filter(|missing| *missing > 0)
            && !whole["next"].is_null()
        {
            request[self.on] = whole["next"].take();
            request["limit"] = json!(u32::try_from(missing).unwrap_or(u32::MAX));
            let mut piece = call(connection, entry.name, &request, None)?;
            whole["next"] = piece["next"].take();
            if let (Some(all), Some(more)) =
                (whole[self.list].as_array_mut(), piece[self.list].as_array_mut())
            {
                all.append(more);
            }
        }
        Ok(whole)
    }
}

fn length(list: &Json) -> usize {
    list.as_array().map_or(0, Vec::len)
}
