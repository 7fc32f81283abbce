//! Tells for a sentence which phrases may stand in it: those whose needed words do. One pass over the text for all
//! phrases, however many there are.

use std::{collections::HashMap, ops::Range, rc::Rc};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    normal::is_letter,
    phrase::{Choice, Library, Phrase, Piece, Run, WordLists},
};

/// Words shorter than this, in bytes, stand inside many others: an open one is needed only where nothing else is.
const OPEN_WORD_BYTES_MIN: usize = 4;
/// How much dearer such a word is.
const OPEN_WORD_COST: usize = 20;
/// Of how many places of a phrase the words are needed: the rarest finds the phrase, the others spare a search.
const PLACES_MAX: usize = 6;
/// Most words of which a further place needs one; a long list tells little and is dear to keep.
const FURTHER_WORDS_MAX: usize = 64;

/// Finds the candidates among the phrases of a pack.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Words that may stand inside others, by the numbers in `open_numbers`.
    open: Option<AhoCorasick>,
    open_numbers: Vec<u32>,
    /// Words that stand alone only, with their numbers.
    whole: HashMap<Box<str>, u32>,
    /// For each word the phrases whose rarest place needs it or another one.
    uses: Vec<Vec<Use>>,
    /// For each phrase its further places, as a range of `places`.
    further: Vec<Range<u32>>,
    /// Each place as a range of `needs`.
    places: Vec<Range<u32>>,
    /// The words of the places: one of each has to be there.
    needs: Vec<Need>,
    /// Phrases that need no word.
    always: Vec<u32>,
}

/// That a phrase needs a word.
#[derive(Debug)]
struct Use {
    phrase: u32,
    edges: Edges,
}

/// A word of which a place needs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Need {
    word: u32,
    edges: Edges,
}

/// A set of ways to stand at the edges of the words of a text: one bit each for inside, at the end, at the beginning,
/// whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Edges(u8);

impl Edges {
    /// The one way a word stands somewhere.
    fn seen(begins: bool, ends: bool) -> Edges {
        Edges(1 << (u8::from(begins) * 2 + u8::from(ends)))
    }

    /// The ways that will do where an edge has to be one of the text's word.
    fn needed(begins: bool, ends: bool) -> Edges {
        let fits = |b: bool, e: bool| (b || !begins) && (e || !ends);
        let ways = [(false, false), (false, true), (true, false), (true, true)];
        Edges(ways.into_iter().filter(|(b, e)| fits(*b, *e)).fold(0, |all, (b, e)| all | Edges::seen(b, e).0))
    }

    fn meets(self, other: Edges) -> bool {
        self.0 & other.0 != 0
    }
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
    /// Compiles the phrases, numbers them in their order and indexes them.
    pub(super) fn build<'p>(phrases: impl Iterator<Item = &'p Phrase>, lists: &WordLists) -> Index {
        let library = Library::new(lists);
        let mut all: Vec<(u32, &Phrase)> = Vec::new();
        for (number, phrase) in (0..).zip(phrases) {
            phrase.enlist(number, &library);
            all.push((number, phrase));
        }
        let mut counting = Counting::default();
        for (run, _) in all.iter().filter_map(|(_, p)| p.pattern()) {
            counting.run(run, 1);
        }
        let mut needs = Needs { counts: counting.finish(), known: HashMap::new() };
        let mut building = Building::default();
        for (number, phrase) in &all {
            let mut places = match phrase.pattern() {
                Some((run, closed)) => needs.of(run, closed, closed),
                None => needs.of_expression(phrase),
            };
            places.sort_by_key(|p| p.cost);
            building.phrase(*number, &places);
        }
        building.finish(all.len())
    }

    /// The phrases that may stand in a normalised text.
    pub(crate) fn candidates(&self, text: &str) -> Candidates {
        let bytes = text.as_bytes();
        let mut seen = vec![Edges::default(); self.uses.len()];
        let mut words: Vec<u32> = Vec::new();
        let mut see = |number: u32, edges: Edges| {
            if let Some(seen) = seen.get_mut(number as usize) {
                if *seen == Edges::default() {
                    words.push(number);
                }
                seen.0 |= edges.0;
            }
        };
        for word in text.split(|c: char| c.is_ascii() && !is_letter(c as u8)).filter(|word| !word.is_empty()) {
            if let Some(number) = self.whole.get(word) {
                see(*number, Edges::seen(true, true));
            }
        }
        for found in self.open.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            let begins = !found.start().checked_sub(1).and_then(|b| bytes.get(b)).is_some_and(|b| is_letter(*b));
            let ends = !bytes.get(found.end()).is_some_and(|b| is_letter(*b));
            if let Some(number) = self.open_numbers.get(found.pattern().as_usize()) {
                see(*number, Edges::seen(begins, ends));
            }
        }
        let seen = |word: u32| seen.get(word as usize).copied().unwrap_or_default();
        let mut out = self.always.clone();
        for word in words {
            let uses = self.uses.get(word as usize).into_iter().flatten();
            let uses = uses.filter(|u| u.edges.meets(seen(word)));
            out.extend(uses.map(|u| u.phrase).filter(|phrase| self.others_stand(*phrase, seen)));
        }
        out.sort_unstable();
        out.dedup();
        Candidates(out)
    }

    /// Whether of each further place of a phrase a word was seen.
    fn others_stand(&self, phrase: u32, seen: impl Fn(u32) -> Edges) -> bool {
        let range = |r: &Range<u32>| r.start as usize..r.end as usize;
        let places = self.further.get(phrase as usize).and_then(|r| self.places.get(range(r))).unwrap_or_default();
        places.iter().all(|place| {
            let needs = self.needs.get(range(place)).unwrap_or_default();
            needs.iter().any(|need| need.edges.meets(seen(need.word)))
        })
    }
}

