//! Checks the wording of a reply: length, one question, no link, no hole, no arguing, a salutation, one language.
//!
//! The same check for shipped templates, templates of the person and edited drafts; what it looks for is data
//! (`templates/reply/lint.toml`). It judges; it must not change text, and it reads no more than [`TEXT_BYTES_MAX`].

mod lists;

pub use lists::LISTS;
pub(super) use lists::compared;
pub(crate) use lists::contains_phrase;
use lists::{OWNERS, SHIPPED, Words};

use super::Caution;
use crate::clean;

/// Fewest words of a reply, salutation and signature included.
pub const WORDS_MIN: usize = 45;
/// Most words of a reply, salutation and signature included: what is read to the end on a telephone.
pub const WORDS_MAX: usize = 90;
/// Most bytes of a text that are looked at; a longer one is far too long anyway.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest part of a sentence a finding quotes, in characters.
const SENTENCE_CHARS_MAX: usize = 160;
/// Fewest function words of another language that make a text look foreign.
const FOREIGN_WORDS_MIN: usize = 4;
/// Longest word that a point may end without ending the sentence: `Dr.`, `Sra.`.
const ABBREVIATION_CHARS_MAX: usize = 3;

/// What the check found, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// kebab-case, stable.
    pub code: &'static str,
    /// One sentence: what and why.
    pub text: String,
    /// The sentence it is about, cleaned and cut; `None` where it is the whole text.
    pub sentence: Option<String>,
    /// Whether the text must not go out like this.
    pub stops: bool,
}

impl Finding {
    /// The reason and the sentence it is about.
    pub fn said(&self) -> String {
        match &self.sentence {
            Some(sentence) => format!("{} In: “{sentence}”", self.text),
            None => self.text.clone(),
        }
    }
}

impl From<Finding> for Caution {
    fn from(finding: Finding) -> Caution {
        Caution { code: finding.code.to_owned(), text: finding.said(), stops: finding.stops }
    }
}

/// What a text that a template made is also held to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Made<'a> {
    /// Whether it has to ask exactly one question and to say that no answer is fine.
    pub asks: bool,
    /// The names that came from a mail: nothing beside them may guess a gender or a title.
    pub names: &'a [&'a str],
}

/// A text taken apart.
struct Text<'a> {
    /// The part of it that is looked at.
    whole: &'a str,
    /// All of it as it is compared: what does not stand here need not be looked for sentence by sentence.
    lower: String,
    sentences: Vec<Sentence>,
}

/// A sentence as it stands and as it is compared.
pub(super) struct Sentence {
    shown: String,
    pub(super) lower: String,
}

/// Everything that is to be said about `text`, a whole reply from salutation to signature, meant to be in `language`
/// (ISO 639-1; the checks that need to know a language are left out where it has no lists).
pub fn lint(text: &str, language: &str) -> Vec<Finding> {
    judge(&Text::read(text), language)
}

/// [`lint()`] on a text taken apart.
fn judge(text: &Text, language: &str) -> Vec<Finding> {
    let words = SHIPPED.language.get(language);
    let mut found = Vec::new();
    let mut add = |code, stops, sentence: Option<&Sentence>, text: String| {
        let sentence = sentence.map(|s| quoted(&s.shown));
        found.push(Finding { code, text, sentence, stops });
    };

    let count = word_count(text.whole);
    if count < WORDS_MIN {
        add("too-short", false, None, format!("{count} words; under {WORDS_MIN} a reply reads like a form."));
    }
    if count > WORDS_MAX {
        add("too-long", false, None, format!("{count} words; over {WORDS_MAX} it is not read to the end."));
    }
    let questions = questions(text.whole);
    if questions > 1 {
        let last = text.sentences.iter().rev().find(|s| questions_in(s));
        add("questions", false, last, format!("{questions} questions; one question gets answered."));
    }
    if let Some((link, at)) = text.first(&SHIPPED.every.links, |lower, link| lower.contains(link)) {
        add("link", false, Some(at), format!("`{link}`: links make filters and readers suspicious."));
    }
    if let Some((hole, at)) = text.hole(words) {
        add("hole", true, Some(at), format!("`{hole}`: something is left to fill in."));
    }
    if let Some(at) = text.sentences.iter().find(|s| s.shown.contains(['!', '¡', '！'])) {
        add("exclamation", false, Some(at), "An exclamation mark says more than a reply needs.".into());
    }
    let Some(words) = words else { return found };
    if let Some((phrase, at)) = text.first(&words.arguing, contains_phrase) {
        add("arguing", false, Some(at), format!("`{phrase}`: it argues with a decision that is made."));
    }
    let asked = text.first(&words.reasons, contains_phrase).or_else(|| {
        let asking = text.sentences.iter().filter(|s| questions_in(s));
        asking.filter_map(|s| words.reason_words.iter().find(|w| contains_phrase(&s.lower, w)).map(|w| (w, s))).next()
    });
    if let Some((word, at)) = asked {
        let text =
            format!("`{word}`: reasons are hardly ever given; a question about next time is answered more often.");
        add("reasons", false, Some(at), text);
    }
    if let Some((word, at)) = text.first(&words.attachments, contains_phrase) {
        add("attachment", false, Some(at), format!("`{word}`: a reply has no attachment."));
    }
    let opening = text.sentences.first();
    if !opening.is_some_and(|s| words.salutations.iter().any(|start| s.lower.starts_with(start.as_str()))) {
        add("no-salutation", false, opening, "The reply does not open with a salutation.".into());
    }
    if let Some((other, at)) = text.foreign(language) {
        add("language", false, at, format!("Parts of the text look like `{other}`, the mail is in `{language}`."));
    }
    found
}

