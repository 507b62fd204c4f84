//! A home per test: the real program in an environment of its own, and nothing left of it afterwards.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};

/// The longest a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A home, a user's directory and a project, all in one folder that goes with the test.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    /// Where `CONVERGE_HOME` lies in it.
    place: &'static str,
}

/// What one command line said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::at("home")
    }

    /// One that is found without `CONVERGE_HOME`, in the user's directory.
    pub(crate) fn of_the_user() -> Self {
        Self::at("user/.converge")
    }

    fn at(place: &'static str) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap(), place };
        fs::create_dir(home.project()).unwrap();
        fs::create_dir(home.user()).unwrap();
        home
    }

    /// The folder of it all, resolved.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// `CONVERGE_HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join(self.place)
    }

    /// The user's directory.
    pub(crate) fn user(&self) -> PathBuf {
        self.folder().join("user")
    }

    /// The directory that commands are written in.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder().join("project")
    }

    /// A file of the project, as text; empty when it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.project().join(name)).unwrap_or_default()
    }

    /// The program with these arguments, not started yet.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.user())
            .env("CONVERGE_HOME", self.home())
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .current_dir(self.project())
            .stdin(Stdio::null());
        command
    }

    /// Runs one command line to its end.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// What one command line shows on a terminal, with more variables.
    pub(crate) fn on_terminal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let line = [&[program().to_str().unwrap()], arguments].concat().join(" ");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env_clear().env("TERM", "xterm");
        for (name, value) in self.command::<&str>(&[]).get_envs() {
            script.env(name, value.unwrap());
        }
        script.envs(variables.iter().copied()).current_dir(self.project()).stdin(Stdio::null());
        String::from_utf8_lossy(&script.output().unwrap().stdout).into_owned()
    }

    /// Starts one command line and goes on.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a command line that must be done replies.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Json {
        // In front, since the arguments of a program come last and take all that follows.
        self.run(&[&["--json"], arguments].concat()).done().json()
    }

    /// Adds a job by the words after `add`, and answers its view.
    #[track_caller]
    pub(crate) fn add(&self, words: &[&str]) -> Json {
        self.json(&[&["add"], words].concat())
    }

    /// Waits until a job or a run is over, or needs a person, and answers its view.
    #[track_caller]
    pub(crate) fn over(&self, what: &str) -> Json {
        let said = self.run(&["wait", what, "--timeout", "30s", "--json"]);
        assert_ne!(said.code, 3, "{what} is not over: {said:?}");
        said.json()
    }

    /// The view of a job or run.
    #[track_caller]
    pub(crate) fn show(&self, what: &str) -> Json {
        self.json(&["show", what])
    }

    /// The runs of a job, newest first.
    #[track_caller]
    pub(crate) fn runs(&self, job: &str) -> Vec<Json> {
        self.json(&["logs", job, "--limit", "500"])["runs"].as_array().unwrap().clone()
    }

    /// The states of a job's runs, newest first.
    #[track_caller]
    pub(crate) fn states(&self, job: &str) -> Vec<String> {
        self.runs(job).iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The daemon's process, by the note in its lock.
    pub(crate) fn daemon_pid(&self) -> Option<i32> {
        let note: Json = serde_json::from_slice(&fs::read(self.home().join("daemon.lock")).ok()?).ok()?;
        i32::try_from(note["pid"].as_i64()?).ok()
    }

    /// Kills the daemon as the system would, and waits until it is gone.
    pub(crate) fn kill_daemon(&self) {
        let pid = self.daemon_pid().expect("a daemon");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        until(|| !is_alive(pid));
    }

    /// A client of the socket that says what it likes.
    pub(crate) fn dial(&self) -> Client {
        let stream = UnixStream::connect(self.home().join("converge.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream), asked: 0, follows_tasks: false }
    }

    /// A client that introduced itself as the command line does.
    pub(crate) fn greeted(&self) -> Client {
        self.greeted_as("cli")
    }

    /// A client that introduced itself as an agent's proxy does.
    pub(crate) fn agent(&self) -> Client {
        self.greeted_as("proxy")
    }

    fn greeted_as(&self, client: &str) -> Client {
        self.greeted_with(&json!({ "client": client }))
    }

    /// A client whose introduction says this too.
    pub(crate) fn greeted_with(&self, more: &Json) -> Client {
        let mut client = self.dial();
        let mut preface = json!({
            "converge": env!("CARGO_PKG_VERSION"), "cwd": self.project(), "pid": std::process::id(),
            "zone": "UTC", "env": { "PATH": "/usr/bin:/bin" },
        });
        preface.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let welcome = client.ask(&preface);
        assert_eq!(welcome["converge"], env!("CARGO_PKG_VERSION"), "{welcome}");
        client
    }

    /// The processes that have to do with this home.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let folder = self.folder();
        let needle = folder.to_str().unwrap().as_bytes();
        pids().filter(|pid| mentions(*pid, needle)).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.command(&["daemon", "stop"]).output();
        // Whatever became of that: nothing of this test outlives it.
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for pid in left {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            if Instant::now() > give_up_at {
                // A panic here would hide the one that the test may be ending with.
                let _ = writeln!(std::io::stderr(), "processes are left in {}", self.folder.path().display());
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Itself, when it ended with 0.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.ended(0)
    }

    /// Itself, when it ended with `code`.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Its reply.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// All that it said.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Checks that it was refused with 64, and that it says each of `words`.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, 64, "{self:?}");
        for word in words {
            assert!(self.all().contains(word), "`{word}` is not in {self:?}");
        }
    }
}

/// A connection to the daemon, written by hand.
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
    asked: u64,
    /// Whether it says that it follows tasks of MCP.
    pub(crate) follows_tasks: bool,
}

impl Client {
    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // A daemon that hangs up early still says why.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Reads one line; nothing when the daemon hung up.
    pub(crate) fn read(&mut self) -> Option<Json> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    /// Sends a document and reads one.
    #[track_caller]
    pub(crate) fn ask(&mut self, document: &Json) -> Json {
        self.send(format!("{document}\n").as_bytes());
        self.read().expect("an answer")
    }

    /// Asks for a method of MCP, statelessly, and answers its response.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, mut params: Json) -> Json {
        self.asked += 1;
        let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
        let capabilities = if self.follows_tasks { capabilities } else { json!({}) };
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "tester", "version": "1.0" },
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let id = self.asked;
        self.send(
            format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
                .as_bytes(),
        );
        loop {
            let answer = self.read().expect("an answer");
            if answer["id"] == id || answer["id"].is_null() && answer.get("error").is_some() {
                return answer;
            }
        }
    }

    /// Asks for a verb, and answers `reply` or, when it was refused, `error`: all of it to our own programs, to
    /// an agent the text.
    #[track_caller]
    pub(crate) fn call(&mut self, verb: &str, arguments: &Json) -> Json {
        let answer = self.request("tools/call", json!({ "name": verb, "arguments": arguments }));
        let result = &answer["result"];
        match result["isError"].as_bool() {
            Some(false) => json!({ "reply": result["structuredContent"] }),
            Some(true) => {
                let whole = result.get("structuredContent").cloned();
                json!({ "error": whole.unwrap_or_else(|| json!({ "message": result["content"][0]["text"] })) })
            }
            None => json!({ "error": answer["error"] }),
        }
    }
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_converge"))
}

/// Waits for what comes about by itself.
#[track_caller]
pub(crate) fn until(mut condition: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up_at, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not merely waiting to be reaped.
pub(crate) fn is_alive(pid: i32) -> bool {
    let is_zombie = fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().starts_with('Z')));
    // The first thread may be gone while others still hold what the process had open.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    is_zombie.is_some_and(|is_zombie| !is_zombie || threads > 1)
}

/// Every process there is.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process names something in its environment or its arguments; never this one.
pub(crate) fn mentions(pid: i32, needle: &[u8]) -> bool {
    let holds = |path: &Path| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
    };
    let of = |file: &str| PathBuf::from(format!("/proc/{pid}/{file}"));
    u32::try_from(pid).is_ok_and(|pid| pid != std::process::id())
        && is_alive(pid)
        && (holds(&of("environ")) || holds(&of("cmdline")))
}

/// The number in a field.
#[track_caller]
pub(crate) fn number(value: &Json) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The text in a field.
#[track_caller]
pub(crate) fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
