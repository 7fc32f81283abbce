//! The name of a role, cut out of the words around it in the languages of the rules. It decides how a name is spelled,
//! not which of several is meant.

use super::{
    NameWords,
    names::{agree, fits, folded, trimmed},
    spaceless_role,
};
use crate::rules::phrase::is_spaceless;

/// From so many words on, what follows a comma is a clause.
const CLAUSE_WORDS_MIN: usize = 3;
/// Fewest digits of the number of a vacancy.
const NUMBER_DIGITS_MIN: usize = 3;
/// Finnish: the ending of the genitive in which letters name a role, and of the word itself. Only endings that leave
/// no doubt.
const GENITIVES: [(&str, &str); 6] = [
    ("jan", "ja"),
    ("jän", "jä"),
    ("ohtorin", "ohtori"),
    ("öörin", "ööri"),
    ("henkilön", "henkilö"),
    ("päällikön", "päällikkö"),
];

/// What marks the end of a role, whatever follows.
const MARKS: [&str; 16] = [
    " @ ", " | ", " (m/", " (f/", " (w/", " (d/", " (h/", " (H/", " (M/", " (F/", " (k/", " (K/", " (v/", " (all ",
    " [", " (ref",
];
/// What parts a role from the employer, a place or a number, and the words of a role from each other.
const DASHES: [&str; 3] = [" – ", " — ", " - "];

/// The role inside a captured piece of text, in its original spelling. `language` as the mail's.
pub(super) fn role(words: &NameWords, captured: &str, employer: Option<&str>, language: &str) -> Option<String> {
    let mut text = trimmed(captured);
    if is_spaceless(text) {
        text = spaceless_role::role(words, text, employer);
    }
    text = without_leading(words, behind_article(words, text), language);
    // `position Data Analyst`: what the word says, it says of the role.
    while let Some((first, rest)) = text.split_once(' ')
        && words.role.after.has(&first.to_lowercase())
        && !begins_compound(words, text)
    {
        text = trimmed(rest);
    }
    text = before_mark(words, behind_hyphen(words, without_numbered_bracket(text)), employer);
    if let Some((_, tail)) = text.split_once(": ").filter(|(head, _)| is_employer(words, head, employer)) {
        text = trimmed(tail);
    }
    text = without_trailing(words, before_clause(without_number(text)));
    let unbalanced = text.matches('(').count() != text.matches(')').count();
    if unbalanced && let Some((head, _)) = text.split_once('(') {
        text = trimmed(head);
    }
    let lower = text.to_lowercase();
    let generic = words.role.after.has(&lower) || words.no_employer.has(&lower);
    let sentence = is_sentence(words, &lower) && !is_grade(words, text);
    (fits(text) && !generic && !sentence).then(|| nominative(text, language))
}

/// Whether the first two words of a text are the beginning of a role: `application engineer`.
fn begins_compound(words: &NameWords, text: &str) -> bool {
    let lower = text.to_lowercase();
    let end = lower.match_indices(' ').nth(1).map_or(lower.len(), |(at, _)| at);
    lower.get(..end).is_some_and(|two| words.role.compounds.has(two))
}

/// Whether a text in small letters has a word that no role has, or begins with the verb of a sentence.
fn is_sentence(words: &NameWords, lower: &str) -> bool {
    let role = &words.role;
    let mut rest = lower.split(|c: char| !c.is_alphanumeric()).peekable();
    if rest.peek().is_some_and(|first| role.verbs.has(first) || role.number_labels.has(first)) {
        return true;
    }
    while let Some(word) = rest.next() {
        let compound = |next: &&str| role.compounds.has(&format!("{word} {next}"));
        if role.stopwords.has(word) && !rest.peek().is_some_and(compound) {
            return true;
        }
    }
    false
}

/// Whether the only word of a sentence is the grade at the end: *Research Associate I*.
fn is_grade(words: &NameWords, text: &str) -> bool {
    let head = text.strip_suffix(" I").filter(|head| head.chars().next().is_some_and(char::is_uppercase));
    head.is_some_and(|head| !is_sentence(words, &head.to_lowercase()))
}

