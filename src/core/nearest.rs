//! The nearest known word, for refusals that name what was probably meant.

/// Words longer than this are compared with nothing.
const LENGTH_MAX: usize = 64;

/// Finds the candidate that `word` is most likely a slip of, if one is near enough to suggest.
///
/// Case does not count. Near enough is one slip for every three characters, and at least one: a letter
/// more, less or other, or two neighbours exchanged. Among equals the first candidate wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LENGTH_MAX + 1).collect();
    if word.is_empty() || word.len() > LENGTH_MAX {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(slips, candidate)| *slips <= allowed && *slips < candidate.chars().count())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// Counts the slips between two words: the optimal string alignment distance.
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    for (row, letter) in word.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in candidate.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut slips = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let exchanged =
                row > 0 && column > 0 && *letter == candidate[column - 1] && word[row - 1] == *other;
            if exchanged {
                slips = slips.min(before_last[column - 1] + 1);
            }
            current.push(slips);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[candidate.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 5] = ["exitCode", "stdoutMatches", "output", "check", "not"];

    fn check(word: &str, suggested: Option<&str>) {
        assert_eq!(nearest(word, WORDS), suggested, "{word}");
    }

    #[test]
    fn a_slip_finds_its_word() {
        check("exitcode", Some("exitCode"));
        check("stdoutMatch", Some("stdoutMatches"));
        check("ouput", Some("output"));
        check("chekc", Some("check"));
        check("nto", Some("not"));
    }

    #[test]
    fn what_is_not_near_is_not_suggested() {
        check("tests", None);
        check("", None);
        check("x", None);
        check(&"output".repeat(1000), None);
        assert_eq!(nearest("a", ["b"]), None, "a word of one letter is near to any other");
    }

    #[test]
    fn the_fewest_slips_win_and_then_the_first() {
        assert_eq!(nearest("case", ["cars", "cast", "cask"]), Some("cast"));
        assert_eq!(nearest("pause", ["cause", "pauses"]), Some("cause"));
    }
}
