//! Cuts blocks into sentences. A hit never crosses a sentence, so that a rule says what one sentence says.

use crate::{
    message::{Block, Zone},
    rules::normal::{Normal, normalise},
};

/// Longest sentence, in characters; longer ones are cut at a space. Keeps the search for cues around a hit short.
pub const SENTENCE_CHARS_MAX: usize = 800;
/// Most sentences judged in one message.
pub const SENTENCES_MAX: usize = 4000;

/// One sentence of a message.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    pub zone: Zone,
    pub paragraph: u32,
    /// Original spelling.
    pub text: String,
    pub normal: Normal,
}

/// Words before a full stop that end no sentence, lower case, in the languages of the shipped rules.
const ABBREVIATIONS: [&str; 44] = [
    "mr", "mrs", "ms", "dr", "prof", "inc", "ltd", "corp", "co", "no", "nr", "st", "sr", "jr", "vs", "approx", "dept",
    "e.g", "i.e", "etc", "z.b", "d.h", "u.a", "bzw", "ca", "evtl", "ggf", "inkl", "tel", "abs", "sra", "srta", "mme",
    "mlle", "dhr", "mevr", "m.b.t", "o.a", "t.a.v", "pan", "ul", "req", "ref", "ph.d",
];

/// All sentences of the blocks, at most [`SENTENCES_MAX`]; the flag says whether there were more.
pub(crate) fn sentences(blocks: &[Block]) -> (Vec<Sentence>, bool) {
    let mut out = Vec::new();
    for block in blocks {
        for text in split(&block.text) {
            if out.len() >= SENTENCES_MAX {
                return (out, true);
            }
            let normal = normalise(text);
            if !normal.text.is_empty() {
                out.push(Sentence { zone: block.zone, paragraph: block.paragraph, text: text.to_owned(), normal });
            }
        }
    }
    (out, false)
}

/// The sentences of a text, trimmed.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars_in_sentence = 0;
    let mut last_space = None;
    for (at, c) in text.char_indices() {
        chars_in_sentence += 1;
        let behind = at + c.len_utf8();
        if c.is_whitespace() {
            last_space = Some(behind);
        }
        if chars_in_sentence >= SENTENCE_CHARS_MAX {
            let cut = last_space.filter(|s| *s > start).unwrap_or(behind);
            take(text, start, cut, &mut out);
            start = cut;
            chars_in_sentence = text.get(cut..behind).map_or(0, |t| t.chars().count());
            last_space = None;
            continue;
        }
        let ends = match c {
            '。' | '！' | '？' | '।' => true,
            '!' | '?' | '…' | '.' => {
                let next = text.get(behind..).unwrap_or_default();
                ends_sentence(c, text.get(start..at).unwrap_or_default(), next)
            }
            _ => false,
        };
        if ends {
            take(text, start, behind, &mut out);
            start = behind;
            chars_in_sentence = 0;
            last_space = None;
        }
    }
    take(text, start, text.len(), &mut out);
    out
}

fn take<'t>(text: &'t str, start: usize, end: usize, out: &mut Vec<&'t str>) {
    let sentence = text.get(start..end).unwrap_or_default().trim();
    if !sentence.is_empty() {
        out.push(sentence);
    }
}

fn ends_sentence(mark: char, before: &str, after: &str) -> bool {
    let closed = after.trim_start_matches(['"', '\'', ')', '”', '’', '»', ']']);
    if !closed.is_empty() && !closed.starts_with(char::is_whitespace) {
        return false;
    }
    let next = closed.trim_start().chars().next();
    if next.is_some_and(|n| n.is_lowercase()) {
        return mark == '!' || mark == '?';
    }
    if mark != '.' {
        return true;
    }
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default().to_lowercase();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "i";
    // German and others write ordinals and dates as `3. März`.
    let ordinal = (1..=2).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_digit())
        && closed.starts_with(char::is_whitespace)
        && next.is_some();
    !initial && !ordinal && !ABBREVIATIONS.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        for (text, expected) in [
            ("One. Two! Three?", &["One.", "Two!", "Three?"][..]),
            ("Dear Dr. Smith, hello. Bye", &["Dear Dr. Smith, hello.", "Bye"]),
            ("Use node.js here. ok", &["Use node.js here. ok"]),
            ("Am 3. März um 10 Uhr. Danke.", &["Am 3. März um 10 Uhr.", "Danke."]),
            ("今回は見送りです。ありがとう", &["今回は見送りです。", "ありがとう"]),
            ("J. Doe wrote. A", &["J. Doe wrote.", "A"]),
            ("  ", &[]),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
        assert!(split(&"word ".repeat(1000)).iter().all(|s| s.chars().count() <= SENTENCE_CHARS_MAX));
        assert!(split(&"x".repeat(5000)).iter().all(|s| s.chars().count() <= SENTENCE_CHARS_MAX));
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(s in "[a-zA-Z .!?\n]{0,2000}") {
            let kept: String = split(&s).concat().split_whitespace().collect();
            prop_assert_eq!(kept, s.split_whitespace().collect::<String>());
        }
    }
}
