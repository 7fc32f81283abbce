//! The phrase language (`rules.md` §2.3): what a rule author writes, compiled to a regular expression over normalised
//! text.
//!
//! The expressions use byte classes only. That is sound because in normalised text every byte from 0x80 on belongs to
//! a letter ([`super::normal`]), and it keeps the automata small. This file must not know what a rule is.

use std::{collections::HashMap, sync::OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::normal::normalise;

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
/// Longest expression one phrase may become, in bytes: word lists inside word lists grow fast.
pub const EXPRESSION_BYTES_MAX: usize = 64 * 1024;
/// Largest compiled program of one phrase, in bytes.
const PROGRAM_BYTES_MAX: usize = 16 << 20;
/// Largest lazy automaton of one phrase, in bytes.
const DFA_BYTES_MAX: usize = 4 << 20;

/// A letter of a word.
const LETTER: &str = r"(?-u:[0-9a-z_\x80-\xff])";
/// Anything that ends a word.
const NO_LETTER: &str = r"(?-u:[^0-9a-z_\x80-\xff])";
/// One word of a gap: no clause punctuation inside, except a full stop or comma within a word (`2.5`, `node.js`).
const GAP_WORD: &str = r"(?-u:(?:[^ ;:!?()]*[^ ,;:.!?()]))";
/// A number, a time, a date in figures.
const NUMBER: &str = "[0-9]+(?:[.,:/][0-9]+)*";
/// Between two words of a phrase.
const SPACE: &str = "(?:, | )";
/// One character of any script, for gaps in scripts without spaces.
const GAP_CHAR: &str = r"(?-u:(?:[^\x80-\xff,;:.!?()]|[\xc2-\xf4][\x80-\xbf]+))";
/// How many characters of a script without spaces stand for one word of a gap.
const GAP_CHARS_PER_WORD: u32 = 4;

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

    /// The expression, lazy where something fixed follows.
    fn expression(self, lazy: bool, spaceless: bool) -> String {
        let q = if lazy { "?" } else { "" };
        if spaceless {
            return match self {
                Capture::Count => "([0-9][0-9,.]*)".into(),
                _ => format!("({GAP_CHAR}{{1,40}}{q})"),
            };
        }
        match self {
            Capture::Company => format!(r"((?-u:[^ ,;:!?()]+(?: [^ ,;:!?()]+){{0,6}}{q}))"),
            Capture::Role if lazy => r"((?-u:[^ ;!?]+(?: [^ ;!?]+){0,11}?))".into(),
            Capture::Role => r"((?-u:[^ ,;:!?]+(?: [^ ,;:!?]+){0,11}))".into(),
            Capture::Person => format!(r"((?-u:[^ ,;:!?()]+(?: [^ ,;:!?()]+){{0,3}}{q}))"),
            Capture::Date => format!(r"((?-u:[^ ;!?()]+(?: [^ ;!?()]+){{0,5}}{q}))"),
            Capture::Reference => r"((?-u:[0-9a-z]*[-_/.]?[0-9a-z_/-]*[0-9][0-9a-z_/-]*))".into(),
            Capture::Count => r"((?-u:[0-9][0-9,.]*))".into(),
        }
    }
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

/// A compiled phrase. Its own expression is built when it is first needed, because most phrases of a rule set never
/// match anything; the set of all phrases finds out which do.
#[derive(Debug)]
pub struct Phrase {
    /// As the author wrote it.
    pub written: String,
    /// Without the boundaries.
    core: String,
    spaceless: bool,
    expression: String,
    captures: Vec<Capture>,
    compiled: OnceLock<Option<Regex>>,
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
    /// Compiles a phrase.
    pub fn new(written: &str, lists: &WordLists) -> Result<Phrase, PhraseError> {
        Self::build(written, lists, false)
    }

    /// Compiles a phrase that has to match a whole line.
    pub fn whole(written: &str, lists: &WordLists) -> Result<Phrase, PhraseError> {
        Self::build(written, lists, true)
    }

    fn build(written: &str, lists: &WordLists, whole: bool) -> Result<Phrase, PhraseError> {
        if written.chars().count() > PHRASE_CHARS_MAX {
            let message = format!("phrase longer than {PHRASE_CHARS_MAX} characters");
            return Err(PhraseError::limit("R023", message));
        }
        let spaceless = is_spaceless(written);
        let nodes = Parser::parse(written, lists, 0)?;
        let mut emitter = Emitter { spaceless, captures: Vec::new() };
        let core = emitter.sequence(&nodes, true)?;
        let expression = if whole { format!("^({core})[ .!]*$") } else { bounded(&core, spaceless) };
        if expression.len() > EXPRESSION_BYTES_MAX {
            return Err(PhraseError::limit("R025", "phrase becomes too large; use fewer or smaller word lists"));
        }
        let captures = emitter.captures;
        let written = written.to_owned();
        Ok(Phrase { written, core, spaceless, expression, captures, compiled: OnceLock::new() })
    }

    /// Phrases that find what any of `phrases` finds, in one pass each: one for scripts with spaces, one for others.
    /// For lists that are always searched together and hold no captures.
    pub fn union(phrases: &[Phrase]) -> Vec<Phrase> {
        let mut out = Vec::new();
        for spaceless in [false, true] {
            let cores: Vec<&str> =
                phrases.iter().filter(|p| p.spaceless == spaceless).map(|p| p.core.as_str()).collect();
            if cores.is_empty() {
                continue;
            }
            let core = format!("(?:{})", cores.join("|"));
            let expression = bounded(&core, spaceless);
            let written = String::new();
            out.push(Phrase { written, core, spaceless, expression, captures: Vec::new(), compiled: OnceLock::new() });
        }
        out
    }

    /// Takes a regular expression as it is (the escape hatch `regex =`).
    pub fn raw(written: &str) -> Result<Phrase, String> {
        let expression = format!("({written})");
        let built = RegexBuilder::new(&expression).size_limit(1 << 20).dfa_size_limit(2 << 20).build();
        let regex = built.map_err(|e| e.to_string())?;
        if regex.is_match(b"") {
            return Err("it matches the empty text".into());
        }
        let compiled = OnceLock::from(Some(regex));
        let core = expression.clone();
        Ok(Phrase { written: written.to_owned(), core, spaceless: true, expression, captures: Vec::new(), compiled })
    }

    /// The expression, for the set of all phrases.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| {
                RegexBuilder::new(&self.expression)
                    .size_limit(PROGRAM_BYTES_MAX)
                    .dfa_size_limit(DFA_BYTES_MAX)
                    .build()
                    .ok()
            })
            .as_ref()
    }

    /// Whether the phrase stands anywhere in a normalised text.
    pub fn matches(&self, text: &str) -> bool {
        self.regex().is_some_and(|r| r.is_match(text.as_bytes()))
    }

    /// The first place at or behind `from`.
    pub fn find_from(&self, text: &str, from: usize) -> Option<Found> {
        let regex = self.regex()?;
        if from > text.len() {
            return None;
        }
        let mut at = regex.capture_locations();
        // Not `captures_at` with a plain slice: `^` has to mean the start of the sentence.
        regex.captures_read_at(&mut at, text.as_bytes(), from)?;
        let captures = self.captures.iter().enumerate().filter_map(|(i, kind)| Some((*kind, at.get(i + 2)?))).collect();
        Some(Found { span: at.get(1)?, captures })
    }

    /// Every place, from the start, at most `limit`.
    pub fn find_all(&self, text: &str, limit: usize) -> Vec<Found> {
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

/// The expression with its word boundaries outside group 1.
fn bounded(core: &str, spaceless: bool) -> String {
    if spaceless { format!("({core})") } else { format!("(?:^|{NO_LETTER})({core})(?:$|{NO_LETTER})") }
}

/// Whether a phrase is written in a script without spaces between words, or, as in Korean, with particles glued to
/// the words: then there are no word boundaries to ask for.
fn is_spaceless(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
    })
}

