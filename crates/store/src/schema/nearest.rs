//! The known word that somebody probably meant.

/// The candidate that differs least from a word, if it differs little enough to be a slip.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be put in, left out, replaced or swapped with their neighbour to get
/// from one word to the other (optimal string alignment). Case, `-` and `_` count for nothing.
fn distance(one: &str, other: &str) -> usize {
    let fold = |text: &str| -> Vec<char> {
        text.chars()
            .take(64)
            .filter(|char| !"-_".contains(*char))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (one, other) = (fold(one), fold(other));
    let mut rows =
        [vec![0; other.len() + 1], (0..=other.len()).collect(), vec![0; other.len() + 1]];
    for (i, a) in one.iter().enumerate() {
        let [before, last, next] = &mut rows;
        next[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            next[j + 1] = least;
        }
        rows.rotate_left(1);
    }
    rows[1][other.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_only_slips() {
        let known = ["status", "headers", "body", "shared-by", "max-body"];
        assert_eq!(nearest("sttaus", known), Some("status"));
        assert_eq!(nearest("header", known), Some("headers"));
        assert_eq!(nearest("sharedBy", known), Some("shared-by"));
        assert_eq!(nearest("max_body", known), Some("max-body"));
        assert_eq!(nearest("bdy", known), Some("body"));
        assert_eq!(nearest("cookies", known), None);
        assert_eq!(nearest("", known), None);
    }
}
