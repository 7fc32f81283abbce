//! Word lists made ready for looking up. Names are asked about in every line of every mail, and lists grow: no look-up
//! may take longer the longer its list is. What the lists mean is not decided here.

use std::collections::HashSet;

use fnv::{FnvBuildHasher, FnvHashMap};

/// A table whose keys come from rules or from the program. What is looked up comes from mail, what is stored does not:
/// nobody who sends mail can make the words of a list collide, and short words hash faster so.
pub(crate) type Table<K, V> = FnvHashMap<K, V>;

/// Numbers of one byte.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// All of them.
    pub(crate) const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|bits| bits >> (byte & 63) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        if let Some(bits) = self.0.get_mut(usize::from(byte >> 6)) {
            *bits |= 1 << (byte & 63);
        }
    }
}

impl FromIterator<u8> for ByteSet {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> ByteSet {
        let mut out = ByteSet::default();
        bytes.into_iter().for_each(|byte| out.insert(byte));
        out
    }
}

/// Whole words.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: HashSet<Box<str>, FnvBuildHasher>,
    /// Bytes of the longest one.
    longest: usize,
}

impl Words {
    /// Whether the word is one of them.
    pub(crate) fn has(&self, word: &str) -> bool {
        word.len() <= self.longest && self.words.contains(word)
    }

    /// Bytes of the longest word.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }
}

impl<'w> FromIterator<&'w str> for Words {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Words {
        let words: HashSet<Box<str>, _> = words.into_iter().map(Box::from).collect();
        Words { longest: words.iter().map(|w| w.len()).max().unwrap_or(0), words }
    }
}

/// Beginnings of words or of texts.
#[derive(Debug, Default)]
pub(crate) struct Beginnings {
    /// In order, and none begins with another: so the last one that is not behind a text is the only one that it can
    /// begin with.
    sorted: Vec<Box<str>>,
    first: ByteSet,
}

impl Beginnings {
    /// Whether the text begins with one.
    pub(crate) fn begin(&self, text: &str) -> bool {
        text.bytes().next().is_some_and(|byte| self.first.has(byte))
            && last_up_to(&self.sorted, |known| known.as_ref() <= text)
                .is_some_and(|known| text.starts_with(known.as_ref()))
    }

    /// Whether one stands anywhere in the text.
    pub(crate) fn stand_in(&self, text: &str) -> bool {
        !self.sorted.is_empty()
            && text.char_indices().any(|(at, _)| text.get(at..).is_some_and(|rest| self.begin(rest)))
    }
}

impl<'w> FromIterator<&'w str> for Beginnings {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Beginnings {
        let mut sorted: Vec<Box<str>> = words.into_iter().filter(|w| !w.is_empty()).map(Box::from).collect();
        sorted.sort_unstable();
        sorted.dedup_by(|next, kept| next.starts_with(kept.as_ref()));
        Beginnings { first: sorted.iter().filter_map(|w| w.bytes().next()).collect(), sorted }
    }
}

/// Endings of words or of texts.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    /// As [`Beginnings`], each from its last byte to its first.
    sorted: Vec<Box<[u8]>>,
    last: ByteSet,
}

impl Endings {
    /// Whether the text ends with one.
    pub(crate) fn end(&self, text: &str) -> bool {
        let backwards = || text.bytes().rev();
        backwards().next().is_some_and(|byte| self.last.has(byte))
            && last_up_to(&self.sorted, |known| known.iter().copied().cmp(backwards()).is_le()).is_some_and(|known| {
                known.len() <= text.len() && known.iter().copied().eq(backwards().take(known.len()))
            })
    }
}

impl<'w> FromIterator<&'w str> for Endings {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Endings {
        let backwards = |word: &str| word.bytes().rev().collect();
        let mut sorted: Vec<Box<[u8]>> = words.into_iter().filter(|w| !w.is_empty()).map(backwards).collect();
        sorted.sort_unstable();
        sorted.dedup_by(|next, kept| next.starts_with(kept));
        Endings { last: sorted.iter().filter_map(|w| w.first().copied()).collect(), sorted }
    }
}

/// The last of the sorted words for which the condition holds, which holds for all before it.
fn last_up_to<T>(sorted: &[T], not_behind: impl Fn(&T) -> bool) -> Option<&T> {
    sorted.partition_point(not_behind).checked_sub(1).and_then(|at| sorted.get(at))
}

