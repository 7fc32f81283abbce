//! Builds the index of a pack. It must not search.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    Edges, Index, Need, Use, Way,
    places::{Needed, Needs, Word},
};
use crate::rules::{
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
    /// The words, each with whether it stands alone: inside others it is another one.
    words: Vec<(&'p str, bool)>,
    numbers: Table<(&'p str, bool), u32>,
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
            for place in others.iter().filter(|place| tells(place)).take(PLACES_MAX - 1) {
                let needs = self.needs(place);
                let kind = self.kind(needs);
                self.index.places.push(kind);
            }
            self.index.ways.push(Way { phrase, further: start..self.index.places.len() as u32 });
        }
    }

    fn needs(&mut self, place: &Needed<'p>) -> Vec<Need> {
        let need = |word: &Word<'p>| {
            let edges = Edges::needed(word.begins, word.ends);
            Need { word: self.number((word.text, edges == Edges::whole())), edges }
        };
        place.words.iter().map(need).collect()
    }

    fn number(&mut self, word: (&'p str, bool)) -> u32 {
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
        let Building { mut index, words, .. } = self;
        let mut open = Vec::new();
        for (number, (word, whole)) in (0..).zip(words) {
            if whole {
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
