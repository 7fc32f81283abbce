//! Words that may stand at the start of a line. A mail has hundreds of lines and a list hundreds of words; hardly any
//! line starts with the first letter of one, so that letter is asked for before anything else.

/// A list of words in lower case.
pub(super) struct Openings(Vec<&'static str>);

impl Openings {
    /// Takes a list in any order.
    pub(super) fn new(words: &[&'static str]) -> Openings {
        let mut words = words.to_vec();
        words.sort_unstable();
        Openings(words)
    }

    /// The text in lower case, where it has the first letter of one of the words.
    pub(super) fn lower_case(&self, text: &str) -> Option<String> {
        let first = text.chars().next()?.to_lowercase().next()?;
        self.with_first(first).next().map(|_| text.to_lowercase())
    }

    /// What follows each of the words that the text, in lower case, starts with.
    pub(super) fn behind<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let first = text.chars().next();
        first.into_iter().flat_map(|first| self.with_first(first)).filter_map(|word| text.strip_prefix(word))
    }

    fn with_first(&self, first: char) -> impl Iterator<Item = &'static str> {
        let start = self.0.partition_point(|word| word.chars().next() < Some(first));
        self.0.iter().skip(start).copied().take_while(move |word| word.starts_with(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::cues;

    #[test]
    fn every_word_of_every_list_is_found_as_by_going_through_the_list() {
        let lists =
            [cues::GREETINGS, cues::SIGN_OFFS, cues::SHORT_SIGN_OFFS, cues::ORIGINAL_MARKS, cues::FORWARD_MARKS];
        let texts =
            || lists.concat().into_iter().chain(["", " ", "Σ", "İstanbul", "ΑΣ", "dear", "de", "0", "\u{10ffff}"]);
        for list in lists {
            let openings = Openings::new(list);
            for text in texts().flat_map(|t| [t.to_owned(), t.to_uppercase(), format!("{t}, x"), format!("x{t}")]) {
                let folded = text.to_lowercase();
                let mut expected: Vec<&str> = list.iter().filter_map(|word| folded.strip_prefix(word)).collect();
                let mut found: Vec<&str> = openings.behind(&folded).collect();
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, expected, "{text}");
                match openings.lower_case(&text) {
                    Some(lower) => assert_eq!(lower, folded),
                    None => assert!(expected.is_empty(), "{text}"),
                }
            }
        }
    }
}
