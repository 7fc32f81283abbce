//! The name of a role, cut out of the words around it in the languages of the rules. It decides how a name is spelled,
//! not which of several is meant.

use super::{
    names::{NO_EMPLOYER, agree, fits, folded, trimmed},
    spaceless,
};
use crate::rules::phrase::is_spaceless;

/// From so many words on, what follows a comma is a clause.
const CLAUSE_WORDS_MIN: usize = 3;
/// Fewest digits of the number of a vacancy.
const NUMBER_DIGITS_MIN: usize = 3;
/// Words that make a text no role.
#[rustfmt::skip] // A table of words.
const NO_ROLE: [&str; 100] = [
    "you", "we", "hope", "find", "is", "are", "was", "will", "have", "has", "been", "application", "applications",
    "interview", "update", "thank", "thanks", "regarding", "status", "feedback", "number", "candidate", "candidacy",
    "your", "our", "outcome", "result", "decision", "offer", "invitation", "following", "current", "open", "new", "job",
    "same", "re", "i",
    "bewerbung", "absage", "gespräch", "candidature", "réponse", "prueba", "entrevista",
    "candidatura", "candidaturas", "resultado", "postulación", "solicitud", "prova", "colloquio",
    "riscontro", "esito", "sollicitatie", "gesprek", "terugkoppeling", "resultaat", "ansökan", "ansökningen", "intervju",
    "arbetsprov", "ansøgning", "samtale", "søknad", "tilbakemelding", "intervjuet", "hakemus", "hakemuksesi",
    "haastattelu", "haastattelun", "informacja", "informacje", "rozmowa", "rozmowie", "rozmowy", "została", "został",
    "zostało", "jest", "aplikacja", "rekrutacja", "pohovor", "pohovoru", "odpověď", "úkol", "představa", "результаты",
    "результатах", "собеседование", "собеседованию", "отклик", "задание", "görüşme", "mülakat", "başvuru", "başvurunuz",
    "sonucu", "hakkında", "tästä",
];
/// Words of these that build a role with what follows them (*Application Engineer*, *New Graduate Nurse*).
const BUILDING: [(&str, &[&str]); 4] = [
    (
        "application",
        &["engineer", "developer", "manager", "support", "specialist", "security", "scientist", "architect", "analyst"],
    ),
    (
        "new",
        &["grad", "grads", "graduate", "business", "media", "product", "products", "home", "car", "build", "starter"],
    ),
    ("open", &["source", "innovation", "banking", "data"]),
    ("job", &["coach", "developer", "evaluator", "planner"]),
];
/// Verbs with which a sentence goes on that has named the role before.
#[rustfmt::skip] // A table of words.
const VERBS_FIRST: [&str; 36] = [
    "ist", "sind", "wird", "werden", "wurde", "wurden", "war", "hat", "haben", "konnte", "bleibt", "geht",
    "wordt", "werd", "heeft", "blijft", "été", "sera", "sono", "fue", "foi", "blev", "blir", "zostaje", "wpłynęło", "bude", "byla", "byl",
    "подали", "поступило", "откликнулось", "была", "было", "были", "надійшло", "подало",
];
/// Words before the number of a vacancy.
#[rustfmt::skip] // A table of words.
const NUMBER_LABELS: [&str; 12] = [
    "kennziffer", "kennz", "referenz", "referenznummer", "chiffre", "référence", "referencia", "riferimento", "referentie",
    "viitenumero", "код", "шифр",
];
/// Articles and the like before a role; what stands before the last of them is another part of the sentence.
#[rustfmt::skip] // A table of words.
const BEFORE_ROLE: [&str; 43] = [
    "the", "our", "your", "this", "that", "an", "open", "advertised", "above", "die", "der", "das", "den", "dem", "als",
    "unsere", "unseren", "ihre", "ihren", "eine", "einen", "einer", "el", "los", "las", "le", "les", "une", "votre",
    "notre", "il", "lo", "una", "een", "het", "o", "vaga", "kanssasi", "kanssanne", "hänen", "jako", "вакансию", "должность",
];
/// Words behind a role that are no part of it.
#[rustfmt::skip] // A table of words.
const AFTER_ROLE: [&str; 27] = [
    "role", "position", "team", "vacancy", "job", "opening", "opportunity", "post", "internship role", "here", "and",
    "at", "with", "stelle", "position", "bei", "in", "chez", "en", "requisition", "for", "we", "which", "stronger",
    "further",
    "loop", "competition",
];
/// Beginnings that say that a role follows, each lower case and ending where the role begins. The longer ones first.
#[rustfmt::skip] // A table of words.
const LEADING: [&str; 116] = [
    "cv ", "application for ", "application as ", "quick one re ",
    "bewerbung als ", "bewerbung um ", "bewerbung für ", "bewerbung ", "stelle als ", "stelle ",
    "candidature au poste de ", "candidature pour ", "candidature de ", "candidature d'", "candidature ", "au poste de ",
    "au poste d'", "poste de ", "poste d'", "poste ", "offre de ", "d'", "d’", "de la ", "de ", "du ", "des ",
    "candidatura ao cargo de ", "candidatura à vaga de ", "candidatura para ", "candidatura al ", "candidatura a ",
    "candidatura per ", "candidatura como ", "candidatura ", "processo seletivo ", "cargo de ", "função de ", "vaga de ",
    "vaga para ", "puesto de ", "puesto ", "plaza de ", "vacante de ", "vacante ", "postulación a ", "postulación ",
    "solicitud ", "a la ", "al ", "la posizione di ", "posizione di ", "posizione ", "ruolo di ", "curriculum ",
    "di ", "sollicitatie als ", "sollicitatie voor ", "sollicitatie ", "vacature ", "functie van ", "functie ",
    "ansökan om ", "ansökan till ", "ansökan ", "tjänsten som ", "tjänst som ", "ansøgning til ", "ansøgning ",
    "stillingen som ", "stilling som ", "søknad på ", "søknad ", "hakemus ", "na stanowisko ", "stanowisko ", "pozycję ",
    "pozycja ", "na pozici ", "pozici ", "pozice ", "na místo ", "вакансия ", "должности ", "позицию ", "позиция ",
    "stage di ", "zur ", "zum ", "à vaga ", "ao cargo de ",
    "riscontro ", "esito ", "colloquio ", "resultaat ", "selectieprocedure ", "selectieproef ", "resultado ",
    "absage ", "entscheidung ", "réponse ", "estado del proceso ", "proceso de selección ", "proceso ", "kunde ",
    "réponse candidature ", "candidatura para o cargo de ", "processo ", "resultat ", "svar ", "uppdatering ",
    "vaga ", "lo de ", "empleo de ", "oferta de ", "oferta ",
];
/// Words between a role and its employer.
#[rustfmt::skip] // A table of words.
const BETWEEN: [&str; 19] = [
    " w ", " we ", " hos ", " på ", " ved ", " vid ", " en ", " em ", " na ", " no ", " presso ", " in ", " u ", " ve ",
    " v ", " в ", " bij ", " da ", " do ",
];
/// Endings that name a sex or a number of the vacancy, never a kind of work.
#[rustfmt::skip] // A table of words.
const TRAILING: [&str; 21] = [
    " h/f", " f/h", " m/f", " f/m", " m/w/d", " w/m/d", " m/f/d", " m/f/x", " m/v/x", " m/v", " v/m", " m/w", " k/m",
    " m/k", " f/m/d", " h/f/x", " m/ž", " ref", " n°", " nº", "-stelle",
];
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

