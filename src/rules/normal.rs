//! One normal form for mail text and for phrases, with the way back to the original bytes.
//!
//! In the normal form text is lower case and composed, quotes are straight, dashes are ` - `, white space is one
//! space, English contractions are written out, and **every byte from 0x80 on belongs to a letter**: other characters
//! outside ASCII become ASCII punctuation or a space. So a word boundary is a question about single bytes, in any
//! script. Not done: stemming, accent folding, spelling correction (`rules.md` §3.2).

use unicode_normalization::char::{compose, is_combining_mark};

/// Normalised text and where each of its bytes came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normal {
    /// The normalised text.
    pub text: String,
    /// For each byte of `text` the byte offset in the original of the character it came from, and at the end the
    /// length of the original.
    map: Vec<u32>,
}

/// Normalises `text`.
pub fn normalise(text: &str) -> Normal {
    let out = Normal { text: String::with_capacity(text.len()), map: Vec::with_capacity(text.len() + 1) };
    let mut b = Builder { out, gap: None };
    let mut chars = text.char_indices().peekable();
    let mut skip_to = 0;
    while let Some((at, mut c)) = chars.next() {
        if at < skip_to {
            continue;
        }
        if matches!(c, '(' | '/') && b.in_word() {
            let ending = text.get(at..).map_or(0, glued_ending);
            if ending > 0 {
                skip_to = at + ending;
                continue;
            }
        }
        while let Some((_, next)) = chars.peek()
            && !next.is_ascii()
            && is_combining_mark(*next)
        {
            match compose(c, *next) {
                Some(composed) => c = composed,
                None if *next == '\u{307}' => {}
                None => break,
            }
            chars.next();
        }
        b.char(c, at);
    }
    b.expand_contractions();
    b.out.map.push(text.len() as u32);
    b.out
}

/// Longest ending in brackets that is left out, in characters.
const ENDING_CHARS_MAX: usize = 3;
/// Endings behind a stroke that are left out.
const STROKE_ENDINGS: [&str; 6] = ["/a", "/o", "/as", "/os", "/in", "/e"];

/// The bytes of a second ending glued to a word, which says both genders or both numbers in one: `otro(a)`,
/// `candidato/a`, `zaproszony(a)`. 0 where there is none.
fn glued_ending(rest: &str) -> usize {
    let ends_word = |tail: &str| !tail.chars().next().is_some_and(char::is_alphanumeric);
    if let Some((inside, tail)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        let letters =
            (1..=ENDING_CHARS_MAX).contains(&inside.chars().count()) && inside.chars().all(char::is_lowercase);
        return if letters && ends_word(tail) { inside.len() + 2 } else { 0 };
    }
    STROKE_ENDINGS.iter().find(|e| rest.strip_prefix(**e).is_some_and(ends_word)).map_or(0, |e| e.len())
}

struct Builder {
    out: Normal,
    /// Where white space began that has not been written yet.
    gap: Option<usize>,
}

