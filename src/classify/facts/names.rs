//! Names as they stand in mail, made comparable and cut to the name itself.

use super::spaceless;
use crate::rules::phrase::is_spaceless;

/// Shortest and longest name kept, in characters.
const CHARS: std::ops::RangeInclusive<usize> = 2..=70;
/// Most words of an employer's name.
const EMPLOYER_WORDS_MAX: usize = 7;

/// Legal forms: no part of the name when names are compared.
const LEGAL_FORMS: [&str; 34] = [
    "inc",
    "llc",
    "ltd",
    "limited",
    "gmbh",
    "ag",
    "se",
    "corp",
    "corporation",
    "co",
    "company",
    "plc",
    "pty",
    "bv",
    "nv",
    "sa",
    "sas",
    "srl",
    "spa",
    "ab",
    "oy",
    "oyj",
    "as",
    "aps",
    "kg",
    "llp",
    "kk",
    "group",
    "the",
    "mbh",
    "ug",
    "ev",
    "sp",
    "zoo",
];
/// Words inside a name that are written small.
const CONNECTORS: [&str; 22] = [
    "of", "and", "&", "de", "du", "des", "la", "le", "für", "und", "van", "der", "den", "do", "da", "dos", "di", "et",
    "y", "e", "i", "for",
];
/// Words that are no employer, whatever their case.
const NO_EMPLOYER: [&str; 60] = [
    "stelle",
    "position",
    "bewerbung",
    "ausbildung",
    "praktikum",
    "personalabteilung",
    "resources",
    "department",
    "us",
    "our",
    "we",
    "the",
    "you",
    "your",
    "this",
    "that",
    "it",
    "them",
    "my",
    "me",
    "team",
    "company",
    "hr",
    "hi",
    "hello",
    "dear",
    "careers",
    "jobs",
    "recruiting",
    "recruitment",
    "talent",
    "hiring",
    "human",
    "application",
    "applications",
    "candidate",
    "sir",
    "madam",
    "uns",
    "ihnen",
    "ihre",
    "wir",
    "sie",
    "unser",
    "unserem",
    "unserer",
    "nous",
    "vous",
    "notre",
    "votre",
    "nosotros",
    "noi",
    "voi",
    "ons",
    "oss",
    "any",
    "other",
    "another",
    "monday",
    "noreply",
];
/// Words of a team that may stand before the employer's name.
const TEAM_WORDS: [&str; 8] = ["hr", "team", "careers", "jobs", "recruiting", "recruitment", "talent", "karriere"];
/// Words that make a text no role.
const NO_ROLE: [&str; 40] = [
    "you",
    "we",
    "hope",
    "find",
    "is",
    "are",
    "was",
    "will",
    "have",
    "has",
    "been",
    "application",
    "applications",
    "interview",
    "update",
    "thank",
    "thanks",
    "regarding",
    "status",
    "feedback",
    "number",
    "candidate",
    "candidacy",
    "your",
    "our",
    "outcome",
    "result",
    "decision",
    "bewerbung",
    "candidature",
    "offer",
    "invitation",
    "following",
    "current",
    "open",
    "new",
    "job",
    "same",
    "re",
    "i",
];
/// Articles and the like before a role; what stands before the last of them is another part of the sentence.
const BEFORE_ROLE: [&str; 37] = [
    "the",
    "our",
    "your",
    "this",
    "that",
    "an",
    "open",
    "advertised",
    "above",
    "die",
    "der",
    "das",
    "den",
    "dem",
    "als",
    "unsere",
    "unseren",
    "ihre",
    "ihren",
    "eine",
    "einen",
    "einer",
    "el",
    "los",
    "las",
    "le",
    "les",
    "une",
    "votre",
    "notre",
    "il",
    "lo",
    "una",
    "een",
    "het",
    "o",
    "vaga",
];
/// Words behind a role that are no part of it.
const AFTER_ROLE: [&str; 25] = [
    "role",
    "position",
    "team",
    "vacancy",
    "job",
    "opening",
    "opportunity",
    "post",
    "internship role",
    "here",
    "and",
    "at",
    "with",
    "stelle",
    "position",
    "bei",
    "in",
    "chez",
    "en",
    "requisition",
    "for",
    "we",
    "which",
    "stronger",
    "further",
];

/// Letters and digits only, lower case, words apart by one space, legal forms left out.
pub(super) fn folded(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let kept: Vec<&str> = words.clone().filter(|w| !LEGAL_FORMS.contains(w)).collect();
    if kept.is_empty() { words.collect::<Vec<_>>().join(" ") } else { kept.join(" ") }
}

/// Folded and without spaces, as slugs and domains are made.
pub(super) fn squeezed(name: &str) -> String {
    folded(name).replace(' ', "")
}

