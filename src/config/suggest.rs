//! "Did you mean": the known name nearest to a mistyped one.

/// Most edits between what was typed and what was meant: a slip or two, not another word.
const EDITS_MAX: usize = 2;

/// The known name nearest to `given`, when it is near enough to be a slip.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (edits(given, name), name))
        .filter(|(edits, name)| *edits <= EDITS_MAX && *edits < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            left = (above + 1).min(left + 1).min(diagonal + usize::from(from != *to));
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["host", "port", "tls", "user", "password", "ca_file"];
        for (given, expected) in [
            ("hots", Some("host")),
            ("pasword", Some("password")),
            ("ca-file", Some("ca_file")),
            ("usr", Some("user")),
            ("timeout", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
