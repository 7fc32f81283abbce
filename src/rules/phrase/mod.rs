//! The phrase language (`rules.md` §2.3): what a rule author writes, made into a pattern that is searched in
//! normalised text.
//!
//! Patterns compare bytes. That is sound because in normalised text every byte from 0x80 on belongs to a letter
//! ([`super::normal`]). This file must not know what a rule is.

#[cfg(test)]
mod oracle;
mod parse;
mod pattern;
mod required;
mod sample;
mod search;
mod stretch;

use std::{collections::HashMap, sync::OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use pattern::FirstBytes;
pub use pattern::PIECES_MAX;
pub(super) use pattern::{Choice, Piece, Run};
pub(super) use sample::samples;
pub(crate) use search::Haystack;

/// Longest phrase, in characters.
pub const PHRASE_CHARS_MAX: usize = 1024;
/// Widest gap, in words.
pub const GAP_WORDS_MAX: u32 = 12;
/// Width of `..` without a number, in words.
pub const GAP_WORDS: u32 = 3;
/// Deepest nesting of groups, word lists included.
pub const NESTING_MAX: usize = 4;
/// Most alternatives of one group.
pub const ALTERNATIVES_MAX: usize = 64;
/// Largest program of one regular expression, in bytes.
const PROGRAM_BYTES_MAX: usize = 1 << 20;
/// Largest lazy automaton of one regular expression, in bytes.
const DFA_BYTES_MAX: usize = 2 << 20;

/// What a capture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capture {
    /// `<company>`
    Company,
    /// `<role>`
    Role,
    /// `<person>`
    Person,
    /// `<date>`
    Date,
    /// `<ref>`: the number of a vacancy.
    Reference,
    /// `<count>`: a number of applicants.
    Count,
}

impl Capture {
    const NAMES: [(&'static str, Capture); 6] = [
        ("company", Capture::Company),
        ("role", Capture::Role),
        ("person", Capture::Person),
        ("date", Capture::Date),
        ("ref", Capture::Reference),
        ("count", Capture::Count),
    ];
}

/// What is wrong with a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseError {
    /// `R015`, or the code of the limit.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Name of the word list that does not exist.
    pub unknown_list: Option<String>,
}

impl PhraseError {
    fn syntax(message: impl Into<String>) -> Self {
        PhraseError { code: "R015", message: message.into(), unknown_list: None }
    }

    fn limit(code: &'static str, message: impl Into<String>) -> Self {
        PhraseError { code, message: message.into(), unknown_list: None }
    }
}

/// Word lists by name.
pub type WordLists = HashMap<String, Vec<String>>;

/// Word lists ready to be used in many phrases: each is read and built once.
pub(super) struct Library<'w> {
    lists: parse::Lists<'w>,
    built: pattern::Shared,
}

impl<'w> Library<'w> {
    pub(super) fn new(words: &'w WordLists) -> Library<'w> {
        Library { lists: parse::Lists::new(words), built: pattern::Shared::default() }
    }

    /// Compiles a phrase.
    pub(super) fn phrase(&self, written: &str) -> Result<Phrase, PhraseError> {
        Phrase::build(written, self, false)
    }
}

/// A phrase, compiled at the latest when it is indexed.
#[derive(Debug)]
pub struct Phrase {
    /// As the author wrote it.
    pub written: Box<str>,
    /// Its number in the [index](super::index) of its pack.
    number: OnceLock<u32>,
    /// Boxed: most phrases of most languages are never compiled.
    form: OnceLock<Box<Form>>,
}

#[derive(Debug)]
enum Form {
    Pattern { run: Run, begin: FirstBytes, edge: Edge, joins: u32 },
    Expression { regex: Regex, needs: Vec<required::Place> },
}

/// What stands at both ends of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Anything: scripts without spaces.
    Open,
    /// The edge of a word.
    Word,
    /// The edge of the text; behind the place marks may stand.
    Line,
}

/// One place where a phrase stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Byte range in the normalised text, without the boundary characters.
    pub span: (usize, usize),
    /// What was captured, as ranges of the normalised text.
    pub captures: Vec<(Capture, (usize, usize))>,
}

impl Phrase {
    /// Compiles a phrase. Reads the lists anew; a set of rules compiles its phrases with one library of lists.
    pub fn new(written: &str, lists: &WordLists) -> Result<Phrase, PhraseError> {
        Library::new(lists).phrase(written)
    }

    /// A phrase that is compiled when it is needed; until then, and where it is not well written, it matches nothing.
    pub(super) fn later(written: &str) -> Phrase {
        Phrase { written: written.into(), number: OnceLock::new(), form: OnceLock::new() }
    }

    fn made(written: &str, form: Form) -> Phrase {
        Phrase { written: written.into(), number: OnceLock::new(), form: OnceLock::from(Box::new(form)) }
    }

