#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;

use serde_json::json;

use super::*;
use crate::client::protocol::VERSION;
use crate::core::refusal::Code;

/// A server that answers with what it was asked.
fn serve(folder: &Path) -> (Server, PathBuf) {
    let address = folder.join("sock");
    let dispatch: Dispatch = Arc::new(|caller, verb, arguments, key| match verb {
        "no" => Err(Refusal::new(Code::Denied, "no")),
        _ => Ok(json!([caller.cwd, caller.pid, verb, arguments, key])),
    });
    (Door::open(&address).unwrap().serve(None, dispatch).unwrap(), address)
}

struct Client(BufReader<UnixStream>);

impl Client {
    fn connect(address: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(address).unwrap()))
    }

    fn greeted(address: &Path) -> Self {
        let mut client = Self::connect(address);
        client.send(&preface(VERSION));
        assert_eq!(client.receive(), json!({"converge": VERSION, "pid": std::process::id()}));
        client
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn receive(&mut self) -> Json {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        if line.is_empty() { Json::Null } else { serde_json::from_str(&line).unwrap() }
    }
}

fn preface(version: &str) -> String {
    let preface = json!({"converge": version, "cwd": "/here", "pid": 1, "zone": "UTC", "env": {}});
    format!("{preface}\n")
}

fn message(response: &Json) -> &str {
    response["error"]["message"].as_str().unwrap_or_default()
}

#[test]
fn requests_are_answered_in_turn_however_they_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = serve(folder.path());
    let mut client = Client::greeted(&address);
    client.send("{\"id\": 1, \"verb\": \"a\"}\n{\"id\": \"two\", \"verb\": \"no\"}\n{\"id\": 3, ");
    let pid = std::process::id();
    assert_eq!(client.receive(), json!({"id": 1, "reply": ["/here", pid, "a", null, null]}));
    assert_eq!(client.receive(), json!({"id": "two", "error": {"code": "denied", "message": "no"}}));
    client.send("\"verb\": \"b\", \"arguments\": {\"x\": 1}, \"key\": \"k\"}\n");
    assert_eq!(client.receive(), json!({"id": 3, "reply": ["/here", pid, "b", {"x": 1}, "k"]}));
}

#[test]
fn bad_lines_are_answered_and_cost_only_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = serve(folder.path());
    let mut client = Client::greeted(&address);
    client.send("nonsense\n{\"id\": 5}\n");
    assert!(message(&client.receive()).starts_with("a line is no request: expected"));
    let named = client.receive();
    assert_eq!(named["id"], 5);
    assert!(message(&named).starts_with("a line is no request: missing field `verb`"), "{named}");
    let mut writer = Client(BufReader::new(client.0.get_ref().try_clone().unwrap()));
    let sending = thread::spawn(move || writer.send(&format!("{}\n", "x".repeat(5 << 20))));
    assert_eq!(message(&client.receive()), "a line is longer than 4 MiB");
    sending.join().unwrap();
    client.send("{\"id\": 6, \"verb\": \"a\"}\n");
    assert_eq!(client.receive()["id"], 6);
}

#[test]
fn another_version_is_told_ours_and_hears_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = serve(folder.path());
    let mut client = Client::connect(&address);
    client.send(&preface("0.0.0"));
    assert_eq!(client.receive()["converge"], VERSION);
    assert_eq!(client.receive(), Json::Null);
}

#[test]
fn a_stranger_to_the_protocol_is_told_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = serve(folder.path());
    let mut client = Client::connect(&address);
    client.send("GET / HTTP/1.1\r\n");
    assert!(message(&client.receive()).starts_with("the first line does not introduce a client"));
}

#[test]
fn a_stale_socket_is_replaced_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("sock");
    drop(UnixListener::bind(&address).unwrap());
    let (server, _) = serve(folder.path());
    Client::greeted(&address);
    assert_eq!(fs::symlink_metadata(&address).unwrap().mode() & 0o777, 0o600);
    server.close().wait(Duration::ZERO);
    assert!(!address.exists());
    fs::write(&address, "precious").unwrap();
    Door::open(&address).unwrap_err();
    assert_eq!(fs::read_to_string(&address).unwrap(), "precious");
}