/// [`lint()`] for a text that a template made: besides, it guesses nobody's gender or title, and it asks as it should.
pub fn lint_made(text: &str, language: &str, made: Made) -> Vec<Finding> {
    let text = Text::read(text);
    let mut found = judge(&text, language);
    let Some(words) = SHIPPED.language.get(language) else { return found };
    let names: Vec<String> = made.names.iter().map(|name| compared(name)).filter(|name| !name.is_empty()).collect();
    // What stands in the name itself is how they sign.
    let beside = |s: &Sentence| names.iter().fold(s.lower.clone(), |rest, name| rest.replace(name.as_str(), " "));
    let naming = text.sentences.iter().filter(|s| names.iter().any(|name| s.lower.contains(name.as_str())));
    let titled = naming.filter_map(|s| words.titles.iter().find(|t| contains_phrase(&beside(s), t)).map(|t| (t, s)));
    for (title, at) in titled.take(1) {
        let text = format!("`{title}`: a mail does not tell the gender or the title of who wrote it.");
        found.push(Finding { code: "title", text, sentence: Some(quoted(&at.shown)), stops: false });
    }
    if made.asks && questions(text.whole) == 0 {
        let text = "It asks nothing; a request for advice has one question.".to_owned();
        found.push(Finding { code: "no-question", text, sentence: None, stops: false });
    }
    if made.asks && text.first(&words.releases, contains_phrase).is_none() {
        let sentence = text.sentences.iter().find(|s| questions_in(s)).map(|s| quoted(&s.shown));
        let text = "It does not say that no answer is fine too.".to_owned();
        found.push(Finding { code: "no-release", text, sentence, stops: false });
    }
    found
}

/// Words of a text: runs between white space that hold a letter or digit.
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).count()
}

/// The part of a text that is looked at.
fn bounded(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// Question marks of a text.
fn questions(text: &str) -> usize {
    text.chars().filter(|c| matches!(c, '?' | '？')).count()
}

fn questions_in(sentence: &Sentence) -> bool {
    questions(&sentence.shown) > 0
}

/// A sentence as a finding shows it.
fn quoted(sentence: &str) -> String {
    let whole = clean::line_within(sentence, SENTENCE_CHARS_MAX + 1);
    match whole.char_indices().nth(SENTENCE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default().trim_end()),
        None => whole,
    }
}

/// The sentences of a text. A line break inside a paragraph ends none: editors wrap lines.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut out = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        for word in line.split_whitespace() {
            open.push(word);
            if ends_sentence(word) {
                close(&mut open, &mut out);
            }
        }
        if line.trim().is_empty() {
            close(&mut open, &mut out);
        }
    }
    out
}

/// Ends the open sentence.
fn close(open: &mut Vec<&str>, out: &mut Vec<Sentence>) {
    if !open.is_empty() {
        let shown = open.join(" ");
        out.push(Sentence { lower: compared(&shown), shown });
        open.clear();
    }
}

/// Whether a sentence ends with the word.
fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '“', '”', '»', ')', '\'', '’']);
    let short = word.chars().filter(|c| c.is_alphabetic()).count() <= ABBREVIATION_CHARS_MAX;
    let abbreviated = short && word.starts_with(char::is_uppercase);
    word.ends_with(['?', '!', '…', '？', '！']) || (word.ends_with('.') && !abbreviated)
}

impl<'a> Text<'a> {
    fn read(text: &'a str) -> Text<'a> {
        let whole = bounded(text);
        let sentences = sentences(whole);
        let lower = sentences.iter().map(|s| s.lower.as_str()).collect::<Vec<_>>().join("\n");
        Text { whole, lower, sentences }
    }

    /// The first sentence in which one of the phrases stands, and the phrase.
    fn first<'w>(&self, phrases: &'w [String], stands: impl Fn(&str, &str) -> bool) -> Option<(&'w String, &Sentence)> {
        let may: Vec<&String> = phrases.iter().filter(|p| self.lower.contains(p.trim_end_matches('*'))).collect();
        self.sentences.iter().find_map(|s| may.iter().find(|p| stands(&s.lower, p)).map(|p| (*p, s)))
    }