    /// Compiles the phrase where that was not done, and gives it its number. The first number stays.
    pub(super) fn enlist(&self, number: u32, library: &Library<'_>) {
        self.number.get_or_init(|| number);
        if self.form.get().is_none()
            && let Ok(form) = Self::form_of(&self.written, library, false)
        {
            self.form.get_or_init(|| Box::new(form));
        }
    }

    /// Its number in the index, where it stands in one.
    pub(super) fn number(&self) -> Option<u32> {
        self.number.get().copied()
    }

    /// Compiles a phrase that has to match a whole line.
    pub fn whole(written: &str, lists: &WordLists) -> Result<Phrase, PhraseError> {
        Self::build(written, &Library::new(lists), true)
    }

    fn build(written: &str, library: &Library<'_>, whole: bool) -> Result<Phrase, PhraseError> {
        Self::form_of(written, library, whole).map(|form| Self::made(written, form))
    }

    fn form_of(written: &str, library: &Library<'_>, whole: bool) -> Result<Form, PhraseError> {
        if written.chars().count() > PHRASE_CHARS_MAX {
            let message = format!("phrase longer than {PHRASE_CHARS_MAX} characters");
            return Err(PhraseError::limit("R023", message));
        }
        // The words may stand in a list, so it is the parsed phrase that tells.
        let parse::Parsed { nodes, spaceless } = parse::parse(written, &library.lists)?;
        let mut builder = pattern::Builder::new(spaceless, &library.built);
        let run = builder.sequence(&nodes, true)?;
        let edge = match (whole, spaceless) {
            (true, _) => Edge::Line,
            (false, true) => Edge::Open,
            (false, false) => Edge::Word,
        };
        Ok(Form::Pattern { begin: FirstBytes::of(&run), run, edge, joins: builder.joins })
    }

    /// Takes a regular expression as it is (the escape hatch `regex =`).
    pub fn raw(written: &str) -> Result<Phrase, String> {
        let expression = format!("({written})");
        let built = RegexBuilder::new(&expression).size_limit(PROGRAM_BYTES_MAX).dfa_size_limit(DFA_BYTES_MAX).build();
        let regex = built.map_err(|e| e.to_string())?;
        if regex.is_match(b"") {
            return Err("it matches the empty text".into());
        }
        Ok(Self::made(written, Form::Expression { regex, needs: required::of(written) }))
    }

    /// The pattern and whether it stands between edges of words; `None` for a regular expression.
    pub(super) fn pattern(&self) -> Option<(&[Piece], bool)> {
        match self.form.get()?.as_ref() {
            Form::Pattern { run, edge, .. } => Some((run, *edge == Edge::Word)),
            Form::Expression { .. } => None,
        }
    }

    /// The texts that have to stand where a regular expression matches, place by place; none for a pattern.
    pub(super) fn needs(&self) -> &[required::Place] {
        match self.form.get().map(Box::as_ref) {
            Some(Form::Expression { needs, .. }) => needs,
            _ => &[],
        }
    }

    /// Whether the phrase stands anywhere in a normalised text.
    pub fn matches(&self, text: &str) -> bool {
        self.stands_in(&Haystack::new(text))
    }

    /// Whether the phrase stands anywhere.
    pub(crate) fn stands_in(&self, text: &Haystack<'_>) -> bool {
        self.find_from(text, 0).is_some()
    }

    /// The first place at or behind `from`.
    pub(crate) fn find_from(&self, text: &Haystack<'_>, from: usize) -> Option<Found> {
        match self.form.get()?.as_ref() {
            Form::Pattern { run, begin, edge, joins } => text.first(run, begin, *edge, *joins, from),
            Form::Expression { regex, .. } if from <= text.text.len() => {
                let found = regex.find_at(text.text.as_bytes(), from)?;
                Some(Found { span: (found.start(), found.end()), captures: Vec::new() })
            }
            Form::Expression { .. } => None,
        }
    }

    /// Every place, from the start, at most `limit`.
    pub(crate) fn find_all(&self, text: &Haystack<'_>, limit: usize) -> Vec<Found> {
        let mut found = Vec::new();
        let mut from = 0;
        while found.len() < limit
            && let Some(next) = self.find_from(text, from)
        {
            from = next.span.1.max(from + 1);
            found.push(next);
        }
        found
    }
}

