//! Tells for a sentence which phrases may stand in it: those whose needed words do. One pass over the text for all
//! phrases, however many there are.

use std::{ops::Range, rc::Rc};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    normal::is_letter,
    phrase::{Choice, Library, Phrase, Piece, Run, WordLists},
    words::Table,
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
    whole: Table<Box<str>, u32>,
    /// For each word the ways whose rarest place needs it or another one.
    uses: Vec<Vec<Use>>,
    ways: Vec<Way>,
    /// Each place by its number in `kinds`: many phrases share a list.
    places: Vec<u32>,
    /// The different places, each as a range of `needs`.
    kinds: Vec<Range<u32>>,
    /// The words of the places: one of each has to be there.
    needs: Vec<Need>,
    /// Phrases that need no word.
    always: Vec<u32>,
}

/// One way in which a phrase may stand: a phrase that is one choice has a way for each alternative.
#[derive(Debug)]
struct Way {
    phrase: u32,
    /// Its places besides the rarest, as a range of `places`.
    further: Range<u32>,
}

/// That a way needs a word.
#[derive(Debug)]
struct Use {
    way: u32,
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
        let mut needs = Needs { counts: counting.finish(), known: Table::default() };
        let mut building = Building::default();
        for (number, phrase) in &all {
            let ways = match phrase.pattern() {
                Some((run, closed)) => ways(run).into_iter().map(|run| needs.of(run, closed, closed)).collect(),
                None => vec![needs.of_expression(phrase)],
            };
            building.phrase(*number, ways);
        }
        building.finish(all.len())
    }

    /// What finds the candidates in one text after the other.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        let seen = vec![Edges::default(); self.uses.len()];
        Lookup { index: self, seen, words: Vec::new(), known: vec![None; self.kinds.len()], kinds: Vec::new() }
    }

    /// The phrases that may stand in one normalised text.
    #[cfg(test)]
    pub(super) fn candidates(&self, text: &str) -> Candidates {
        self.lookup().candidates(text)
    }
}

/// Finds candidates. What it keeps between two texts is the room alone.
pub(crate) struct Lookup<'i> {
    index: &'i Index,
    /// How each word stands in the text.
    seen: Vec<Edges>,
    /// The words that stand in it.
    words: Vec<u32>,
    /// Of which kinds of places one of the words stands, as far as asked.
    known: Vec<Option<bool>>,
    /// The kinds that were asked for.
    kinds: Vec<u32>,
}

impl Lookup<'_> {
    /// The phrases that may stand in a normalised text.
    pub(crate) fn candidates(&mut self, text: &str) -> Candidates {
        let index = self.index;
        for word in text.split(|c: char| c.is_ascii() && !is_letter(c as u8)).filter(|word| !word.is_empty()) {
            if let Some(number) = index.whole.get(word) {
                self.see(*number, Edges::seen(true, true));
            }
        }
        let letter = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(|b| is_letter(*b));
        for found in index.open.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            let (begins, ends) = (!letter(found.start().checked_sub(1)), !letter(Some(found.end())));
            if let Some(number) = index.open_numbers.get(found.pattern().as_usize()) {
                self.see(*number, Edges::seen(begins, ends));
            }
        }
        let mut out = index.always.clone();
        for word in std::mem::take(&mut self.words) {
            let edges = self.edges(word);
            let uses = index.uses.get(word as usize).into_iter().flatten().filter(|u| u.edges.meets(edges));
            for way in uses.filter_map(|u| index.ways.get(u.way as usize)) {
                if self.others_stand(way) {
                    out.push(way.phrase);
                }
            }
            self.words.push(word);
        }
        self.clear();
        out.sort_unstable();
        out.dedup();
        Candidates(out)
    }

    fn see(&mut self, word: u32, edges: Edges) {
        if let Some(seen) = self.seen.get_mut(word as usize) {
            if *seen == Edges::default() {
                self.words.push(word);
            }
            seen.0 |= edges.0;
        }
    }

    fn edges(&self, word: u32) -> Edges {
        self.seen.get(word as usize).copied().unwrap_or_default()
    }

    /// Whether of each further place a word was seen.
    fn others_stand(&mut self, way: &Way) -> bool {
        let places = self.index.places.get(range(&way.further)).unwrap_or_default();
        places.iter().all(|kind| self.stands(*kind))
    }

    fn stands(&mut self, kind: u32) -> bool {
        if let Some(known) = self.known.get(kind as usize).copied().flatten() {
            return known;
        }
        let needs = self.index.kinds.get(kind as usize).and_then(|r| self.index.needs.get(range(r)));
        let stands = needs.unwrap_or_default().iter().any(|need| need.edges.meets(self.edges(need.word)));
        if let Some(known) = self.known.get_mut(kind as usize) {
            *known = Some(stands);
            self.kinds.push(kind);
        }
        stands
    }

    fn clear(&mut self) {
        for word in self.words.drain(..) {
            if let Some(seen) = self.seen.get_mut(word as usize) {
                *seen = Edges::default();
            }
        }
        for kind in self.kinds.drain(..) {
            if let Some(known) = self.known.get_mut(kind as usize) {
                *known = None;
            }
        }
    }
}