/// As a domain would spell it: accents taken off, umlauts long (`ue`) or short (`u`), `&` as `and`, letters and digits.
pub(super) fn as_domain(text: &str, umlauts_long: bool) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    let lower = text.to_lowercase().replace('&', "and").replace('ß', "ss");
    let lower = if umlauts_long { lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue") } else { lower };
    lower.nfd().filter(|c| !is_combining_mark(*c) && c.is_alphanumeric()).collect()
}

/// Whether two folded names mean the same: equal, one whole inside the other, or the same slug.
pub(super) fn agree(a: &str, b: &str) -> bool {
    let long_enough = a.chars().count().min(b.chars().count()) >= 3;
    let within = |a: &str, b: &str| a.contains(b) && format!(" {a} ").contains(&format!(" {b} "));
    let same_letters = || a.chars().filter(|c| *c != ' ').eq(b.chars().filter(|c| *c != ' '));
    a == b
        || (long_enough && (within(a, b) || within(b, a) || same_letters()))
        || is_initials(a, b)
        || is_initials(b, a)
}

/// Whether `short` is made of the first letters of `long`'s words.
fn is_initials(short: &str, long: &str) -> bool {
    let initials = long.split(' ').filter_map(|w| w.chars().next());
    short.chars().count() >= 3 && initials.eq(short.chars())
}

/// Cuts punctuation and quotes from both ends.
fn trimmed(text: &str) -> &str {
    let text = text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '“'
                    | '”'
                    | '„'
                    | '«'
                    | '»'
                    | '\''
                    | '‘'
                    | '’'
                    | ','
                    | ';'
                    | ':'
                    | '!'
                    | '?'
                    | '-'
                    | '–'
                    | '|'
                    | '*'
                    | '「'
                    | '」'
                    | '『'
                    | '』'
            )
    });
    match text.strip_suffix('.') {
        Some(rest)
            if !rest.ends_with("Inc") && !rest.ends_with("Ltd") && !rest.ends_with("Co") && !rest.contains('.') =>
        {
            rest
        }
        _ => text,
    }
}

fn fits(text: &str) -> bool {
    CHARS.contains(&text.chars().count()) && text.chars().any(char::is_alphabetic)
}

/// Whether a word may stand in a name: it begins with a capital, a digit, or belongs to a script without capitals, or
/// is spelled like a brand (`eBay`).
fn is_name_word(word: &str) -> bool {
    let mut chars = word.trim_start_matches(['(', '"', '\'', '“', '„']).chars();
    match chars.next() {
        Some(c) if c.is_lowercase() => chars.any(|c| c.is_uppercase() || c == '.') && !word.ends_with('.'),
        Some(c) => c.is_alphanumeric() || c == '&' || c == '+',
        None => false,
    }
}

/// The employer's name inside a captured piece of text, in its original spelling. `suffixes` are words a team adds to
/// the name (*Hiring Team*).
pub(super) fn employer(captured: &str, suffixes: &[String]) -> Option<String> {
    if is_spaceless(captured) {
        return spaceless::employer(captured).filter(|name| fits(name)).map(str::to_owned);
    }
    let mut words: Vec<&str> = Vec::new();
    let mut pending: Vec<&str> = Vec::new();
    for word in trimmed(captured).split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if is_name_word(word) && !(words.is_empty() && NO_EMPLOYER.contains(&bare.as_str())) {
            words.append(&mut pending);
            words.push(word);
            let ends =
                word.ends_with([',', ';', ')']) || (word.ends_with('.') && !LEGAL_FORMS.contains(&bare.as_str()));
            if ends || words.len() >= EMPLOYER_WORDS_MAX {
                break;
            }
        } else if words.is_empty() && TEAM_WORDS.contains(&bare.as_str()) {
            // `HR Acme`: what stands before the name.
        } else if words.is_empty() {
            // An article may stand first; anything else small is no name.
            if !matches!(bare.as_str(), "the" | "la" | "le" | "der" | "die" | "das") {
                return None;
            }
        } else if CONNECTORS.contains(&word) {
            pending.push(word);
        } else {
            break;
        }
    }
    let joined = words.join(" ");
    let name = without_suffix(trimmed(&joined), suffixes);
    let generic = name.split_whitespace().all(|w| NO_EMPLOYER.contains(&w.to_lowercase().as_str()));
    (fits(name) && !generic).then(|| name.to_owned())
}

/// Takes the words a team adds off the end, as long as there are any.
pub(super) fn without_suffix<'n>(name: &'n str, suffixes: &[String]) -> &'n str {
    let mut name = trimmed(name);
    loop {
        let shorter = suffixes.iter().chain([&"team".to_owned()]).find_map(|s| {
            let cut = name.len().checked_sub(s.len())?;
            let (head, tail) = name.split_at_checked(cut)?;
            (tail.eq_ignore_ascii_case(s) && (head.is_empty() || head.ends_with([' ', '\'', '-', '@', '|'])))
                .then(|| trimmed(head))
        });
        match shorter {
            Some(head) => name = head,
            None => return name,
        }
    }
}

