//! Jobs of real agents: the daemon runs each CLI against a scripted model, and what it makes of that is shown.

mod checks;
mod ends;
mod failures;
mod inside;
mod loops;
mod results;

use std::process::Command;

use serde_json::Value as Json;

use super::clients::Client;
use super::model::Model;
use super::running::OnTurn;
use super::seat::Seat;
use crate::home::{Home, Said};
use crate::recorded;

/// The longest that a job may take.
const PATIENCE: &str = "150s";

/// Somebody with one agent CLI who adds jobs for it.
struct Desk<'a> {
    home: &'a Home,
    seat: Seat<'a>,
    _turn: OnTurn,
}

impl<'a> Desk<'a> {
    fn take(client: &'static dyn Client, home: &'a Home, model: &Model) -> Self {
        let turn = OnTurn::wait(client.name());
        Self { home, seat: Seat::take(client, home, model), _turn: turn }
    }

    /// With a client that pays by a subscription, where it has such.
    fn subscribed(self) -> Self {
        Self { seat: self.seat.subscribed(), ..self }
    }

    /// How many seconds the run of a job was told to wait each time, none of which is charged to it.
    #[track_caller]
    fn waits(&self, job: &str) -> Vec<i64> {
        let events = self.json(&["events", job]);
        let waiting = |event: &&Json| event["type"] == "run.waiting";
        let mut told: Vec<&Json> = events["events"].as_array().unwrap().iter().filter(waiting).collect();
        told.sort_by_key(|event| event["seq"].as_u64());
        let instant = |text: &Json| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        let wait = |event: &&Json| {
            assert_eq!(event["data"]["charge"], "none", "{event:#}");
            instant(&event["data"]["due_at"]) - instant(&event["at"])
        };
        told.iter().map(wait).collect()
    }

    fn name(&self) -> &'static str {
        self.seat.client.name()
    }

    /// The program with these words, in the client's environment, where the daemon finds itself too.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.home.command(words);
        command.envs(self.seat.environment()).env("CONVERGE_HOME", self.home.home());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::of(&self.command(words).output().unwrap())
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Json {
        self.run(&[&["--json"], words].concat()).done().json()
    }

    /// Adds a job with its usual profile; what the client needs of its environment is handed on by name.
    #[track_caller]
    fn add(&self, words: &[&str]) -> Json {
        let manifest = recorded::manifest(self.name());
        let permissions = if manifest.permissions.contains_key("edit") { "edit" } else { "full" };
        self.add_with(permissions, words)
    }

    #[track_caller]
    fn add_with(&self, permissions: &str, words: &[&str]) -> Json {
        let usual = ["add", "--agent", self.name(), "--permissions", permissions];
        self.json(&[&usual, words, &self.passed()].concat())
    }

    /// The words that hand on by name what the client needs of its environment.
    fn passed(&self) -> Vec<&str> {
        let own = ["HOME", "PATH", "TMPDIR", "LANG", "TZ", "CONVERGE_HOME"];
        let names = self.seat.environment().map(|(name, _)| name).filter(|name| !own.contains(name));
        names.flat_map(|name| ["--env", name]).collect()
    }

    /// Waits until a job or run is over, and answers its view.
    #[track_caller]
    fn over(&self, what: &str) -> Json {
        let said = self.run(&["wait", what, "--timeout", PATIENCE, "--json"]);
        assert_ne!(said.code, 3, "{what} is not over: {said:?}\n{}", self.run(&["logs", what]).out);
        said.json()
    }

    /// Starts a run of a job by hand and answers its id.
    #[track_caller]
    fn start(&self, job: &str) -> String {
        let run = self.json(&["run-now", job, "--no-wait"]);
        run["id"].as_str().unwrap_or_else(|| panic!("no run: {run}")).to_owned()
    }

    /// The runs of a job, oldest first, each with its attempts; not the look at the checks before them.
    #[track_caller]
    fn runs(&self, job: &str) -> Vec<Json> {
        let logs = self.json(&["logs", job, "--limit", "50", "--lines", "0"]);
        let all = logs["runs"].as_array().unwrap().iter().rev();
        let runs = all.filter(|run| run["origin"] != "zero");
        runs.map(|run| self.json(&["show", run["id"].as_str().unwrap()])).collect()
    }

    /// The only attempt of the only run that was more than a look at the checks.
    #[track_caller]
    fn attempt(&self, job: &str) -> Json {
        let runs = self.runs(job);
        let attempts = runs.iter().flat_map(|run| run["attempt_list"].as_array().unwrap());
        let attempts: Vec<&Json> = attempts.collect();
        let [attempt] = attempts.as_slice() else { panic!("{} attempts: {runs:#?}", attempts.len()) };
        (*attempt).clone()
    }
}
