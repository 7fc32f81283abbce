//! Tells for a sentence which phrases may stand in it: those whose needed words do. One pass over the text for all
//! phrases, however many there are.

mod build;
mod places;

use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::{normal::is_letter, phrase::Phrase, words::Table};

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

    /// The one way of a word that nothing belongs to.
    fn whole() -> Edges {
        Edges::needed(true, true)
    }

    fn meets(self, other: Edges) -> bool {
        self.0 & other.0 != 0
    }
}

/// The phrases that may stand in one sentence.
#[derive(Debug, Default)]
pub(crate) struct Candidates(Vec<u32>);

impl Index {
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
