//! An agent's MCP client, as far as a server can tell one: pipes, lines and signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};

use crate::home::{Home, PATIENCE, until};

/// A client with its proxy.
pub(crate) struct Agent {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Agent {
    /// Starts a proxy.
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &["mcp"], &[])
    }

    /// Starts a proxy by these words and with more variables.
    pub(crate) fn start_with(home: &Home, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = home.command(words);
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a proxy from where another copy of the program lies.
    pub(crate) fn start_program(home: &Home, program: &Path) -> Self {
        let usual = home.command(&["mcp"]);
        let mut command = Command::new(program);
        command.args(usual.get_args()).env_clear().current_dir(home.project());
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more once a test is over, or hangs up.
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, lines }
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// Sends a message.
    pub(crate) fn say(&mut self, message: &Json) {
        self.write(format!("{message}\n").as_bytes());
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> Json {
        let line =
            self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("it says nothing: {error}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"))
    }

    /// Asks and reads the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, message: &Json) -> Json {
        self.say(message);
        self.hear()
    }

    /// The process of the proxy.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Sends a signal to the proxy.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Says no more, and goes on listening.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Stops listening: the next line that the proxy says finds nobody.
    pub(crate) fn stop_listening(&mut self) {
        self.lines = mpsc::channel().1;
    }

    /// How it ended, and what it still said, on both streams.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<Json>, String) {
        let mut status = None;
        until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let rest = self.lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (status.unwrap(), rest, err)
    }

    /// Leaves, and checks that the proxy goes with it and has nothing more to say.
    #[track_caller]
    pub(crate) fn leaves(mut self) {
        self.close();
        let (status, rest, err) = self.ended();
        assert!(status.success(), "{status}: {err}");
        assert_eq!(rest, [] as [Json; 0], "{err}");
        assert_eq!(err, "");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request.
pub(crate) fn request(id: impl Into<Json>, method: &str, params: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// A notification.
pub(crate) fn notification(method: &str) -> Json {
    json!({ "jsonrpc": "2.0", "method": method })
}
