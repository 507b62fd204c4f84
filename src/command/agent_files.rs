//! Agent files: the manifests in `agents/` of the home, over those that come along.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::agent::catalogue::{Catalogue, UserFile};

/// A longer file is no manifest.
const LENGTH_MAX: u64 = 256 << 10;

/// More files than this are not looked at.
const FILES_MAX: usize = 200;

/// The ending of a manifest's name.
const ENDING: &str = "toml";

/// Every agent, as the files of `home` have it by now.
pub fn catalogue(home: &Path) -> Catalogue {
    Catalogue::of(files(&home.join("agents")))
}

fn files(folder: &Path) -> Vec<UserFile> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == ENDING)).collect();
    paths.sort();
    paths.truncate(FILES_MAX);
    let file = |path: &Path| UserFile {
        path: path.display().to_string(),
        stem: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        text: text(path),
    };
    paths.iter().map(|path| file(path)).collect()
}

fn text(path: &Path) -> Result<String, String> {
    let kind = fs::metadata(path).map_err(|error| error.to_string())?;
    // A pipe would be waited for.
    if !kind.is_file() {
        return Err("it is no file".to_owned());
    }
    if kind.len() > LENGTH_MAX {
        return Err(format!("it has {} bytes", kind.len()));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LENGTH_MAX).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
