//! A phrase as it is searched: a small tree of texts, choices and stretches. This file must not know what a rule is.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use super::{
    Capture, PhraseError,
    parse::{Node, Part, Sequence},
    stretch::{Kind, NO_GAP_CHAR, Stretch},
};
use crate::rules::words::ByteSet;

/// Most pieces of one phrase: word lists inside word lists grow fast.
pub const PIECES_MAX: usize = 8192;
/// How many characters of a script without spaces stand for one word of a gap.
const GAP_CHARS_PER_WORD: u32 = 4;
/// Pieces that follow each other.
pub(in crate::rules) type Run = Box<[Piece]>;

/// One piece of a pattern.
#[derive(Debug)]
pub(in crate::rules) enum Piece {
    /// This text.
    Text(Box<str>),
    /// Between two words: a space, a comma before it allowed.
    Space,
    /// A hyphen inside a word, or a space.
    Hyphen,
    /// Something of open length.
    Stretch(Stretch),
    /// The same, kept.
    Capture(Capture, Stretch),
    /// One of several runs.
    Choice(Choice),
}

/// One of several runs, the first that fits.
#[derive(Debug)]
pub(in crate::rules) struct Choice {
    /// Each with the byte it begins with, 0 where that is open.
    pub alternatives: Arc<[(u8, Run)]>,
    /// How the right ones are found among them.
    pub(super) order: Order,
    /// Whether it may be left out.
    pub optional: bool,
    /// Number of the place where the alternatives meet again.
    pub join: u32,
}

impl Choice {
    /// The alternatives that may stand at a place, in the order in which they are tried.
    pub(super) fn at(&self, text: &[u8], at: usize) -> impl Iterator<Item = &Run> {
        let byte = text.get(at).copied().unwrap_or(0);
        let number = FirstBytes::number_at(text, at);
        let (range, firsts) = match &self.order {
            Order::Sorted => {
                let from = self.alternatives.partition_point(|(first, _)| *first < byte);
                let same = self.alternatives.iter().skip(from).take_while(|(first, _)| *first == byte).count();
                (from..from + same, [].as_slice())
            }
            Order::Given(firsts) => (0..self.alternatives.len(), firsts.as_ref()),
        };
        let may = self.alternatives.get(range).unwrap_or_default().iter().enumerate();
        may.filter(move |(i, _)| firsts.get(*i).is_none_or(|b| b.allow(number))).map(|(_, (_, run))| run)
    }
}

/// The order of alternatives.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// None is open, and they stand in the order of their first bytes.
    Sorted,
    /// As the author gave them, each with what it may begin with.
    Given(Arc<[FirstBytes]>),
}

/// What a run may begin with, as numbers of two bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FirstBytes(ByteSet);

impl FirstBytes {
    pub(super) fn of(run: &[Piece]) -> FirstBytes {
        let mut firsts = FirstBytes::default();
        if firsts.add(run) { firsts } else { FirstBytes(ByteSet::ALL) }
    }

    /// The number of two bytes; behind the end of a text stand zeros. Different bytes may have one number: five bits
    /// tell the letters of a script apart, three the next ones a little.
    fn number(first: u8, second: u8) -> u8 {
        first << 3 | second & 7
    }

    /// The number of the bytes at a place.
    pub(super) fn number_at(text: &[u8], at: usize) -> u8 {
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        FirstBytes::number(byte(at), byte(at + 1))
    }

    /// Whether a run may begin where the bytes of this number stand.
    pub(super) fn allow(&self, number: u8) -> bool {
        self.0.has(number)
    }

    /// Whatever follows the byte.
    fn insert_all(&mut self, first: u8) {
        (0..8).for_each(|second| self.0.insert(FirstBytes::number(first, second)));
    }

