//! Tells for a sentence which phrases may stand in it: those whose needed words do. One pass over the text for all
//! phrases, however many there are.

use std::{collections::HashMap, rc::Rc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

use super::{
    normal::is_letter,
    phrase::{Choice, Phrase, Piece, Run},
};

/// Words shorter than this, in bytes, stand inside many others: an open one is needed only where nothing else is.
const OPEN_WORD_BYTES_MIN: usize = 4;
/// How much dearer such a word is.
const OPEN_WORD_COST: usize = 20;
/// Of how many places of a phrase the words are needed: the rarest, and one more to tell it from its neighbours.
const PLACES_MAX: usize = 2;
/// Most words of which a further place needs one; a long list tells little and is dear to keep.
const FURTHER_WORDS_MAX: usize = 24;

/// Finds the candidates among all phrases of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Words that may stand inside others, by the numbers in `open_numbers`.
    open: Option<AhoCorasick>,
    open_numbers: Vec<u32>,
    /// Words that stand alone only, with their numbers.
    whole: HashMap<Box<str>, u32>,
    /// For each word the phrases that need it or another one.
    uses: Vec<Vec<Use>>,
    /// For each phrase the places that need a word, one bit each.
    places: Vec<u8>,
    /// Phrases that need no word.
    always: Vec<u32>,
}

/// That a phrase needs a word.
#[derive(Debug)]
struct Use {
    phrase: u32,
    /// The bit of the place in the phrase.
    place: u8,
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
        let mut counting = Counting::default();
        for (run, _) in all.iter().filter_map(|p| p.pattern()) {
            counting.run(run, 1);
        }
        let mut needs = Needs { counts: counting.finish(), known: HashMap::new() };
        let mut index = Index::default();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut words: Vec<&str> = Vec::new();
        for phrase in all {
            let mut places = phrase.pattern().map_or_else(Vec::new, |(run, closed)| needs.of(run, closed, closed));
            places.sort_by_key(|p| p.cost);
            let mut taken = 0;
            for place in places {
                if taken > 0 && (taken >= PLACES_MAX || place.words.len() > FURTHER_WORDS_MAX) {
                    break;
                }
                for word in place.words.iter() {
                    let number = *numbers.entry(word.text).or_insert_with(|| {
                        words.push(word.text);
                        index.uses.push(Vec::new());
                        words.len() - 1
                    });
                    if let Some(uses) = index.uses.get_mut(number) {
                        let (phrase, place) = (phrase.number, 1 << taken);
                        uses.push(Use { phrase, place, begins: word.begins, ends: word.ends });
                    }
                }
                taken += 1;
            }
            index.places.push((1 << taken) - 1);
            if taken == 0 {
                index.always.push(phrase.number);
            }
        }
        let mut open = Vec::new();
        for ((number, word), uses) in (0..).zip(words).zip(&index.uses) {
            if uses.iter().all(|u| u.begins && u.ends) {
                index.whole.insert(word.into(), number);
            } else {
                index.open_numbers.push(number);
                open.push(word);
            }
        }
        // The smaller of the automata: a rule set stays in memory for good.
        index.open = Some(AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&open)?);
        Ok(index)
    }

    /// The phrases that may stand in a normalised text.
    pub(crate) fn candidates(&self, text: &str) -> Candidates {
        let bytes = text.as_bytes();
        let mut out = self.always.clone();
        let mut missing = self.places.clone();
        let mut meet = |number: u32, begins: bool, ends: bool| {
            let uses = self.uses.get(number as usize).into_iter().flatten();
            for at in uses.filter(|u| (begins || !u.begins) && (ends || !u.ends)) {
                let Some(missing) = missing.get_mut(at.phrase as usize).filter(|m| **m & at.place != 0) else {
                    continue;
                };
                *missing &= !at.place;
                if *missing == 0 {
                    out.push(at.phrase);
                }
            }
        };
        for word in text.split(|c: char| c.is_ascii() && !is_letter(c as u8)).filter(|word| !word.is_empty()) {
            if let Some(number) = self.whole.get(word) {
                meet(*number, true, true);
            }
        }
        for found in self.open.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            let begins = !found.start().checked_sub(1).and_then(|b| bytes.get(b)).is_some_and(|b| is_letter(*b));
            let ends = !bytes.get(found.end()).is_some_and(|b| is_letter(*b));
            if let Some(number) = self.open_numbers.get(found.pattern().as_usize()) {
                meet(*number, begins, ends);
            }
        }
        out.sort_unstable();
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

