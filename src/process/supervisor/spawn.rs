//! Starting a shim.
#![expect(clippy::disallowed_methods, reason = "this is where shims are started")]

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::core::process::files::{AGENT, LAST, PROMPT};
use crate::core::process::{Ending, Outcome, PrivateFile};
use crate::engine::ports::{Execute, Launch};
use crate::process::login_path;
use crate::process::mark;
use crate::process::rundir::{RunDir, Spec};
use crate::process::supervisor::Options;
use crate::process::supervisor::prompt;
use crate::process::supervisor::watch::Watched;
use crate::programs::repaired;

/// Writes the run directory of `launch` and starts its shim, or says why that cannot be.
pub(super) fn spawn(runs: &Path, options: &Options, mut launch: Launch) -> Result<Watched, String> {
    let dir = RunDir::of(runs, launch.key);
    let of_dir = |error: io::Error| format!("run directory `{}`: {error}", dir.path().display());
    dir.create().map_err(of_dir)?;
    let prompt = launch.prompt.take().map(|prompt| prompt::written(runs, prompt)).transpose()?;
    prepare(&dir, options, launch, prompt).map_err(of_dir)?;
    let mut command = Command::new(&options.program);
    command
        .arg0("converge")
        .arg("shim")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if std::env::var_os(mark::VARIABLE).is_some() {
        // A shim that carried a mark would be killed with what it is to outlive.
        command.env_remove(mark::VARIABLE);
    }
    let mut shim = command.spawn().map_err(|error| format!("the shim of the process: {error}"))?;
    let pipe = shim.stdout.take().ok_or("the shim of the process has no pipe")?;
    Ok(Watched::child(shim, pipe))
}

fn prepare(dir: &RunDir, options: &Options, mut launch: Launch, prompt: Option<String>) -> io::Result<()> {
    launch.env.insert(mark::VARIABLE.to_owned(), launch.key.to_string());
    if let Execute::Program { .. } = launch.execute {
        let value = |name: &str| launch.env.get(name).map(String::as_str);
        let path = repaired(value("PATH").unwrap_or_default(), value("HOME"), login_path::get());
        launch.env.insert("PATH".to_owned(), path);
    }
    if let Some(last) = launch.last.take() {
        dir.replace(LAST, last.as_bytes())?;
        let path = dir.file(LAST).into_os_string().into_string();
        let path = path.map_err(|_| io::Error::other("its path is not UTF-8"))?;
        launch.env.insert("CONVERGE_LAST_FILE".to_owned(), path);
    }
    if let Some(prompt) = prompt {
        dir.replace(PROMPT, prompt.as_bytes())?;
    }
    if !launch.files.is_empty() {
        dir.folder(AGENT)?;
    }
    for PrivateFile { name, text } in launch.files.drain(..) {
        dir.replace(&format!("{AGENT}/{name}"), text.as_bytes())?;
    }
    let spec = Spec { launch, home: options.home.clone(), descriptors_max: options.descriptors_max };
    dir.write_spec(&spec)
}

/// The outcome of a process that did not even get a shim.
pub(super) fn never_ran(cause: String) -> Outcome {
    let now = Timestamp::now();
    Outcome::never_ran(now, now, Ending::SpawnFailed { cause })
}
