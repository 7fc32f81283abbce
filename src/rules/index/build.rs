//! Builds the index of a pack. It must not search.

use super::{
    Index, Mark, Way,
    places::{Needed, Needs, Word},
    words::{Heads, Marks, Parts, Tails, WordTable},
};
use crate::rules::{
    normal::is_letter,
    phrase::{Library, Phrase, Piece, WordLists},
    words::Table,
};

/// Of how many places of a phrase the words are needed: the rarest finds the phrase, the others spare a search.
const PLACES_MAX: usize = 6;
/// Most words of which a further place needs one; a long list tells little and is dear to keep.
const FURTHER_WORDS_MAX: usize = 64;
/// Fewest bytes of a word of a further place that may stand inside others.
const OPEN_BYTES_MIN: usize = 3;

impl Index {
    /// Compiles the phrases, numbers them in their order and indexes them.
    pub(in crate::rules) fn build<'p>(phrases: impl Iterator<Item = &'p Phrase>, lists: &WordLists) -> Index {
        let library = Library::new(lists);
        let mut all: Vec<(u32, &Phrase)> = Vec::new();
        for (number, phrase) in (0..).zip(phrases) {
            phrase.enlist(number, &library);
            all.push((number, phrase));
        }
        let mut needs = Needs::among(all.iter().map(|(_, phrase)| *phrase));
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
}

/// An index while it is being built.
#[derive(Default)]
struct Building<'p> {
    index: Index,
    /// The number of each need: a word, and whether it begins and ends a word of the text.
    numbers: Table<(&'p str, bool, bool), u32>,
    /// For each need the ways whose rarest place it meets.
    uses: Vec<Vec<u32>>,
    /// The places that are kept already: many phrases share a list.
    known: Table<Vec<u32>, u32>,
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
            for need in self.needs(rarest) {
                if let Some(uses) = self.uses.get_mut(need as usize) {
                    uses.push(way);
                }
            }
            let start = self.index.places.len() as u32;
            for place in others.iter().filter(|place| tells(place)).take(PLACES_MAX - 1) {
                let needs = self.needs(place);
                let kind = self.kind(needs);
                self.index.places.push(kind);
            }
            self.index.ways.push(Way { phrase, further: start..self.index.places.len() as u32 });
        }
    }

    fn needs(&mut self, place: &Needed<'p>) -> Vec<u32> {
        place.words.iter().map(|word| self.number(word)).collect()
    }

    fn number(&mut self, word: &Word<'p>) -> u32 {
        *self.numbers.entry((word.text, word.begins, word.ends)).or_insert_with(|| {
            self.uses.push(Vec::new());
            self.uses.len() as u32 - 1
        })
    }

    fn kind(&mut self, needs: Vec<u32>) -> u32 {
        let Index { needed, kinds, .. } = &mut self.index;
        *self.known.entry(needs).or_insert_with_key(|needs| {
            let start = needed.len() as u32;
            needed.extend(needs);
            kinds.push(start..needed.len() as u32);
            kinds.len() as u32 - 1
        })
    }

    fn finish(self, phrases: usize) -> Index {
        let Building { mut index, numbers, uses, .. } = self;
        for uses in uses {
            let start = index.uses.len() as u32;
            index.uses.extend(uses);
            index.needs.push(start..index.uses.len() as u32);
        }
        let [mut whole, mut heads, mut tails, mut parts] = [const { Vec::new() }; 4];
        for ((text, begins, ends), need) in numbers {
            if !text.bytes().all(is_letter) {
                index.marks.push(Mark { text: text.into(), marks: Marks::of(text), need });
                continue;
            }
            let kind = match (begins, ends) {
                (true, true) => &mut whole,
                (true, false) => &mut heads,
                (false, true) => &mut tails,
                (false, false) => &mut parts,
            };
            kind.push((text, need));
        }
        index.whole = WordTable::new(&whole);
        index.heads = Heads::new(&heads);
        index.tails = Tails::new(&tails);
        match Parts::new(&parts) {
            Ok(parts) => index.parts = parts,
            // Too many words for it: slow, but nothing is missed.
            Err(_) => index.always = (0..phrases as u32).collect(),
        }
        index
    }
}

/// Whether a further place tells enough to be asked for: not a long list, and no letter that stands inside most words.
fn tells(place: &Needed<'_>) -> bool {
    let common = |word: &Word<'_>| !word.begins && !word.ends && word.text.len() < OPEN_BYTES_MIN;
    place.words.len() <= FURTHER_WORDS_MAX && !place.words.iter().any(common)
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
