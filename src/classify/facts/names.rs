//! Names as they stand in mail, made comparable and cut to the name itself.

use super::{NameWords, spaceless, words::SenderWords};
use crate::rules::phrase::is_spaceless;

/// Shortest and longest name kept, in characters.
const CHARS: std::ops::RangeInclusive<usize> = 2..=70;
/// Most words of an employer's name.
const EMPLOYER_WORDS_MAX: usize = 7;
/// Most words for the kind of a place before the name in guillemets.
const KIND_WORDS_MAX: usize = 3;

/// Letters and digits only, lower case, words apart by one space, legal forms left out.
pub(super) fn folded(words: &NameWords, name: &str) -> String {
    let lower = spaceless::without_legal_form(words, name).to_lowercase();
    let all = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let kept: Vec<&str> = all.clone().filter(|w| !words.legal_forms.has(w)).collect();
    if kept.is_empty() { all.collect::<Vec<_>>().join(" ") } else { kept.join(" ") }
}

/// Folded and without spaces, as slugs and domains are made.
pub(super) fn squeezed(words: &NameWords, name: &str) -> String {
    folded(words, name).replace(' ', "")
}

/// As a domain would spell it: accents taken off, umlauts long (`ue`) or short (`u`), `&` as `and`, letters and digits.
/// Cyrillic as Russian documents write it, with long umlauts as Ukrainian ones do.
pub(super) fn as_domain(text: &str, umlauts_long: bool) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    if text.is_ascii() {
        let letters = text.replace('&', "and");
        return letters.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    }
    let lower = text.to_lowercase().replace('&', "and").replace('ß', "ss").replace('æ', "ae").replace('œ', "oe");
    let lower = if umlauts_long { lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue") } else { lower };
    let latin = lower.nfc().flat_map(|letter| {
        let letters = cyrillic(letter, umlauts_long);
        letters.unwrap_or_default().chars().chain(letters.is_none().then_some(letter))
    });
    latin.nfd().map(plain).filter(|c| !is_combining_mark(*c) && c.is_alphanumeric()).collect()
}

/// A small Cyrillic letter in Latin ones; `None` for any other letter.
fn cyrillic(letter: char, ukrainian: bool) -> Option<&'static str> {
    let (russian, other) = match letter {
        'а' => ("a", "a"),
        'б' => ("b", "b"),
        'в' => ("v", "v"),
        'г' => ("g", "h"),
        'ґ' => ("g", "g"),
        'д' => ("d", "d"),
        'е' | 'ё' | 'э' => ("e", "e"),
        'є' => ("e", "ie"),
        'ж' => ("zh", "zh"),
        'з' => ("z", "z"),
        'и' => ("i", "y"),
        'і' | 'ї' => ("i", "i"),
        'й' => ("y", "i"),
        'к' => ("k", "k"),
        'л' => ("l", "l"),
        'м' => ("m", "m"),
        'н' => ("n", "n"),
        'о' => ("o", "o"),
        'п' => ("p", "p"),
        'р' => ("r", "r"),
        'с' => ("s", "s"),
        'т' => ("t", "t"),
        'у' => ("u", "u"),
        'ф' => ("f", "f"),
        'х' => ("kh", "kh"),
        'ц' => ("ts", "ts"),
        'ч' => ("ch", "ch"),
        'ш' => ("sh", "sh"),
        'щ' => ("shch", "shch"),
        'ы' => ("y", "y"),
        'ю' => ("yu", "iu"),
        'я' => ("ya", "ia"),
        'ъ' | 'ь' => ("", ""),
        _ => return None,
    };
    Some(if ukrainian { other } else { russian })
}

/// Letters that stand for themselves, as an address without them writes them.
fn plain(letter: char) -> char {
    match letter {
        'ı' => 'i',
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        other => other,
    }
}

/// Whether two folded names mean the same: equal, one whole inside the other, or the same slug.
pub(super) fn agree(a: &str, b: &str) -> bool {
    let long_enough = a.chars().count().min(b.chars().count()) >= 3;
    let ends = |text: &str| text.is_empty() || text.starts_with(' ');
    let within = |a: &str, b: &str| {
        let mut words = [0].into_iter().chain(a.match_indices(' ').map(|(at, _)| at + 1));
        words.any(|at| a.get(at..).and_then(|rest| rest.strip_prefix(b)).is_some_and(ends))
    };
    let same_letters = || a.chars().filter(|c| *c != ' ').eq(b.chars().filter(|c| *c != ' '));
    a == b
        || (long_enough && (within(a, b) || within(b, a) || same_letters()))
        || is_initials(a, b)
        || is_initials(b, a)
        || is_bent(a, b)
}

/// Letters that a word keeps when a sentence bends it.
const STEM_CHARS_MIN: usize = 4;
/// Longest ending of a bent word, in letters.
const BENT_ENDING_CHARS_MAX: usize = 2;

