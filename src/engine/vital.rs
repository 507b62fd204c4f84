//! Vital threads: those without which the daemon would only seem to work.
//!
//! A panic in one of them ends the process at once. What was committed stands, and the next daemon asks
//! after everything else; a daemon that accepts requests and forgets them would be worse than none.

use std::io;
use std::thread::{self, JoinHandle};

/// Nothing on these threads recurses deeply; what is not touched costs nothing.
const STACK_BYTES: usize = 512 << 10;

/// Starts a thread whose panic ends the process.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let vital = Vital(name.to_owned());
    thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(move || {
        let _vital = vital;
        body();
    })
}

struct Vital(String);

impl Drop for Vital {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!(thread = self.0, "a vital thread is gone, and the process goes with it");
            std::process::abort();
        }
    }
}
