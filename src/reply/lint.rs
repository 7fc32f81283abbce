//! Checks the wording of a reply: length, one question, no link, no hole, no arguing, a salutation, one language.
//!
//! The same check for shipped templates, templates of the person and edited drafts. It judges; it must not change text.

use super::Caution;

/// Fewest words of a reply, salutation and signature included.
pub const WORDS_MIN: usize = 45;
/// Most words of a reply, salutation and signature included: what is read to the end on a telephone.
pub const WORDS_MAX: usize = 90;
/// Fewest function words of another language that make a text look foreign.
const FOREIGN_WORDS_MIN: usize = 4;

/// What the check found, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// kebab-case, stable.
    pub code: &'static str,
    /// One sentence: what and why.
    pub text: String,
    /// Whether the text must not go out like this.
    pub stops: bool,
}

impl From<Finding> for Caution {
    fn from(finding: Finding) -> Caution {
        Caution { code: finding.code.to_owned(), text: finding.text, stops: finding.stops }
    }
}

/// Phrases that argue, plead or accuse, by language: they close what a reply is meant to keep open.
const ARGUING: &[&str] = &[
    // English
    "reconsider",
    "change your mind",
    "mistake on your",
    "why was i",
    "why i was not",
    "i feel that",
    "unfair",
    "i deserve",
    "i disagree",
    "insulted",
    "second chance",
    "disappointing decision",
    "please explain",
    "demand",
    // German
    "überdenken",
    "noch einmal überlegen",
    "umentscheiden",
    "ungerecht",
    "unfair",
    "warum wurde ich",
    "warum ich nicht",
    "nicht nachvollziehen",
    "ich verdiene",
    "zweite chance",
    "begründen sie",
    "ich fordere",
    "enttäuschende entscheidung",
];

/// What stands where a text has a hole.
const HOLES: &[&str] = &["{{", "}}", "{%", "%}", "${", "xxx", "<insert", "<name", "todo"];

/// What makes a link.
const LINKS: &[&str] = &["http://", "https://", "www.", "ftp://", "mailto:"];

/// How a salutation starts, by language.
const SALUTATIONS: &[(&str, &[&str])] = &[
    ("en", &["dear ", "hi ", "hello ", "good morning", "good afternoon"]),
    ("de", &["guten tag", "hallo ", "liebe ", "lieber ", "liebes ", "sehr geehrte", "guten morgen"]),
];

/// Function words by language, none of which is a word of the other.
const FUNCTION_WORDS: &[(&str, &[&str])] = &[
    (
        "en",
        &["the", "and", "you", "your", "for", "with", "would", "that", "this", "have", "my", "is", "to", "of", "if"],
    ),
    (
        "de",
        &["und", "ich", "sie", "für", "ihre", "ihr", "mit", "die", "der", "das", "ist", "nicht", "mir", "eine", "zu"],
    ),
];

/// Everything that is to be said about `text`, a whole reply from salutation to signature, meant to be in `language`
/// (ISO 639-1; the checks that need to know a language are left out for others than English and German).
pub fn lint(text: &str, language: &str) -> Vec<Finding> {
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    let mut add = |code, stops, text: String| found.push(Finding { code, text, stops });

    let words = word_count(text);
    if words < WORDS_MIN {
        add("too-short", false, format!("{words} words; under {WORDS_MIN} a reply reads like a form."));
    }
    if words > WORDS_MAX {
        add("too-long", false, format!("{words} words; over {WORDS_MAX} it is not read to the end."));
    }
    let questions = text.matches('?').count();
    if questions > 1 {
        add("questions", false, format!("{questions} questions; one question gets answered."));
    }
    if let Some(link) = LINKS.iter().find(|l| lower.contains(**l)) {
        add("link", false, format!("`{link}`: links make filters and readers suspicious."));
    }
    if let Some(hole) = hole(&lower) {
        add("hole", true, format!("`{hole}`: something is left to fill in."));
    }
    if let Some(phrase) = ARGUING.iter().find(|p| contains_phrase(&lower, p)) {
        add("arguing", false, format!("`{phrase}`: it argues with a decision that is made."));
    }
    if let Some(starts) = of_language(SALUTATIONS, language)
        && !starts.iter().any(|s| lower.trim_start().starts_with(s))
    {
        add("no-salutation", false, "The reply does not open with a salutation.".into());
    }
    if let Some(other) = foreign(&lower, language) {
        add("language", false, format!("Parts of the text look like `{other}`, the mail is in `{language}`."));
    }
    found
}

/// Words of a text: runs between white space that hold a letter or digit.
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).count()
}

/// A placeholder left in the text: a template's marks, `XXX`, or anything in square brackets.
fn hole(lower: &str) -> Option<String> {
    if let Some(mark) = HOLES
        .iter()
        .find(|h| if h.chars().all(char::is_alphabetic) { contains_phrase(lower, h) } else { lower.contains(**h) })
    {
        return Some((*mark).to_owned());
    }
    let (_, rest) = lower.split_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    Some(format!("[{}]", inside.chars().take(20).collect::<String>()))
}

/// Whether a phrase stands in the text on word borders.
pub(crate) fn contains_phrase(lower: &str, phrase: &str) -> bool {
    lower.match_indices(phrase).any(|(at, _)| {
        let before = lower.get(..at).and_then(|s| s.chars().next_back());
        let after = lower.get(at.saturating_add(phrase.len())..).and_then(|s| s.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// The other language whose function words are more frequent than the language's own.
fn foreign(lower: &str, language: &str) -> Option<&'static str> {
    let count = |words: &[&str]| lower.split(|c: char| !c.is_alphabetic()).filter(|w| words.contains(w)).count();
    let own = count(of_language(FUNCTION_WORDS, language)?);
    FUNCTION_WORDS
        .iter()
        .filter(|(other, _)| *other != language)
        .find(|(_, words)| count(words) >= FOREIGN_WORDS_MIN.max(own.saturating_add(1)))
        .map(|(other, _)| *other)
}

/// The list of a language.
fn of_language(lists: &[(&str, &'static [&'static str])], language: &str) -> Option<&'static [&'static str]> {
    lists.iter().find(|(l, _)| *l == language).map(|(_, list)| *list)
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
            ("Dear {{ contact }}, thank you.", "en", vec!["hole"]),
            ("Dear XXX, thank you.", "en", vec!["hole"]),
            ("Dear Anna, why? And when?", "en", vec!["questions"]),
            ("Dear Anna, see https://me.example", "en", vec!["link"]),
            ("Dear Anna, please reconsider.", "en", vec!["arguing"]),
            ("Guten Tag Anna Schmidt, bitte überdenken Sie das.", "de", vec!["arguing"]),
            ("Guten Tag, thank you for the time and for your answer with this role.", "de", vec!["language"]),
            ("Dear Anna, ich danke Ihnen für die Zeit und für das Gespräch mit Ihnen.", "en", vec!["language"]),
            ("Bonjour Anna, merci.", "fr", vec![]),
        ] {
            assert_eq!(codes(text, language), expected, "{text}");
        }
        assert!(lint(&"word ".repeat(91), "fr").iter().any(|f| f.code == "too-long"));
        assert!(lint("word", "fr").iter().any(|f| f.code == "too-short"));
    }
}
