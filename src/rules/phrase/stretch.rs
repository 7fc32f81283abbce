//! The parts of a phrase that are of open length: gaps, captures, the rest of a word, numbers.
//!
//! A [`Stretch`] may end in several places; it lists them in the order in which a regular expression would try them,
//! so that a phrase finds what the same regular expression finds. This file must not know what stands around it.

use super::Capture;
use crate::rules::normal::is_letter;

/// Longest capture in a script without spaces, in characters.
const CAPTURE_CHARS_MAX: u32 = 40;
/// What no word of a gap holds. A full stop or comma may stand within it (`2.5`, `node.js`), not at its end.
const NO_GAP: &[u8] = b" ;:!?()";
/// What ends no word of a gap.
const NO_GAP_END: &[u8] = b",.";
/// What no gap in a script without spaces holds.
pub(super) const NO_GAP_CHAR: &[u8] = b",;:.!?()";
/// What no capture in such a script holds: names have brackets (`看護師(夜勤)`, `(株)青葉`) and full stops.
const NO_NAME_CHAR: &[u8] = b",;:!?\"";

/// Something of open length.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Stretch {
    pub kind: Kind,
    /// Number of the place behind it.
    pub join: u32,
}

/// What a stretch takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Kind {
    /// The rest of a word.
    Letters,
    /// A number, a time, a date in figures.
    Number,
    /// Spaces and commas, or none.
    Spaces,
    /// At most so many words, each with a space before it.
    Gap(u32),
    /// At most so many words, each with a space behind it.
    GapBefore(u32),
    /// Characters of any script, but none of `not`.
    Characters { not: &'static [u8], min: u32, max: u32, lazy: bool },
    /// One word without the bytes of `not` and at most `more` others, as few as possible where `lazy`.
    Words { not: &'static [u8], more: u32, lazy: bool },
    /// A number of people.
    Count,
    /// The number of a vacancy.
    Reference,
}

impl Kind {
    /// What a capture takes: as little as possible where something fixed follows (`lazy`).
    pub(super) fn of(capture: Capture, lazy: bool, spaceless: bool) -> Kind {
        match capture {
            Capture::Count => Kind::Count,
            _ if spaceless => Kind::Characters { not: NO_NAME_CHAR, min: 1, max: CAPTURE_CHARS_MAX, lazy },
            Capture::Company => Kind::Words { not: b" ,;:!?()", more: 6, lazy },
            Capture::Role if lazy => Kind::Words { not: b" ;!?", more: 11, lazy },
            Capture::Role => Kind::Words { not: b" ,;:!?", more: 11, lazy },
            Capture::Person => Kind::Words { not: b" ,;:!?()", more: 3, lazy },
            Capture::Date => Kind::Words { not: b" ;!?()", more: 5, lazy },
            Capture::Reference => Kind::Reference,
        }
    }

    /// Appends where the stretch from `at` may end, best first.
    pub(super) fn ends(self, text: &[u8], at: usize, out: &mut Vec<usize>) {
        let first = out.len();
        match self {
            Kind::Letters => while_in(text, at, is_letter, out),
            Kind::Spaces => while_in(text, at, |b| b == b' ' || b == b',', out),
            Kind::Number => number(text, at, out),
            Kind::Count if text.get(at).is_some_and(u8::is_ascii_digit) => {
                while_in(text, at + 1, |b| b.is_ascii_digit() || b == b',' || b == b'.', out);
            }
            Kind::Count => {}
            Kind::Reference => reference(text, at, out),
            Kind::Gap(words) => gap(text, at, words, out),
            Kind::GapBefore(words) => gap_before(text, at, words, out),
            Kind::Characters { not, min, max, .. } => characters(text, at, not, (min, max), out),
            Kind::Words { not, more, lazy } => {
                if lazy {
                    words(text, at, (not, more), true, out);
                }
                // Behind the whole words come their beginnings: `Acme` of `Acme.`
                let first = out.len();
                words(text, at, (not, more), false, out);
                out.get_mut(first..).unwrap_or_default().reverse();
                return;
            }
        }
        if !matches!(self, Kind::Characters { lazy: true, .. }) {
            out.get_mut(first..).unwrap_or_default().reverse();
        }
    }
}

// The functions below list ends in ascending order.

fn while_in(text: &[u8], at: usize, within: impl Fn(u8) -> bool, out: &mut Vec<usize>) {
    let length = text.iter().skip(at).take_while(|b| within(**b)).count();
    out.extend(at..=at + length);
}

fn number(text: &[u8], mut at: usize, out: &mut Vec<usize>) {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    while digit(at) {
        while digit(at) {
            at += 1;
            out.push(at);
        }
        if !text.get(at).is_some_and(|b| b".,:/".contains(b)) {
            break;
        }
        at += 1;
    }
}

/// Where the run of bytes outside `not` ends that begins at `at`.
fn run_end(text: &[u8], at: usize, not: &[u8]) -> usize {
    at + text.iter().skip(at).take_while(|b| !not.contains(b)).count()
}

fn ends_gap_word(text: &[u8], end: usize) -> bool {
    end.checked_sub(1).and_then(|last| text.get(last)).is_some_and(|b| !NO_GAP_END.contains(b))
}

fn gap(text: &[u8], mut at: usize, words: u32, out: &mut Vec<usize>) {
    out.push(at);
    for _ in 0..words {
        if text.get(at) != Some(&b' ') {
            break;
        }
        let end = run_end(text, at + 1, NO_GAP);
        out.extend((at + 2..=end).filter(|e| ends_gap_word(text, *e)));
        if end == at + 1 || !ends_gap_word(text, end) {
            break;
        }
        at = end;
    }
}

fn gap_before(text: &[u8], mut at: usize, words: u32, out: &mut Vec<usize>) {
    out.push(at);
    for _ in 0..words {
        let end = run_end(text, at, NO_GAP);
        if end == at || !ends_gap_word(text, end) || text.get(end) != Some(&b' ') {
            break;
        }
        at = end + 1;
        out.push(at);
    }
}

fn characters(text: &[u8], mut at: usize, not: &[u8], (min, max): (u32, u32), out: &mut Vec<usize>) {
    for count in 0..=max {
        if count >= min {
            out.push(at);
        }
        match text.get(at) {
            Some(b) if b.is_ascii() && !not.contains(b) => at += 1,
            Some(0xc2..=0xf4) => at += 1 + text.iter().skip(at + 1).take_while(|b| matches!(b, 0x80..=0xbf)).count(),
            _ => break,
        }
    }
}

fn words(text: &[u8], mut at: usize, (not, more): (&[u8], u32), whole: bool, out: &mut Vec<usize>) {
    for _ in 0..=more {
        let end = run_end(text, at, not);
        if end == at {
            break;
        }
        out.extend(if whole { end..=end } else { at + 1..=end });
        if text.get(end) != Some(&b' ') {
            break;
        }
        at = end + 1;
    }
}

/// Letters and digits, `-`, `_` and `/`, with a digit among them; behind the first letters a full stop may stand.
fn reference(text: &[u8], at: usize, out: &mut Vec<usize>) {
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let (mut digit, mut first) = (false, true);
    for (i, b) in text.iter().enumerate().skip(at) {
        match *b {
            b'.' if first => digit = false,
            b if plain(b) || matches!(b, b'-' | b'_' | b'/') => {
                digit |= b.is_ascii_digit();
                if digit {
                    out.push(i + 1);
                }
            }
            _ => break,
        }
        first &= plain(*b);
    }
}