/// The text behind a hyphen without spaces that parts it from words about the application: *Interview feedback-Baker*.
fn behind_hyphen<'t>(words: &NameWords, text: &'t str) -> &'t str {
    let about = |head: &str| head.rsplit(' ').next().is_some_and(|last| words.role.stopwords.has(&last.to_lowercase()));
    let tail = text.split_once('-').filter(|(head, tail)| about(head) && fits(tail)).map(|(_, tail)| trimmed(tail));
    tail.unwrap_or(text)
}

/// The text without the bracket behind it that holds the number of the vacancy: *Baker (Job 26004)*.
fn without_numbered_bracket(text: &str) -> &str {
    let Some((head, number)) = text.strip_suffix(')').unwrap_or(text).rsplit_once(" (") else { return text };
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits >= NUMBER_DIGITS_MIN { trimmed(head) } else { text }
}

/// The text behind its last article: what stands before belongs to the sentence, not to the role.
fn behind_article<'t>(words: &NameWords, text: &'t str) -> &'t str {
    let mut start = 0;
    let mut offset = 0;
    for word in text.split_inclusive(' ') {
        offset += word.len();
        if words.role.before.has(&word.trim().to_lowercase()) {
            start = offset;
        }
    }
    trimmed(text.get(start..).unwrap_or_default())
}

/// The text without the words that say that a role follows.
fn without_leading<'t>(words: &NameWords, mut text: &'t str, language: &str) -> &'t str {
    let leading = &words.role.leading;
    loop {
        let ends = text.match_indices([' ', '\'', '’']).map(|(at, mark)| at + mark.len());
        let behind = |at: usize| {
            let (head, tail) = text.split_at_checked(at)?;
            let lower = head.to_lowercase();
            // In English a curriculum is taught.
            let taught = language == "en" && lower == "curriculum ";
            (lower.len() == head.len() && leading.has(&lower) && !taught).then_some(tail)
        };
        let longest = ends.take_while(|at| *at <= leading.longest()).filter_map(behind).last();
        match longest.map(trimmed) {
            Some(rest) if !rest.is_empty() => text = rest,
            _ => return text,
        }
    }
}

/// The text before a word or mark behind which the employer, a place or a number stands.
fn before_mark<'t>(words: &NameWords, mut text: &'t str, employer: Option<&str>) -> &'t str {
    for mark in words.role.at.iter().map(String::as_str).chain(MARKS) {
        if let Some((head, _)) = text.split_once(mark).filter(|(head, _)| fits(head)) {
            text = trimmed(head);
        }
    }
    let is_employer = |tail: &str| is_employer(words, tail, employer);
    let number_or_employer = |tail: &str| tail.chars().any(|c| c.is_ascii_digit()) || is_employer(tail);
    for mark in DASHES {
        if let Some((head, _)) = text.split_once(mark).filter(|(head, tail)| fits(head) && number_or_employer(tail)) {
            text = trimmed(head);
        }
    }
    for word in &words.role.at_known {
        if let Some((head, _)) = text.rsplit_once(word).filter(|(head, tail)| fits(head) && is_employer(tail)) {
            text = trimmed(head);
        }
    }
    text
}

/// The text without the number of the vacancy before it.
fn without_number(text: &str) -> &str {
    let is_number = |word: &str| {
        word.chars().filter(char::is_ascii_digit).count() >= NUMBER_DIGITS_MIN && !word.chars().any(char::is_lowercase)
    };
    text.split_once(' ').filter(|(first, _)| is_number(first)).map_or(text, |(_, rest)| trimmed(rest))
}

/// The text before a comma behind which the sentence goes on.
fn before_clause(text: &str) -> &str {
    let goes_on =
        |tail: &str| tail.split_whitespace().count() >= CLAUSE_WORDS_MIN && tail.starts_with(char::is_lowercase);
    text.split_once(", ").filter(|(head, tail)| fits(head) && goes_on(tail)).map_or(text, |(head, _)| trimmed(head))
}

