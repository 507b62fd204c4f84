//! Agent files: the manifests in `agents/` of the home, over those that come along.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::agent::catalogue::{Catalogue, UserFile};
use crate::agent::document::Mistake;
use crate::agent::price::Prices;

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

/// What tells whether the files of `home` are others than before: their names, and when each was written.
pub fn mark(home: &Path) -> Vec<(PathBuf, Option<SystemTime>)> {
    let written = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    let paths = paths(&home.join("agents")).into_iter().chain([home.join("prices.toml")]);
    paths.map(|path| (path.clone(), written(&path))).collect()
}

/// What models cost, with `prices.toml` of `home` before the table that comes along; or why that file is wrong,
/// with the table that comes along.
pub fn prices(home: &Path) -> (Prices, Vec<String>) {
    let path = home.join("prices.toml");
    let user = if path.exists() { text(&path).map(Some) } else { Ok(None) };
    let read = user.map_err(|why| vec![format!("cannot be read: {why}")]).and_then(|user| {
        let told = |mistakes: Vec<Mistake>| mistakes.iter().map(ToString::to_string).collect();
        Prices::of(user.as_deref()).map_err(told)
    });
    read.map_or_else(
        |mistakes| (Prices::of(None).unwrap_or_default(), mistakes),
        |prices| (prices, Vec::new()),
    )
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == ENDING)).collect();
    paths.sort();
    paths.truncate(FILES_MAX);
    paths
}

fn files(folder: &Path) -> Vec<UserFile> {
    let paths = paths(folder);
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
