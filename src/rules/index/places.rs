//! Which words a phrase cannot do without, by how common they are. It must not know the index.

use std::rc::Rc;

use crate::{
    classify::is_function_word,
    rules::{
        normal::is_letter,
        phrase::{Choice, Phrase, Piece, Run},
        words::Table,
    },
};

/// Words shorter than this, in bytes, stand inside many others: an open one is needed only where nothing else is.
const OPEN_WORD_BYTES_MIN: usize = 4;
/// How much dearer such a word is.
const OPEN_WORD_COST: usize = 20;
/// How much dearer a word is that stands in every text: "of", "the", "if".
const FUNCTION_WORD_COST: usize = 4;

/// A word that a phrase needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'p> {
    pub text: &'p str,
    /// Whether it has to begin a word of the text.
    pub begins: bool,
    /// Whether it has to end one.
    pub ends: bool,
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
pub(super) struct Needed<'p> {
    pub words: Rc<[Word<'p>]>,
    /// How common they are together.
    pub cost: usize,
}

/// The alternatives of a choice by their address, and whether it begins and ends a word.
type ChoiceKey = (*const (u8, Run), bool, bool);

/// What phrases need, by how common words are.
pub(super) struct Needs<'p> {
    counts: Table<&'p str, usize>,
    /// What a choice needs.
    known: Table<ChoiceKey, Option<Needed<'p>>>,
}

impl<'p> Needs<'p> {
    /// With the words of these phrases counted.
    pub(super) fn among(phrases: impl Iterator<Item = &'p Phrase>) -> Needs<'p> {
        let mut counting = Counting::default();
        for (run, _) in phrases.filter_map(Phrase::pattern) {
            counting.run(run, 1);
        }
        Needs { counts: counting.finish(), known: Table::default() }
    }

    /// The places of a run where a word is needed. `begins` and `ends` say whether the run stands between edges of
    /// words.
    pub(super) fn of(&mut self, run: &'p [Piece], begins: bool, ends: bool) -> Vec<Needed<'p>> {
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
    pub(super) fn of_expression(&self, phrase: &'p Phrase) -> Vec<Needed<'p>> {
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
    let whole = word.begins && word.ends;
    let dear = match word.text.len() < OPEN_WORD_BYTES_MIN {
        true if !whole => OPEN_WORD_COST,
        _ if is_function_word(word.text) => FUNCTION_WORD_COST,
        _ => 1,
    };
    counts.get(word.text).copied().unwrap_or(1) * dear
}
