//! Reading: what the output of an agent's attempt says about it.
//!
//! Read from the files of the attempt, once, a piece at a time, however large they are. The agent's last words go into
//! a file beside them, since output does not belong into rows.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::agent::interpret::Interpreter;
use crate::agent::manifest::Manifest;
use crate::agent::outcome;
use crate::agent::output::Counts;
use crate::agent::price::{Cached, Used};
use crate::agent::scrub::scrub;
use crate::agent::signals::Signals;
use crate::core::class::Class;
use crate::core::plain::plain;
use crate::core::process::files::{SAID, VERSION};
use crate::core::reading::{Conversation, Cost, Dollars, Reading, Tokens};
use crate::engine::ports::Read;
use crate::engine::work::output::{self, Stream};

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Reads what an attempt wrote.
pub(super) fn reading(runs: &Path, read: &Read) -> Reading {
    let Some(manifest) = &read.manifest else {
        return blank(read);
    };
    let signals = match signals(runs, read, manifest) {
        Ok(signals) => signals,
        Err(error) => {
            tracing::warn!(key = %read.key, %error, "the output of an agent cannot be read");
            Signals::default()
        }
    };
    let structured = read.schema.as_ref().map(|schema| schema.fit(signals.structured.as_deref()));
    let result = match &structured {
        Some(Ok(document)) => Some(document),
        Some(Err(_)) | None => signals.result.as_ref(),
    };
    if let Some(result) = result
        && let Err(error) = keep(&runs.join(read.key.directory()).join(SAID), result)
    {
        tracing::warn!(key = %read.key, %error, "what an agent said cannot be kept");
    }
    let mut reading = of(manifest, &signals, read);
    reading.version = version(&runs.join(read.key.directory()));
    reading.seen = reading
        .version
        .as_ref()
        .and_then(|version| manifest.seen_with_other_than(version))
        .map(str::to_owned);
    if let (Class::Done, Some(Err(misfit))) = (reading.class, structured) {
        reading.class = Class::SchemaError;
        reading.message = Some(short(&misfit.to_string()));
    }
    reading
}

fn signals(runs: &Path, read: &Read, manifest: &Manifest) -> io::Result<Signals> {
    let mut interpreter = Interpreter::new(manifest);
    each_piece(runs, read, Stream::Stdout, |piece| interpreter.stdout(piece))?;
    each_piece(runs, read, Stream::Stderr, |piece| interpreter.stderr(piece))?;
    Ok(interpreter.end())
}