/// Whether a phrase is written in a script without spaces between words, or, as in Korean, with particles glued to
/// the words: then there are no word boundaries to ask for.
pub(crate) fn is_spaceless(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(|c| {
        matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::normal::normalise;

    fn lists() -> WordLists {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        HashMap::from([
            ("people".to_owned(), list(&["candidate", "candidates"])),
            ("job".to_owned(), list(&["role", "position", "night shift"])),
            ("ko-no".to_owned(), list(&["못하"])),
            ("outer".to_owned(), list(&["other {{people}}", "somebody else"])),
        ])
    }

    #[test]
    fn phrases_match_what_the_format_says() {
        for (phrase, yes, no) in [
            (
                "moving forward",
                &["we are moving forward", "Moving, forward!"][..],
                &["removing forward", "moving forwards"][..],
            ),
            ("appl*", &["your application", "apply"], &["reapply", "app"]),
            ("*gespräch", &["das Vorstellungsgespräch", "gespräch"], &["gesprächig"]),
            ("(yes|no) thanks", &["No thanks"], &["maybe thanks", "yesno thanks"]),
            ("[very] much", &["very much", "much"], &["muchly"]),
            ("thank you [very|so] much", &["thank you much", "thank you so much"], &["thank you too much"]),
            (
                "pick .. time",
                &["pick a time", "pick a very good time", "pick time"],
                &["pick a very very good time", "pick one, any time"],
            ),
            ("pick ..0 time", &["pick time"], &["pick a time"]),
            ("({{people}})", &["a candidate", "candidates."], &["candidacy"]),
            ("{{job}}s", &["roles", "night shifts"], &["role"]),
            ("{{outer}}", &["other candidates", "somebody else"], &["other people"]),
            ("take-home", &["a take-home", "take home"], &["takehome"]),
            ("unlock node.js", &["unlock Node.js"], &["unlock nodexjs"]),
            ("we won't", &["we won’t", "we will not"], &["we want"]),
            ("interview[s]", &["interview", "interviews"], &["interviewing"]),
            ("résumé", &["your RÉSUMÉ!"], &["résumés"]),
            ("вакансия закрыта", &["Вакансия закрыта."], &["подвакансия закрыта", "вакансия закрытая"]),
            ("başvurunuz", &["Başvurunuz için", "BAŞVURUNUZ"], &["başvurunuzun"]),
            ("at # (am|pm)", &["at 10 am", "at 10:30 pm"], &["at ten am"]),
            ("不採用", &["今回は不採用となりました"], &["採用"]),
            ("残念 .. 結果", &["残念ながら選考の結果"], &["結果は残念", "残念ですが、この結果"]),
            ("残念 .. .. 結果", &["残念ですが、この結果", "残念な結果"], &["残念、と思い、この結果"]),
            ("불합격", &["아쉽게도 불합격하셨습니다"], &["합격"]),
            ("{{ko-no}}", &["못하게"], &["하게"]),
            ("l'entretien", &["à l’entretien"], &["entretien"]),
            (
                "better .. ({{people}})",
                &["better suited candidates", "better qualified 2.5 candidates"],
                &["better. Candidates"],
            ),
        ] {
            let phrase = Phrase::new(phrase, &lists()).unwrap_or_else(|e| panic!("{phrase}: {e:?}"));
            for text in yes {
                assert!(phrase.matches(&normalise(text).text), "{} should match {text:?}", phrase.written);
            }
            for text in no {
                assert!(!phrase.matches(&normalise(text).text), "{} should not match {text:?}", phrase.written);
            }
        }
    }

    #[test]
    fn captures_end_where_the_phrase_goes_on() {
        for (phrase, text, expected) in [
            (
                "the <role> role at <company>",
                "For the Senior Nurse role at Acme Care, we",
                &["senior nurse", "acme care"][..],
            ),
            (
                "position of <role> at <company>",
                "position of Buyer (Junior) at Foo & Sons.",
                &["buyer (junior)", "foo & sons."],
            ),
            ("reference <ref>", "Reference R-1234 applies", &["r-1234"]),
            ("<count> applicants", "over 1,200 applicants", &["1,200"]),
        ] {
            let compiled = Phrase::new(phrase, &lists()).unwrap();
            let text = normalise(text).text;
            let found = compiled.find_from(&Haystack::new(&text), 0).unwrap_or_else(|| panic!("{phrase}"));
            let got: Vec<&str> = found.captures.iter().map(|(_, (a, b))| &text[*a..*b]).collect();
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (phrase, code) in [
            ("(a|b", "R015"),
            ("a) b", "R015"),
            ("(a|)", "R015"),
            ("[maybe]", "R015"),
            ("..", "R015"),
            ("..13 x", "R024"),
            ("..x y", "R015"),
            ("<boss> says", "R015"),
            ("{{nobody}}", "R032"),
            ("{{people}", "R015"),
            ("* x", "R015"),
            ("((((((a))))))", "R025"),
        ] {
            assert_eq!(Phrase::new(phrase, &lists()).err().map(|e| e.code), Some(code), "{phrase}");
        }
        assert_eq!(Phrase::new(&"x".repeat(1025), &lists()).err().map(|e| e.code), Some("R023"));
        assert!(Phrase::raw("a*").is_err());
        assert!(Phrase::raw("(").is_err());
    }
}