/// How many phrases hold a word: a word of many phrases is a common one.
#[derive(Default)]
struct Counting<'p> {
    words: HashMap<&'p str, usize>,
    /// Each choice with how often it stands in a phrase: lists are shared by many, and walked once.
    choices: HashMap<*const (u8, Run), (&'p Choice, usize)>,
}

impl<'p> Counting<'p> {
    fn run(&mut self, run: &'p [Piece], times: usize) {
        for piece in run {
            match piece {
                Piece::Text(text) => {
                    words(text, true, true).for_each(|w| *self.words.entry(w.text).or_default() += times)
                }
                Piece::Choice(choice) => {
                    self.choices.entry(choice.alternatives.as_ptr()).or_insert((choice, 0)).1 += times;
                }
                _ => {}
            }
        }
    }

    fn finish(mut self) -> HashMap<&'p str, usize> {
        while !self.choices.is_empty() {
            for (choice, times) in std::mem::take(&mut self.choices).into_values() {
                choice.alternatives.iter().for_each(|(_, run)| self.run(run, times));
            }
        }
        self.words
    }
}

/// A place of a phrase and the words of which one stands there.
#[derive(Clone)]
struct Needed<'p> {
    words: Rc<[Word<'p>]>,
    /// How common they are together.
    cost: usize,
}

/// The alternatives of a choice by their address, and whether it begins and ends a word.
type ChoiceKey = (*const (u8, Run), bool, bool);

/// What phrases need, by how common words are.
struct Needs<'p> {
    counts: HashMap<&'p str, usize>,
    /// What a choice needs.
    known: HashMap<ChoiceKey, Option<Needed<'p>>>,
}

impl<'p> Needs<'p> {
    /// The places of a run where a word is needed. `begins` and `ends` say whether the run stands between edges of
    /// words.
    fn of(&mut self, run: &'p [Piece], begins: bool, ends: bool) -> Vec<Needed<'p>> {
        let closed = |beside: Option<&Piece>, edge: bool| match beside {
            None => edge,
            Some(piece) => matches!(piece, Piece::Space | Piece::Hyphen),
        };
        let mut out = Vec::new();
        for (i, piece) in run.iter().enumerate() {
            let begins = closed(i.checked_sub(1).and_then(|b| run.get(b)), begins);
            let ends = closed(run.get(i + 1), ends);
            match piece {
                Piece::Text(text) => out.extend(
                    words(text, begins, ends)
                        .map(|w| Needed { words: Rc::from([w]), cost: cost(w, &self.counts) })
                        .min_by_key(|n| n.cost),
                ),
                Piece::Choice(choice) if !choice.optional => out.extend(self.of_choice(choice, begins, ends)),
                _ => {}
            }
        }
        out
    }

    /// One word of each alternative, where every one of them needs one.
    fn of_choice(&mut self, choice: &'p Choice, begins: bool, ends: bool) -> Option<Needed<'p>> {
        let key = (choice.alternatives.as_ptr(), begins, ends);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let rarest = |(_, run): &'p (u8, Run)| self.of(run, begins, ends).into_iter().min_by_key(|n| n.cost);
        let each: Option<Vec<Needed<'p>>> = choice.alternatives.iter().map(rarest).collect();
        let needed = each.map(|each| Needed {
            cost: each.iter().map(|n| n.cost).sum(),
            words: each.iter().flat_map(|n| n.words.iter().copied()).collect(),
        });
        self.known.insert(key, needed.clone());
        needed
    }
}

fn cost(word: Word<'_>, counts: &HashMap<&str, usize>) -> usize {
    let open = !(word.begins && word.ends) && word.text.len() < OPEN_WORD_BYTES_MIN;
    counts.get(word.text).copied().unwrap_or(1) * if open { OPEN_WORD_COST } else { 1 }
}
