//! Paths: where everything of one home lies.
#![expect(clippy::disallowed_methods, reason = "the environment says where the home is")]

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

/// The longest path that every system takes as the address of a socket.
const ADDRESS_MAX: usize = 100;

/// The files of one home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    home: PathBuf,
    socket: PathBuf,
}

/// Why there is no home.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// Nothing says where it is.
    #[error("neither CONVERGE_HOME nor HOME says where to keep things; set one of them")]
    Nowhere,
    /// It would be made private, which is not for this one.
    #[error("`{0}` is not for converge alone; set CONVERGE_HOME to a directory of its own in it")]
    Shared(PathBuf),
    /// There is something else.
    #[error("`{0}` is not a directory; move it away or set CONVERGE_HOME")]
    NotADirectory(PathBuf),
    /// It is somebody else's.
    #[error("`{0}` belongs to another user; set CONVERGE_HOME to a directory of your own")]
    Foreign(PathBuf),
    /// What leads to a socket with a long path is not ours.
    #[error("`{0}` is not a directory of yours; set CONVERGE_SOCKET_PATH to a path of less than 100 bytes")]
    Planted(PathBuf),
    /// The system says no.
    #[error("`{0}` cannot be used")]
    Io(PathBuf, #[source] io::Error),
}

impl Paths {
    /// The home that the environment says: `CONVERGE_HOME`, else `.converge` in the user's own.
    pub fn find() -> Result<Self, PathsError> {
        let home = match variable("CONVERGE_HOME") {
            Some(home) => home,
            None => user().ok_or(PathsError::Nowhere)?.join(".converge"),
        };
        let mut paths = Self::named(home)?;
        if let Some(socket) = variable("CONVERGE_SOCKET_PATH") {
            paths.socket = absolute(socket)?;
        }
        Ok(paths)
    }

    /// The home that a person named, whatever the environment says.
    pub fn named(home: PathBuf) -> Result<Self, PathsError> {
        let home = absolute(home)?;
        if home.parent().is_none() || user().is_some_and(|user| user == home) {
            return Err(PathsError::Shared(home));
        }
        Ok(Self::at(home))
    }

    /// The home at `home`, which is absolute.
    pub fn at(home: PathBuf) -> Self {
        Self { socket: home.join("converge.sock"), home }
    }

