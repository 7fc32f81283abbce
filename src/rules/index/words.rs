//! The words of a mail's sentences, read once for the phrases of all languages, and the table in which they are looked
//! up. What a phrase needs is not known here.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

use crate::rules::{normal::is_letter, words::ByteSet};

/// A set of the sentences of a batch: one bit each.
pub(super) type Sentences = u64;

/// Words remembered while a batch is read.
const LATELY: usize = 1024;

/// The texts of a mail, in batches of as many as a set holds.
pub(crate) struct Texts<'t>(pub(super) Vec<Batch<'t>>);

/// Some texts and their words.
pub(super) struct Batch<'t> {
    pub texts: Vec<&'t str>,
    /// The marks and digits of each.
    pub marks: Vec<Marks>,
    /// A word that came again long after may stand here twice.
    pub words: Vec<Word<'t>>,
}

/// A word with the texts in which it stands.
pub(super) struct Word<'t> {
    pub text: &'t [u8],
    pub hash: u64,
    pub texts: Sentences,
}

impl<'t> Texts<'t> {
    /// Reads the words of normalised texts.
    pub(crate) fn new(texts: impl Iterator<Item = &'t str>) -> Texts<'t> {
        let all: Vec<&str> = texts.collect();
        Texts(all.chunks(Sentences::BITS as usize).map(Batch::new).collect())
    }
}

impl<'t> Batch<'t> {
    fn new(texts: &[&'t str]) -> Batch<'t> {
        let mut words: Vec<Word<'_>> = Vec::new();
        // Where the word of each hash is that came last. No map: whoever writes the mail could make its keys collide.
        let mut lately = vec![u32::MAX; LATELY];
        for (number, text) in texts.iter().enumerate() {
            for (text, hash) in words_of(text.as_bytes()) {
                let Some(last) = lately.get_mut(hash as usize % LATELY) else { continue };
                match words.get_mut(*last as usize) {
                    Some(known) if known.hash == hash && known.text == text => known.texts |= 1 << number,
                    _ => {
                        *last = words.len() as u32;
                        words.push(Word { text, hash, texts: 1 << number });
                    }
                }
            }
        }
        Batch { texts: texts.to_vec(), marks: texts.iter().map(|text| Marks::of(text)).collect(), words }
    }
}

/// Which of the characters before the first letter of ASCII stand in a text, one bit each: nearly all marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    pub(super) fn of(text: &str) -> Marks {
        Marks(text.bytes().filter(|byte| *byte < 64).fold(0, |all, byte| all | 1 << byte))
    }

    /// Whether all those of the other stand here too.
    pub(super) fn hold(self, other: Marks) -> bool {
        other.0 & !self.0 == 0
    }
}

/// The words of a normalised text, each with its hash.
fn words_of(text: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|b| is_letter(*b))?;
        rest = rest.get(start..)?;
        let mut hash = EMPTY;
        let mut length = 0;
        for byte in rest.iter().take_while(|b| is_letter(**b)) {
            hash = longer(hash, *byte);
            length += 1;
        }
        let (word, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some((word, spread(hash)))
    })
}

/// The hash of no bytes. FNV-1a: what is stored by it comes from rules, so nobody who sends mail can make it collide.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash of one byte more.
fn longer(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
}

/// A hash whose low bits alone tell words apart.
fn spread(hash: u64) -> u64 {
    hash ^ hash >> 32
}

fn hash<'b>(bytes: impl Iterator<Item = &'b u8>) -> u64 {
    spread(bytes.fold(EMPTY, |hash, byte| longer(hash, *byte)))
}

/// Words of rules, each with a number, found by their hash.
#[derive(Debug, Default)]
pub(super) struct WordTable {
    /// A word's hash and place stand where the hash says, or in the next free slot.
    slots: Box<[Option<(u32, u32)>]>,
    words: Vec<(Box<[u8]>, u32)>,
    /// Bytes of the longest one.
    longest: usize,
}