/// The text without words, numbers and shares behind the role.
fn without_trailing<'t>(words: &NameWords, mut text: &'t str) -> &'t str {
    loop {
        let lower = text.to_lowercase();
        let same_length = lower.len() == text.len();
        let head = words.role.trailing.head(&lower).filter(|_| same_length);
        if let Some(head) = head.and_then(|head| text.get(..head.len())) {
            text = trimmed(head);
            continue;
        }
        if let Some(head) = text.strip_suffix('%') {
            text = trimmed(head.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '–')));
            continue;
        }
        let Some((head, last)) = text.rsplit_once(' ') else { return text };
        let number = last.trim_matches(|c: char| !c.is_alphanumeric());
        let is_number = number.len() >= 4 && number.chars().filter(char::is_ascii_digit).count() * 2 > number.len();
        let last = last.to_lowercase();
        let label = words.role.number_labels.has(last.trim_end_matches(['.', ':']));
        if !words.role.after.has(&last) && !is_number && !label {
            return text;
        }
        text = trimmed(head);
    }
}

/// The name as a dictionary has it, where its ending leaves no doubt.
fn nominative(name: &str, language: &str) -> String {
    let known = GENITIVES.iter().filter(|_| language == "fi");
    let found = known.filter_map(|(from, to)| Some(format!("{}{to}", name.strip_suffix(from)?)));
    found.into_iter().next().unwrap_or_else(|| name.to_owned())
}

fn is_employer(words: &NameWords, text: &str, employer: Option<&str>) -> bool {
    employer.is_some_and(|e| agree(&folded(words, e), &folded(words, text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::facts::words;

    #[test]
    fn roles_are_cut_to_the_role() {
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
            ("Research Associate I", Some("Research Associate I")),
            ("Research Associate I (Job 26004)", Some("Research Associate I")),
            ("New Grad Firmware Engineer", Some("New Grad Firmware Engineer")),
            ("new role", None),
            ("what I", None),
            ("Interview feedback-Music Teacher", Some("Music Teacher")),
            ("Pre-press Operator", Some("Pre-press Operator")),
        ] {
            assert_eq!(role(words::shipped(), captured, Some("Acme"), "en").as_deref(), expected, "{captured}");
        }
    }

    #[test]
    fn roles_lose_what_other_languages_put_around_them() {
        for (language, captured, expected) in [
            ("fr", "candidature au poste de chef de rang", Some("chef de rang")),
            ("fr", "d'électricien H/F", Some("électricien")),
            ("fr", "Agent d'entretien (H/F)", Some("Agent d'entretien")),
            ("fr", "comptable chez Acme", Some("comptable")),
            ("de", "Pflegefachperson 80-100 %", Some("Pflegefachperson")),
            ("de", "Bäcker m/w/d", Some("Bäcker")),
            ("de", "Glaser-Stelle Kennziffer 2031-17", Some("Glaser")),
            ("de", "Kennziffer 2031-17", None),
            ("de", "ist für dieses Jahr besetzt", None),
            ("ru", "подали сто человек", None),
            ("es", "a la prueba", None),
            ("es", "puesto de panadero en Acme", Some("panadero")),
            ("es", "Beca de archivo ref. 2031-04", Some("Beca de archivo")),
            ("it", "la posizione di cuoco presso Acme", Some("cuoco")),
            ("pt", "Candidatura costureira", Some("costureira")),
            ("nl", "sollicitatie als tuinman bij Acme", Some("tuinman")),
            ("pl", "na stanowisko spawacz w Acme", Some("spawacz")),
            ("pl", "CV kierowca", Some("kierowca")),
            ("pl", "piekarza została zakończona", None),
            ("cs", "pozici kuchař", Some("kuchař")),
            ("da", "murer hos Acme", Some("murer")),
            ("fi", "kanssasi matematiikan opettajan", Some("matematiikan opettaja")),
            ("sv", "opettajan", Some("opettajan")),
            ("ru", "должности повара", Some("повара")),
            ("en", "Application as Application Engineer", Some("Application Engineer")),
            ("en", "application update", None),
            ("en", "R-30412 Baker", Some("Baker")),
            ("en", "Glazier (ref GL/7)", Some("Glazier")),
            ("da", "murer internt, idet en anden var hurtigere", Some("murer internt")),
            ("it", "Riscontro colloquio cuoco", Some("cuoco")),
            ("nl", "Resultaat selectieprocedure tuinman", Some("tuinman")),
        ] {
            assert_eq!(role(words::shipped(), captured, Some("Acme"), language).as_deref(), expected, "{captured}");
        }
    }
}