/// Whether two names differ only in the endings that a sentence gives to words: *bei den Stadtwerken*.
fn is_bent(a: &str, b: &str) -> bool {
    let alike = |(a, b): (&str, &str)| {
        let stem = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let longest = a.chars().count().max(b.chars().count());
        a == b || (stem >= STEM_CHARS_MIN && longest - stem <= BENT_ENDING_CHARS_MAX)
    };
    a.split(' ').count() == b.split(' ').count() && a.split(' ').zip(b.split(' ')).all(alike)
}

/// Whether `short` is made of the first letters of `long`'s words.
fn is_initials(short: &str, long: &str) -> bool {
    let initials = long.split(' ').filter_map(|w| w.chars().next());
    short.chars().count() >= 3 && initials.eq(short.chars())
}

/// Cuts punctuation and quotes from both ends.
pub(super) fn trimmed(text: &str) -> &str {
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

pub(super) fn fits(text: &str) -> bool {
    CHARS.contains(&text.chars().count()) && text.chars().any(char::is_alphabetic)
}

/// Whether a word may stand in a name: it begins with a capital, a digit, or belongs to a script without capitals, or
/// is spelled like a brand (`eBay`).
fn is_name_word(word: &str) -> bool {
    let mut chars = word.trim_start_matches(['(', '"', '\'', '“', '„', '«', '№', '#']).chars();
    match chars.next() {
        Some(c) if c.is_lowercase() => chars.any(|c| c.is_uppercase() || c == '.') && !word.ends_with('.'),
        Some(c) => c.is_alphanumeric() || c == '&' || c == '+',
        None => false,
    }
}

/// The employer's name inside a captured piece of text, in its original spelling, without what a team adds to it
/// (*Hiring Team*).
pub(super) fn employer(words: &NameWords, captured: &str) -> Option<String> {
    if is_spaceless(captured) {
        return spaceless::employer(words, captured).filter(|name| fits(name)).map(str::to_owned);
    }
    if let Some(name) = quoted(captured) {
        return Some(name.to_owned());
    }
    let joined = name_words(words, captured).join(" ");
    let name = without_suffix(&words.sender, trimmed(&joined));
    let no_name = |w: String| words.no_employer.has(&w) || words.institutions.has(&w) || words.places.has(&w);
    let generic = name.split_whitespace().map(str::to_lowercase).all(no_name);
    (fits(name) && !generic && !has_patronymic(words, name)).then(|| name.to_owned())
}

/// The name in guillemets behind the word for its kind: *Кафе «Ранок»*. The closing one may be cut off.
fn quoted(text: &str) -> Option<&str> {
    let (kind, behind) = text.split_once('«')?;
    let name = trimmed(behind.split('»').next().unwrap_or_default());
    let kinds = kind.split_whitespace().count();
    let begins = kind.is_empty() || kind.ends_with(' ') && is_name_word(kind);
    let short = kinds <= KIND_WORDS_MAX && name.split_whitespace().count() <= EMPLOYER_WORDS_MAX;
    let named = name.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    (begins && short && named && fits(name)).then_some(name)
}

/// Whether the last word is a patronymic: such a name is a person's.
fn has_patronymic(words: &NameWords, name: &str) -> bool {
    name.rsplit_once(' ').is_some_and(|(_, last)| words.patronymics.end(&last.to_lowercase()))
}

/// Whether a small word behind the word for a kind of place says whose or of what it is (*Театр кукол*) and is no verb.
fn belongs(words: &NameWords, place: &str, word: &str) -> bool {
    let long = word.chars().count() >= STEM_CHARS_MIN && word.chars().all(char::is_alphabetic);
    long && words.places.has(&place.to_lowercase()) && !words.verb_endings.end(word)
}

/// The words of the name that a captured piece of text begins with.
fn name_words<'t>(words: &NameWords, captured: &'t str) -> Vec<&'t str> {
    let mut name: Vec<&str> = Vec::new();
    let mut pending: Vec<&str> = Vec::new();
    for word in trimmed(captured).split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if is_name_word(word) && !(name.is_empty() && words.no_employer.has(&bare)) {
            name.append(&mut pending);
            name.push(word);
            let ends = word.ends_with([',', ';', ')']) || (word.ends_with('.') && !words.legal_forms.has(&bare));
            if ends || name.len() >= EMPLOYER_WORDS_MAX {
                break;
            }
        } else if name.is_empty() && words.team_words.has(&bare) {
            // `HR Acme`: what stands before the name.
        } else if name.is_empty() {
            // An article may stand first; anything else small is no name.
            if !words.articles.has(&bare) {
                return name;
            }
        } else if words.connectors.has(word) {
            pending.push(word);
        } else if pending.is_empty()
            && (words.institutions.has(&bare)
                || name.last().is_some_and(|place| name.len() == 1 && belongs(words, place, word)))
        {
            name.push(word);
        } else {
            break;
        }
    }
    name
}

