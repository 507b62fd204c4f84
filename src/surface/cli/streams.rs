//! Streams: the output of a run as it comes; of an agent, what it says and does.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::client::connect::Connection;
use crate::command::readable::{Agents, Watch};
use crate::command::run_logs::printable;
use crate::command::wait::Outcome;
use crate::core::refusal::Refusal;
use crate::surface::cli::call;
use crate::surface::cli::follow::outcome_of;
use crate::surface::cli::terminal::{self, Spinner};

/// Both streams of a run, read from where they were left.
pub(super) struct Streams<'a> {
    run: String,
    agents: &'a Agents,
    /// What an agent does, when it is one that writes.
    watch: Option<Watch<'a>>,
    attempt: Option<u64>,
    from: [u64; 2],
    /// The beginning of a line whose end is not there yet.
    held: [String; 2],
}

impl<'a> Streams<'a> {
    /// From the beginning of a run's output.
    pub(super) fn of(run: &str, agents: &'a Agents) -> Self {
        Self {
            run: run.to_owned(),
            agents,
            watch: None,
            attempt: None,
            from: [0, 0],
            held: [String::new(), String::new()],
        }
    }

    /// Shows what is new; true when everything was shown and the run is over or needs a person.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        spinner: &mut Spinner<'_>,
    ) -> Result<bool, Refusal> {
        let patience = u64::try_from(spinner.patience(Duration::from_millis(500)).as_millis()).unwrap_or(0);
        let pieces = [self.read(connection, 0, patience)?, self.read(connection, 1, 0)?];
        let mut silent = true;
        for (place, piece) in pieces.iter().enumerate() {
            let text = piece["text"].as_str().unwrap_or_default();
            silent &= text.is_empty();
            if self.watch.is_none() && place == 0 {
                self.watch = piece["agent"].as_str().and_then(|agent| self.agents.watch(agent));
            }
            self.show(place, text, spinner);
        }
        if !silent {
            return Ok(false);
        }
        // What was dry when a later attempt was known already stays dry.
        let has_next =
            |piece: &Json| self.attempt.is_some() && piece["run"]["attempt"].as_u64() > self.attempt;
        if pieces.iter().all(has_next) {
            self.flush(spinner);
            self.attempt = self.attempt.map(|attempt| attempt + 1);
            self.from = [0, 0];
            return Ok(false);
        }
        let [out, _] = &pieces;
        let over = !out["run"]["finished_at"].is_null() && !has_next(out);
        let done = over || (out["run"]["state"] == "pending" && self.needs_person(connection)?);
        if done {
            self.flush(spinner);
        }
        Ok(done)
    }

    fn read(&mut self, connection: &mut Connection, place: usize, wait_ms: u64) -> Result<Json, Refusal> {
        let request = json!({ "run": self.run, "stderr": place == 1, "from": self.from[place], "wait_ms": wait_ms, "attempt": self.attempt });
        let piece = call(connection, "read_output", &request, None)?;
        self.attempt = self.attempt.or(piece["attempt"].as_u64().filter(|attempt| *attempt > 0));
        self.from[place] = piece["next"].as_u64().unwrap_or(self.from[place]);
        Ok(piece)
    }

    /// Whether its job is paused, which keeps a run from starting.
    fn needs_person(&self, connection: &mut Connection) -> Result<bool, Refusal> {
        let waited = call(connection, "wait", &json!({ "job": self.run, "timeout": "0s" }), None)?;
        Ok(outcome_of(&waited) == Outcome::NeedsPerson)
    }

    /// Shows the lines that got no end.
    fn flush(&mut self, spinner: &mut Spinner<'_>) {
        for line in self.watch.take().map(Watch::end).unwrap_or_default() {
            Self::line(&line, spinner);
        }
        for held in &mut self.held {
            Self::line(&std::mem::take(held), spinner);
        }
    }

    fn show(&mut self, place: usize, text: &str, spinner: &mut Spinner<'_>) {
        if let (0, Some(watch)) = (place, &mut self.watch) {
            for line in watch.more(text.as_bytes()) {
                Self::line(&format!("{line}\n"), spinner);
            }
            return;
        }
        let mut held = std::mem::take(&mut self.held[place]);
        held.push_str(text);
        while let Some((line, rest)) = held.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            Self::line(&format!("{line}\n"), spinner);
            held = rest;
        }
        self.held[place] = held;
    }

    fn line(line: &str, spinner: &mut Spinner<'_>) {
        if !line.is_empty() {
            spinner.clear();
            terminal::write(&format!("{}\n", printable(line)));
        }
    }
}
