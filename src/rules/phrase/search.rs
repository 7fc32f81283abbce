//! Finds a pattern in a normalised text, by trying its runs from left to right. Every place of the pattern is tried
//! once at every byte of the text, so the time is bounded by the product of the two; a sentence is short.

use std::cell::{OnceCell, RefCell};

use super::{
    Capture, Edge, Found,
    pattern::{Choice, FirstBytes, Piece, Run},
    stretch::Stretch,
};
use crate::rules::normal::is_letter;

/// A normalised text, made ready to be searched for many phrases.
#[derive(Debug, Default)]
pub(crate) struct Haystack<'t> {
    pub(crate) text: &'t str,
    /// Where a word may begin: at the start and behind each mark, with the number of the two bytes there.
    /// Most sentences are never searched.
    starts: OnceCell<Vec<(u32, u8)>>,
    /// What a search needs while it runs; here, so that not every search allocates it.
    scratch: RefCell<Scratch>,
}

#[derive(Debug, Default)]
struct Scratch {
    /// One bit for each place where alternatives meet and each byte of the text: tried before, in vain. Empty until it
    /// is needed.
    tried: Vec<u64>,
    /// Ends of the stretches that are being tried.
    ends: Vec<usize>,
}

impl<'t> Haystack<'t> {
    /// `text` is normalised.
    pub(crate) fn new(text: &'t str) -> Haystack<'t> {
        Haystack { text, starts: OnceCell::new(), scratch: RefCell::default() }
    }

    fn starts(&self) -> &[(u32, u8)] {
        self.starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let behind_mark = bytes.iter().zip(1..).filter(|(b, _)| !is_letter(**b)).map(|(_, at)| at);
            let starts = std::iter::once(0).chain(behind_mark);
            starts.map(|at| (at as u32, FirstBytes::number_at(bytes, at))).collect()
        })
    }

    /// The first place of `run` at or behind `from`.
    pub(super) fn first(
        &self,
        run: &[Piece],
        begin: &FirstBytes,
        edge: Edge,
        joins: u32,
        from: usize,
    ) -> Option<Found> {
        // Nobody else holds it: a search calls nothing outside this file.
        let mut scratch = self.scratch.try_borrow_mut().ok()?;
        scratch.tried.clear();
        scratch.ends.clear();
        let text = self.text.as_bytes();
        let mut search = Search { text, edge, joins, scratch: &mut scratch, captures: Vec::new() };
        let mut stands = |start: usize| {
            let end = search.run(run, start, None)?;
            Some(Found { span: (start, end), captures: std::mem::take(&mut search.captures) })
        };
        match edge {
            Edge::Line if from == 0 => stands(0),
            Edge::Line => None,
            Edge::Open => {
                (from..=text.len()).filter(|at| begin.allow(FirstBytes::number_at(text, *at))).find_map(stands)
            }
            Edge::Word => {
                // The mark before a word is no other place's.
                let starts = self.starts();
                let first = if from == 0 { 0 } else { starts.partition_point(|(at, _)| *at as usize <= from) };
                let starts = starts.get(first..).unwrap_or_default().iter();
                starts.filter(|(_, number)| begin.allow(*number)).find_map(|(at, _)| stands(*at as usize))
            }
        }
    }
}

/// One search of one pattern.
struct Search<'s> {
    text: &'s [u8],
    edge: Edge,
    joins: u32,
    scratch: &'s mut Scratch,
    captures: Vec<(Capture, (usize, usize))>,
}

/// What follows a choice.
struct Rest<'r> {
    run: &'r [Piece],
    join: u32,
    next: Option<&'r Rest<'r>>,
}

impl Search<'_> {
    fn may_end(&self, end: usize) -> bool {
        match self.edge {
            Edge::Open => true,
            Edge::Word => self.text.get(end).is_none_or(no_letter),
            Edge::Line => self.text.iter().skip(end).all(|b| b" .!".contains(b)),
        }
    }

    /// Whether the pieces may go on at a byte; true where only a closer look tells.
    fn may_go_on(&self, tail: &[Piece], at: usize, rest: Option<&Rest<'_>>) -> bool {
        match tail.first() {
            Some(Piece::Text(text)) => self.text.get(at) == text.as_bytes().first(),
            Some(Piece::Space) => matches!(self.text.get(at), Some(b' ' | b',')),
            Some(Piece::Hyphen) => matches!(self.text.get(at), Some(b' ' | b'-')),
            Some(_) => true,
            None => rest.is_some() || self.may_end(at),
        }
    }

    /// Whether a place is tried at this byte for the first time.
    fn fresh(&mut self, join: u32, at: usize) -> bool {
        let width = self.text.len() + 1;
        let tried = &mut self.scratch.tried;
        if tried.is_empty() {
            tried.resize((width * self.joins as usize).div_ceil(64), 0);
        }
        let bit = width * join as usize + at;
        let Some(word) = tried.get_mut(bit / 64) else { return false };
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
        let here = self.text.get(at..).unwrap_or_default();
        // Most alternatives end here, and cost no call.
        let begins = |run: &&Run| match run.first() {
            Some(Piece::Text(text)) => here.starts_with(text.as_bytes()),
            _ => true,
        };
        for run in choice.at(self.text, at).filter(begins) {
            if let Some(end) = self.run(run, at, Some(next)) {
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
        let first = self.scratch.ends.len();
        stretch.kind.ends(self.text, at, &mut self.scratch.ends);
        let mut next = first;
        while let Some(end) = self.scratch.ends.get(next).copied() {
            next += 1;
            if !self.may_go_on(tail, end, rest) || !self.fresh(stretch.join, end) {
                continue;
            }
            let kept = self.captures.len();
            self.captures.extend(capture.map(|kind| (kind, (at, end))));
            if let Some(end) = self.run(tail, end, rest) {
                return Some(end);
            }
            self.captures.truncate(kept);
        }
        self.scratch.ends.truncate(first);
        None
    }
}

fn no_letter(byte: &u8) -> bool {
    !is_letter(*byte)
}