/// The role inside a captured piece of text, in its original spelling.
pub(super) fn role(captured: &str, employer: Option<&str>) -> Option<String> {
    let mut text = trimmed(captured);
    if is_spaceless(text) {
        text = spaceless::role(text, employer);
    }
    // Text before the last article belongs to the sentence, not to the role.
    let mut start = 0;
    let mut offset = 0;
    for word in text.split_inclusive(' ') {
        offset += word.len();
        let bare = word.trim();
        if BEFORE_ROLE.contains(&bare.to_lowercase().as_str()) {
            start = offset;
        }
    }
    text = trimmed(text.get(start..).unwrap_or_default());
    // `position Data Analyst`: what the word says, it says of the role.
    while let Some((first, rest)) = text.split_once(' ')
        && AFTER_ROLE.contains(&first.to_lowercase().as_str())
    {
        text = trimmed(rest);
    }
    for mark in [
        " at ", " bei ", " beim ", " chez ", " with ", " @ ", " | ", " (m/", " (f/", " (w/", " (d/", " (all ", " [",
        " – ", " — ", " - ",
    ] {
        if let Some((head, tail)) = text.split_once(mark)
            && fits(head)
            && (!matches!(mark, " - " | " – " | " — ")
                || tail.chars().any(|c| c.is_ascii_digit())
                || is_employer(tail, employer))
        {
            text = trimmed(head);
        }
    }
    if let Some((_, tail)) = text.split_once(": ").filter(|(head, _)| is_employer(head, employer)) {
        text = trimmed(tail);
    }
    while let Some((head, last)) = text.rsplit_once(' ') {
        let number = last.trim_matches(|c: char| !c.is_alphanumeric());
        let is_number = number.len() >= 4 && number.chars().filter(char::is_ascii_digit).count() * 2 > number.len();
        if AFTER_ROLE.contains(&last.to_lowercase().as_str()) || is_number {
            text = trimmed(head);
        } else {
            break;
        }
    }
    let unbalanced = text.matches('(').count() != text.matches(')').count();
    if unbalanced && let Some((head, _)) = text.split_once('(') {
        text = trimmed(head);
    }
    let lower = text.to_lowercase();
    let generic = AFTER_ROLE.contains(&lower.as_str()) || NO_EMPLOYER.contains(&lower.as_str());
    let sentence = lower.split(|c: char| !c.is_alphanumeric()).any(|w| NO_ROLE.contains(&w));
    (fits(text) && !generic && !sentence).then(|| text.to_owned())
}

fn is_employer(text: &str, employer: Option<&str>) -> bool {
    employer.is_some_and(|e| agree(&folded(e), &folded(text)))
}

/// Whether a text looks like the name of a person: two to four capitalised words, nothing else.
pub(super) fn is_person(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let named = |w: &&str| {
        w.chars().next().is_some_and(char::is_uppercase)
            && w.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'))
            && (w.chars().count() < 2 || w.chars().any(char::is_lowercase) || w.ends_with('.'))
    };
    (2..=4).contains(&words.len()) && words.iter().all(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_the_name() {
        let suffixes: Vec<String> = ["hiring team", "careers", "talent acquisition"].map(str::to_owned).to_vec();
        for (captured, expected) in [
            ("Acme and for your time", Some("Acme")),
            ("Bank of Nowhere, we", Some("Bank of Nowhere")),
            ("our team", None),
            ("the Field Museum", Some("Field Museum")),
            ("Foo Hiring Team", Some("Foo")),
            ("eBay", Some("eBay")),
            ("a new place", None),
            ("Smith & Sons Ltd.", Some("Smith & Sons Ltd.")),
        ] {
            assert_eq!(employer(captured, &suffixes).as_deref(), expected, "{captured}");
        }
        for (captured, expected) in [
            ("time to apply for the Data Analyst", Some("Data Analyst")),
            ("Night Nurse (R-12345)", Some("Night Nurse")),
            ("Buyer (Junior)", Some("Buyer (Junior)")),
            ("Welder at Acme", Some("Welder")),
            ("Clerk position", Some("Clerk")),
            ("position Clerk", Some("Clerk")),
            ("Leser-Analyst beim Verlag", Some("Leser-Analyst")),
            ("position", None),
            ("Entwickler (m/w/d)", Some("Entwickler")),
        ] {
            assert_eq!(role(captured, Some("Acme")).as_deref(), expected, "{captured}");
        }
        assert!(agree(&folded("Foo Bar GmbH"), &folded("foobar")));
        assert!(!agree("lever", "clever"));
        assert!(is_person("Anna-Maria Schmidt") && !is_person("ACME HR") && !is_person("Acme"));
    }
}