impl Builder {
    fn char(&mut self, c: char, at: usize) {
        match c {
            c if c.is_whitespace() => {
                self.gap.get_or_insert(at);
            }
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{2bc}' | '`' => {
                self.push("'", at);
            }
            '\u{201c}'..='\u{201f}'
            | '\u{2033}'
            | '\u{ab}'
            | '\u{bb}'
            | '\u{300c}'..='\u{300f}'
            | '\u{3010}'
            | '\u{3011}' => {
                self.push("\"", at);
            }
            '\u{2012}'..='\u{2015}' => {
                self.gap.get_or_insert(at);
                self.push("-", at);
                self.gap = Some(at);
            }
            '\u{2010}' | '\u{2011}' | '\u{2212}' => self.push("-", at),
            '\u{2026}' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{964}' => self.push(".", at),
            '\u{3001}' | '\u{ff0c}' | '\u{60c}' => self.push(",", at),
            '\u{ff01}' => self.push("!", at),
            '\u{ff1f}' | '\u{61f}' => self.push("?", at),
            '\u{ff1a}' => self.push(":", at),
            '\u{ff1b}' | '\u{61b}' => self.push(";", at),
            '\u{ff08}' => self.push("(", at),
            '\u{ff09}' => self.push(")", at),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => {}
            // Dotless i and final sigma: upper case does not tell them from their siblings.
            'ı' | 'İ' => self.push("i", at),
            'ς' => self.push("σ", at),
            c if c.is_ascii() => self.push(c.to_ascii_lowercase().encode_utf8(&mut [0; 4]), at),
            c if c.is_alphanumeric() || is_combining_mark(c) => {
                for lower in c.to_lowercase().filter(|l| *l != '\u{307}') {
                    self.push(lower.encode_utf8(&mut [0; 4]), at);
                }
            }
            _ => {
                self.gap.get_or_insert(at);
            }
        }
    }

    /// Whether the last thing written is a word of at least two letters that goes on here.
    fn in_word(&self) -> bool {
        let mut before = self.out.text.chars().rev();
        self.gap.is_none() && (0..2).all(|_| before.next().is_some_and(char::is_alphabetic))
    }

    fn push(&mut self, text: &str, at: usize) {
        if let Some(gap) = self.gap.take()
            && !self.out.text.is_empty()
        {
            self.out.text.push(' ');
            self.out.map.push(gap as u32);
        }
        self.out.text.push_str(text);
        self.out.map.extend(std::iter::repeat_n(at as u32, text.len()));
    }

    /// Writes English contractions out. No other language puts these endings behind an apostrophe.
    fn expand_contractions(&mut self) {
        if !self.out.text.contains('\'') && !self.out.text.contains("cannot") {
            return;
        }
        let given = std::mem::take(&mut self.out);
        let mut rest = given.text.as_str();
        let mut at = 0;
        while !rest.is_empty() {
            let (taken, written) = contraction(rest, self.out.text.as_bytes().last().copied());
            let step = if taken == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { taken };
            let (head, tail) = rest.split_at_checked(step).unwrap_or((rest, ""));
            let source = given.map.get(at).copied().unwrap_or(0);
            if taken == 0 {
                self.out.text.push_str(head);
                self.out.map.extend(given.map.iter().skip(at).take(step));
            } else {
                self.out.text.push_str(written);
                self.out.map.extend(std::iter::repeat_n(source, written.len()));
            }
            at += step;
            rest = tail;
        }
    }
}

/// The contraction that `rest` starts with: how many bytes it takes and what stands for it.
fn contraction(rest: &str, before: Option<u8>) -> (usize, &'static str) {
    const WHOLE: [(&str, &str); 5] = [
        ("can't", "can not"),
        ("cannot", "can not"),
        ("won't", "will not"),
        ("shan't", "shall not"),
        ("let's", "let us"),
    ];
    const ENDINGS: [(&str, &str); 6] =
        [("n't", " not"), ("'re", " are"), ("'ll", " will"), ("'ve", " have"), ("'m", " am"), ("'d", " would")];
    let in_word = before.is_some_and(is_letter);
    let table: &[(&str, &str)] = if in_word { &ENDINGS } else { &WHOLE };
    for (short, long) in table {
        if let Some(tail) = rest.strip_prefix(short)
            && !tail.bytes().next().is_some_and(is_letter)
        {
            return (short.len(), long);
        }
    }
    (0, "")
}

/// Whether a byte of normalised text belongs to a word.
pub fn is_letter(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Normal {
    /// The byte range of the original that a range of the normalised text came from. Both ends are on character
    /// boundaries of the original.
    pub fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let last = self.map.last().copied().unwrap_or(0);
        let from = self.map.get(start).copied().unwrap_or(last);
        let end_of_previous = self.map.get(end.wrapping_sub(1)).copied().unwrap_or(from);
        // The first later byte with another origin begins where the last character of the range ends.
        let mut to = last;
        for origin in self.map.iter().skip(end) {
            if *origin > end_of_previous {
                to = *origin;
                break;
            }
        }
        (from as usize, (to.max(from)) as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_one_text() {
        for (given, expected) in [
            ("We’ve  decided\u{a0}not", "we have decided not"),
            ("I won't, you can't, they cannot", "i will not, you can not, they can not"),
            ("now—later", "now - later"),
            ("Entwickler:in “Köln”", "entwickler:in \"köln\""),
            ("ko\u{308}nnen", "können"),
            ("İlginiz ve ISTANBUL", "ilginiz ve istanbul"),
            ("選考の結果、残念。", "選考の結果,残念."),
            ("a\u{200b}b \u{1f600} c", "ab c"),
            ("wouldn't I'd", "would not i would"),
            ("l'entretien aujourd'hui", "l'entretien aujourd'hui"),
            ("otro(a) candidato/a, Pan(i)", "otro candidato, pan"),
            ("Entwickler (m/w/d), and/or, km/h (b) C(a)", "entwickler (m/w/d), and/or, km/h (b) c(a)"),
            ("", ""),
        ] {
            assert_eq!(normalise(given).text, expected, "{given:?}");
        }
    }

    #[test]
    fn ranges_lead_back_to_the_original() {
        let original = "Sadly, we’ve chosen “Ana”.";
        let normal = normalise(original);
        for (word, expected) in [("have", "’ve"), ("chosen", "chosen"), ("we have", "we’ve"), ("\"ana\"", "“Ana”")]
        {
            let start = normal.text.find(word).unwrap();
            let (from, to) = normal.original(start, start + word.len());
            assert_eq!(&original[from..to], expected);
        }
    }

    proptest! {
        #[test]
        fn ranges_are_on_character_boundaries(s in "\\PC{0,60}|[a-z'’ n\u{301}\u{307}—…İı]{0,60}", a in 0usize..80, b in 0usize..80) {
            let normal = normalise(&s);
            prop_assert_eq!(normal.map.len(), normal.text.len() + 1);
            let (from, to) = normal.original(a.min(b), a.max(b));
            prop_assert!(s.get(from..to).is_some());
        }
    }
}
