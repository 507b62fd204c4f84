//! Run directories: the files through which the daemon and a shim speak.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::core::process::files::{CONTROL, OUTCOME, SPEC, STARTED};
use crate::core::process::{Control, Outcome, ProcessKey};
use crate::engine::ports::Launch;
use crate::process::identity::Identity;

/// What a shim is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) launch: Launch,
    /// Where a daemon belongs that the shim starts when it finds none.
    pub(super) home: Option<PathBuf>,
    /// How many descriptors the process may have, when not as many as the shim was started with.
    pub(super) descriptors_max: Option<u64>,
}

/// Who a shim is, and since when its process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Started {
    pub(super) key: ProcessKey,
    pub(super) at: Timestamp,
    pub(super) shim: Identity,
}

/// The directory of one process execution.
#[derive(Debug, Clone)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// The directory at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The directory of `key` below `runs`.
    pub fn of(runs: &Path, key: ProcessKey) -> Self {
        Self(runs.join(key.directory()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where one of its files is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// How the process ended, when it has.
    pub fn outcome(&self) -> io::Result<Option<Outcome>> {
        self.read_line(OUTCOME, 1)
    }

    /// Who the shim is, while there is no outcome.
    pub(super) fn started(&self) -> io::Result<Option<Started>> {
        self.read_line(STARTED, 0)
    }

    /// Whether its process may have been started.
    pub(super) fn is_used(&self) -> io::Result<bool> {
        Ok(self.file(STARTED).try_exists()? || self.file(OUTCOME).try_exists()?)
    }

    /// Creates the directory and those above it, for the owner's eyes alone.
    pub(super) fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    /// Creates a folder in the directory, for the owner's eyes alone.
    pub(super) fn folder(&self, name: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.file(name))
    }

    pub(super) fn has(&self, name: &str) -> io::Result<bool> {
        self.file(name).try_exists()
    }

    /// Reads a document; a file that holds none is an error of kind `InvalidData`.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match fs::read(self.file(name)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).map_err(io::Error::from)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_line<T: DeserializeOwned>(&self, name: &str, place: usize) -> io::Result<Option<T>> {
        match fs::read(self.file(name)) {
            Ok(text) => {
                let line = text.split(|byte| *byte == b'\n').nth(place).unwrap_or_default();
                Ok(Some(serde_json::from_slice(line).map_err(io::Error::from)?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes what a shim is to do, into the file that carries the lock.
    pub(super) fn write_spec(&self, spec: &Spec) -> io::Result<()> {
        // Never by rename: whoever has locked the file must have locked this very one.
        let mut options = File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(self.file(SPEC))?;
        file.write_all(&serde_json::to_vec(spec)?)
    }

    /// Writes what bounds the process from now on; whoever reads finds this or what was there before.
    pub(super) fn write_control(&self, control: &Control) -> io::Result<()> {
        self.replace(CONTROL, &serde_json::to_vec(control)?)
    }

    /// Writes who the shim is, unless there was one before, and leaves nothing when that does not succeed.
    ///
    /// The answer is where the outcome goes.
    pub(super) fn start(&self, started: &Started) -> io::Result<u64> {
        if self.is_used()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut line = serde_json::to_vec(started)?;
        line.push(b'\n');
        let path = self.file(STARTED);
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(&path)?;
        file.write_all(&line).inspect_err(|_| {
            let _ = fs::remove_file(&path);
        })?;
        Ok(u64::try_from(line.len()).unwrap_or(u64::MAX))
    }

    /// Makes `started` the outcome, whole or not at all: it has its new name only when all is in it.
    ///
    /// No file of its own: where many files come and go, a fresh one can be what takes the longest.
    pub(super) fn conclude(&self, place: u64, outcome: &Outcome) -> io::Result<()> {
        let file = File::options().write(true).open(self.file(STARTED))?;
        file.write_all_at(&serde_json::to_vec(outcome)?, place)?;
        fs::rename(self.file(STARTED), self.file(OUTCOME))
    }

    /// Writes a file whole or not at all, in place of the one that is there.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let draft = self.file(&format!("{name}.new"));
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        fs::rename(&draft, self.file(name))
    }
}
