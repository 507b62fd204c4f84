//! A seat: one agent CLI with an empty home, a project, a model to ask, and nothing else of this machine.

use std::fs;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::clients::{Allow, Client, Register};
use super::installed;
use super::model::Model;
use super::printed::{Printed, Way};
use super::running::Running;
use crate::home::{Home, Said, program};

/// The longest that one prompt may take. The slowest client starts within ten seconds on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

/// A client, ready to be asked.
pub(crate) struct Seat<'a> {
    pub(crate) client: &'static dyn Client,
    home: &'a Home,
    environment: Vec<(String, String)>,
    allow: Allow,
    /// Whether it knows of a server. A setting about one that it does not know confuses some.
    is_told: bool,
    /// What stands before the words of each prompt.
    before: Vec<String>,
}

/// A server to register: how to start it, and with which variables.
pub(crate) struct Server {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// What a client did with a prompt.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) client: &'static dyn Client,
    pub(crate) said: Said,
    /// Whether it was stopped at the deadline.
    pub(crate) is_late: bool,
}

impl<'a> Seat<'a> {
    /// Points a client at a model, from nothing.
    pub(crate) fn take(client: &'static dyn Client, home: &'a Home, model: &Model) -> Self {
        let temporary = home.folder().join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let user = home.user();
        let own = client.point(&user, &model.url());
        let shared = [
            ("HOME", user.display().to_string()),
            ("PATH", installed::path()),
            ("TMPDIR", temporary.display().to_string()),
            ("TERM", "xterm".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            // Nobody is there: what a client would like to tell or fetch elsewhere ends at once.
            ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ];
        // Where everybody has it, nobody has to be told of it.
        let is_usual = home.home().starts_with(&user);
        let place = (!is_usual).then(|| ("CONVERGE_HOME", home.home().display().to_string()));
        let all = shared.into_iter().chain(place).chain(own);
        let environment = all.map(|(name, value)| (name.to_owned(), value)).collect();
        Self { client, home, environment, allow: Allow::Converge, is_told: false, before: Vec::new() }
    }

    /// Pays for the model by a subscription, where that is something else than by a key.
    pub(crate) fn subscribed(mut self) -> Self {
        if let Some([key, subscription]) = self.client.subscription() {
            for (name, _) in self.environment.iter_mut().filter(|(name, _)| name == key) {
                subscription.clone_into(name);
            }
        }
        self
    }

    /// Goes without the client's setting that lets the tools of Converge run.
    pub(crate) fn allowing_nothing(mut self) -> Self {
        self.allow = Allow::Nothing;
        self
    }

    /// Registers the server with the client: by its own command, where it has one.
    #[track_caller]
    pub(crate) fn with(mut self, server: &Server) -> Self {
        match self.client.register(server, self.allow) {
            Register::Command(words) => {
                self.start(&words, "", DEADLINE).end().done();
            }
            Register::File { path, text } => {
                let path = self.user().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        self.is_told = true;
        self
    }

    /// Registers Converge by the words of `converge mcp --print-config`, and allows its tools by them too
    /// unless nothing is to be allowed. Whatever else the client is started with says nothing of it.
    #[track_caller]
    pub(crate) fn with_printed(mut self, way: Way) -> Self {
        let printed = Printed::of(self.home, self.client);
        match printed.line(way) {
            Some(line) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", line]);
                self.launch(shell, "", DEADLINE).end().done();
            }
            None => printed.write_entry(&self.user()),
        }
        if self.allow == Allow::Converge {
            self.before = printed.allow(&self.user());
        }
        self.allow = Allow::Nothing;
        self
    }

    /// Asks one thing and waits for the end.
    pub(crate) fn ask(&self, prompt: &str) -> Outcome {
        self.begin(prompt).end()
    }

    /// Asks one thing and goes on, so that the test can do something in the middle.
    pub(crate) fn begin(&self, prompt: &str) -> Running {
        let allow = if self.is_told { self.allow } else { Allow::Nothing };
        let words = [self.before.clone(), self.client.prompt(prompt, allow)].concat();
        self.start(&words, self.client.input(prompt), DEADLINE)
    }

    /// Starts the client with any words and any standard input.
    pub(crate) fn start(&self, words: &[String], input: &str, deadline: Duration) -> Running {
        let mut command = Command::new(installed::program(self.client.name()));
        command.args(words);
        self.launch(command, input, deadline)
    }

    fn launch(&self, mut command: Command, input: &str, deadline: Duration) -> Running {
        command.env_clear().envs(self.environment()).current_dir(self.home.project());
        // A file, since an open pipe or terminal is something that a client waits for.
        let mut stdin = tempfile::tempfile().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        stdin.rewind().unwrap();
        command.stdin(stdin);
        Running::start(self.client, command, &self.home.folder().join("tmp"), deadline)
    }

    /// All variables that the client is started with, for whoever else starts it.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The client's home directory.
    pub(crate) fn user(&self) -> PathBuf {
        self.home.user()
    }
}

impl Server {
    /// A server that is this program with these arguments.
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Self { program: program.to_owned(), arguments, environment: Vec::new() }
    }

    /// Converge itself, in the home of this test. The variable is registered too, for clients that pass
    /// hardly any of their own on.
    pub(crate) fn converge(home: &Home) -> Self {
        let mut server = Self::new(&program().display().to_string(), &["mcp"]);
        server.environment.push(("CONVERGE_HOME".to_owned(), home.home().display().to_string()));
        server
    }
}

impl Outcome {
    /// The last thing that the model said, as the client gives it out, after an end without error.
    #[track_caller]
    pub(crate) fn answer(&self) -> String {
        self.done();
        self.client.answer(&self.said.out).unwrap_or_else(|| panic!("no answer in {self:?}"))
    }

    /// Checks that it ended in time and with 0.
    #[track_caller]
    pub(crate) fn done(&self) {
        assert!(!self.is_late && self.said.code == 0, "{self:?}");
    }
}