impl WordTable {
    /// Of different words.
    pub(super) fn new(words: &[(&str, u32)]) -> WordTable {
        WordTable::by(words, |word| hash(word.iter()))
    }

    fn by(words: &[(&str, u32)], hash: impl Fn(&[u8]) -> u64) -> WordTable {
        let mut slots = vec![None; (words.len() * 2).next_power_of_two()].into_boxed_slice();
        for (at, (word, _)) in (0..).zip(words) {
            let hash = hash(word.as_bytes());
            let from = hash as usize & (slots.len() - 1);
            let (before, behind) = slots.split_at_mut_checked(from).unwrap_or_default();
            if let Some(free) = behind.iter_mut().chain(before).find(|slot| slot.is_none()) {
                *free = Some((hash as u32, at));
            }
        }
        let words: Vec<(Box<[u8]>, u32)> = words.iter().map(|(word, n)| (word.as_bytes().into(), *n)).collect();
        WordTable { slots, longest: words.iter().map(|(word, _)| word.len()).max().unwrap_or(0), words }
    }

    /// The number of a word.
    pub(super) fn number(&self, word: &[u8], hash: u64) -> Option<u32> {
        let mut place = hash as usize;
        loop {
            place &= self.slots.len().wrapping_sub(1);
            let (of, at) = self.slots.get(place).copied().flatten()?;
            if of == hash as u32
                && let Some((known, number)) = self.words.get(at as usize)
                && known.as_ref() == word
            {
                return Some(*number);
            }
            place += 1;
        }
    }
}

/// Beginnings of words, each with a number.
#[derive(Debug, Default)]
pub(super) struct Heads(WordTable);

impl Heads {
    pub(super) fn new(words: &[(&str, u32)]) -> Heads {
        Heads(WordTable::new(words))
    }

    /// Tells the number of each that the word begins with.
    pub(super) fn of(&self, word: &[u8], mut found: impl FnMut(u32)) {
        let mut hash = EMPTY;
        for (length, byte) in (1..=self.0.longest).zip(word) {
            hash = longer(hash, *byte);
            let head = word.get(..length).unwrap_or_default();
            self.0.number(head, spread(hash)).into_iter().for_each(&mut found);
        }
    }
}

/// Endings of words, each with a number.
#[derive(Debug, Default)]
pub(super) struct Tails {
    table: WordTable,
    /// The last bytes of them: there are few.
    last: ByteSet,
}

impl Tails {
    pub(super) fn new(words: &[(&str, u32)]) -> Tails {
        let last = words.iter().filter_map(|(word, _)| word.bytes().last()).collect();
        Tails { table: WordTable::by(words, |word| hash(word.iter().rev())), last }
    }

    /// Tells the number of each that the word ends with.
    pub(super) fn of(&self, word: &[u8], mut found: impl FnMut(u32)) {
        if !word.last().is_some_and(|byte| self.last.has(*byte)) {
            return;
        }
        let mut hash = EMPTY;
        for (length, byte) in (1..=self.table.longest).zip(word.iter().rev()) {
            hash = longer(hash, *byte);
            let tail = word.get(word.len() - length..).unwrap_or_default();
            self.table.number(tail, spread(hash)).into_iter().for_each(&mut found);
        }
    }
}

/// What may stand anywhere in a word, each with a number.
#[derive(Debug, Default)]
pub(super) struct Parts {
    automaton: Option<AhoCorasick>,
    numbers: Vec<u32>,
    /// Which three bytes one of them may begin with; empty where one is shorter.
    begin: Box<[u64]>,
}

/// Bits that tell three bytes from others.
const BEGIN_BITS: usize = 1 << 14;

