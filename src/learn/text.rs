//! The text of a mail with everything masked that belongs to one sender, one applicant or one day: what is left is
//! the template. Names, employers, roles, dates, numbers and links become marks, so that nothing can be learned of
//! "Northwind", only of what was said.
//!
//! It must not judge: it gives words, in order, with their places.

use std::{collections::HashSet, sync::LazyLock};

use crate::{
    message::Zone,
    rules::normal::{Normal, is_letter, normalise},
};

/// Stands for a name, an employer, a role or a link.
pub const NAME: &str = "*";
/// Stands for a number or a date.
pub const NUMBER: &str = "#";
/// Shortest name that is masked, in bytes: initials stand in too many words.
const NAME_BYTES_MIN: usize = 2;
/// From this share of capitalised words on a line is a title, and capitals say nothing.
const TITLE_SHARE: f64 = 0.75;

/// Days and months that are written small, or are nouns among capitalised nouns. `may` and
/// `march` are left out: they are words of another kind as well, and capitals tell the months.
const DAYS_AND_MONTHS: &str = " monday tuesday wednesday thursday friday saturday sunday january february april june \
    july august september october november december montag dienstag mittwoch donnerstag freitag samstag sonntag \
    januar februar märz mai juni juli oktober dezember lundi mardi mercredi jeudi vendredi samedi dimanche janvier \
    février mars avril juin juillet août septembre octobre novembre décembre lunes martes miércoles jueves viernes \
    sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre lunedì \
    martedì mercoledì giovedì venerdì sabato domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre \
    dicembre segunda-feira terça-feira quarta-feira quinta-feira sexta-feira janeiro fevereiro março maio junho julho \
    setembro outubro dezembro maandag dinsdag woensdag donderdag vrijdag zaterdag zondag januari februari maart mei \
    augustus poniedziałek wtorek środa czwartek piątek sobota niedziela stycznia lutego marca kwietnia maja czerwca \
    lipca sierpnia września października listopada grudnia ";

fn is_day_or_month(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| DAYS_AND_MONTHS.split_ascii_whitespace().collect());
    WORDS.contains(word)
}

/// One sentence to be masked.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// Where it stands.
    pub zone: Zone,
    /// Original spelling.
    pub text: &'a str,
    /// The same, normalised.
    pub normal: &'a Normal,
}

/// What is known to be masked in a mail.
#[derive(Debug, Clone, Default)]
pub struct Masks {
    /// Names, normalised, longest first.
    names: Vec<String>,
    /// Whether a capital inside a sentence makes a name: not in German, where every noun has one.
    capitals: bool,
}

impl Masks {
    /// From names as they are written anywhere and the language of the text.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>, language: &str) -> Masks {
        let mut names: Vec<String> = names.into_iter().map(|name| normalise(name).text).collect();
        names.retain(|name| name.len() >= NAME_BYTES_MIN && name.chars().any(char::is_alphabetic));
        names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        names.dedup();
        Masks { names, capitals: language != "de" }
    }
}

/// One word of a masked sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word, normalised, or a mark.
    pub text: String,
    /// Whether it is a mark.
    pub masked: bool,
    /// Its byte range in the normalised sentence.
    pub span: (usize, usize),
    /// Whether more than space, comma, hyphen, `&` or `/` stands before it.
    pub after_break: bool,
}

/// The words of a sentence, masked; marks that stand side by side are one. In scripts without spaces each character is
/// a word.
pub fn tokens(line: Line<'_>, masks: &Masks) -> Vec<Token> {
    let text = line.normal.text.as_str();
    let hidden = hidden(text, masks);
    let words = words(text);
    let capitals = masks.capitals && !is_title(line, &words);
    let mut out: Vec<Token> = Vec::new();
    let mut end = 0;
    for span in words {
        let word = text.get(span.0..span.1).unwrap_or_default();
        let before = text.get(end..span.0).unwrap_or_default();
        let after_break = out.is_empty() || !before.chars().all(|c| matches!(c, ' ' | ',' | '-' | '\'' | '&' | '/'));
        let within = hidden.iter().find(|h| h.0 < span.1 && span.0 < h.1);
        // The parts of one address are one mark, whatever stands between them, and so are those of a date or time.
        let goes_on = !after_break || within.is_some_and(|h| h.0 < end && end > 0);
        let mark = if within.is_some() {
            Some(NAME)
        } else if word.chars().any(char::is_numeric) || is_day_or_month(word) {
            Some(NUMBER)
        } else if capitals && !after_break && word != "i" && is_capital(line, span) {
            Some(NAME)
        } else {
            None
        };
        end = span.1;
        match (mark, out.last_mut()) {
            (Some(mark), Some(last)) if last.masked && last.text == mark && (goes_on || mark == NUMBER) => {
                last.span.1 = span.1
            }
            _ => out.push(Token { text: mark.unwrap_or(word).to_owned(), masked: mark.is_some(), span, after_break }),
        }
    }
    out
}

