//! The log: one file that is moved aside when it is large.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::Config;
use crate::paths::Paths;

/// How large a file becomes.
const BYTES_MAX: u64 = 10 << 20;

/// How many older files are kept.
const OLDER: u32 = 3;

/// Sends everything that is traced, and every panic, to the log of a home.
pub(super) fn start(paths: &Paths, config: &Config) -> anyhow::Result<()> {
    // What rmcp says of each message is for whoever looks for a fault in it.
    let filter = EnvFilter::try_new(format!("rmcp=off,{}", config.log))
        .with_context(|| format!("`{}` is no filter for the log", config.log))?;
    let log =
        Log::open(paths.log(), BYTES_MAX).with_context(|| format!("the log `{}`", paths.log().display()))?;
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(log).finish();
    tracing::subscriber::set_global_default(subscriber)?;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(%panic, "a bug");
        before(panic);
    }));
    Ok(())
}

struct Log {
    path: PathBuf,
    bytes_max: u64,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    bytes: u64,
}

impl Log {
    fn open(path: PathBuf, bytes_max: u64) -> io::Result<Self> {
        let open = Mutex::new(Open::of(&path)?);
        Ok(Self { path, bytes_max, open })
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().expect("nobody panics with the log in hand");
        if open.bytes >= self.bytes_max {
            // What cannot be moved aside grows on; better than to lose the line.
            let moved = move_aside(&self.path).and_then(|()| Open::of(&self.path));
            if let Ok(fresh) = moved {
                *open = fresh;
            }
        }
        open.file.write_all(line)?;
        open.bytes += u64::try_from(line.len()).unwrap_or(0);
        Ok(())
    }
}

impl Open {
    fn of(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).mode(0o600).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }
}

/// Makes place for a fresh file: each older one becomes one older, and the oldest goes.
fn move_aside(path: &Path) -> io::Result<()> {
    let aged = |age: u32| match age {
        0 => path.to_owned(),
        age => PathBuf::from(format!("{}.{age}", path.display())),
    };
    for age in (0..OLDER).rev() {
        match fs::rename(aged(age), aged(age + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

    use super::*;

    #[test]
    fn a_large_log_is_moved_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.log");
        let log = Log::open(path.clone(), 6).unwrap();
        for number in 0..12 {
            log.append(format!("{number:02}\n").as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let files = ["daemon.log", "daemon.log.1", "daemon.log.2", "daemon.log.3"].map(read);
        assert_eq!(files, ["10\n11\n", "08\n09\n", "06\n07\n", "04\n05\n"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
