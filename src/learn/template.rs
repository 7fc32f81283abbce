//! Template memory: the texts that the person labelled, as 64-bit SimHashes over three-word shingles of the masked
//! text (Charikar 2002; 3 of 64 bits as Manku et al. 2007 found for near-duplicates). Hiring mail is made from
//! templates, so the same text comes again.

use jiff::civil::Date;

use super::{Lesson, Traits};
use crate::outcome::Category;

/// Bits that the same text adds: with them it can decide, as the person has judged that very text.
pub const TEMPLATE_BITS: f64 = 6.0;
/// Most bits of 64 in which two prints of one template differ.
pub const DISTANCE_MAX: u32 = 3;
/// Least and largest ratio of the lengths of two texts of one template.
pub const LENGTH_RATIO: (f64, f64) = (0.8, 1.25);
/// Fewest words that are no marks in a text that is remembered: shorter ones say the same by chance.
pub const TEMPLATE_WORDS_MIN: u32 = 8;
/// Words of a shingle.
const SHINGLE: usize = 3;

/// One remembered text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The item's number.
    pub item: i64,
    /// The day it was labelled.
    pub day: Date,
    /// What the person said.
    pub label: Category,
    print: u64,
    length: u32,
    sentences: Vec<u64>,
    anchors: Vec<String>,
}

impl Remembered {
    /// What is remembered of a label; nothing of a text that is too short.
    pub(super) fn of(lesson: &Lesson) -> Option<Remembered> {
        let Traits { print, length, words, sentences, anchors, .. } = lesson.traits.clone();
        let Lesson { item, day, label, .. } = *lesson;
        (words >= TEMPLATE_WORDS_MIN).then_some(Remembered { item, day, label, print, length, sentences, anchors })
    }

    /// Whether a sentence stood in it.
    pub fn holds(&self, sentence: u64) -> bool {
        self.sentences.binary_search(&sentence).is_ok()
    }

    /// Whether a rule had a strong hit in it.
    pub fn had_anchor(&self, rule: &str) -> bool {
        self.anchors.iter().any(|id| id == rule)
    }
}

/// The remembered texts that a mail repeats, nearest first, then newest.
pub(super) fn repeated<'t>(templates: &'t [Remembered], traits: &Traits) -> Vec<&'t Remembered> {
    if traits.words < TEMPLATE_WORDS_MIN {
        return Vec::new();
    }
    let distance = |template: &Remembered| (template.print ^ traits.print).count_ones();
    let near = |template: &&Remembered| {
        let ratio = f64::from(traits.length) / f64::from(template.length.max(1));
        distance(template) <= DISTANCE_MAX && (LENGTH_RATIO.0..=LENGTH_RATIO.1).contains(&ratio)
    };
    let mut found: Vec<&Remembered> = templates.iter().filter(near).collect();
    found.sort_by_key(|template| (distance(template), std::cmp::Reverse(template.item)));
    found
}

/// The SimHash of words: of each bit of the hashes of all shingles, what the majority says.
pub fn fingerprint<'w>(words: impl Iterator<Item = &'w str>) -> u64 {
    let words: Vec<&str> = words.collect();
    let mut shingles: Vec<u64> = words.windows(SHINGLE).map(|shingle| hash(shingle.iter().copied())).collect();
    if shingles.is_empty() {
        shingles.push(hash(words.iter().copied()));
    }
    // What a letter says twice weighs once: a list of ten equal lines is one line.
    shingles.sort_unstable();
    shingles.dedup();
    let mut votes = [0i32; 64];
    for shingle in shingles {
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if shingle >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    votes.iter().enumerate().fold(0, |print, (bit, vote)| if *vote > 0 { print | 1 << bit } else { print })
}

/// FNV-1a over words and their ends, its bits mixed (the finaliser of SplitMix64). Stored, so it never changes.
pub(super) fn hash<'w>(words: impl Iterator<Item = &'w str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        for byte in word.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "thank you for your time and for your interest in the post of * at * we read every application \
        with care and after a long week of talks we have chosen somebody whose work is closer to what the team needs \
        now we keep your papers for a year unless you ask us not to and wish you luck with what comes next";

    fn distance(a: &str, b: &str) -> u32 {
        (fingerprint(a.split(' ')) ^ fingerprint(b.split(' '))).count_ones()
    }

    #[test]
    fn prints_are_near_for_one_letter_and_far_for_two() {
        assert_eq!(distance(LETTER, LETTER), 0);
        let other = "we would like to see you on # at * please pick a time from the list below and bring two examples of \
            your work the talk takes an hour and three of us will be there afterwards we walk through the shop";
        assert!(distance(LETTER, other) > 12, "{}", distance(LETTER, other));
        assert!(distance("", "") == 0 && distance("a", "b") > 0);
    }

    /// The numbers are stored with every label: another hash would forget them all.
    #[test]
    fn the_hash_never_changes() {
        assert_eq!(hash(["a", "b"].into_iter()), hash(["a", "b"].into_iter()));
        assert_ne!(hash(["ab"].into_iter()), hash(["a", "b"].into_iter()));
        assert_eq!(format!("{:016x}", hash(["a", "b"].into_iter())), "b912458b53ec5105");
        assert_eq!(format!("{:016x}", fingerprint(LETTER.split(' '))), "b84a216fb00329c0");
    }
}