type Sequence = Vec<Node>;

#[derive(Debug, Clone)]
enum Node {
    /// Parts without a space between them.
    Glued(Vec<Part>),
    /// `[…]` standing alone.
    Optional(Vec<Sequence>),
    /// `..N`
    Gap(u32),
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Letters,
    Number,
    Group(Vec<Sequence>),
    Optional(Vec<Sequence>),
    Capture(Capture),
}

struct Parser<'p> {
    chars: std::iter::Peekable<std::str::Chars<'p>>,
    lists: &'p WordLists,
    depth: usize,
}

impl<'p> Parser<'p> {
    fn parse(written: &str, lists: &WordLists, depth: usize) -> Result<Sequence, PhraseError> {
        if depth > NESTING_MAX {
            let message = format!("groups and word lists nested deeper than {NESTING_MAX}");
            return Err(PhraseError::limit("R025", message));
        }
        let normal = normalise(written).text;
        let mut parser = Parser { chars: normal.chars().peekable(), lists, depth };
        let sequence = parser.sequence()?;
        match parser.chars.next() {
            None => Ok(sequence),
            Some(c) => Err(PhraseError::syntax(format!("`{c}` without its beginning"))),
        }
    }

    fn sequence(&mut self) -> Result<Sequence, PhraseError> {
        let mut nodes = Vec::new();
        loop {
            while self.chars.next_if_eq(&' ').is_some() {}
            match self.chars.peek() {
                None | Some(')' | ']' | '|') => break,
                Some(_) => nodes.extend(self.node()?),
            }
        }
        Ok(nodes)
    }