fn each_piece(runs: &Path, read: &Read, stream: Stream, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let path = runs.join(read.key.directory()).join(stream.file_name());
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let kept = output::read(runs, read.key, stream, 0, usize::MAX)?;
            take(&kept.bytes);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn of(manifest: &Manifest, signals: &Signals, read: &Read) -> Reading {
    let before = read.from.as_ref();
    let outcome = outcome::judge(manifest, signals, (&read.ending, read.cut));
    let counted = |counts: Counts| counts == Counts::Session;
    // Counters that go on from nobody knows where say nothing about this run.
    let is_blind = |counts: Counts, known: bool| counted(counts) && before.is_some() && !known;
    let tokens = signals.tokens_since(manifest.output.tokens, before.and_then(|before| before.tokens));
    let tokens = tokens
        .filter(|_| !is_blind(manifest.output.tokens, before.is_some_and(|before| before.tokens.is_some())));
    let cost = signals.cost_since(manifest.output.cost, before.and_then(|before| before.cost));
    let cost =
        cost.filter(|_| !is_blind(manifest.output.cost, before.is_some_and(|before| before.cost.is_some())));
    let model = read.candidate.model.clone().or_else(|| signals.model.clone());
    let cached = manifest.output.cached;
    let estimate = || {
        let used = Used { tokens: tokens?, cached };
        read.prices.estimate(&read.candidate.agent, model.as_deref()?, used)
    };
    let cost = match cost {
        Some(dollars) => Some(Cost { dollars, is_estimate: false }),
        None => estimate().map(|dollars| Cost { dollars, is_estimate: true }),
    };
    let kept = before.filter(|before| signals.session.as_ref() == Some(&before.id));
    let conversation = signals.session.clone().map(|id| Conversation {
        agent: read.candidate.agent.clone(),
        account: read.candidate.account.clone(),
        id,
        // What an attempt that was cut does not tell, the next one of this conversation does: so much was told of
        // it until then, and of a new one nothing.
        tokens: counted(manifest.output.tokens)
            .then(|| {
                signals.tokens.or(before.map_or_else(|| Some(Tokens::default()), |before| before.tokens))
            })
            .flatten(),
        cost: counted(manifest.output.cost)
            .then(|| {
                signals.dollars().or(before.map_or_else(|| Some(Dollars::default()), |before| before.cost))
            })
            .flatten(),
        context: signals.context.or(kept.and_then(|kept| kept.context)),
        window: signals.window.or(kept.and_then(|kept| kept.window)),
    });
    Reading {
        model,
        message: outcome.message.map(|message| short(&message)),
        conversation,
        tokens: tokens.map(|tokens| all_read(tokens, cached)),
        cost,
        turns: signals.turns,
        denials: signals.denials.iter().map(|denial| short(denial)).take(DENIALS_MOST).collect(),
        reset_at: outcome.reset.and_then(|reset| reset.instant(read.ended_at, &TimeZone::system())),
        is_strange: signals.is_strange(),
        ..Reading::of(&read.candidate.agent, outcome.class)
    }
}

/// The version of the program, as its shim saw it.
fn version(directory: &Path) -> Option<String> {
    let mut version = String::new();
    File::open(directory.join(VERSION)).ok()?.take(VERSION_MAX).read_to_string(&mut version).ok()?;
    Some(version)
}

/// What is longer is no version.
const VERSION_MAX: u64 = 64;

/// The tokens with all that were read among those that were read, however the agent counts.
fn all_read(tokens: Tokens, cached: Cached) -> Tokens {
    match cached {
        Cached::Within => tokens,
        Cached::Beside => {
            let Tokens { input, cached_input, cache_writes, .. } = tokens;
            Tokens { input: input.saturating_add(cached_input).saturating_add(cache_writes), ..tokens }
        }
    }
}

/// So many denials are kept with an attempt.
const DENIALS_MOST: usize = 20;

/// So much of a message is kept with an attempt; all of it stands in its output.
const MESSAGE_MAX: usize = 500;

fn short(text: &str) -> String {
    let plain = plain(&scrub(text)).trim().replace(['\n', '\t'], " ");
    match plain.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

/// What can be said when nobody knows how to read the output any more.
fn blank(read: &Read) -> Reading {
    let is_done = read.cut.is_none() && read.ending == crate::core::process::Ending::Exited(0);
    let agent = &read.candidate.agent;
    let class = match (is_done, &read.schema) {
        (false, _) => Class::Failed,
        (true, Some(_)) => Class::SchemaError,
        (true, None) => Class::Done,
    };
    Reading {
        model: read.candidate.model.clone(),
        message: Some(format!("there is no agent `{agent}` any more that could say what it wrote")),
        is_strange: true,
        ..Reading::of(agent, class)
    }
}

fn keep(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::agent::catalogue::Catalogue;
    use crate::agent::price::Prices;
    use crate::core::id::TaskId;
    use crate::core::process::{Ending, ProcessKey};

    /// What an attempt of Claude Code that wrote this and went on with `from` is read as.
    fn read_of(stdout: &str, from: Option<Conversation>, ending: Ending) -> Reading {
        let runs = tempfile::tempdir().expect("a folder");
        let key = ProcessKey::attempt(TaskId::from_bits(7), 1);
        let directory = runs.path().join(key.directory());
        std::fs::create_dir_all(&directory).expect("a folder");
        std::fs::write(directory.join(Stream::Stdout.file_name()), stdout).expect("output");
        let catalogue = Catalogue::of(Vec::new());
        let manifest = Arc::clone(&catalogue.find("claude").expect("it comes along").manifest);
        let candidate = "claude".parse().expect("an agent");
        let prices = Arc::new(Prices::of(None).expect("those that come along"));
        let ended_at = jiff::Timestamp::UNIX_EPOCH;
        let manifest = Some(manifest);
        reading(
            runs.path(),
            &Read { key, candidate, manifest, prices, from, schema: None, ending, cut: None, ended_at },
        )
    }

    #[test]
    fn a_message_is_one_short_line_that_does_nothing_to_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(short(text), expected);
        check("\u{1b}[91m\u{1b}[1mError: \u{1b}[0mUnexpected\nerror\n", "Error: Unexpected error");
        check(&"ä".repeat(600), &format!("{}…", "ä".repeat(500)));
    }

    #[test]
    fn what_an_attempt_that_died_does_not_tell_the_next_of_its_conversation_does() {
        let begins = "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s1\"}\n";
        let ends =
            r#"{"type":"result","session_id":"s1","is_error":false,"result":"hi","total_cost_usd":5.0}"#;
        let died = read_of(begins, None, Ending::Signalled(9));
        assert_eq!((died.cost, died.class), (None, Class::Crashed));
        let next = read_of(&format!("{begins}{ends}"), died.conversation, Ending::Exited(0));
        assert_eq!(next.cost, Some(Cost { dollars: Dollars(5_000_000), is_estimate: false }));
        let last = read_of(&format!("{begins}{ends}"), next.conversation, Ending::Exited(0));
        assert_eq!(last.cost, Some(Cost { dollars: Dollars(0), is_estimate: false }));
        // Of somebody else's conversation nobody knows what it had cost until then.
        let mine = Some(Conversation::named("claude", "s0"));
        assert_eq!(read_of(&format!("{begins}{ends}"), mine, Ending::Exited(0)).cost, None);
    }
}