    /// Adds what a run may begin with; false where that is open.
    fn add(&mut self, run: &[Piece]) -> bool {
        match run.split_first() {
            Some((Piece::Text(text), _)) => {
                match text.as_bytes() {
                    [first, second, ..] => self.0.insert(FirstBytes::number(*first, *second)),
                    [first] => self.insert_all(*first),
                    [] => return false,
                }
                true
            }
            Some((Piece::Stretch(Stretch { kind: Kind::Number | Kind::Count, .. }), _)) => {
                (b'0'..=b'9').for_each(|digit| self.insert_all(digit));
                true
            }
            Some((Piece::Choice(choice), tail)) => {
                choice.alternatives.iter().all(|(_, run)| self.add(run)) && (!choice.optional || self.add(tail))
            }
            _ => false,
        }
    }
}

/// Alternatives of plain words, built once for all phrases that name the list: by the list, whether the phrase is
/// spaceless, and whether the list ends it.
pub(super) type Shared = RefCell<HashMap<(usize, bool, bool), SharedChoice>>;

/// What a shared list became.
#[derive(Debug, Clone)]
pub(super) struct SharedChoice {
    /// Kept, so that no other list gets its address.
    _list: Arc<[Sequence]>,
    alternatives: Arc<[(u8, Run)]>,
    order: Order,
    pieces: usize,
}

/// Builds the run of a parsed phrase.
pub(super) struct Builder<'s> {
    spaceless: bool,
    shared: &'s Shared,
    /// Places numbered so far.
    pub joins: u32,
    pieces: usize,
}