    /// One item between spaces.
    fn node(&mut self) -> Result<Option<Node>, PhraseError> {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            match self.chars.peek().copied() {
                None | Some(' ' | ')' | ']' | '|') => break,
                Some('(') => parts.push(Part::Group(self.group(')')?)),
                Some('[') => parts.push(Part::Optional(self.group(']')?)),
                Some('{') => parts.push(Part::Group(self.word_list()?)),
                Some('<') => parts.push(Part::Capture(self.capture()?)),
                Some('*') => {
                    self.chars.next();
                    parts.push(Part::Letters);
                }
                Some('#') => {
                    self.chars.next();
                    parts.push(Part::Number);
                }
                Some(c @ ('}' | '>')) => return Err(PhraseError::syntax(format!("`{c}` without its beginning"))),
                Some(_) => parts.push(Part::Literal(self.literal())),
            }
        }
        if let [Part::Literal(text)] = parts.as_slice()
            && let Some(width) = text.strip_prefix("..")
        {
            return gap(width).map(Some);
        }
        if let [Part::Optional(alternatives)] = parts.as_slice() {
            return Ok(Some(Node::Optional(alternatives.clone())));
        }
        if let [Part::Letters] = parts.as_slice() {
            return Err(PhraseError::syntax("`*` needs a part of a word; for a gap write `..`"));
        }
        // A space takes a comma along, so a comma behind a word is already allowed for.
        if let Some(Part::Literal(text)) = parts.last_mut() {
            *text = text.trim_end_matches(',').to_owned();
        }
        parts.retain(|p| !matches!(p, Part::Literal(text) if text.is_empty()));
        Ok((!parts.is_empty()).then_some(Node::Glued(parts)))
    }

    fn literal(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.chars.next_if(|c| !" ()[]|{}<>*#".contains(*c)) {
            text.push(c);
        }
        text
    }

    fn group(&mut self, end: char) -> Result<Vec<Sequence>, PhraseError> {
        self.chars.next();
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(PhraseError::limit("R025", format!("groups nested deeper than {NESTING_MAX}")));
        }
        let mut alternatives = Vec::new();
        loop {
            let sequence = self.sequence()?;
            if sequence.is_empty() {
                return Err(PhraseError::syntax("empty alternative; for optional words write `[…]`"));
            }
            alternatives.push(sequence);
            match self.chars.next() {
                Some('|') => {}
                Some(c) if c == end => break,
                _ => return Err(PhraseError::syntax(format!("`{end}` is missing"))),
            }
        }
        self.depth -= 1;
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(PhraseError::limit("R025", format!("more than {ALTERNATIVES_MAX} alternatives in one group")));
        }
        Ok(alternatives)
    }

    fn between(&mut self, open: &str, close: &str) -> Result<String, PhraseError> {
        let wrong = || PhraseError::syntax(format!("write `{open}name{close}`"));
        for expected in open.chars() {
            self.chars.next_if_eq(&expected).ok_or_else(wrong)?;
        }
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '-' || *c == '_') {
            name.push(c);
        }
        for expected in close.chars() {
            self.chars.next_if_eq(&expected).ok_or_else(wrong)?;
        }
        Ok(name)
    }

    fn word_list(&mut self) -> Result<Vec<Sequence>, PhraseError> {
        let name = self.between("{{", "}}")?;
        let Some(words) = self.lists.get(&name) else {
            let message = format!("no word list `{name}` in any [define]");
            return Err(PhraseError { code: "R032", message, unknown_list: Some(name) });
        };
        words.iter().map(|w| Parser::parse(w, self.lists, self.depth + 1)).collect()
    }

    fn capture(&mut self) -> Result<Capture, PhraseError> {
        let name = self.between("<", ">")?;
        Capture::NAMES.iter().find(|(n, _)| *n == name).map(|(_, c)| *c).ok_or_else(|| {
            let known: Vec<String> = Capture::NAMES.iter().map(|(n, _)| format!("<{n}>")).collect();
            PhraseError::syntax(format!("no capture `<{name}>`; there are {}", known.join(", ")))
        })
    }
}

