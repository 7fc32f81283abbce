//! Tells for the sentences of a mail which phrases may stand in them: those whose needed words do. The words of many
//! sentences are looked up at once, and what holds of a sentence is one bit: so a word that stands everywhere costs no
//! more than one that stands once.

mod build;
mod places;
mod words;

use std::ops::Range;

use super::phrase::Phrase;
use words::{Batch, Heads, Marks, Parts, Sentences, Tails, WordTable};

pub(crate) use words::Texts;

/// Finds the candidates among the phrases of a pack.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Words that stand alone only, with the numbers of their needs.
    whole: WordTable,
    /// Beginnings and endings of words, with the numbers of theirs.
    heads: Heads,
    tails: Tails,
    /// What may stand inside words, likewise.
    parts: Parts,
    /// What is more or less than letters, and may stand anywhere.
    marks: Vec<Mark>,
    /// For each need its ways, as a range of `uses`.
    needs: Vec<Range<u32>>,
    /// The ways whose rarest place a need is met for.
    uses: Vec<u32>,
    ways: Vec<Way>,
    /// Each place by its number in `kinds`: many phrases share a list.
    places: Vec<u32>,
    /// The different places, each as a range of `needed`.
    kinds: Vec<Range<u32>>,
    /// The needs of the places: one of each has to be met.
    needed: Vec<u32>,
    /// Phrases that need no word.
    always: Vec<u32>,
}

/// A text with a mark in it.
#[derive(Debug)]
struct Mark {
    text: Box<str>,
    marks: Marks,
    need: u32,
}

/// One way in which a phrase may stand: a phrase that is one choice has a way for each alternative.
#[derive(Debug)]
struct Way {
    phrase: u32,
    /// Its places besides the rarest, as a range of `places`.
    further: Range<u32>,
}

/// The phrases that may stand in each sentence of a mail.
#[derive(Debug, Default)]
pub(crate) struct AllCandidates {
    /// Sentence by sentence, in order.
    phrases: Vec<u32>,
    /// Where those of each sentence end.
    ends: Vec<u32>,
}

/// The phrases that may stand in one sentence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidates<'c>(&'c [u32]);

impl Index {
    /// The phrases that may stand in the texts. `scratch` may have served other indexes.
    pub(crate) fn candidates(&self, texts: &Texts<'_>, scratch: &mut Scratch) -> AllCandidates {
        let mut lookup = Lookup { index: self, scratch };
        let mut out = AllCandidates::default();
        for batch in &texts.0 {
            let mut found = lookup.candidates(batch);
            found.sort_unstable();
            found.dedup();
            let mut found = found.into_iter().peekable();
            for number in 0..batch.texts.len() as u32 {
                let of_this = std::iter::from_fn(|| found.next_if(|(text, _)| *text == number));
                out.phrases.extend(of_this.map(|(_, phrase)| phrase));
                out.ends.push(out.phrases.len() as u32);
            }
        }
        out
    }
}

/// What finding candidates takes. It is large and nearly empty: so it is cleared by what was written, and used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The texts in which each need is met.
    met: Vec<Sentences>,
    /// The needs that are met anywhere.
    needs: Vec<u32>,
    /// The texts in which each kind of place may stand, as far as asked.
    known: Vec<Option<Sentences>>,
    /// The kinds that were asked.
    asked: Vec<u32>,
}

impl Scratch {
    /// Makes room for an index.
    fn clear(&mut self, index: &Index) {
        for need in self.needs.drain(..) {
            self.met.get_mut(need as usize).into_iter().for_each(|met| *met = 0);
        }
        for kind in self.asked.drain(..) {
            self.known.get_mut(kind as usize).into_iter().for_each(|known| *known = None);
        }
        self.met.resize(self.met.len().max(index.needs.len()), 0);
        self.known.resize(self.known.len().max(index.kinds.len()), None);
    }
}

/// Finds candidates.
struct Lookup<'i> {
    index: &'i Index,
    scratch: &'i mut Scratch,
}