    /// The directory of all of it.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.home.join("converge.db")
    }

    /// The run directories.
    pub fn runs(&self) -> PathBuf {
        self.home.join("runs")
    }

    /// Notes on who is logged in at which agent.
    pub fn logins(&self) -> PathBuf {
        self.home.join("logins")
    }

    /// The user's manifests of agents.
    pub fn agents(&self) -> PathBuf {
        self.home.join("agents")
    }

    /// The settings.
    pub fn config(&self) -> PathBuf {
        self.home.join("config.json")
    }

    /// The socket of the daemon.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The lock of the daemon, with a note of who holds it.
    pub fn lock(&self) -> PathBuf {
        self.home.join("daemon.lock")
    }

    /// The log of the daemon.
    pub fn log(&self) -> PathBuf {
        self.home.join("daemon.log")
    }

    /// There when a person stopped the daemon.
    pub fn stopped(&self) -> PathBuf {
        self.home.join("daemon.stopped")
    }

    /// Makes the directories that are missing, for the owner's eyes alone.
    pub fn prepare(&self) -> Result<(), PathsError> {
        private_directory(&self.home)?;
        // There before anybody saves a manifest in it.
        private_directory(&self.agents())?;
        private_directory(&self.runs())
    }

    /// The socket's path as short as an address must be.
    ///
    /// A long one is reached through a link in a private directory below `/tmp`. The link leads to the
    /// directory and not to the socket, so whoever needs one makes it, and nobody has to agree on it.
    pub fn address(&self) -> Result<PathBuf, PathsError> {
        if self.socket.as_os_str().len() <= ADDRESS_MAX {
            return Ok(self.socket.clone());
        }
        let (Some(directory), Some(name)) = (self.socket.parent(), self.socket.file_name()) else {
            return Ok(self.socket.clone());
        };
        let links = PathBuf::from(format!("/tmp/converge-{}", Uid::effective()));
        own_directory(&links)?;
        let hash = blake3::hash(directory.as_os_str().as_encoded_bytes()).to_hex();
        let link = links.join(&hash[..16]);
        if fs::read_link(&link).ok().as_deref() != Some(directory) {
            let draft = links.join(format!("{}.{}", &hash[..16], std::process::id()));
            let made = symlink(directory, &draft).and_then(|()| fs::rename(&draft, &link));
            made.map_err(|error| PathsError::Io(link.clone(), error))?;
        }
        Ok(link.join(name))
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The directory of the user.
fn user() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

fn absolute(path: PathBuf) -> Result<PathBuf, PathsError> {
    std::path::absolute(&path).map_err(|error| PathsError::Io(path, error))
}

/// Makes `path`, where everybody may plant something, a private directory of ours, and follows no link.
fn own_directory(path: &Path) -> Result<(), PathsError> {
    let failed = |error| PathsError::Io(path.to_owned(), error);
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_dir() || found.uid() != Uid::effective().as_raw() {
        return Err(PathsError::Planted(path.to_owned()));
    }
    if found.mode() & 0o077 != 0 {
        // What is ours cannot be replaced by others, as long as nobody but its owner may remove it.
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Makes `path` a directory that is ours and that nobody else can look into.
fn private_directory(path: &Path) -> Result<(), PathsError> {
    let failed = |error| PathsError::Io(path.to_owned(), error);
    if let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(path)
        && !path.exists()
    {
        return Err(failed(error));
    }
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_dir() {
        return Err(PathsError::NotADirectory(path.to_owned()));
    }
    if found.uid() != Uid::effective().as_raw() {
        return Err(PathsError::Foreign(path.to_owned()));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_home_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("a/b");
        fs::create_dir_all(&home).unwrap();
        fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
        let paths = Paths::at(home.clone());
        paths.prepare().unwrap();
        for directory in [home, paths.runs()] {
            assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700, "{}", directory.display());
        }
    }

    #[test]
    fn a_file_is_no_home() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("file");
        fs::write(&home, "").unwrap();
        let refused = Paths::at(home.clone()).prepare();
        assert!(matches!(&refused, Err(PathsError::NotADirectory(path)) if *path == home), "{refused:?}");
    }

    #[test]
    fn a_socket_is_reached_however_long_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("long".repeat(20)).join("longer".repeat(20));
        let paths = Paths::at(home);
        paths.prepare().unwrap();
        let listener = UnixListener::bind(paths.address().unwrap()).unwrap();
        assert!(paths.socket().exists(), "the socket itself lies in the home");
        UnixStream::connect(paths.address().unwrap()).unwrap();
        drop(listener);
        fs::remove_file(paths.address().unwrap().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_link_is_no_directory_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (precious, links) = (folder.path().join("precious"), folder.path().join("links"));
        fs::create_dir(&precious).unwrap();
        fs::set_permissions(&precious, Permissions::from_mode(0o755)).unwrap();
        symlink(&precious, &links).unwrap();
        let refused = own_directory(&links);
        assert!(matches!(&refused, Err(PathsError::Planted(path)) if *path == links), "{refused:?}");
        assert_eq!(fs::metadata(&precious).unwrap().mode() & 0o777, 0o755);
        fs::remove_file(&links).unwrap();
        own_directory(&links).unwrap();
        assert_eq!(fs::metadata(&links).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_short_path_is_its_own_address() {
        let paths = Paths::at(PathBuf::from("/home/somebody/.converge"));
        assert_eq!(paths.address().unwrap(), paths.socket());
    }
}