    /// A placeholder left in the text: a template's marks, `XXX`, or anything in square brackets.
    fn hole(&self, words: Option<&Words>) -> Option<(String, &Sentence)> {
        let whole_words = |p: &str| p.chars().all(|c| c.is_alphabetic() || c == ' ');
        let stands = |lower: &str, p: &str| if whole_words(p) { contains_phrase(lower, p) } else { lower.contains(p) };
        let own = || words.and_then(|w| self.first(&w.holes, stands));
        if let Some((mark, at)) = self.first(&SHIPPED.every.holes, stands).or_else(own) {
            return Some((mark.clone(), at));
        }
        let mut after = self.sentences.iter().skip_while(|s| !s.lower.contains('['));
        let at = after.next()?;
        let (_, rest) = at.lower.split_once('[')?;
        let inside = rest.split_once(']').map(|(inside, _)| inside);
        let closed = inside.is_some() || after.any(|s| s.lower.contains(']'));
        closed.then(|| (format!("[{}]", inside.unwrap_or(rest).chars().take(20).collect::<String>()), at))
    }

    /// The other language whose function words are more frequent than the language's own, and where they are most.
    fn foreign(&self, language: &str) -> Option<(&'static str, Option<&Sentence>)> {
        let owners = |lower: &str| -> Vec<&'static str> {
            lower.split(|c: char| !c.is_alphabetic()).filter_map(|word| OWNERS.get(word).copied()).collect()
        };
        let all = owners(&self.lower);
        let count = |of: &[&str], language: &str| of.iter().filter(|owner| **owner == language).count();
        let own = count(&all, language);
        let others = SHIPPED.language.keys().map(String::as_str).filter(|other| *other != language);
        let other = others.max_by_key(|other| count(&all, other))?;
        let foreign = count(&all, other) >= FOREIGN_WORDS_MIN.max(own.saturating_add(1));
        foreign.then(|| (other, self.sentences.iter().max_by_key(|s| count(&owners(&s.lower), other))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str, language: &str) -> Vec<&'static str> {
        lint(text, language).into_iter().map(|f| f.code).filter(|c| *c != "too-short").collect()
    }

    #[test]
    fn findings_by_table() {
        for (text, language, expected) in [
            ("Dear Anna,\n\nthank you for your time.", "en", vec![]),
            ("Thank you for your time.", "en", vec!["no-salutation"]),
            ("Dear [Name], thank you.", "en", vec!["hole"]),
            ("Dear [Name.\n\nHere], thank you.", "en", vec!["hole"]),
            ("Dear {{ contact }}, thank you.", "en", vec!["hole"]),
            ("Dear XXX, thank you.", "en", vec!["hole"]),
            ("Dear Anna, when? And where?", "en", vec!["questions"]),
            ("Dear Anna, see https://me.example", "en", vec!["link"]),
            ("Dear Anna, please\nreconsider.", "en", vec!["arguing"]),
            ("Dear Anna, that is why I applied.", "en", vec![]),
            ("Dear Anna, why did you choose somebody else?", "en", vec!["reasons"]),
            ("Dear Anna, my plan is attached.", "en", vec!["attachment"]),
            ("Dear Anna, thank you!", "en", vec!["exclamation"]),
            ("Guten Tag Anna Schmidt, bitte überdenken Sie das.", "de", vec!["arguing"]),
            ("Guten Tag, weshalb fiel die Wahl so aus?", "de", vec!["reasons"]),
            ("Guten Tag, mein Lebenslauf liegt anbei.", "de", vec!["attachment"]),
            ("Guten Tag, thank you for the time and for your answer with this role.", "de", vec!["language"]),
            ("Dear Anna, ich danke Ihnen für die Zeit und für das Gespräch mit Ihnen.", "en", vec!["language"]),
            ("Bonjour Anna, merci.", "fr", vec![]),
            ("Bonjour [Nom], merci.", "fr", vec!["hole"]),
            ("Merci pour tout.", "fr", vec!["no-salutation"]),
            ("Bonjour, puis-je savoir pourquoi\u{a0}?", "fr", vec!["reasons"]),
            ("Bonjour, je vous demande de revenir sur votre décision.", "fr", vec!["arguing"]),
            ("Bonjour, vous trouverez mon dossier ci-joint.", "fr", vec!["attachment"]),
            ("Bonjour, thank you for the time and for your answer.", "fr", vec!["language"]),
            ("Hola, Ana: gracias por todo.", "es", vec![]),
            ("Hola, Ana: ¿por qué no yo?", "es", vec!["reasons"]),
            ("Hola, Ana: es una decisión injusta.", "es", vec!["arguing"]),
            ("Hola, Ana: ¡gracias!", "es", vec!["exclamation"]),
            (
                "Hola, agradeço a sua mensagem, que não foi em vão para os meus e pelo seu tempo.",
                "es",
                vec!["language"],
            ),
            ("Gentile Anna, allego il mio curriculum.", "it", vec!["attachment"]),
            ("Gentile Anna, è stato ingiusto.", "it", vec!["arguing"]),
            ("Buongiorno, come mai?", "it", vec!["reasons"]),
            ("Geachte Anna, wilt u dit heroverwegen.", "nl", vec!["arguing"]),
            ("Beste Anna, waarom niet?", "nl", vec!["reasons"]),
            ("Beste Anna, zie de bijlage.", "nl", vec!["attachment"]),
            ("Olá, Ana, por que não?", "pt", vec!["reasons"]),
            ("Olá, Ana, segue em anexo.", "pt", vec!["attachment"]),
            ("Bom dia, peço que reconsidere.", "pt", vec!["arguing"]),
            (
                "Bom dia, gracias a usted y a los demás, el puesto es muy bueno y las personas también.",
                "pt",
                vec!["language"],
            ),
            ("Cześć, nic nie wiem.", "pl", vec![]),
        ] {
            assert_eq!(codes(text, language), expected, "{text}");
        }
        assert!(lint(&"word ".repeat(91), "fr").iter().any(|f| f.code == "too-long"));
        assert!(lint("word", "fr").iter().any(|f| f.code == "too-short"));
    }