/// The role inside a captured piece of text, in its original spelling. `language` as the mail's.
pub(super) fn role(captured: &str, employer: Option<&str>, language: &str) -> Option<String> {
    let mut text = trimmed(captured);
    if is_spaceless(text) {
        text = spaceless::role(text, employer);
    }
    text = without_leading(behind_article(text), language);
    // `position Data Analyst`: what the word says, it says of the role.
    while let Some((first, rest)) = text.split_once(' ')
        && AFTER_ROLE.contains(&first.to_lowercase().as_str())
    {
        text = trimmed(rest);
    }
    text = before_mark(behind_hyphen(without_numbered_bracket(text)), employer);
    if let Some((_, tail)) = text.split_once(": ").filter(|(head, _)| is_employer(head, employer)) {
        text = trimmed(tail);
    }
    text = without_trailing(before_clause(without_number(text)));
    let unbalanced = text.matches('(').count() != text.matches(')').count();
    if unbalanced && let Some((head, _)) = text.split_once('(') {
        text = trimmed(head);
    }
    let lower = text.to_lowercase();
    let generic = AFTER_ROLE.contains(&lower.as_str()) || NO_EMPLOYER.contains(&lower.as_str());
    let sentence = is_sentence(&lower) && !is_grade(text);
    (fits(text) && !generic && !sentence).then(|| nominative(text, language))
}

