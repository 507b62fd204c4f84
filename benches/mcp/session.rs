//! Sessions: an agent's client at the other end of the proxy's pipes.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::home::Home;

/// One client.
pub(crate) struct Session {
    proxy: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    sent: u64,
}

impl Session {
    /// A proxy that was started, and was asked for nothing yet.
    pub(crate) fn start(home: &Home) -> io::Result<Self> {
        let mut proxy = home.command(&["mcp"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = proxy.stdin.take().expect("it is piped");
        let output = BufReader::new(proxy.stdout.take().expect("it is piped"));
        Ok(Self { proxy, input, output, sent: 0 })
    }

    /// One that shook hands.
    pub(crate) fn open(home: &Home) -> io::Result<Self> {
        let mut session = Self::start(home)?;
        session.hello()?;
        Ok(session)
    }

    /// Shakes hands, and answers what the server says of itself.
    pub(crate) fn hello(&mut self) -> io::Result<Json> {
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        let answer = self.ask("initialize", &hello)?;
        self.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(answer)
    }

    /// Sends a request and waits for its result.
    pub(crate) fn ask(&mut self, method: &str, params: &Json) -> io::Result<Json> {
        let id = self.send(method, params)?;
        let (answered, mut answer) = self.read()?;
        assert_eq!(answered, id, "one request is answered at a time");
        Ok(answer["result"].take())
    }

    /// Calls a tool and waits for its result.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Json) -> io::Result<Json> {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// Sends a request, and answers its id.
    pub(crate) fn send(&mut self, method: &str, params: &Json) -> io::Result<u64> {
        self.sent += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.sent, "method": method, "params": params }))?;
        Ok(self.sent)
    }

    /// Sends lines that were written before.
    pub(crate) fn send_lines(&mut self, lines: &str) -> io::Result<()> {
        self.input.write_all(lines.as_bytes())
    }

    /// The next response, with the id of its request.
    pub(crate) fn read(&mut self) -> io::Result<(u64, Json)> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(io::Error::other("the proxy ended"));
            }
            let message: Json = serde_json::from_str(&line)?;
            if let Some(id) = message["id"].as_u64() {
                return Ok((id, message));
            }
        }
    }

    /// The process of the proxy.
    pub(crate) fn pid(&self) -> u32 {
        self.proxy.id()
    }

    fn write(&mut self, message: &Json) -> io::Result<()> {
        self.input.write_all(format!("{message}\n").as_bytes())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}
