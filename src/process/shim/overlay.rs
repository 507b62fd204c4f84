//! An overlay of a home, made before a process and taken away after it.
//!
//! What the process writes goes through the links into its usual home. What it makes anew, and what it writes by
//! putting a new file in the place of an old one, is brought there when it is over. The document is a copy for the
//! owner's eyes alone, and goes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::core::overlay::Overlay;

/// An overlay that is there; dropping it takes it away.
#[derive(Debug)]
pub(super) struct Laid {
    overlay: Overlay,
    usual: PathBuf,
    home: PathBuf,
    since: SystemTime,
}

impl Laid {
    /// Lays it at `home`, which is not there yet, and names that in the variables of the process.
    ///
    /// Nothing is laid where the document cannot be read: the program itself says best what is wrong with it.
    pub(super) fn lay(
        overlay: Overlay,
        home: PathBuf,
        variables: &mut BTreeMap<OsString, OsString>,
        cwd: &Path,
    ) -> Result<Option<Self>, String> {
        let usual = usual(&overlay, variables, cwd)?;
        let Some(said) = say(&overlay, &usual) else { return Ok(None) };
        variables.insert(OsString::from(&overlay.variable), home.clone().into_os_string());
        let laid = Self { overlay, usual, home, since: now() };
        let of_home = |error: io::Error| format!("a home like `{}`: {error}", laid.usual.display());
        laid.link().and_then(|()| laid.write(&said)).map_err(of_home)?;
        Ok(Some(laid))
    }

    /// The folder in the usual home, and in this one.
    fn folders(&self) -> [PathBuf; 2] {
        [&self.usual, &self.home].map(|home| home.join(&self.overlay.folder))
    }

    fn link(&self) -> io::Result<()> {
        let [from, to] = self.folders();
        for kept in &self.overlay.keeps {
            folder(&from.join(kept))?;
        }
        folder(&to)?;
        for name in names(&from)?.into_iter().filter(|name| self.shares(name)) {
            symlink(from.join(&name), to.join(&name))?;
        }
        for name in self.overlay.beside.iter().filter(|name| self.usual.join(name).exists()) {
            symlink(self.usual.join(name), self.home.join(name))?;
        }
        Ok(())
    }

    fn shares(&self, name: &OsStr) -> bool {
        name.to_str().is_none_or(|name| self.overlay.shares(name))
    }

    fn write(&self, said: &str) -> io::Result<()> {
        let [_, ours] = self.folders().map(|folder| folder.join(&self.overlay.document));
        // Never through a link, which leads to what is not ours.
        File::options().create_new(true).write(true).mode(0o600).open(ours)?.write_all(said.as_bytes())
    }

    /// Brings home what is new, and what took the place of a file that nobody else has changed since.
    fn bring_home(&self) -> io::Result<()> {
        let [to, from] = self.folders();
        let inside = names(&from)?.into_iter().filter(|name| self.shares(name));
        let inside = inside.map(|name| (from.join(&name), to.join(name)));
        let beside = self.overlay.beside.iter().map(|name| (self.home.join(name), self.usual.join(name)));
        for (new, old) in inside.chain(beside) {
            // One that stays away keeps no other from coming.
            if self.is_wanted(&new, &old).is_ok_and(|is_wanted| is_wanted) {
                let _ = bring(&new, &old);
            }
        }
        Ok(())
    }

    fn is_wanted(&self, new: &Path, old: &Path) -> io::Result<bool> {
        let found = fs::symlink_metadata(new)?;
        match fs::symlink_metadata(old) {
            Ok(old) => Ok(found.is_file() && old.is_file() && old.modified()? <= self.since),
            Err(error) => Ok(error.kind() == io::ErrorKind::NotFound && !found.is_symlink()),
        }
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        // Nobody is there to be told, and what a program cannot be brought it makes again.
        let _ = self.bring_home();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// What the document says; none when that of the usual home cannot be read.
fn say(overlay: &Overlay, usual: &Path) -> Option<String> {
    let path = usual.join(&overlay.folder).join(&overlay.document);
    match fs::metadata(&path) {
        // Whoever reads anything else may wait for ever.
        Ok(found) if found.is_file() => overlay.say(&fs::read_to_string(path).ok()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => overlay.say(""),
        Ok(_) | Err(_) => None,
    }
}

/// The home that the process would have.
fn usual(overlay: &Overlay, variables: &BTreeMap<OsString, OsString>, cwd: &Path) -> Result<PathBuf, String> {
    let named = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
    if let Some(home) = named(&overlay.variable) {
        return Ok(cwd.join(home));
    }
    let home = named("HOME").ok_or("no variable says where its home is, not even HOME")?;
    Ok(cwd.join(home).join(&overlay.usual))
}

/// The names in a folder; none in one that is not there.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Puts a file or folder in its place, which a folder of another file system does not find.
fn bring(new: &Path, old: &Path) -> io::Result<()> {
    match fs::rename(new, old) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices && new.is_file() => {
            let mut draft = old.as_os_str().to_owned();
            draft.push(".converge-draft");
            fs::copy(new, &draft)?;
            fs::rename(draft, old)
        }
        done => done,
    }
}

/// Makes a folder for its owner's eyes alone, unless it is there.
fn folder(path: &Path) -> io::Result<()> {
    let of_path = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(of_path)
}

#[expect(clippy::disallowed_methods, reason = "it is compared with what the system says of files")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests;