fn range(r: &Range<u32>) -> Range<usize> {
    r.start as usize..r.end as usize
}

/// An index while it is being built.
#[derive(Default)]
struct Building<'p> {
    index: Index,
    words: Vec<&'p str>,
    numbers: Table<&'p str, u32>,
    /// The places that are kept already: many phrases share a list.
    known: Table<Vec<Need>, u32>,
}

impl<'p> Building<'p> {
    /// Adds a phrase with the places of each of its ways.
    fn phrase(&mut self, phrase: u32, ways: Vec<Vec<Needed<'p>>>) {
        if ways.iter().any(Vec::is_empty) {
            self.index.always.push(phrase);
            return;
        }
        for mut places in ways {
            places.sort_by_key(|place| place.cost);
            let Some((rarest, others)) = places.split_first() else { continue };
            let way = self.index.ways.len() as u32;
            for Need { word, edges } in self.needs(rarest) {
                if let Some(uses) = self.index.uses.get_mut(word as usize) {
                    uses.push(Use { way, edges });
                }
            }
            let start = self.index.places.len() as u32;
            for place in others.iter().filter(|p| p.words.len() <= FURTHER_WORDS_MAX).take(PLACES_MAX - 1) {
                let needs = self.needs(place);
                let kind = self.kind(needs);
                self.index.places.push(kind);
            }
            self.index.ways.push(Way { phrase, further: start..self.index.places.len() as u32 });
        }
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

    fn kind(&mut self, needs: Vec<Need>) -> u32 {
        let Index { needs: all, kinds, .. } = &mut self.index;
        *self.known.entry(needs).or_insert_with_key(|needs| {
            let start = all.len() as u32;
            all.extend(needs);
            kinds.push(start..all.len() as u32);
            kinds.len() as u32 - 1
        })
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

/// The runs of which one stands where the run does.
fn ways(run: &[Piece]) -> Vec<&[Piece]> {
    match run {
        [Piece::Choice(choice)] if !choice.optional => {
            choice.alternatives.iter().flat_map(|(_, run)| ways(run)).collect()
        }
        run => vec![run],
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
    words: Table<&'p str, usize>,
    /// Each choice with how often it stands in a phrase: lists are shared by many, and walked once.
    choices: Table<*const (u8, Run), (&'p Choice, usize)>,
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

    fn finish(mut self) -> Table<&'p str, usize> {
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
    counts: Table<&'p str, usize>,
    /// What a choice needs.
    known: Table<ChoiceKey, Option<Needed<'p>>>,
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
        let word = |text: &'p str| Word { text, begins: false, ends: false };
        let place = |texts: &'p Vec<Box<str>>| Needed {
            words: texts.iter().map(|text| word(text)).collect(),
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

fn cost(word: Word<'_>, counts: &Table<&str, usize>) -> usize {
    let open = !(word.begins && word.ends) && word.text.len() < OPEN_WORD_BYTES_MIN;
    counts.get(word.text).copied().unwrap_or(1) * if open { OPEN_WORD_COST } else { 1 }
}