impl Lookup<'_> {
    /// The phrases that may stand in the texts of a batch, each behind the number of the text, in any order.
    fn candidates(&mut self, batch: &Batch<'_>) -> Vec<(u32, u32)> {
        let index = self.index;
        self.scratch.clear(index);
        self.read(batch);
        let all = (0..).take(batch.texts.len());
        let mut out: Vec<(u32, u32)> = all.flat_map(|text| index.always.iter().map(move |p| (text, *p))).collect();
        let mut at = 0;
        while let Some(need) = self.scratch.needs.get(at).copied() {
            at += 1;
            let met = self.met(need);
            let uses = index.needs.get(need as usize).and_then(|r| index.uses.get(range(r))).unwrap_or_default();
            for way in uses.iter().filter_map(|way| index.ways.get(*way as usize)) {
                let mut texts = self.others_stand(way, met);
                while texts != 0 {
                    out.push((texts.trailing_zeros(), way.phrase));
                    texts &= texts - 1;
                }
            }
        }
        out
    }

    /// Marks which needs are met where.
    fn read(&mut self, batch: &Batch<'_>) {
        let index = self.index;
        for word in &batch.words {
            if let Some(need) = index.whole.number(word.text, word.hash) {
                self.meet(need, word.texts);
            }
            index.heads.of(word.text, |need| self.meet(need, word.texts));
            index.tails.of(word.text, |need| self.meet(need, word.texts));
            index.parts.of(word.text, |need| self.meet(need, word.texts));
        }
        for (number, (text, marks)) in batch.texts.iter().zip(&batch.marks).enumerate() {
            for mark in index.marks.iter().filter(|mark| marks.hold(mark.marks)) {
                if text.contains(mark.text.as_ref()) {
                    self.meet(mark.need, 1 << number);
                }
            }
        }
    }

    fn meet(&mut self, need: u32, texts: Sentences) {
        if let Some(met) = self.scratch.met.get_mut(need as usize) {
            if *met == 0 {
                self.scratch.needs.push(need);
            }
            *met |= texts;
        }
    }

    fn met(&self, need: u32) -> Sentences {
        self.scratch.met.get(need as usize).copied().unwrap_or(0)
    }

    /// Those of the texts where each further place may stand.
    fn others_stand(&mut self, way: &Way, mut texts: Sentences) -> Sentences {
        for kind in self.index.places.get(range(&way.further)).unwrap_or_default() {
            texts &= self.stands(*kind);
            if texts == 0 {
                break;
            }
        }
        texts
    }

    fn stands(&mut self, kind: u32) -> Sentences {
        if let Some(known) = self.scratch.known.get(kind as usize).copied().flatten() {
            return known;
        }
        let needed = self.index.kinds.get(kind as usize).and_then(|r| self.index.needed.get(range(r)));
        let stands = needed.unwrap_or_default().iter().fold(0, |all, need| all | self.met(*need));
        if let Some(known) = self.scratch.known.get_mut(kind as usize) {
            *known = Some(stands);
            self.scratch.asked.push(kind);
        }
        stands
    }
}

fn range(r: &Range<u32>) -> Range<usize> {
    r.start as usize..r.end as usize
}

impl AllCandidates {
    /// Those of one sentence.
    pub(crate) fn of(&self, sentence: usize) -> Candidates<'_> {
        let end = |at: Option<usize>| at.and_then(|at| self.ends.get(at)).map_or(0, |end| *end as usize);
        Candidates(self.phrases.get(end(sentence.checked_sub(1))..end(Some(sentence))).unwrap_or_default())
    }
}

impl<'c> Candidates<'c> {
    #[cfg(test)]
    pub(crate) fn has(self, phrase: &Phrase) -> bool {
        phrase.number().is_some_and(|number| self.0.binary_search(&number).is_ok())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The candidates of a list of phrases, as places in the list, in order. Lists are numbered without a break.
    pub(crate) fn among(self, first: Option<&Phrase>, length: usize) -> impl Iterator<Item = usize> + 'c {
        let first = first.and_then(Phrase::number).unwrap_or(u32::MAX);
        let from = self.0.partition_point(|c| *c < first);
        self.0.iter().skip(from).map(move |c| (c - first) as usize).take_while(move |at| *at < length)
    }
}
