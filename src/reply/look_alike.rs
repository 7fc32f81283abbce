//! Domains that are made to be read as somebody else's: letters of other alphabets, digits for letters, one letter off.
//!
//! This module must not know who sent what; it compares names.

/// Shortest name that is compared by its shape: short ones are alike by chance.
const SHAPE_CHARS_MIN: usize = 5;
/// Shortest name that is compared by one letter: `clever` is one letter from `lever`, and a firm of its own.
const EDIT_CHARS_MIN: usize = 8;

/// Whether a label of the domain mixes alphabets, or writes with letters of another one a name that reads as Latin.
pub(super) fn is_mixed(domain: &str) -> bool {
    let (unicode, decoded) = idna::domain_to_unicode(domain);
    let odd = |label: &str| {
        let alphabets: Vec<Alphabet> = label.chars().filter_map(Alphabet::of).collect();
        let latin = alphabets.contains(&Alphabet::Latin);
        let foreign = alphabets.iter().any(|alphabet| *alphabet != Alphabet::Latin);
        // Cyrillic that is made of nothing but letters with a Latin twin is not a word, but a mask.
        let twins =
            label.chars().any(|c| twin(c).is_some()) && label.chars().all(|c| twin(c).is_some() || !c.is_alphabetic());
        (latin && foreign) || twins
    };
    // Punycode that decodes to nothing was never a name.
    (decoded.is_err() && domain.contains("xn--")) || unicode.split('.').any(odd)
}

/// Alphabets whose letters look like one another's. Others are told apart by anybody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
}

impl Alphabet {
    fn of(c: char) -> Option<Alphabet> {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => Some(Alphabet::Latin),
            '\u{370}'..='\u{3ff}' => Some(Alphabet::Greek),
            '\u{400}'..='\u{52f}' => Some(Alphabet::Cyrillic),
            _ => None,
        }
    }
}

/// The Latin letter that a letter of another alphabet is drawn as.
fn twin(c: char) -> Option<char> {
    Some(match c {
        'а' => 'a',
        'е' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        'ј' => 'j',
        'ѕ' => 's',
        'ԁ' => 'd',
        'һ' => 'h',
        'ԛ' => 'q',
        'ԝ' => 'w',
        'ν' => 'v',
        _ => return None,
    })
}

/// Whether `name` is drawn like `of` and is not it: `paypa1` and `paypal`, `vvorkday` and `workday`.
pub(super) fn is_drawn_like(name: &str, of: &str) -> bool {
    name != of && of.chars().count() >= SHAPE_CHARS_MIN && shape(name) == shape(of)
}

/// Whether `name` is one letter off `of`: left out, added, exchanged or swapped with the next. With a hyphen more or less
/// it is often the same firm's.
pub(super) fn is_one_off(name: &str, of: &str) -> bool {
    if name.replace('-', "") == of.replace('-', "") {
        return false;
    }
    let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), of.chars().collect());
    if a == b || b.len() < EDIT_CHARS_MIN || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = |all: &[char], skip: usize| all.get(start + skip..).unwrap_or_default().to_vec();
    let swapped = || {
        let mut turned = rest(&a, 0);
        turned.len() > 1 && {
            turned.swap(0, 1);
            turned == rest(&b, 0)
        }
    };
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => rest(&a, 1) == rest(&b, 1) || swapped(),
        std::cmp::Ordering::Less => rest(&a, 0) == rest(&b, 1),
        std::cmp::Ordering::Greater => rest(&a, 1) == rest(&b, 0),
    }
}

/// A name as the eye takes it: digits and pairs of letters as the letter they pass for.
fn shape(name: &str) -> String {
    name.replace("rn", "m")
        .replace("vv", "w")
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' | '|' => 'l',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_pass_for_others() {
        for (name, of, drawn, one_off) in [
            ("paypa1", "paypal", true, false),
            ("paypal", "paypal", false, false),
            ("vvorkday", "workday", true, false),
            ("greenh0use", "greenhouse", true, true),
            ("greenhouse", "greenhouse", false, false),
            ("greenhous", "greenhouse", false, true),
            ("greenhosue", "greenhouse", false, true),
            ("greeenhouse", "greenhouse", false, true),
            ("greenhouses", "greenhouse", false, true),
            ("greenbouse", "greenhouse", false, true),
            ("whitehouse", "greenhouse", false, false),
            ("clever", "lever", false, false),
            ("green-house", "greenhouse", false, false),
            ("l3ver", "lever", true, false),
        ] {
            let found = (is_drawn_like(name, of), is_one_off(name, of));
            assert_eq!(found, (drawn, one_off), "{name} {of}");
        }
    }

    #[test]
    fn alphabets_are_not_mixed() {
        for (domain, mixed) in [
            ("kestrel.example", false),
            ("müller.example", false),
            ("xn--mller-kva.example", false),
            ("kеstrel.example", true),
            ("xn--kstrel-8of.example", true),
            ("раураӏ.example", false),
            ("роса.example", true),
            ("яндекс.рф", false),
            ("пример.example", false),
            ("株式会社.example", false),
            ("株式会社abc.example", false),
            ("xn--.example", true),
        ] {
            assert_eq!(is_mixed(domain), mixed, "{domain}");
        }
    }
}