/// The sentence with a plain word in place of each mark: it may stand in a test without naming anybody.
pub fn without_names(line: Line<'_>, tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut end = 0;
    for token in tokens.iter().filter(|token| token.masked) {
        let (from, to) = line.normal.original(token.span.0, token.span.1);
        out.push_str(line.text.get(end..from).unwrap_or_default());
        out.push_str(if token.text == NUMBER { "1" } else { "Example" });
        end = to.max(end);
    }
    out.push_str(line.text.get(end..).unwrap_or_default());
    out
}

/// Whether a character belongs to a script that is written without spaces.
pub fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The ranges of words: letters with apostrophes between them, or single characters of scripts without spaces.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut open = false;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let letter = bytes.get(at).copied().is_some_and(is_letter);
        if letter && is_spaceless(c) {
            out.push((at, end));
            open = false;
        } else if letter {
            match out.last_mut().filter(|_| open) {
                Some(last) => last.1 = end,
                None => out.push((at, end)),
            }
            open = true;
        } else if c != '\'' || !bytes.get(end).copied().is_some_and(is_letter) {
            open = false;
        }
    }
    out
}

/// The ranges of names and links.
fn hidden(text: &str, masks: &Masks) -> Vec<(usize, usize)> {
    let edge = |byte: Option<u8>| !byte.is_some_and(is_letter);
    let mut out = Vec::new();
    for name in &masks.names {
        let open = name.chars().any(is_spaceless);
        for (at, found) in text.match_indices(name.as_str()) {
            let end = at + found.len();
            let before = at.checked_sub(1).and_then(|i| text.as_bytes().get(i).copied());
            if open || (edge(before) && edge(text.as_bytes().get(end).copied())) {
                out.push((at, end));
            }
        }
    }
    let mut at = 0;
    for piece in text.split(' ') {
        if is_link(piece) {
            out.push((at, at + piece.len()));
        }
        at += piece.len() + 1;
    }
    out
}

/// Whether a piece without spaces is an address of any kind: `a@b.org`, `https://…`, `jobs.example.com/x`.
fn is_link(piece: &str) -> bool {
    if piece.contains("://") || piece.contains('@') || piece.starts_with("www.") {
        return true;
    }
    let host = piece.trim_matches(|c: char| !c.is_alphanumeric()).split(['/', ':']).next().unwrap_or_default();
    match host.rsplit_once('.') {
        Some((before, last)) => {
            before.chars().count() >= 2
                && (2..=12).contains(&last.len())
                && last.bytes().all(|b| b.is_ascii_alphabetic())
                && before.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        }
        None => false,
    }
}

fn is_title(line: Line<'_>, words: &[(usize, usize)]) -> bool {
    let capitals = words.iter().filter(|word| is_capital(line, **word)).count();
    words.len() > 2 && capitals as f64 >= TITLE_SHARE * words.len() as f64
}

fn is_capital(line: Line<'_>, span: (usize, usize)) -> bool {
    let (from, to) = line.normal.original(span.0, span.1);
    line.text.get(from..to).and_then(|t| t.chars().next()).is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, names: &[&str], language: &str) -> String {
        let normal = normalise(text);
        let line = Line { zone: Zone::Lead, text, normal: &normal };
        let tokens = tokens(line, &Masks::new(names.iter().copied(), language));
        tokens.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_belongs_to_one_mail_is_masked() {
        for (text, names, language, expected) in [
            ("Dear Sam, thank you", &["Sam Reed"][..], "en", "dear * thank you"),
            ("Thank you for applying to Pear & Plum Ltd.", &["Pear & Plum Ltd"], "en", "thank you for applying to *"),
            ("We met on 3 August at 10:30", &[], "en", "we met on # at #"),
            ("You may see https://x.example/a?b=1 or jobs.pear.example.", &[], "en", "you may see * or *"),
            ("Write to hr@pear.example, please", &[], "en", "write to * please"),
            ("I think I can", &[], "en", "i think i can"),
            ("Update On Your Application", &[], "en", "update on your application"),
            ("das Gespräch am Montag, 3. März", &[], "de", "das gespräch am #"),
            ("pear wrote: We hope", &["pear"], "en", "* wrote we hope"),
            ("pearls", &["pear"], "en", "pearls"),
            ("We at Pear & Plum and R/D Ltd thank you", &[], "en", "we at * and * thank you"),
            ("選考の結果", &["選考"], "ja", "* の 结 果"),
        ] {
            assert_eq!(masked(text, names, language), expected, "{text}");
        }
    }

    #[test]
    fn a_test_sentence_names_nobody() {
        let text = "Sadly, Pear & Plum chose Ada Byron on 3 May.";
        let normal = normalise(text);
        let line = Line { zone: Zone::Lead, text, normal: &normal };
        let tokens = tokens(line, &Masks::new(["Pear & Plum"], "en"));
        assert_eq!(without_names(line, &tokens), "Sadly, Example chose Example on 1 Example.");
    }
}
