//! Working trees: what one run of an agent may change, so that no two do at once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A folder with all that is in it, but for the repositories in it where it is one itself: those are trees of
/// their own, as worktrees inside of a repository are.
///
/// As text it is the path of the folder, with a slash at the end unless it is a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    root: String,
    is_repository: bool,
}

impl Tree {
    /// The repository at this path.
    pub fn repository(root: &str) -> Self {
        Self { root: root.trim_end_matches('/').to_owned(), is_repository: true }
    }

    /// The folder at this path, which is in no repository.
    pub fn folder(root: &str) -> Self {
        Self { root: root.trim_end_matches('/').to_owned(), is_repository: false }
    }

    /// Whether something in one may be in the other.
    pub fn meets(&self, other: &Self) -> bool {
        self.root == other.root || self.holds(other) || other.holds(self)
    }

    fn holds(&self, other: &Self) -> bool {
        let inside = other.root.strip_prefix(&self.root);
        // A folder that was in no repository may have got one around it since.
        let is_apart = self.is_repository && other.is_repository;
        !is_apart && inside.is_some_and(|inside| inside.starts_with('/'))
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        if self.is_repository { Ok(()) } else { f.write_str("/") }
    }
}

impl FromStr for Tree {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text.ends_with('/') { Self::folder(text) } else { Self::repository(text) })
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(tree) = String::deserialize(deserializer)?.parse();
        Ok(tree)
    }
}

/// Reads the trees of a job; one that was made when a job had one tree at most has its text alone.
pub fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Tree>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Trees {
        One(Tree),
        Several(Vec<Tree>),
    }
    Ok(match Trees::deserialize(deserializer)? {
        Trees::One(tree) => vec![tree],
        Trees::Several(trees) => trees,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: bool) {
        let [one, other] = [one, other].map(|text| {
            let Ok(tree) = text.parse::<Tree>();
            assert_eq!(tree.to_string(), text);
            tree
        });
        assert_eq!(one.meets(&other), expected, "{one} and {other}");
        assert_eq!(other.meets(&one), expected, "{other} and {one}");
    }

    #[test]
    fn trees_meet_where_one_run_may_change_what_the_other_does() {
        check("/work", "/work", true);
        check("/work", "/works", false);
        check("/work/", "/work/a/", true);
        check("/work/", "/works/", false);
        check("/work/", "/work/repository", true);
        check("/work", "/work/worktrees/a", false);
        check("/work/worktrees/a", "/work/worktrees/b", false);
        check("/", "/work", true);
        check("/work", "/work/app/", true);
        // A folder that became a repository since.
        check("/work/", "/work", true);
    }
}
