//! Tells for a sentence which phrases may stand in it: those of which a needed word does. One pass over the text for
//! all phrases, however many there are.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

use super::{
    normal::is_letter,
    phrase::{Phrase, Piece},
};

/// Words shorter than this, in bytes, stand inside many others: an open one is needed only where nothing else is.
const OPEN_WORD_BYTES_MIN: usize = 4;
/// How much dearer such a word is.
const OPEN_WORD_COST: usize = 20;

/// Finds the candidates among all phrases of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Index {
    words: Option<AhoCorasick>,
    /// For each word the phrases that need it or another one.
    uses: Vec<Vec<Use>>,
    /// Phrases that need no word.
    always: Vec<u32>,
}

/// That a phrase needs a word.
#[derive(Debug)]
struct Use {
    phrase: u32,
    /// Whether a word of the text begins with it.
    begins: bool,
    /// Whether a word of the text ends with it.
    ends: bool,
}

/// A word that a phrase needs.
#[derive(Debug, Clone, Copy)]
struct Word<'p> {
    text: &'p str,
    begins: bool,
    ends: bool,
}

/// The phrases that may stand in one sentence.
#[derive(Debug, Default)]
pub(crate) struct Candidates(Vec<u32>);

impl Index {
    /// Numbers the phrases in their order and indexes them.
    pub(super) fn build<'p>(phrases: impl Iterator<Item = &'p mut Phrase>) -> Result<Index, BuildError> {
        let mut all: Vec<&Phrase> = Vec::new();
        for (number, phrase) in (0..).zip(phrases) {
            phrase.number = number;
            all.push(phrase);
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (run, _) in all.iter().filter_map(|p| p.pattern()) {
            count(run, &mut counts);
        }
        let mut index = Index::default();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut words: Vec<&str> = Vec::new();
        for phrase in all {
            let needed = phrase.pattern().and_then(|(run, closed)| needed(run, closed, closed, &counts));
            let Some((_, needed)) = needed else {
                index.always.push(phrase.number);
                continue;
            };
            for word in needed {
                let number = *numbers.entry(word.text).or_insert_with(|| {
                    words.push(word.text);
                    index.uses.push(Vec::new());
                    words.len() - 1
                });
                let of_word = Use { phrase: phrase.number, begins: word.begins, ends: word.ends };
                if let Some(uses) = index.uses.get_mut(number) {
                    uses.push(of_word);
                }
            }
        }
        // The smaller of the automata: a rule set stays in memory for good.
        index.words = Some(AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&words)?);
        Ok(index)
    }

    /// The phrases that may stand in a normalised text.
    pub(crate) fn candidates(&self, text: &str) -> Candidates {
        let bytes = text.as_bytes();
        let mut out = self.always.clone();
        for found in self.words.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            let begins = !found.start().checked_sub(1).and_then(|b| bytes.get(b)).is_some_and(|b| is_letter(*b));
            let ends = !bytes.get(found.end()).is_some_and(|b| is_letter(*b));
            let uses = self.uses.get(found.pattern().as_usize()).into_iter().flatten();
            out.extend(uses.filter(|u| (begins || !u.begins) && (ends || !u.ends)).map(|u| u.phrase));
        }
        out.sort_unstable();
        out.dedup();
        Candidates(out)
    }
}

impl Candidates {
    pub(crate) fn has(&self, phrase: &Phrase) -> bool {
        self.0.binary_search(&phrase.number).is_ok()
    }

    /// The candidates of a list of phrases, as places in the list, in order. Lists are numbered without a break.
    pub(crate) fn among(&self, first: Option<&Phrase>, length: usize) -> impl Iterator<Item = usize> {
        let first = first.map_or(u32::MAX, |p| p.number);
        let from = self.0.partition_point(|c| *c < first);
        self.0.iter().skip(from).map(move |c| (c - first) as usize).take_while(move |at| *at < length)
    }
}

/// The words of a text with whether they are whole at its edges.
fn words(text: &str, begins: bool, ends: bool) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    text.split(|c: char| c.is_ascii() && !is_letter(c as u8)).filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        let end = start + word.len();
        let word = Word { text: word, begins: begins || start > 0, ends: ends || end < text.len() };
        (!word.text.is_empty()).then_some(word)
    })
}

/// How many texts hold a word: a word of many phrases is a common one.
fn count<'p>(run: &'p [Piece], counts: &mut HashMap<&'p str, usize>) {
    for piece in run {
        match piece {
            Piece::Text(text) => words(text, true, true).for_each(|w| *counts.entry(w.text).or_default() += 1),
            Piece::Choice(choice) => choice.alternatives.iter().for_each(|(_, run)| count(run, counts)),
            _ => {}
        }
    }
}

/// The words of which one stands wherever the run does, the rarest there are, and how common they are together.
/// `begins` and `ends` say whether the run stands between edges of words.
fn needed<'p>(
    run: &'p [Piece],
    begins: bool,
    ends: bool,
    counts: &HashMap<&str, usize>,
) -> Option<(usize, Vec<Word<'p>>)> {
    let closed = |beside: Option<&Piece>, edge: bool| match beside {
        None => edge,
        Some(piece) => matches!(piece, Piece::Space | Piece::Hyphen),
    };
    let mut best: Option<(usize, Vec<Word<'p>>)> = None;
    for (i, piece) in run.iter().enumerate() {
        let begins = closed(i.checked_sub(1).and_then(|b| run.get(b)), begins);
        let ends = closed(run.get(i + 1), ends);
        let set = match piece {
            Piece::Text(text) => words(text, begins, ends).map(|w| (cost(w, counts), vec![w])).min_by_key(|w| w.0),
            Piece::Choice(choice) if !choice.optional => {
                let sets = choice.alternatives.iter().map(|(_, run)| needed(run, begins, ends, counts));
                sets.collect::<Option<Vec<_>>>().map(|sets| {
                    let (costs, words): (Vec<usize>, Vec<Vec<Word<'p>>>) = sets.into_iter().unzip();
                    (costs.iter().sum(), words.concat())
                })
            }
            _ => None,
        };
        if let Some(set) = set
            && best.as_ref().is_none_or(|b| set.0 < b.0)
        {
            best = Some(set);
        }
    }
    best
}

fn cost(word: Word<'_>, counts: &HashMap<&str, usize>) -> usize {
    let open = !(word.begins && word.ends) && word.text.len() < OPEN_WORD_BYTES_MIN;
    counts.get(word.text).copied().unwrap_or(1) * if open { OPEN_WORD_COST } else { 1 }
}