impl Parts {
    pub(super) fn new(parts: &[(&str, u32)]) -> Result<Parts, BuildError> {
        if parts.is_empty() {
            return Ok(Parts::default());
        }
        let mut begin = vec![0; BEGIN_BITS / 64].into_boxed_slice();
        for (part, _) in parts {
            match part.as_bytes().first_chunk() {
                Some(first) => {
                    let bit = begin_bit(*first);
                    begin.get_mut(bit / 64).into_iter().for_each(|bits| *bits |= 1 << (bit % 64));
                }
                None => begin = [].into(),
            }
        }
        // The smaller of the automata: a rule set stays in memory for good.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let automaton = AhoCorasick::builder().kind(kind).build(parts.iter().map(|(part, _)| *part))?;
        Ok(Parts { automaton: Some(automaton), numbers: parts.iter().map(|(_, number)| *number).collect(), begin })
    }

    /// Tells the number of each that stands in the word.
    pub(super) fn of(&self, word: &[u8], mut found: impl FnMut(u32)) {
        let Some(automaton) = self.automaton.as_ref().filter(|_| self.may_stand_in(word)) else { return };
        for part in automaton.find_overlapping_iter(word) {
            self.numbers.get(part.pattern().as_usize()).copied().into_iter().for_each(&mut found);
        }
    }

    /// Whether one begins anywhere, as far as three bytes tell: in most words none does.
    fn may_stand_in(&self, word: &[u8]) -> bool {
        let begins = |bit: usize| self.begin.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 == 1);
        self.begin.is_empty() || word.array_windows().any(|three| begins(begin_bit(*three)))
    }
}

fn begin_bit([first, second, third]: [u8; 3]) -> usize {
    let number = u32::from_le_bytes([first, second, third, 0]);
    number.wrapping_mul(0x9e37_79b1) as usize >> 18
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_stands_in_the_texts_that_hold_it() {
        let many: Vec<String> = (0..70).map(|n| format!("no {n}, oder")).collect();
        let texts = Texts::new(many.iter().map(String::as_str));
        let [first, second] = texts.0.as_slice() else { panic!("{} batches", texts.0.len()) };
        let texts_of = |batch: &Batch<'_>, word: &[u8]| {
            batch.words.iter().filter(|w| w.text == word).fold(0, |all, w| all | w.texts)
        };
        assert_eq!((texts_of(first, b"no"), texts_of(second, b"oder")), (Sentences::MAX, 0b11_1111));
        assert_eq!((texts_of(first, b"5"), texts_of(second, b"65"), texts_of(second, b"5")), (1 << 5, 0b10, 0));
    }

    proptest! {
        #[test]
        fn tables_find_what_going_through_them_finds(
            words in prop::collection::btree_set("[ab選é]{1,4}", 0..12),
            text in "[ab選é]{1,9}",
        ) {
            let numbered: Vec<(&str, u32)> = words.iter().map(String::as_str).zip(0..).collect();
            let by = |fits: &dyn Fn(&str) -> bool| -> Vec<u32> {
                numbered.iter().filter(|(word, _)| fits(word)).map(|(_, number)| *number).collect()
            };
            let found = |of: &dyn Fn(&mut Vec<u32>)| {
                let mut out = Vec::new();
                of(&mut out);
                out.sort_unstable();
                out.dedup();
                out
            };
            let word = text.as_bytes();
            let whole = WordTable::new(&numbered);
            let (heads, tails, parts) = (Heads::new(&numbered), Tails::new(&numbered), Parts::new(&numbered).unwrap());
            prop_assert_eq!(
                found(&|out| out.extend(words_of(word).filter_map(|(word, hash)| whole.number(word, hash)))),
                by(&|known| known == text)
            );
            prop_assert_eq!(found(&|out| heads.of(word, |n| out.push(n))), by(&|known| text.starts_with(known)));
            prop_assert_eq!(found(&|out| tails.of(word, |n| out.push(n))), by(&|known| text.ends_with(known)));
            prop_assert_eq!(found(&|out| parts.of(word, |n| out.push(n))), by(&|known| text.contains(known)));
        }
    }
}
