//! The working trees that folders are in.

use std::fs;

use crate::core::tree::Tree;

/// The trees of these folders, each once.
pub fn of<'a>(folders: impl Iterator<Item = &'a str>) -> Vec<Tree> {
    let mut trees = Vec::new();
    for tree in folders.map(tree) {
        if !trees.contains(&tree) {
            trees.push(tree);
        }
    }
    trees
}

/// The working tree that a folder is in: that of the nearest repository above, else itself.
fn tree(folder: &str) -> Tree {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
    match real.ancestors().find(|folder| folder.join(".git").exists()) {
        Some(root) => Tree::repository(&root.display().to_string()),
        None => Tree::folder(&real.display().to_string()),
    }
}