    #[test]
    fn a_finding_quotes_its_sentence_and_says_why() {
        let text = "Dear Dr. Anna Schmidt,\n\nThank you for your time. I ask you\nto reconsider this.\n\nKind regards";
        let found = lint(text, "en");
        let arguing = found.iter().find(|f| f.code == "arguing").unwrap();
        assert_eq!(arguing.sentence.as_deref(), Some("I ask you to reconsider this."));
        assert_eq!(
            Caution::from(arguing.clone()).text,
            "`reconsider`: it argues with a decision that is made. In: “I ask you to reconsider this.”"
        );
        let long = format!("Dear Anna,\n\nI ask you to reconsider {}.", "\u{202e}word ".repeat(100));
        let sentence = lint(&long, "en").into_iter().find(|f| f.code == "arguing").unwrap().sentence.unwrap();
        assert!(sentence.chars().count() <= SENTENCE_CHARS_MAX + 1 && !sentence.contains('\u{202e}'), "{sentence}");
    }

    #[test]
    fn made_texts_guess_no_title_and_ask_once() {
        let codes = |text: &str, language: &str, asks: bool, names: &[&str]| {
            let found = lint_made(text, language, Made { asks, names });
            found.into_iter().map(|f| f.code).filter(|c| *c != "too-short").collect::<Vec<_>>()
        };
        for (text, language, asks, names, expected) in [
            ("Liebe Anna Schmidt, danke.", "de", false, &["Anna Schmidt"][..], vec!["title"]),
            ("Liebe Personalabteilung, danke.", "de", false, &[], vec![]),
            ("Guten Tag Frau Schmidt, danke.", "de", false, &["Frau Schmidt"], vec![]),
            ("Bonjour Mme Anna Durand, merci.", "fr", false, &["Anna Durand"], vec!["title"]),
            ("Dear Kim,\n\nthanks to Mr. Alex Poe.", "en", false, &["Kim", "Alex Poe"], vec!["title"]),
            ("Dear Kim,\n\nthanks.", "en", true, &["Kim"], vec!["no-question", "no-release"]),
            ("Dear Kim,\n\nwhat next?", "en", true, &["Kim"], vec!["no-release"]),
            ("Dear Kim,\n\nwhat next? No answer is fine too.", "en", true, &["Kim"], vec![]),
        ] {
            assert_eq!(codes(text, language, asks, names), expected, "{text}");
        }
    }

    #[test]
    fn a_huge_text_is_looked_at_in_part() {
        let huge = format!("Dear Anna, {}reconsider", "wörd [".repeat(100_000));
        let found = lint(&huge, "en");
        assert!(found.iter().any(|f| f.code == "too-long") && found.iter().all(|f| f.code != "arguing"), "{found:?}");
        assert!(found.iter().filter_map(|f| f.sentence.as_ref()).all(|s| s.chars().count() <= SENTENCE_CHARS_MAX + 1));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "\\PC{0,400}", language in "(en|de|fr|es|it|nl|pt|fi|)") {
            lint_made(&text, &language, Made { asks: true, names: &["Ana", ""] });
        }
    }
}
