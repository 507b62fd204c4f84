//! A house for tests: the real engine and store, and processes that do what their command line says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::agent::catalogue::Catalogue;
use crate::command::caller::{Audience, Caller};
use crate::command::places::Places;
use crate::command::{self, Asked, House, settings};
use crate::core::account::Accounts;
use crate::core::consent::Consent;
use crate::core::process::{Command, Control, Cut, Ending, Outcome, ProcessKey, files};
use crate::core::refusal::Refusal;
use crate::core::task::report::Report;
use crate::engine::clock::SystemClock;
use crate::engine::handle::Handle;
use crate::engine::mint::Random;
use crate::engine::ports::{Execute, Launch, Processes};
use crate::engine::work::Pool;
use crate::engine::work::tidy::Keep;
use crate::engine::{Engine, Ports, Settings};
use crate::store::migrate;
use crate::store::readers::Readers;
use crate::store::sqlite::Sqlite;

/// A house and somebody who asks.
pub(super) struct Guest {
    pub(super) house: House,
    pub(super) caller: Caller,
    engine: Option<JoinHandle<()>>,
    _home: TempDir,
}

/// What a process does, by its command line: its exit code and what it writes, or nothing until it is ended.
pub(super) type Script = fn(&str) -> Option<(i32, String)>;

impl Guest {
    /// Somebody whose replies a model reads, and whose processes do what `script` says.
    pub(super) fn model(script: Script) -> Self {
        let home = TempDir::new().expect("a folder");
        let (database, runs) = (home.path().join("converge.db"), home.path().join("runs"));
        fs::create_dir_all(home.path().join("project")).expect("a folder");
        let mut store = Sqlite::open(&database).expect("a fresh store");
        migrate::migrate(&mut store).expect("a fresh store");
        let engine = Handle::new(Box::new(SystemClock));
        let reporter = engine.clone();
        let pool = Pool::new(runs.clone(), Keep::default(), move |report| reporter.report(report));
        let processes = Scripted { runs: runs.clone(), script, report: Arc::new(engine.clone()) };
        let mint = Random::open().expect("the system's random source");
        let settings = Settings {
            lanes: 16,
            runs_dir: runs.clone(),
            logins_dir: runs.with_file_name("logins"),
            keep: None,
            keep_output_bytes: None,
            program: "/usr/bin/converge".into(),
            account_limits: BTreeMap::new(),
        };
        let ports = Ports {
            processes: Box::new(processes),
            work: Box::new(pool),
            mint: Box::new(mint),
            agents: Box::new(Catalogue::of(Vec::new())),
        };
        let core = Engine::new(Box::new(store), ports, settings);
        let thread = engine.serve(core).expect("a thread");
        let at = |name: &str| home.path().join(name);
        let places = Places {
            home: home.path().to_owned(),
            database: database.clone(),
            runs,
            socket: at("socket"),
            lock: at("lock"),
            log: at("log"),
        };
        let readers = Readers::new(database);
        let house = House {
            settings: Box::new(|| settings::Settings::InForce),
            started_at: engine.now(),
            engine,
            readers,
            places,
            lanes: 16,
            consent: Consent::default(),
            accounts: Accounts::new(),
            login_path: || None,
            ask: |_| None,
        };
        let caller = Caller {
            actor: "test".to_owned(),
            cwd: home.path().join("project").display().to_string(),
            zone: "Europe/Berlin".to_owned(),
            reader: Audience::Model,
            ..Caller::default()
        };
        Self { house, caller, engine: Some(thread), _home: home }
    }

    /// Asks for a verb.
    pub(super) fn ask(&self, verb: &str, arguments: Json) -> Result<Json, Refusal> {
        self.send(verb, arguments, None)
    }

    /// Asks for a verb under a key.
    pub(super) fn ask_as(&self, key: &str, verb: &str, arguments: Json) -> Result<Json, Refusal> {
        self.send(verb, arguments, Some(key.to_owned()))
    }

    fn send(&self, verb: &str, arguments: Json, key: Option<String>) -> Result<Json, Refusal> {
        let asked = Asked { verb, arguments, key, entered: &|| {} };
        command::dispatch::dispatch(&self.house, &self.caller, asked)
    }

    /// Asks for a verb and is answered.
    #[track_caller]
    pub(super) fn told(&self, verb: &str, arguments: Json) -> Json {
        let sent = format!("{:.200}", arguments.to_string());
        let told = self.ask(verb, arguments);
        let told = told.unwrap_or_else(|refusal| panic!("{verb} {sent}: {refusal:?}"));
        if self.caller.reader == Audience::Model {
            fits_its_schema(verb, &told);
        }
        told
    }

    /// Waits for the end of a job or a run.
    #[track_caller]
    pub(super) fn wait(&self, job: &str) -> Json {
        for _ in 0..3 {
            let waited = self.told("wait", serde_json::json!({ "job": job }));
            if waited["over"] == true || waited["result"] == "needs_person" {
                return waited;
            }
        }
        panic!("{job} is not over");
    }
}

/// Whether a reply is what clients are promised, since some refuse one that is not.
#[track_caller]
fn fits_its_schema(verb: &str, told: &Json) {
    let schema = Json::Object((command::find(verb).expect("a verb").output_schema)());
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(told.get(name.as_str().expect("a name")).is_some(), "{verb} lacks {name}: {told}");
    }
    for (name, value) in told.as_object().expect("an object") {
        let kind = match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "integer",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        };
        let promised = schema["properties"][name.as_str()]["type"].as_str();
        assert!(promised.is_none_or(|promised| promised == kind), "{verb}: {name} is {value}");
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.house.engine.close();
        // Before its folder goes.
        let ended = self.engine.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()));
    }
}

struct Scripted {
    runs: PathBuf,
    script: Script,
    report: Arc<Handle>,
}

impl Scripted {
    fn end(&self, key: ProcessKey, ending: Ending, cut: Option<Cut>, bytes: usize) {
        let now = self.report.now();
        let outcome = Outcome {
            started_at: now,
            ended_at: now,
            ending,
            cut,
            cpu_ms: 1,
            peak_kb: 1,
            stdout_bytes: u64::try_from(bytes).expect("a size"),
            stderr_bytes: 0,
            unread: None,
        };
        self.report.report(Report::Ended { key, outcome });
    }
}

impl Processes for Scripted {
    fn launch(&self, launch: Launch) {
        let line = match &launch.execute {
            Execute::Command(Command::Shell(line)) => line.clone(),
            Execute::Command(Command::Argv(argv)) => argv.join(" "),
            Execute::Program { names, .. } => names.join(" "),
            Execute::Nothing { cause } | Execute::Missing { cause } => cause.clone(),
        };
        let key = launch.key;
        self.report.report(Report::Started { key, at: self.report.now() });
        if let Some((code, text)) = (self.script)(&line) {
            let folder = self.runs.join(key.directory());
            fs::create_dir_all(&folder).expect("a folder");
            write(&folder, files::STDOUT, &text);
            write(&folder, files::STDERR, &text);
            self.end(key, Ending::Exited(code), None, text.len());
        }
    }

    fn stop(&self, key: ProcessKey) {
        self.end(key, Ending::Signalled(15), Some(Cut::Told), 0);
    }

    fn control(&self, _: ProcessKey, _: Control) {}

    fn look(&self, key: ProcessKey) {
        self.report.report(Report::Lost { key });
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}
