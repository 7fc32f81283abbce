//! Finds a pattern in a normalised text, by trying its runs from left to right. Every place of the pattern is tried
//! once at every byte of the text, so the time is bounded by the product of the two; a sentence is short.

use super::{
    Capture, Edge, Found,
    pattern::{Choice, FirstBytes, Piece, Stretch},
};
use crate::rules::normal::is_letter;

/// One search of one pattern.
pub(super) struct Search<'s> {
    text: &'s [u8],
    edge: Edge,
    joins: u32,
    /// One bit for each place where alternatives meet and each byte of the text: tried before, in vain. Empty until it
    /// is needed.
    tried: Vec<u64>,
    /// Ends of the stretches that are being tried.
    ends: Vec<usize>,
    captures: Vec<(Capture, (usize, usize))>,
}

/// What follows a choice.
struct Rest<'r> {
    run: &'r [Piece],
    join: u32,
    next: Option<&'r Rest<'r>>,
}

impl<'s> Search<'s> {
    pub(super) fn new(text: &'s str, edge: Edge, joins: u32) -> Search<'s> {
        let (tried, ends, captures) = (Vec::new(), Vec::new(), Vec::new());
        Search { text: text.as_bytes(), edge, joins, tried, ends, captures }
    }

    /// The first place of `run` at or behind `from`.
    pub(super) fn first(mut self, run: &[Piece], begin: FirstBytes, from: usize) -> Option<Found> {
        let last = if self.edge == Edge::Line { 0 } else { self.text.len() };
        for start in from..=last {
            if begin.allow(self.text.get(start).copied())
                && self.may_start(start, from)
                && let Some(end) = self.run(run, start, None)
            {
                return Some(Found { span: (start, end), captures: self.captures });
            }
        }
        None
    }

    /// A word begins at the start of the text or behind a mark that no earlier place has taken.
    fn may_start(&self, start: usize, from: usize) -> bool {
        let behind_mark = || start.checked_sub(1).is_some_and(|b| b >= from && self.text.get(b).is_some_and(no_letter));
        self.edge != Edge::Word || start == 0 || behind_mark()
    }

    fn may_end(&self, end: usize) -> bool {
        match self.edge {
            Edge::Open => true,
            Edge::Word => self.text.get(end).is_none_or(no_letter),
            Edge::Line => self.text.iter().skip(end).all(|b| b" .!".contains(b)),
        }
    }

    /// Whether a place is tried at this byte for the first time.
    fn fresh(&mut self, join: u32, at: usize) -> bool {
        let width = self.text.len() + 1;
        if self.tried.is_empty() {
            self.tried.resize((width * self.joins as usize).div_ceil(64), 0);
        }
        let bit = width * join as usize + at;
        let Some(word) = self.tried.get_mut(bit / 64) else { return false };
        let mask = 1 << (bit % 64);
        let fresh = *word & mask == 0;
        *word |= mask;
        fresh
    }

    /// Where the run and what follows it end, if they stand at `at`.
    fn run<'r>(&mut self, mut run: &'r [Piece], mut at: usize, mut rest: Option<&Rest<'r>>) -> Option<usize> {
        loop {
            let Some((piece, tail)) = run.split_first() else {
                let Some(next) = rest else { return self.may_end(at).then_some(at) };
                if !self.fresh(next.join, at) {
                    return None;
                }
                (run, rest) = (next.run, next.next);
                continue;
            };
            let here = self.text.get(at..).unwrap_or_default();
            at += match (piece, here) {
                (Piece::Text(text), _) if here.starts_with(text.as_bytes()) => text.len(),
                (Piece::Space, [b' ', ..]) | (Piece::Hyphen, [b' ' | b'-', ..]) => 1,
                (Piece::Space, [b',', b' ', ..]) => 2,
                (Piece::Text(_) | Piece::Space | Piece::Hyphen, _) => return None,
                (Piece::Stretch(stretch), _) => return self.stretch(*stretch, None, tail, at, rest),
                (Piece::Capture(kind, stretch), _) => return self.stretch(*stretch, Some(*kind), tail, at, rest),
                (Piece::Choice(choice), _) => {
                    let next = Rest { run: tail, join: choice.join, next: rest };
                    return self.choice(choice, at, &next);
                }
            };
            run = tail;
        }
    }

    fn choice(&mut self, choice: &Choice, at: usize, next: &Rest<'_>) -> Option<usize> {
        let byte = self.text.get(at).copied().unwrap_or(0);
        for (first, run) in choice.alternatives.iter() {
            if (*first == 0 || *first == byte)
                && let Some(end) = self.run(run, at, Some(next))
            {
                return Some(end);
            }
        }
        if choice.optional { self.run(&[], at, Some(next)) } else { None }
    }

    fn stretch(
        &mut self,
        stretch: Stretch,
        capture: Option<Capture>,
        tail: &[Piece],
        at: usize,
        rest: Option<&Rest<'_>>,
    ) -> Option<usize> {
        let first = self.ends.len();
        stretch.kind.ends(self.text, at, &mut self.ends);
        let mut next = first;
        while let Some(end) = self.ends.get(next).copied() {
            next += 1;
            if !self.fresh(stretch.join, end) {
                continue;
            }
            let kept = self.captures.len();
            self.captures.extend(capture.map(|kind| (kind, (at, end))));
            if let Some(end) = self.run(tail, end, rest) {
                return Some(end);
            }
            self.captures.truncate(kept);
        }
        self.ends.truncate(first);
        None
    }
}

fn no_letter(byte: &u8) -> bool {
    !is_letter(*byte)
}