/// A list in which `*` before or behind a word stands for more letters.
#[derive(Debug, Default)]
pub(crate) struct Stems {
    pub(crate) whole: Words,
    /// `verkäufer*`
    pub(crate) starts: Beginnings,
    /// `*leiter`
    pub(crate) ends: Endings,
    /// `*ingenieur*`
    pub(crate) parts: Beginnings,
}

impl Stems {
    /// Whether a word is one that the list means.
    pub(crate) fn fit(&self, word: &str) -> bool {
        self.whole.has(word) || self.starts.begin(word) || self.ends.end(word) || self.parts.stand_in(word)
    }
}

impl<'w> FromIterator<&'w str> for Stems {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Stems {
        let (mut whole, mut starts, mut ends, mut parts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for word in words {
            let kind = match (word.starts_with('*'), word.ends_with('*')) {
                (true, true) => &mut parts,
                (true, false) => &mut ends,
                (false, true) => &mut starts,
                (false, false) => &mut whole,
            };
            kind.push(word.trim_matches('*'));
        }
        let (whole, starts) = (whole.into_iter().collect(), starts.into_iter().collect());
        Stems { whole, starts, ends: ends.into_iter().collect(), parts: parts.into_iter().collect() }
    }
}

/// Words that are cut off the end of a text.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    /// By their last byte, in small letters where it is of ASCII.
    by_last: Table<u8, Vec<Box<str>>>,
}

impl Tails {
    /// The text before each of the words that it ends with, whatever their case in ASCII.
    pub(crate) fn heads<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.before(text, str::eq_ignore_ascii_case)
    }

    /// The text before each of the words that it ends with, as they are written.
    pub(crate) fn exact_heads<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.before(text, |tail, word| tail == word)
    }

    /// The text before the longest of the words that it ends with, as they are written.
    pub(crate) fn head<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.exact_heads(text).min_by_key(|head| head.len())
    }

    fn before<'t>(&self, text: &'t str, same: impl Fn(&str, &str) -> bool) -> impl Iterator<Item = &'t str> {
        let last = text.bytes().next_back().map(|byte| byte.to_ascii_lowercase());
        let words = last.and_then(|byte| self.by_last.get(&byte)).into_iter().flatten();
        words.filter_map(move |word| {
            let (head, tail) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
            same(tail, word).then_some(head)
        })
    }
}

impl<'w> FromIterator<&'w str> for Tails {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Tails {
        let mut out = Tails::default();
        for word in words {
            if let Some(last) = word.bytes().next_back() {
                out.by_last.entry(last.to_ascii_lowercase()).or_default().push(word.into());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_more_letters() {
        let stems: Stems = ["bar", "back*", "*ei", "*schul*"].into_iter().collect();
        for yes in ["bar", "backwerk", "back", "metzgerei", "vorschule", "schul"] {
            assert!(stems.fit(yes), "{yes}");
        }
        for no in ["bars", "zurückback", "ein", "schu", ""] {
            assert!(!stems.fit(no), "{no}");
        }
    }

    proptest! {
        #[test]
        fn a_list_made_ready_says_what_the_list_says(
            words in proptest::collection::vec("[abé人]{1,4}", 0..12),
            text in "[abAé人]{0,8}",
        ) {
            let list = || words.iter().map(String::as_str);
            let any = |is: &dyn Fn(&str) -> bool| list().any(is);
            prop_assert_eq!(list().collect::<Words>().has(&text), any(&|w| text == w));
            prop_assert_eq!(list().collect::<Beginnings>().begin(&text), any(&|w| text.starts_with(w)));
            prop_assert_eq!(list().collect::<Beginnings>().stand_in(&text), any(&|w| text.contains(w)));
            prop_assert_eq!(list().collect::<Endings>().end(&text), any(&|w| text.ends_with(w)));
            let heads = list().collect::<Tails>().heads(&text).map(str::len).min();
            let ends = |w: &&str| text.to_ascii_lowercase().ends_with(*w);
            prop_assert_eq!(heads, list().filter(ends).map(|w| text.len() - w.len()).min());
            let head = list().filter_map(|w| text.strip_suffix(w)).min_by_key(|head| head.len());
            prop_assert_eq!(list().collect::<Tails>().head(&text), head);
        }
    }
}
