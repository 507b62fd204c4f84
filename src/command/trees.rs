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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_in_the_tree_of_its_repository_and_else_one_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("it is there").display().to_string();
        for inside in ["repository/.git", "repository/docs", "plain"] {
            fs::create_dir_all(folder.path().join(inside)).expect("a folder");
        }
        let folders = ["repository/docs", "plain", "repository", "gone"].map(|name| format!("{root}/{name}"));
        let trees: Vec<String> =
            of(folders.iter().map(String::as_str)).iter().map(ToString::to_string).collect();
        let expected = ["repository", "plain/", "gone/"].map(|name| format!("{root}/{name}"));
        assert_eq!(trees, expected);
    }
}