fn gap(width: &str) -> Result<Node, PhraseError> {
    let words = if width.is_empty() { Ok(GAP_WORDS) } else { width.parse() };
    match words {
        Ok(n) if n <= GAP_WORDS_MAX => Ok(Node::Gap(n)),
        Ok(_) => Err(PhraseError::limit("R024", format!("a gap of more than {GAP_WORDS_MAX} words"))),
        Err(_) => Err(PhraseError::syntax(format!("`..{width}`: a gap is `..` or `..` and a number"))),
    }
}

struct Emitter {
    spaceless: bool,
    captures: Vec<Capture>,
}

impl Emitter {
    /// The expression of a sequence; `tail` says that nothing fixed follows it.
    fn sequence(&mut self, nodes: &[Node], tail: bool) -> Result<String, PhraseError> {
        let space = if self.spaceless { "[, ]*" } else { SPACE };
        let mut out = String::new();
        let mut fixed = false;
        for (i, node) in nodes.iter().enumerate() {
            let last = tail && !nodes.iter().skip(i + 1).any(|n| matches!(n, Node::Glued(_)));
            let (body, required) = match node {
                Node::Glued(parts) => (self.glued(parts, last)?, true),
                Node::Optional(alternatives) => (self.alternatives(alternatives, last)?, false),
                Node::Gap(words) if self.spaceless => {
                    out.push_str(&format!("{GAP_CHAR}{{0,{}}}?", words * GAP_CHARS_PER_WORD));
                    continue;
                }
                Node::Gap(words) if fixed => {
                    out.push_str(&format!("(?: {GAP_WORD}){{0,{words}}}"));
                    continue;
                }
                Node::Gap(words) => {
                    out.push_str(&format!("(?:{GAP_WORD} ){{0,{words}}}"));
                    continue;
                }
            };
            match (required, fixed) {
                (true, false) => out.push_str(&body),
                (true, true) => out.push_str(&format!("{space}{body}")),
                (false, false) => out.push_str(&format!("(?:{body}{space})?")),
                (false, true) => out.push_str(&format!("(?:{space}{body})?")),
            }
            fixed |= required;
        }
        if fixed { Ok(out) } else { Err(PhraseError::syntax("needs at least one fixed word")) }
    }

    fn alternatives(&mut self, alternatives: &[Sequence], tail: bool) -> Result<String, PhraseError> {
        let all: Result<Vec<String>, PhraseError> = alternatives.iter().map(|s| self.sequence(s, tail)).collect();
        Ok(format!("(?:{})", all?.join("|")))
    }

    fn glued(&mut self, parts: &[Part], tail: bool) -> Result<String, PhraseError> {
        let mut out = String::new();
        for (i, part) in parts.iter().enumerate() {
            let last = tail && i + 1 == parts.len();
            match part {
                Part::Literal(text) => literal(text, &mut out),
                Part::Number => out.push_str(NUMBER),
                Part::Letters => out.push_str(&format!("{LETTER}*")),
                Part::Group(alternatives) => out.push_str(&self.alternatives(alternatives, last)?),
                Part::Optional(alternatives) => {
                    out.push_str(&self.alternatives(alternatives, last)?);
                    out.push('?');
                }
                Part::Capture(kind) => {
                    self.captures.push(*kind);
                    out.push_str(&kind.expression(!last, self.spaceless));
                }
            }
        }
        Ok(out)
    }
}

/// A hyphen inside a word also stands for a space.
fn literal(text: &str, out: &mut String) {
    if text == "-" {
        out.push('-');
        return;
    }
    for (i, piece) in text.split('-').enumerate() {
        if i > 0 {
            out.push_str("[- ]");
        }
        out.push_str(&regex::escape(piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> WordLists {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        HashMap::from([
            ("people".to_owned(), list(&["candidate", "candidates"])),
            ("job".to_owned(), list(&["role", "position", "night shift"])),
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
            ("残念 .. 結果", &["残念ながら選考の結果"], &["結果は残念"]),
            ("불합격", &["아쉽게도 불합격하셨습니다"], &["합격"]),
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
            let found = compiled.find_from(&text, 0).unwrap_or_else(|| panic!("{phrase}"));
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
