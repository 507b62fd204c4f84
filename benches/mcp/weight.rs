//! What a session weighs, in the proxy and in the daemon.

use std::io;

use crate::figure::{Beside, Sheet};
use crate::home::Home;
use crate::session::Session;
use crate::system::kilobytes;

/// How many sessions are opened.
const SESSIONS: u32 = 200;

/// The memory of a proxy, and what the daemon keeps for each session that says nothing.
pub(crate) fn run(sheet: &mut Sheet) -> io::Result<()> {
    let home = Home::started(4)?;
    // What the first of them brings along is not what each costs.
    let first = Session::open(&home)?;
    let before = kilobytes(home.daemon_pid(), "status", "VmRSS")?;
    let sessions: Vec<Session> = (0..SESSIONS).map(|_| Session::open(&home)).collect::<io::Result<_>>()?;
    let after = kilobytes(home.daemon_pid(), "status", "VmRSS")?;
    let proxy = kilobytes(first.pid(), "status", "VmRSS")? / 1024.0;
    let anonymous = kilobytes(first.pid(), "smaps_rollup", "Private_Dirty")? / 1024.0;
    let from = format!("{anonymous:.1} MB of it its own");
    sheet.put("a proxy, resident", proxy, "MB", &Beside { from, target: "6" })?;
    let each = (after - before) / f64::from(SESSIONS);
    let from = format!("{} sessions: {before:.0} kB, then {after:.0} kB", sessions.len());
    sheet.put("the daemon, for each idle session", each, "kB", &Beside { from, target: "60" })
}