/// An index while it is being built.
#[derive(Default)]
struct Building<'p> {
    index: Index,
    words: Vec<&'p str>,
    numbers: HashMap<&'p str, u32>,
    /// The places that are kept already: many phrases share a list.
    known: HashMap<Vec<Need>, Range<u32>>,
}

impl<'p> Building<'p> {
    /// Adds a phrase with its places, the rarest first.
    fn phrase(&mut self, phrase: u32, places: &[Needed<'p>]) {
        let start = self.index.places.len() as u32;
        if let Some((rarest, others)) = places.split_first() {
            for Need { word, edges } in self.needs(rarest) {
                if let Some(uses) = self.index.uses.get_mut(word as usize) {
                    uses.push(Use { phrase, edges });
                }
            }
            for place in others.iter().filter(|p| p.words.len() <= FURTHER_WORDS_MAX).take(PLACES_MAX - 1) {
                let needs = self.needs(place);
                let range = self.range(needs);
                self.index.places.push(range);
            }
        } else {
            self.index.always.push(phrase);
        }
        self.index.further.push(start..self.index.places.len() as u32);
    }

    fn needs(&mut self, place: &Needed<'p>) -> Vec<Need> {
        let need =
            |word: &Word<'p>| Need { word: self.number(word.text), edges: Edges::needed(word.begins, word.ends) };
        place.words.iter().map(need).collect()
    }

    fn number(&mut self, word: &'p str) -> u32 {
        *self.numbers.entry(word).or_insert_with(|| {
            self.words.push(word);
            self.index.uses.push(Vec::new());
            self.words.len() as u32 - 1
        })
    }

    fn range(&mut self, needs: Vec<Need>) -> Range<u32> {
        if let Some(range) = self.known.get(&needs) {
            return range.clone();
        }
        let all = &mut self.index.needs;
        let start = all.len() as u32;
        all.extend(&needs);
        let range = start..all.len() as u32;
        self.known.insert(needs, range.clone());
        range
    }

    fn finish(self, phrases: usize) -> Index {
        let Building { mut index, words, known, .. } = self;
        let further = known.into_keys().flatten();
        let whole = Edges::needed(true, true);
        let mut closed: Vec<bool> = index.uses.iter().map(|uses| uses.iter().all(|u| u.edges == whole)).collect();
        for need in further.filter(|need| need.edges != whole) {
            if let Some(closed) = closed.get_mut(need.word as usize) {
                *closed = false;
            }
        }
        let mut open = Vec::new();
        for ((number, word), closed) in (0..).zip(words).zip(closed) {
            if closed {
                index.whole.insert(word.into(), number);
            } else {
                index.open_numbers.push(number);
                open.push(word);
            }
        }
        // The smaller of the automata: a rule set stays in memory for good.
        match AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&open) {
            Ok(automaton) => index.open = Some(automaton),
            // Too many words for it: slow, but nothing is missed.
            Err(_) => index.always = (0..phrases as u32).collect(),
        }
        index
    }
}

impl Candidates {
    #[cfg(test)]
    pub(crate) fn has(&self, phrase: &Phrase) -> bool {
        phrase.number().is_some_and(|number| self.0.binary_search(&number).is_ok())
    }

    /// The candidates of a list of phrases, as places in the list, in order. Lists are numbered without a break.
    pub(crate) fn among(&self, first: Option<&Phrase>, length: usize) -> impl Iterator<Item = usize> {
        let first = first.and_then(Phrase::number).unwrap_or(u32::MAX);
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

/// A text that is nothing but marks, as in `"<role>"`: it is needed like a word.
fn marks(text: &str) -> Option<Word<'_>> {
    let marks = text.bytes().all(|b| b.is_ascii() && !is_letter(b)) && !text.is_empty();
    marks.then_some(Word { text, begins: false, ends: false })
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
                    words(text, true, true).for_each(|w| *self.words.entry(w.text).or_default() += times);
                    marks(text).into_iter().for_each(|w| *self.words.entry(w.text).or_default() += times);
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
                        .chain(marks(text))
                        .map(|w| Needed { words: Rc::from([w]), cost: cost(w, &self.counts) })
                        .min_by_key(|n| n.cost),
                ),
                Piece::Choice(choice) if !choice.optional => out.extend(self.of_choice(choice, begins, ends)),
                _ => {}
            }
        }
        out
    }

    /// The places of a regular expression where a text is needed.
    fn of_expression(&self, phrase: &'p Phrase) -> Vec<Needed<'p>> {
        let word = |text: &'p Box<str>| Word { text, begins: false, ends: false };
        let place = |texts: &'p Vec<Box<str>>| Needed {
            words: texts.iter().map(word).collect(),
            cost: texts.iter().map(|text| cost(word(text), &self.counts)).sum(),
        };
        phrase.needs().iter().map(place).collect()
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