/// Whether a text in small letters has a word that no role has, or begins with the verb of a sentence.
fn is_sentence(lower: &str) -> bool {
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).peekable();
    let mut found = words.peek().is_some_and(|first| VERBS_FIRST.contains(first) || NUMBER_LABELS.contains(first));
    while let Some(word) = words.next() {
        let next = words.peek();
        let builds = |(first, rest): &(&str, &[&str])| *first == word && next.is_some_and(|next| rest.contains(next));
        found |= NO_ROLE.contains(&word) && !BUILDING.iter().any(builds);
    }
    found
}

/// Whether the only word of a sentence is the grade at the end: *Research Associate I*.
fn is_grade(text: &str) -> bool {
    let head = text.strip_suffix(" I").filter(|head| head.chars().next().is_some_and(char::is_uppercase));
    head.is_some_and(|head| !is_sentence(&head.to_lowercase()))
}

/// The text behind a hyphen without spaces that parts it from words about the application: *Interview feedback-Baker*.
fn behind_hyphen(text: &str) -> &str {
    let about =
        |head: &str| head.rsplit(' ').next().is_some_and(|last| NO_ROLE.contains(&last.to_lowercase().as_str()));
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
fn behind_article(text: &str) -> &str {
    let mut start = 0;
    let mut offset = 0;
    for word in text.split_inclusive(' ') {
        offset += word.len();
        if BEFORE_ROLE.contains(&word.trim().to_lowercase().as_str()) {
            start = offset;
        }
    }
    trimmed(text.get(start..).unwrap_or_default())
}

/// The text without the words that say that a role follows.
fn without_leading<'t>(mut text: &'t str, language: &str) -> &'t str {
    loop {
        let begins = |word: &&&str| {
            // In English a curriculum is taught.
            let taught = **word == "curriculum " && language == "en";
            !taught && text.get(..word.len()).is_some_and(|head| head.to_lowercase() == ***word)
        };
        let longest = LEADING.iter().filter(begins).map(|word| word.len()).max();
        match longest.and_then(|length| text.get(length..)).map(trimmed) {
            Some(rest) if !rest.is_empty() => text = rest,
            _ => return text,
        }
    }
}

/// The text before a mark behind which the employer, a place or a number stands.
fn before_mark<'t>(mut text: &'t str, employer: Option<&str>) -> &'t str {
    for mark in [
        " at ", " bei ", " beim ", " chez ", " with ", " @ ", " | ", " (m/", " (f/", " (w/", " (d/", " (h/", " (H/",
        " (M/", " (F/", " (k/", " (K/", " (v/", " (all ", " [", " (ref", " – ", " — ", " - ",
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
    for word in BETWEEN {
        if let Some((head, _)) = text.rsplit_once(word).filter(|(head, tail)| fits(head) && is_employer(tail, employer))
        {
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
fn without_trailing(mut text: &str) -> &str {
    loop {
        let lower = text.to_lowercase();
        let same_length = lower.len() == text.len();
        let mark = TRAILING.iter().find(|mark| same_length && lower.ends_with(**mark)).map(|mark| mark.len());
        if let Some(head) = mark.and_then(|length| text.get(..text.len() - length)) {
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
        let label = NUMBER_LABELS.contains(&last.trim_end_matches(['.', ':']));
        if !AFTER_ROLE.contains(&last.as_str()) && !is_number && !label {
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

fn is_employer(text: &str, employer: Option<&str>) -> bool {
    employer.is_some_and(|e| agree(&folded(e), &folded(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(role(captured, Some("Acme"), "en").as_deref(), expected, "{captured}");
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
            assert_eq!(role(captured, Some("Acme"), language).as_deref(), expected, "{captured}");
        }
    }
}
