//! A daemon that says what a test wants, as far as a proxy can tell one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::{Value as Json, json};

use crate::home::Home;

/// What a daemon does on a line.
pub(crate) enum Act {
    /// Answers with these lines.
    Say(Vec<Json>),
    /// Hangs up, in the middle of this.
    HangUp(String),
}

/// What it does on each line, by the number of the connection and of the line in all.
type Script = dyn Fn(usize, usize, &Json) -> Act + Send + Sync;

/// A listening daemon.
pub(crate) struct Fake {
    shared: Arc<Shared>,
    address: std::path::PathBuf,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    version: String,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    prefaces: Vec<Json>,
    /// The lines of all connections, each with the number of its own.
    lines: Vec<(usize, Json)>,
    streams: Vec<UnixStream>,
    is_closed: bool,
}

impl Fake {
    /// One of this version that does what `script` says.
    pub(crate) fn start(
        home: &Home,
        version: &str,
        script: impl Fn(usize, usize, &Json) -> Act + Send + Sync + 'static,
    ) -> Self {
        fs::create_dir_all(home.home()).unwrap();
        let address = home.home().join("converge.sock");
        let _ = fs::remove_file(&address);
        let listener = UnixListener::bind(&address).unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            version: version.to_owned(),
            seen: Mutex::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { shared, address, accepting: Some(accepting) }
    }

    /// One of our version that answers every request.
    pub(crate) fn that_answers(home: &Home) -> Self {
        Self::start(home, env!("CARGO_PKG_VERSION"), |_, _, message| answered(message))
    }

    /// The first lines of all connections.
    pub(crate) fn prefaces(&self) -> Vec<Json> {
        self.shared.seen.lock().unwrap().prefaces.clone()
    }

    /// All lines after the first, each with the number of its connection.
    pub(crate) fn lines(&self) -> Vec<(usize, Json)> {
        self.shared.seen.lock().unwrap().lines.clone()
    }

    /// The lines with this method.
    pub(crate) fn asked(&self, method: &str) -> Vec<Json> {
        let lines = self.lines().into_iter().map(|(_, line)| line);
        lines.filter(|line| line["method"] == method).collect()
    }

    /// Says something to whoever is connected.
    pub(crate) fn tell(&self, message: &Json) {
        for mut stream in &self.shared.seen.lock().unwrap().streams {
            let _ = stream.write_all(format!("{message}\n").as_bytes());
        }
    }

    /// Hangs up on everybody, as a kill does; the next who comes is let in.
    pub(crate) fn hang_up(&self) {
        for stream in self.shared.seen.lock().unwrap().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.seen.lock().unwrap().is_closed = true;
        self.hang_up();
        drop(UnixStream::connect(&self.address));
        let _ = fs::remove_file(&self.address);
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    for (number, stream) in listener.incoming().enumerate() {
        let stream = stream.unwrap();
        let mut seen = shared.seen.lock().unwrap();
        if seen.is_closed {
            return;
        }
        seen.streams.push(stream.try_clone().unwrap());
        drop(seen);
        let shared = Arc::clone(shared);
        thread::spawn(move || serve(number, stream, &shared));
    }
}

fn serve(number: usize, stream: UnixStream, shared: &Shared) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(preface) = lines.next() else { return };
    shared.seen.lock().unwrap().prefaces.push(serde_json::from_str(&preface).unwrap());
    let welcome = json!({ "converge": shared.version, "pid": std::process::id() });
    let _ = writer.write_all(format!("{welcome}\n").as_bytes());
    for line in lines {
        let message: Json = serde_json::from_str(&line).unwrap();
        let mut seen = shared.seen.lock().unwrap();
        seen.lines.push((number, message.clone()));
        let count = seen.lines.len();
        drop(seen);
        let (text, goes_on) = match (shared.script)(number, count, &message) {
            Act::Say(answers) => {
                let lines: Vec<String> = answers.iter().map(|answer| format!("{answer}\n")).collect();
                (lines.concat(), true)
            }
            Act::HangUp(text) => (text, false),
        };
        // A proxy that is gone is no news.
        let _ = writer.write_all(text.as_bytes());
        if !goes_on {
            let _ = writer.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// Answers a request with what it asked for.
pub(crate) fn answered(message: &Json) -> Act {
    Act::Say(if message["method"].is_string() && !message["id"].is_null() {
        vec![answer(message)]
    } else {
        vec![]
    })
}

/// The answer to a request.
pub(crate) fn answer(message: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "echo": message["params"] } })
}

/// A store that does each write once, by its key.
#[derive(Default)]
pub(crate) struct Writes {
    done: Mutex<HashMap<String, Json>>,
}

impl Writes {
    /// Does what a request asks for, unless it was done before.
    pub(crate) fn act(&self, message: &Json) -> Json {
        let key = message["key"].as_str().unwrap().to_owned();
        let mut done = self.done.lock().unwrap();
        let number = done.len();
        let answer = done.entry(key).or_insert_with(|| {
            json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "number": number, "echo": message["params"] } })
        });
        answer.clone()
    }

    /// How many writes were done, and what their requests were.
    pub(crate) fn ids(&self) -> (usize, HashSet<String>) {
        let done = self.done.lock().unwrap();
        (done.len(), done.values().map(|answer| answer["id"].to_string()).collect())
    }
}