/// Takes the words a team puts before the name off (*Ufficio HR*), with what stands between.
pub(super) fn without_prefix<'n>(words: &NameWords, name: &'n str) -> &'n str {
    let prefixes = &words.sender.prefixes;
    let mut rest = trimmed(name);
    loop {
        let marks = rest.match_indices([' ', ':', ',']).map(|(at, _)| at).take_while(|at| *at <= prefixes.longest());
        let behind = |at: usize| {
            let (head, tail) = rest.split_at_checked(at).filter(|(head, _)| head.len() <= prefixes.longest())?;
            let lower = head.to_lowercase();
            (lower.len() == head.len() && prefixes.has(&lower)).then_some(tail)
        };
        // The longest one.
        let Some(tail) = marks.chain([rest.len()]).filter_map(behind).last() else { return rest };
        rest = trimmed(tail);
        while let Some((word, tail)) = rest.split_once(' ')
            && words.after_team.has(word)
        {
            rest = trimmed(tail);
        }
    }
}

/// Whether a line ends with a legal form, as an employer's name alone in its line does.
pub(super) fn has_legal_form(words: &NameWords, line: &str) -> bool {
    let Some((name, last)) = trimmed(line).rsplit_once(' ') else { return false };
    let last = last.trim_end_matches('.');
    let form = words.legal_endings.has(last) || trimmed(line).ends_with("z o.o.") || trimmed(line).ends_with("z o.o");
    form && name.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
}

/// Takes the words a team adds off the end, as long as there are any.
pub(super) fn without_suffix<'n>(words: &SenderWords, name: &'n str) -> &'n str {
    let mut name = trimmed(name);
    loop {
        let apart = |head: &&str| head.is_empty() || head.ends_with([' ', '\'', '-', '@', '|']);
        // The longest first: `Early Careers` is all team.
        match words.suffixes.heads(name).filter(apart).map(trimmed).min_by_key(|head| head.len()) {
            Some(head) => name = head,
            None => return name,
        }
    }
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
        let words = super::super::words::shipped();
        for (captured, expected) in [
            ("Acme and for your time", Some("Acme")),
            ("Bank of Nowhere, we", Some("Bank of Nowhere")),
            ("our team", None),
            ("the Field Museum", Some("Field Museum")),
            ("Foo Hiring Team", Some("Foo")),
            ("eBay", Some("eBay")),
            ("a new place", None),
            ("Smith & Sons Ltd.", Some("Smith & Sons Ltd.")),
            ("het Nationaal Archief", Some("Nationaal Archief")),
            ("el Hospital del Mar", Some("Hospital del Mar")),
            ("Museo della Carta", Some("Museo della Carta")),
            ("Ekip olarak", None),
            ("Nordviks kommun och", Some("Nordviks kommun")),
            ("Universität", None),
            ("Студия «Точный шов»", Some("Точный шов")),
            ("ООО «Ромашка» и", Some("Ромашка")),
            ("Медичний центр «Світло", Some("Світло")),
            ("мы открыли «Ромашку»", None),
            ("Кафе", None),
            ("Школа №7", Some("Школа №7")),
            ("Театр теней", Some("Театр теней")),
            ("Театр благодарит вас", None),
            ("Робот Вера", None),
            ("Анна Петровна", None),
        ] {
            assert_eq!(employer(words, captured).as_deref(), expected, "{captured}");
        }
        for (captured, expected) in [
            ("Ufficio HR Cartiera Bassa", "Cartiera Bassa"),
            ("Zespół Rekrutacji Acme", "Acme"),
            ("Equipo de People de Acme", "Acme"),
            ("Отдел персонала Ромашка", "Ромашка"),
            ("Zespołowy", "Zespołowy"),
            ("Ufficio HR", ""),
        ] {
            assert_eq!(without_prefix(words, captured), expected, "{captured}");
        }
        for (line, expected) in [
            ("Acme Plus s.r.o.", true),
            ("Acme sp. z o.o.", true),
            ("Acme, Lda.", true),
            ("Acme Oy", true),
            ("Acme", false),
            ("as soon as", false),
        ] {
            assert_eq!(has_legal_form(words, line), expected, "{line}");
        }
        for (name, long, expected) in [
            ("Sarı Işık", false, "sariisik"),
            ("СофтКраїна", false, "softkraina"),
            ("Дзюба", true, "dziuba"),
            ("Юрий", false, "yuriy"),
            ("Ёлка & Ко", false, "elkaandko"),
        ] {
            assert_eq!(as_domain(name, long), expected, "{name}");
        }
        assert!(agree(&folded(words, "Foo Bar GmbH"), &folded(words, "foobar")));
        assert!(!agree("lever", "clever"));
        assert!(is_person("Anna-Maria Schmidt") && !is_person("ACME HR") && !is_person("Acme"));
    }
}