impl<'s> Builder<'s> {
    pub(super) fn new(spaceless: bool, shared: &'s Shared) -> Builder<'s> {
        Builder { spaceless, shared, joins: 0, pieces: 0 }
    }

    /// The run of a sequence; `tail` says that nothing fixed follows it.
    pub(super) fn sequence(&mut self, nodes: &[Node], tail: bool) -> Result<Run, PhraseError> {
        let mut out = Vec::new();
        let mut fixed = false;
        for (i, node) in nodes.iter().enumerate() {
            let last = tail && !nodes.iter().skip(i + 1).any(|n| matches!(n, Node::Glued(_)));
            match node {
                Node::Glued(parts) => {
                    if fixed {
                        out.push(self.space());
                    }
                    self.glued(parts, last, &mut out)?;
                    fixed = true;
                }
                Node::Optional(alternatives) => {
                    let mut inner = Vec::new();
                    if fixed {
                        inner.push(self.space());
                    }
                    self.alternatives(alternatives, last, &mut inner)?;
                    if !fixed {
                        inner.push(self.space());
                    }
                    out.push(self.choice(vec![inner.into()], true));
                }
                Node::Gap(words) if self.spaceless => {
                    // Commas stand close there: two gaps in a row reach over one.
                    if i.checked_sub(1).and_then(|before| nodes.get(before)).is_some_and(|n| matches!(n, Node::Gap(_)))
                    {
                        out.push(self.space());
                    }
                    let max = words * GAP_CHARS_PER_WORD;
                    out.push(self.stretch(Kind::Characters { not: NO_GAP_CHAR, min: 0, max, lazy: true }));
                }
                Node::Gap(words) if fixed => out.push(self.stretch(Kind::Gap(*words))),
                Node::Gap(words) => out.push(self.stretch(Kind::GapBefore(*words))),
            }
        }
        self.pieces += out.len();
        if self.pieces > PIECES_MAX {
            return Err(PhraseError::limit("R025", "phrase becomes too large; use fewer or smaller word lists"));
        }
        if fixed { Ok(out.into()) } else { Err(PhraseError::syntax("needs at least one fixed word")) }
    }

    fn join(&mut self) -> u32 {
        self.joins += 1;
        self.joins - 1
    }

    fn stretch(&mut self, kind: Kind) -> Piece {
        Piece::Stretch(Stretch { kind, join: self.join() })
    }

    fn space(&mut self) -> Piece {
        if self.spaceless { self.stretch(Kind::Spaces) } else { Piece::Space }
    }

    fn choice(&mut self, alternatives: Vec<Run>, optional: bool) -> Piece {
        let (alternatives, order) = with_first_bytes(alternatives);
        Piece::Choice(Choice { alternatives, order, optional, join: self.join() })
    }

    /// One of the alternatives of a group or list. Those of plain words are the same in every phrase.
    fn group(&mut self, group: &Arc<[Sequence]>, tail: bool, out: &mut Vec<Piece>) -> Result<(), PhraseError> {
        let key = (Arc::as_ptr(group).cast::<Sequence>() as usize, self.spaceless, tail);
        if let Some(known) = self.shared.borrow().get(&key) {
            self.pieces += known.pieces;
            let (alternatives, order) = (Arc::clone(&known.alternatives), known.order.clone());
            out.push(Piece::Choice(Choice { alternatives, order, optional: false, join: self.joins }));
            self.joins += 1;
            return Ok(());
        }
        let (joins, pieces) = (self.joins, self.pieces);
        self.alternatives(group, tail, out)?;
        // Only what numbers no place of its own can stand in another phrase; the choice itself has the last number.
        if let Some(Piece::Choice(choice)) = out.last()
            && !choice.optional
            && choice.join == joins
            && self.joins == joins + 1
        {
            let built = SharedChoice {
                _list: Arc::clone(group),
                alternatives: Arc::clone(&choice.alternatives),
                order: choice.order.clone(),
                pieces: self.pieces - pieces,
            };
            self.shared.borrow_mut().insert(key, built);
        }
        Ok(())
    }

    /// Appends one of `alternatives`; a single one as it is.
    fn alternatives(&mut self, alternatives: &[Sequence], tail: bool, out: &mut Vec<Piece>) -> Result<(), PhraseError> {
        let mut runs = alternatives.iter().map(|s| self.sequence(s, tail)).collect::<Result<Vec<Run>, _>>()?;
        match runs.pop() {
            Some(run) if runs.is_empty() => out.extend(run),
            last => {
                runs.extend(last);
                out.push(self.choice(runs, false));
            }
        }
        Ok(())
    }

    fn glued(&mut self, parts: &[Part], tail: bool, out: &mut Vec<Piece>) -> Result<(), PhraseError> {
        for (i, part) in parts.iter().enumerate() {
            let last = tail && i + 1 == parts.len();
            match part {
                Part::Literal(text) => literal(text, out),
                Part::Number => out.push(self.stretch(Kind::Number)),
                Part::Letters => out.push(self.stretch(Kind::Letters)),
                Part::Group(group) => self.group(group, last, out)?,
                Part::Optional(alternatives) => {
                    let mut inner = Vec::new();
                    self.alternatives(alternatives, last, &mut inner)?;
                    out.push(self.choice(vec![inner.into()], true));
                }
                Part::Capture(capture) => {
                    let kind = Kind::of(*capture, !last, self.spaceless);
                    out.push(Piece::Capture(*capture, Stretch { kind, join: self.join() }));
                }
            }
        }
        Ok(())
    }
}

/// Each run with the byte it begins with, where it begins with a text, sorted if all do: runs that begin with different
/// bytes never stand at one place, so their order is free.
fn with_first_bytes(runs: Vec<Run>) -> (Arc<[(u8, Run)]>, Order) {
    let first = |run: Run| match run.first() {
        Some(Piece::Text(text)) => (text.bytes().next().unwrap_or(0), run),
        _ => (0, run),
    };
    let mut all: Vec<(u8, Run)> = runs.into_iter().map(first).collect();
    if all.iter().all(|(first, _)| *first != 0) {
        all.sort_by_key(|(first, _)| *first);
        return (all.into(), Order::Sorted);
    }
    let firsts = all.iter().map(|(_, run)| FirstBytes::of(run)).collect();
    (all.into(), Order::Given(firsts))
}

/// A hyphen inside a word also stands for a space.
fn literal(text: &str, out: &mut Vec<Piece>) {
    if text == "-" {
        out.push(Piece::Text(text.into()));
        return;
    }
    for (i, piece) in text.split('-').enumerate() {
        if i > 0 {
            out.push(Piece::Hyphen);
        }
        if !piece.is_empty() {
            out.push(Piece::Text(piece.into()));
        }
    }
}
