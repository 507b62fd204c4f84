//! `converge` alone: a greeting that says what to do next.

use serde_json::json;

use crate::client::autostart::Autostart;
use crate::client::connect::Connection;
use crate::command::page::Tone;
use crate::surface::cli::exit::Exit;
use crate::surface::cli::terminal;
use crate::surface::cli::{Session, call};

/// Greets; looks at the jobs when a daemon is there, and starts none.
pub(super) fn run(session: &Session) -> Exit {
    let connection = Session::paths().ok().and_then(|paths| Connection::open(paths, Autostart::Never).ok());
    let status =
        connection.and_then(|mut connection| call(&mut connection, "daemon_status", &json!({}), None).ok());
    if session.terminal.is_json() {
        let version = env!("CARGO_PKG_VERSION");
        terminal::write(&format!("{}\n", json!({ "version": version, "daemon": status })));
        return Exit::Ok;
    }
    let mut page = session.page();
    page.line(page.tone(
        "Converge runs a command again and again, checks the result itself, and survives.",
        Tone::Strong,
    ));
    page.gap();
    let jobs = status.as_ref().and_then(|status| status["counts"]["jobs"].as_u64()).unwrap_or(0);
    let running = status.as_ref().and_then(|status| status["counts"]["running"].as_u64()).unwrap_or(0);
    if jobs == 0 {
        page.line("Start a loop that ends when the tests pass:");
        page.line(format!(
            "  {}",
            page.tone("converge add --cmd 'cargo test' --until 'exit 0' --wait 1m --follow", Tone::Good)
        ));
    } else {
        let jobs = if jobs == 1 { "1 job".to_owned() } else { format!("{jobs} jobs") };
        page.line(format!("You have {jobs}, {running} running."));
        page.fields(&[
            ("converge ls", "what there is".to_owned()),
            ("converge logs NAME", "what it did".to_owned()),
            ("converge explain NAME", "why it waits or stopped".to_owned()),
        ]);
    }
    page.gap();
    page.line("`converge --help` shows every command.");
    terminal::write(&page.finish());
    Exit::Ok
}
