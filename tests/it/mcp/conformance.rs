//! The official conformance suite, over HTTP that only this test listens to.
//!
//! Scenarios that need the suite's own tools, prompts and resources are named, with the reason, in
//! `tests/agents/conformance-*.yml`.

use std::process::Command;
use std::sync::Arc;

use converge::command::House;
use converge::command::caller::{Audience, Caller};
use converge::command::settings::Settings;
use converge::core::account::Accounts;
use converge::core::consent::Consent;
use converge::daemon::offline;
use converge::engine::clock::SystemClock;
use converge::engine::handle::Handle;
use converge::paths::Paths;
use converge::store::readers::Readers;
use converge::surface::mcp::desk::Desk;
use converge::surface::mcp::session::Session;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::agents::installed;
use crate::home::{Home, Said};

/// Serves the store of a home on a port of this machine, and answers the address.
fn listen(home: &Home, runtime: &Runtime) -> String {
    let paths = Paths::at(home.home());
    let engine = Handle::new(Box::new(SystemClock));
    let house = House {
        settings: Box::new(|| Settings::InForce),
        readers: Readers::new(paths.database()),
        places: offline::places(&paths),
        started_at: engine.now(),
        engine,
        lanes: 1,
        consent: Consent::default(),
        accounts: Accounts::new(),
        login_path: || None,
        ask: |_| None,
    };
    let _inside = runtime.enter();
    let desk = Desk::open(house, None, |_| None).unwrap();
    let service = StreamableHttpService::new(
        move || {
            let caller = Caller { reader: Audience::Model, ..Caller::default() };
            Ok(Session::new(Arc::clone(&desk), caller))
        },
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}/mcp")
}

fn check(mut conformance: Command, revision: &str) {
    let home = Home::new();
    // The suite asks for what there is: a job that ran.
    home.add(&["one", "--manual", "--cmd", "echo hello"]);
    home.run(&["run-now", "one"]).done();
    let runtime = Runtime::new().unwrap();
    let url = listen(&home, &runtime);
    let baseline = installed::folder().join(format!("conformance-{revision}.yml"));
    conformance
        .args(["server", "--url", &url, "--requirements", revision, "--expected-failures"])
        .arg(baseline)
        .arg("-o")
        .arg(home.folder().join("results"))
        .env("HOME", home.folder())
        .current_dir(home.project());
    let said = Said::of(&conformance.output().unwrap());
    runtime.shutdown_background();
    assert_eq!(said.code, 0, "{}", said.all());
}

#[test]
fn the_suite_of_the_older_era_finds_nothing() {
    installed::with_program("conformance", "@modelcontextprotocol/conformance", |suite| {
        check(suite, "2025-11-25");
    });
}

#[test]
fn the_suite_of_the_newer_era_finds_nothing() {
    installed::with_program("conformance", "@modelcontextprotocol/conformance", |suite| {
        check(suite, "2026-07-28");
    });
}
