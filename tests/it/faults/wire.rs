//! The socket, spoken to by clients that do not know how.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use serde_json::json;

use crate::home::{Home, text};

#[test]
fn a_client_of_another_version_is_told_so() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.dial();
    let answer = client.ask(&json!({ "converge": "99.0.0", "cwd": "/", "pid": 1, "zone": "UTC", "env": {} }));
    assert_eq!(answer["converge"], env!("CARGO_PKG_VERSION"), "it is told ours");
    client.send(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
    assert_eq!(client.read(), None, "and hears nothing more");
}

#[test]
fn a_daemon_of_another_version_is_told_with_the_way_out() {
    let home = Home::new();
    fs::create_dir(home.home()).unwrap();
    let listener = UnixListener::bind(home.home().join("converge.sock")).unwrap();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            stream.read_line(&mut String::new()).unwrap();
            stream.get_mut().write_all(b"{\"converge\":\"99.0.0\",\"pid\":1}\n").unwrap();
        }
    });
    let said = home.run(&["ls"]).ended(69);
    assert!(said.err.contains("99.0.0") && said.err.contains("converge daemon restart"), "{said:?}");
    assert_eq!(home.run(&["ls", "--json"]).ended(69).json()["error"]["code"], "unavailable");
    server.join().unwrap();
}

#[test]
fn malformed_lines_are_refused_and_the_daemon_goes_on() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let pid = home.daemon_pid();
    for line in [
        &b"\n"[..],
        b"{}\n",
        b"[1,2]\n",
        b"null\n",
        b"\xff\xfe\x00\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{\"converge\":",
        b"\"x\"\n",
    ] {
        let mut client = home.dial();
        client.send(line);
        if line.ends_with(b"\n") {
            let answer = client.read();
            assert!(answer.as_ref().is_none_or(|answer| answer["error"].is_object()), "{line:?}: {answer:?}");
        }
    }
    let mut client = home.greeted();
    for line in [&b"{\n"[..], b"{\"id\":1}\n", b"{\"id\":1,\"method\":7}\n", b"\xff\n", b"[]\n"] {
        client.send(line);
        let answer = client.read().expect("an answer");
        assert!(answer["error"]["code"].is_i64(), "{line:?}: {answer}");
    }
    let listed = client.call("list_jobs", &json!({}));
    assert_eq!(listed["reply"]["jobs"], json!([]), "the connection goes on after what it refused");
    assert_eq!(home.daemon_pid(), pid);
}

#[test]
fn a_line_without_end_is_cut_off() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    client.send(&vec![b'x'; 17 << 20]);
    client.send(b"\n");
    let answer = client.read();
    assert!(answer.as_ref().is_none_or(|answer| answer["error"].is_object()), "{answer:?}");
    home.run(&["ls"]).done();
}

#[test]
fn clients_that_come_and_go_and_say_nothing_keep_nobody_out() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let socket = home.home().join("converge.sock");
    let silent: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    for _ in 0..40 {
        let mut hasty = UnixStream::connect(&socket).unwrap();
        let _ = hasty.write_all(b"{\"conv");
    }
    home.run(&["ls"]).done();
    drop(silent);
    home.run(&["ls"]).done();
}

#[test]
fn what_one_connection_wrote_it_reads() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.greeted();
    for number in 0..50 {
        let name = format!("job-{number}");
        let added = client.call("add_job", &json!({ "name": name, "manual": true, "cmd": name }));
        let shown = client.call("show_job", &json!({ "job": name }));
        assert_eq!(text(&shown["reply"]["id"]), text(&added["reply"]["id"]));
    }
}

#[test]
fn relative_paths_of_a_client_without_a_directory_are_refused() {
    let home = Home::new();
    home.run(&["daemon", "start"]).done();
    let mut client = home.dial();
    client.ask(
        &json!({ "converge": env!("CARGO_PKG_VERSION"), "cwd": "", "pid": 1, "zone": "UTC", "env": {} }),
    );
    let refused = client.call("add_job", &json!({ "manual": true, "cmd": "true" }));
    assert_eq!(refused["error"]["problems"][0]["place"], "cwd", "{refused}");
}
